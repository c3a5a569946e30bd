/* metrics_cad.c - what is known of each community of the configuration, and of other nodes, in numbers: a board without
 * a name. What test events made up is remembered, and counts no further: nobody is to be woken by it. */
#include <string.h>

#include "daemon_private.h"

#define N_STATUSES 5
#define N_PRIORITIES 10
#define OTHERS_MAX 256

struct cad {
    uint64_t known_units, known_calls, known_calls911;
    uint64_t units[N_STATUSES + 1]; /* online; the last: another status, or none that is known */
    uint64_t panics, without_unit, waiting, oldest_us;
    uint64_t heard_us;
};

struct calls {
    uint64_t n[N_PRIORITIES + 1]; /* the last: another priority, or none that is known */
};

#define CAD(MEMBER) REPORT_OFFSET(struct cad, MEMBER)
#define KNOWN(KIND, MEMBER)                                                                                            \
    {                                                                                                                  \
        .name = "state_entries", .kind = REPORT_GAUGE, .label = "kind", .value = (KIND),                               \
        .help = "What is remembered, closed calls and units off duty of the last 24 hours among it.",                  \
        .offset = CAD(MEMBER)                                                                                          \
    }
#define UNITS(STATUS, WHICH)                                                                                           \
    {                                                                                                                  \
        .name = "units", .kind = REPORT_GAUGE, .label = "status", .value = (STATUS),                                   \
        .help = "Units that are online, by their status.", .offset = CAD(units[WHICH])                                 \
    }

static const struct report_row cad_rows[] = {
    { .name = "last_event_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When the newest event of the community came, 0: none since the start or in the day before it.",
      .offset = CAD(heard_us) },
    KNOWN("unit", known_units),
    KNOWN("call", known_calls),
    KNOWN("call911", known_calls911),
    UNITS("unavailable", 0),
    UNITS("busy", 1),
    UNITS("available", 2),
    UNITS("enroute", 3),
    UNITS("on_scene", 4),
    UNITS("other", N_STATUSES),
    { .name = "panics", .kind = REPORT_GAUGE, .help = "Units in panic.", .offset = CAD(panics) },
    { .name = "calls_without_unit",
      .kind = REPORT_GAUGE,
      .help = "Calls that are not closed and have no unit.",
      .offset = CAD(without_unit) },
    { .name = "calls911_waiting",
      .kind = REPORT_GAUGE,
      .help = "911 calls that no dispatch call was made from, and that were not removed.",
      .offset = CAD(waiting) },
    { .name = "calls911_oldest_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When the oldest of them came, 0: there is none.",
      .offset = CAD(oldest_us) },
};
const struct report_table metrics_cad_report = { cad_rows, ARRAY_SIZE(cad_rows) };

#define CALLS(PRIORITY, WHICH)                                                                                         \
    {                                                                                                                  \
        .name = "calls", .kind = REPORT_GAUGE, .label = "priority", .value = (PRIORITY),                               \
        .help = "Calls that are not closed, by their status and priority.",                                            \
        .offset = REPORT_OFFSET(struct calls, n[WHICH])                                                                \
    }

static const struct report_row calls_rows[] = {
    CALLS("0", 0),
    CALLS("1", 1),
    CALLS("2", 2),
    CALLS("3", 3),
    CALLS("4", 4),
    CALLS("5", 5),
    CALLS("6", 6),
    CALLS("7", 7),
    CALLS("8", 8),
    CALLS("9", 9),
    CALLS("other", N_PRIORITIES),
};
const struct report_table metrics_calls_report = { calls_rows, ARRAY_SIZE(calls_rows) };

/* Those of a call that is not closed. */
enum call_status { CALL_PENDING, CALL_ACTIVE, CALL_OTHER, CALL_N_STATUSES };
static const char *const call_statuses[] = { "pending", "active", "other" };

/* ---- counting ---- */

static size_t place_of(int32_t number, size_t n)
{
    return number >= 0 && (size_t) number < n ? (size_t) number : n;
}

static void count_units(const struct state_snapshot *snapshot, struct cad *ret)
{
    for (size_t i = 0; i < snapshot->n_units; i++) {
        const struct state_unit *unit = &snapshot->units[i];
        if (unit->test)
            continue;
        ret->units[place_of(unit->status, N_STATUSES)] += unit->told && unit->online;
        ret->panics += unit->panic;
    }
}

static void count_calls(const struct state_snapshot *snapshot, struct cad *ret, struct calls *ret_calls)
{
    for (size_t i = 0; i < snapshot->n_calls; i++) {
        const struct state_call *call = &snapshot->calls[i];
        if (call->status == STATE_CALL_CLOSED || call->test)
            continue;
        ret_calls[place_of(call->status, CALL_OTHER)].n[place_of(call->priority, N_PRIORITIES)]++;
        ret->without_unit += snapshot->n_attached[i] == 0;
    }
}

static void count_calls911(const struct state_snapshot *snapshot, struct cad *ret)
{
    for (size_t i = 0; i < snapshot->n_calls911; i++) {
        const struct state_call911 *call = &snapshot->calls911[i];
        usec_t opened_us = call->opened_us;
        if (call->call != STATE_UNSET_ID || call->test)
            continue;
        ret->waiting++;
        if (opened_us && (!ret->oldest_us || opened_us < ret->oldest_us))
            ret->oldest_us = opened_us;
    }
}

static void add_community(struct pipeline *pipeline, const struct state *state, const char *community,
                          struct report_list *list)
{
    struct state_snapshot *snapshot;
    if (state_snapshot(state, community, &snapshot) < 0) {
        list->failed = true;
        return;
    }
    struct cad cad = { .known_units = snapshot->n_units,
                       .known_calls = snapshot->n_calls,
                       .known_calls911 = snapshot->n_calls911,
                       .heard_us = pipeline_last_heard_us(pipeline, community) };
    struct calls calls[CALL_N_STATUSES] = { 0 };
    count_units(snapshot, &cad);
    count_calls(snapshot, &cad, calls);
    count_calls911(snapshot, &cad);
    state_snapshot_free(snapshot);
    const struct report_label of = { "community", community };
    report_list_add(list, &(struct report_part){ &metrics_cad_report, &cad, { of } }, sizeof(cad));
    for (size_t i = 0; i < CALL_N_STATUSES; i++)
        report_list_add(list,
                        &(struct report_part){
                            &metrics_calls_report, &calls[i], { of, { "status", call_statuses[i] } } },
                        sizeof(calls[i]));
}

/* Those of other nodes, by their realms: as many as a day brought, and no more than anybody draws. */
static void add_others(struct pipeline *pipeline, const struct state *state, struct report_list *list)
{
    char realm[REALM_MAX_BYTES + 1] = "";
    usec_t now = now_us();
    for (int n = 0; n < OTHERS_MAX && state_next_realm(state, realm);) {
        usec_t heard_us = strchr(realm, '@') ? pipeline_last_heard_us(pipeline, realm) : 0;
        if (!heard_us || heard_us + STATE_KEEP_US < now)
            continue;
        add_community(pipeline, state, realm, list);
        n++;
    }
}

void metrics_cad_add(struct pipeline *pipeline, const struct state *state, const struct config *config,
                     struct report_list *list)
{
    for (size_t i = 0; i < config->n_communities; i++)
        add_community(pipeline, state, config->communities[i].name, list);
    add_others(pipeline, state, list);
}
