/* pipeline_report.c - what is told of the pipeline: a sentence, a status, its counters. */
#include <string.h>

#include "pipeline_private.h"

static bool is_said(const struct pipeline *pipeline, const struct pipeline_source *source)
{
    const struct pipeline_source *before = pipeline->sources;
    while (before != source && before->callbacks.unstored != source->callbacks.unstored)
        before = before->next;
    return before != source;
}

void pipeline_add_unstored(const struct pipeline *pipeline, struct text *out)
{
    const char *between = " (", *end = "";
    for (const struct pipeline_source *source = pipeline->sources; source; source = source->next) {
        if (!source->callbacks.unstored || is_said(pipeline, source))
            continue;
        text_add(out, between);
        text_add(out, source->callbacks.unstored);
        between = ", ";
        end = ")";
    }
    text_add(out, end);
}

void pipeline_add_sentence(struct pipeline *pipeline, struct text *out)
{
    if (!pipeline->hanging && !pipeline->failing) {
        text_add(out, "Listening for push events");
        return;
    }
    if (pipeline->hanging)
        text_add(out, pipeline->locked ? "Another program has locked the event log: events cannot be stored"
                                       : "The disk does not answer: events cannot be stored");
    else
        text_add(out, "Events cannot be stored");
    pthread_mutex_lock(&pipeline->lock);
    pipeline_add_unstored(pipeline, out);
    pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_tell_sentence(struct pipeline *pipeline)
{
    struct text sentence CLEANUP(text_free) = TEXT_INIT;
    pipeline_add_sentence(pipeline, &sentence);
    service_tell_status(sentence.s);
}

void pipeline_get_status(struct pipeline *pipeline, struct pipeline_status *ret)
{
    *ret = (struct pipeline_status){ .storing = !pipeline->failing && !pipeline->hanging,
                                     .newest_id = pipeline->newest_id,
                                     .newest_us = pipeline->newest_us,
                                     .n_heard = pipeline->n_heard };
    pthread_mutex_lock(&pipeline->lock);
    ret->wal_bytes = pipeline->wal_bytes;
    memcpy(ret->copies_from, pipeline->copies_from, sizeof(ret->copies_from));
    ret->copies_us = pipeline->copies_us;
    memcpy(ret->wal_held_by, pipeline->wal_held_by, sizeof(ret->wal_held_by));
    pthread_mutex_unlock(&pipeline->lock);
    report_copy(&ret->counts, &pipeline->counts, sizeof(ret->counts));
    ret->counts.queued_events = pipeline->queued_events;
    ret->counts.queued_bytes = pipeline->queued_bytes;
    ret->counts.queue_limit_bytes = pipeline->max_queue_bytes;
}

#define COUNT(member) REPORT_OFFSET(struct pipeline_status, counts.member)
#define FAILURES(ERROR, WHICH)                                                                                         \
    {                                                                                                                  \
        .name = "store_failures", .kind = REPORT_COUNTER, .label = "error", .value = (ERROR),                          \
        .help = "Transactions that failed.", .offset = COUNT(failures[WHICH])                                          \
    }
#define TRIMMED(REASON, MEMBER)                                                                                        \
    {                                                                                                                  \
        .name = "store_trimmed_events", .kind = REPORT_COUNTER, .label = "reason", .value = (REASON),                  \
        .help = "Old events that were deleted; unread: before an action had seen them.", .offset = COUNT(MEMBER)       \
    }

static const struct report_row report_rows[] = {
    { .name = "store_wal_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "Size of the event log's write-ahead log.",
      .object = "store",
      .member = "wal_bytes",
      .offset = REPORT_OFFSET(struct pipeline_status, wal_bytes) },
    { .name = "store_writable",
      .kind = REPORT_FLAG,
      .help = "1: events can be stored.",
      .member = "storing",
      .offset = REPORT_OFFSET(struct pipeline_status, storing) },
    { .name = "store_newest_event_id",
      .kind = REPORT_GAUGE,
      .help = "Id of the newest event in the log.",
      .member = "newest",
      .line = "in the log",
      .offset = REPORT_OFFSET(struct pipeline_status, newest_id) },
    { .name = "newest_event_timestamp_seconds",
      .unit = "seconds",
      .status_only = true,
      .kind = REPORT_TIME,
      .help = "When the newest event came.",
      .member = "last_event",
      .line = "the last at",
      .offset = REPORT_OFFSET(struct pipeline_status, newest_us) },
    { .name = "queue_events",
      .kind = REPORT_GAUGE,
      .help = "Events that wait to be stored.",
      .offset = COUNT(queued_events) },
    { .name = "queue_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "Memory of the events that wait to be stored.",
      .offset = COUNT(queued_bytes) },
    { .name = "queue_limit_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "How much memory they may have (limits.in_flight).",
      .offset = COUNT(queue_limit_bytes) },
    { .name = "store_commit_seconds",
      .unit = "seconds",
      .kind = REPORT_HISTOGRAM,
      .limits = &counts_commit_limits,
      .help = "One transaction with events, from its begin to its end.",
      .offset = REPORT_OFFSET_HISTOGRAM(struct pipeline_status, counts.commit_us) },
    { .name = "store_batch_events",
      .kind = REPORT_HISTOGRAM,
      .limits = &counts_batch_limits,
      .help = "How many events a transaction had.",
      .offset = REPORT_OFFSET_HISTOGRAM(struct pipeline_status, counts.batch_events) },
    FAILURES("nospace", PIPELINE_FAILURE_NO_SPACE),
    FAILURES("io", PIPELINE_FAILURE_IO),
    FAILURES("busy", PIPELINE_FAILURE_BUSY),
    FAILURES("other", PIPELINE_FAILURE_OTHER),
    TRIMMED("age", trimmed_by_age),
    TRIMMED("size", trimmed_by_size),
    TRIMMED("unread", trimmed_unread),
    { .name = "copies",
      .kind = REPORT_COUNTER,
      .help = "Events that came twice within 10 s, by two kinds of source.",
      .member = "copies",
      .doubt = { "event", "events", "came twice, by two sources",
                 "a game server that forwards what it hears and a session of ours are both on: switch one of them "
                 "off" },
      .offset = COUNT(copies) },
    { .name = "store_oldest_event_id",
      .kind = REPORT_GAUGE,
      .help = "Id of the oldest event in the log, when it was last looked for old ones.",
      .offset = COUNT(oldest_id) },
    { .name = "store_size_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "Size of the event log with its write-ahead log, as store.max_size counts it.",
      .offset = COUNT(size_bytes) },
    { .name = "store_limit_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "How large it may be (store.max_size), 0: no limit.",
      .offset = COUNT(limit_bytes) },
};

const struct report_table pipeline_report = { report_rows, ARRAY_SIZE(report_rows) };
