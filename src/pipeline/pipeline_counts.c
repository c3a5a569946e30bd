/* pipeline_counts.c - what the writer counts, and what is told of it. */
#include <errno.h>

#include "pipeline_private.h"

const struct report_limits counts_commit_limits = {
    { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000 }, 14
};
const struct report_limits counts_batch_limits = { { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 }, 10 };

/* ---- in the writer ---- */

static enum pipeline_failure failure_of(int r)
{
    switch (-r) {
    case ENOSPC:
        return PIPELINE_FAILURE_NO_SPACE;
    case EIO:
        return PIPELINE_FAILURE_IO;
    case EBUSY:
        return PIPELINE_FAILURE_BUSY;
    default:
        return PIPELINE_FAILURE_OTHER;
    }
}

/* 0: not known here, or one of more types than are counted. */
static size_t type_of(const struct event_families *families, const struct event *event)
{
    size_t first = 1;
    for (size_t i = 0; event->handler && families && i < families->n; i++) {
        const struct event_family *family = families->list[i];
        if (family == event->family) {
            size_t type = first + (size_t) (event->handler - family->types);
            return type <= COUNTED_TYPES_MAX ? type : 0;
        }
        first += family->n_types;
    }
    return 0;
}

/* Those of the CAD. */
static void count_event(struct pipeline *pipeline, const struct event *event)
{
    if (event->verdict < N_VERDICTS)
        report_count(&pipeline->stored[type_of(pipeline->families, event)][event->verdict], 1);
}

void counts_committed(struct pipeline *pipeline, const struct submission *list, usec_t began_us, int r)
{
    size_t n = 0;
    if (r < 0) {
        report_count(&pipeline->counts.failures[failure_of(r)], 1);
        return;
    }
    for (const struct submission *s = list; s; s = s->next)
        for (size_t i = 0; i < s->batch.n_events; i++, n++)
            count_event(pipeline, &s->batch.events[i]);
    if (!list)
        return;
    report_observe(&pipeline->counts.commit_us, &counts_commit_limits, uptime_us() - began_us);
    report_observe(&pipeline->counts.batch_events, &counts_batch_limits, n);
}

void counts_trimmed(struct pipeline *pipeline, const struct store_trimmed *trimmed)
{
    struct pipeline_counts *counts = &pipeline->counts;
    report_count(trimmed->for_size ? &counts->trimmed_by_size : &counts->trimmed_by_age,
                 trimmed->n_events - trimmed->n_unread);
    report_count(&counts->trimmed_unread, trimmed->n_unread);
    report_set(&counts->limit_bytes, trimmed->max_bytes);
    if (!trimmed->oldest_id)
        return;
    report_set(&counts->oldest_id, trimmed->oldest_id);
    report_set(&counts->size_bytes, trimmed->bytes);
}

/* ---- what is told ---- */

struct stored {
    uint64_t n[N_VERDICTS];
};

#define STORED(VERDICT, WHICH)                                                                                         \
    {                                                                                                                  \
        .name = "events", .kind = REPORT_COUNTER, .label = "verdict", .value = (VERDICT),                              \
        .help = "Events that were stored, by their type and what became of them.",                                     \
        .offset = REPORT_OFFSET(struct stored, n[WHICH])                                                               \
    }

static const struct report_row rows[] = {
    STORED("accepted", EVENT_ACCEPTED),
    STORED("unknown", EVENT_UNKNOWN),
    STORED("invalid", EVENT_INVALID),
};
const struct report_table pipeline_type_report = { rows, ARRAY_SIZE(rows) };

static void add_stored(struct pipeline *pipeline, size_t type, const char *name, struct report_list *list)
{
    struct stored stored;
    report_copy(&stored, pipeline->stored[type], sizeof(stored));
    report_list_add(list, &(struct report_part){ &pipeline_type_report, &stored, { { "type", name } } },
                    sizeof(stored));
}

void pipeline_add_report(struct pipeline *pipeline, struct report_list *list)
{
    const struct event_families *families = pipeline->families;
    struct pipeline_status status;
    size_t type = 1;
    pipeline_get_status(pipeline, &status);
    report_list_add(list, &(struct report_part){ .table = &pipeline_report, .values = &status }, sizeof(status));
    for (size_t i = 0; families && i < families->n; i++)
        for (size_t j = 0; j < families->list[i]->n_types && type <= COUNTED_TYPES_MAX; j++)
            add_stored(pipeline, type++, families->list[i]->types[j].name, list);
    add_stored(pipeline, 0, "other", list);
}
