/* trim.c - old events deleted between commits, and what of that people are told. */
#include <errno.h>
#include <string.h>

#include "pipeline_private.h"

#define MINUTE_US (60 * USEC_PER_SEC)

static void tell_trim_failure(struct pipeline *pipeline, int r, const struct err *err)
{
    if ((r < 0) == pipeline->trim_failing)
        return;
    pipeline->trim_failing = r < 0;
    if (r < 0)
        log_line(LOG_WARNING, LOG_ID_STORE_FAILED, "old events are not deleted until they can be: %s", err->msg);
    else
        log_line(LOG_NOTICE, LOG_ID_STORE_RECOVERED, "old events are deleted again");
}

/* At a start it cannot be known: most often nothing came, or the machine was off. */
static void tell_jump(int64_t jump_us, bool quiet)
{
    uint64_t minutes = ((uint64_t) (jump_us < 0 ? -jump_us : jump_us) + MINUTE_US / 2) / MINUTE_US;
    bool days = minutes >= 2 * 24 * 60, hours = minutes >= 2 * 60;
    unsigned long long n = days ? (minutes + 12 * 60) / (24 * 60) : hours ? (minutes + 30) / 60 : minutes;
    const char *unit = days ? "days" : hours ? "hours" : "minutes";
    if (jump_us < 0)
        log_line(LOG_WARNING, LOG_ID_CLOCK, "the clock went back by %llu %s: events keep the order they came in", n,
                 unit);
    else if (quiet)
        log_line(
            LOG_INFO, LOG_ID_CLOCK,
            "the newest event came %llu %s before this machine was started, or the clock is so far ahead: until it "
            "has held for a day no event is deleted as too old by it",
            n, unit);
    else
        log_line(LOG_WARNING, LOG_ID_CLOCK,
                 "the clock is %llu %s ahead of what the event log and this machine's uptime explain: until it has "
                 "held for a day no event is deleted as too old by it",
                 n, unit);
}

static void tell_trimmed(struct pipeline *pipeline, const struct store_trimmed *trimmed)
{
    if (trimmed->jump_us)
        tell_jump(trimmed->jump_us, trimmed->quiet);
    pipeline->jumped |= trimmed->jump_us && !trimmed->quiet;
    if (trimmed->n_unread)
        log_line(LOG_WARNING, LOG_ID_EVENTS_GIVEN_UP,
                 "store.max_size is reached: %llu event%s deleted that an action had not seen yet",
                 (unsigned long long) trimmed->n_unread, text_plural(trimmed->n_unread));
    pipeline->believed |= trimmed->believed;
    pipeline->n_aged += pipeline->believed ? trimmed->n_events : 0;
    if (!pipeline->believed || trimmed->again)
        return;
    if (pipeline->n_aged)
        log_line(pipeline->jumped ? LOG_WARNING : LOG_INFO, LOG_ID_CLOCK,
                 "the clock has held for a day and is believed: %llu event%s older than store.keep deleted",
                 (unsigned long long) pipeline->n_aged, text_plural(pipeline->n_aged));
    pipeline->believed = pipeline->jumped = false;
    pipeline->n_aged = 0;
}

static void tell_wal(struct pipeline *pipeline, const struct store_trimmed *trimmed)
{
    if (trimmed->held_by[0] && !pipeline->wal_held_by[0])
        log_line(LOG_WARNING, LOG_ID_STORE_HELD,
                 "%s has been reading the event log for more than a minute without an end: until it ends, the "
                 "write-ahead log (%llu MB) only grows, and no old events are deleted",
                 trimmed->held_by, (unsigned long long) (trimmed->wal_bytes / 1000000));
    pthread_mutex_lock(&pipeline->lock);
    pipeline->wal_bytes = trimmed->wal_bytes;
    memcpy(pipeline->wal_held_by, trimmed->held_by, sizeof(pipeline->wal_held_by));
    pthread_mutex_unlock(&pipeline->lock);
}

/* Nothing is lost: what was answered is in the write-ahead log. */
static void tell_checkpoints(struct pipeline *pipeline)
{
    struct err err;
    int r = store_checkpoint_result(pipeline->store, &err);
    if ((r < 0) == pipeline->checkpoint_failing)
        return;
    pipeline->checkpoint_failing = r < 0;
    if (r < 0)
        log_line(LOG_WARNING, LOG_ID_STORE_FAILED, "the write-ahead log only grows until it can be copied: %s",
                 err.msg);
    else
        log_line(LOG_NOTICE, LOG_ID_STORE_RECOVERED, "the write-ahead log is copied into the event log again");
}

void trim_old(struct pipeline *pipeline)
{
    struct err err;
    struct store_trimmed trimmed;
    const struct store_time time = { now_us(), boottime_us() };
    usec_t now = uptime_us();
    if (now < pipeline->trimmed_us + TRIM_EVERY_US)
        return;
    tell_checkpoints(pipeline);
    int r = store_trim(pipeline->store, &time, &trimmed, &err);
    if (r == -EBUSY) /* another program has locked it: later */
        r = 0;
    tell_trim_failure(pipeline, r, &err);
    counts_trimmed(pipeline, &trimmed);
    if (trimmed.n_events)
        delivery_trimmed(pipeline->delivery, pipeline->store);
    tell_trimmed(pipeline, &trimmed);
    tell_wal(pipeline, &trimmed);
    pipeline->trimmed = r < 0 || !trimmed.again;
    if (!pipeline->trimmed)
        return;
    pipeline->trimmed_us = now;
    pipeline->grown = trimmed.held || trimmed.left;
}
