/* redis_streams.c - what each stream ends with, as far as that is known, and what has to be done where it is something
 * else. Pure but for what the log is asked, and the time. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "redis_action.h"

#define STREAMS_MAX 1024                 /* of which something is believed; the others are asked again */
#define RENEWED_US (200 * USEC_PER_MSEC) /* the writer has to commit a new life */
#define LOST_US USEC_PER_SEC             /* nothing is published again for so long, twice as long each time */
#define LOST_MAX_US (30 * USEC_PER_SEC)
#define QUIET_US (60 * USEC_PER_SEC) /* without a loss: then the next one is the first */

static bool is_empty(struct redis_id id)
{
    return !id.ms && !id.seq;
}

/* ---- the list ---- */

size_t redis_streams_find(struct redis_streams *streams, const char *key)
{
    for (size_t i = 0; i < streams->n; i++)
        if (strcmp(streams->v[i].key, key) == 0)
            return i;
    struct redis_stream *v = reallocarray(streams->v, streams->n + 1, sizeof(*v));
    if (v)
        streams->v = v;
    char *copy = v ? strdup(key) : NULL;
    if (!copy)
        return SIZE_MAX;
    streams->v[streams->n] = (struct redis_stream){ .key = copy };
    return streams->n++;
}

void redis_streams_free(struct redis_streams *streams)
{
    for (size_t i = 0; i < streams->n; i++)
        free(streams->v[i].key);
    free(streams->v);
    streams->v = NULL;
    streams->n = 0;
}

void redis_streams_trim(struct redis_streams *streams)
{
    if (streams->n < STREAMS_MAX)
        return;
    for (size_t i = 0; i < streams->n; i++)
        if (streams->v[i].has_missed)
            streams->walked_from = 0; /* so that each is compared with the log again */
    redis_streams_free(streams);
}

void redis_streams_lose(struct redis_streams *streams)
{
    for (size_t i = 0; i < streams->n; i++)
        streams->v[i].is_known = false;
}

struct redis_id redis_streams_id(const struct redis_streams *streams, const struct redis_stream *stream,
                                 uint64_t event_id)
{
    const struct action_log *log = streams->log;
    bool is_renewed = stream->renewed_from && event_id >= stream->renewed_from;
    return (struct redis_id){ is_renewed ? log->newest_epoch_ms(log->userdata) : log->epoch_ms(log->userdata, event_id),
                              event_id };
}

/* ---- what it means ---- */

static bool stop(struct action_outcome *ret, enum action_result result)
{
    ret->result = result;
    return false;
}

static bool explain_later(const struct redis_stream *stream, struct redis_id found, struct action_outcome *ret)
{
    err_set(&ret->err, 0,
            "the stream %s ends with %" PRIu64 "-%" PRIu64
            ", which another log has written, or somebody by hand, since this one was begun: give one of the two "
            "machines another node, or delete the key",
            stream->key, found.ms, found.seq);
    return stop(ret, ACTION_OFF);
}

/* A log that was put back from a copy behind the daemon's back has other events under the ids that came since. */
bool redis_streams_doubt(const struct redis_streams *streams, const struct redis_stream *stream, struct redis_id found,
                         uint64_t event_id)
{
    const struct action_log *log = streams->log;
    uint64_t told_id = 0;
    enum feed_told told = log->look_told(log->userdata, found.ms, found.seq, &told_id);
    bool has_more = (told == FEED_IS_OURS || told == FEED_IS_AHEAD) && told_id < found.seq;
    return has_more && !stream->renewed_from && log->epoch_ms(log->userdata, event_id) == found.ms;
}

void redis_streams_differ(struct redis_stream *stream, uint64_t event_id)
{
    stream->renewed_from = event_id;
}

void redis_streams_miss(struct redis_stream *stream)
{
    stream->is_known = false;
    stream->has_missed = true;
}

static bool renew(const struct redis_streams *streams, struct redis_stream *stream, struct redis_id found,
                  struct action_outcome *ret)
{
    stream->is_known = false;
    streams->log->renew(streams->log->userdata);
    ret->retry_after_us = RENEWED_US;
    err_set(&ret->err, 0, "the stream %s has event %" PRIu64 " of this log, which it has lost: a new life begins",
            stream->key, found.seq);
    return stop(ret, ACTION_RETRY);
}

/* What is believed of the others may be as wrong. */
static bool go_back(struct redis_streams *streams, const struct redis_stream *stream, uint64_t from_id,
                    struct action_outcome *ret)
{
    for (size_t i = 0; i < streams->n; i++)
        if (&streams->v[i] != stream)
            streams->v[i].is_known = streams->v[i].is_believed = false;
    streams->walked_from = from_id;
    ret->back_id = from_id;
    ret->back_max = redis_options(streams->config)->max_len;
    return stop(ret, ACTION_BACK);
}

static void tell_lost(const struct redis_streams *streams, const struct redis_stream *stream, struct redis_id believed)
{
    char had[REDIS_ID_BYTES], has[REDIS_ID_BYTES];
    redis_id_write(believed, had);
    redis_id_write(stream->last, has);
    if (is_empty(stream->last))
        redis_tell(streams->config, LOG_WARNING, LOG_ID_ACTION_CHANGED,
                   "the stream %s is gone, which ended with %s: it is published again from the log", stream->key, had);
    else
        redis_tell(
            streams->config, LOG_WARNING, LOG_ID_ACTION_CHANGED,
            "the stream %s has lost its end: it ends with %s, and ended with %s. That is published again from the "
            "log",
            stream->key, has, had);
}

/* What a server that is short of memory takes away each time it is there again is not published without a pause. */
static bool may_publish_again(struct redis_streams *streams, struct redis_stream *stream, struct action_outcome *ret)
{
    usec_t now = uptime_us(), since_us = now - streams->lost_us;
    bool is_first = !streams->pause_us || since_us > streams->pause_us + QUIET_US;
    if (!is_first && since_us < streams->pause_us) {
        stream->is_known = false;
        ret->retry_after_us = streams->pause_us - since_us;
        err_set(&ret->err, 0,
                "the stream %s has lost its entries again: its server has too little memory for it and a "
                "maxmemory-policy that evicts, or somebody deletes it",
                stream->key);
        return stop(ret, ACTION_RETRY);
    }
    usec_t longer_us = 2 * streams->pause_us < LOST_MAX_US ? 2 * streams->pause_us : LOST_MAX_US;
    streams->pause_us = is_first ? LOST_US : longer_us;
    streams->lost_us = now;
    return true;
}

bool redis_streams_take(struct redis_streams *streams, struct redis_stream *stream, struct redis_id found,
                        uint64_t event_id, struct action_outcome *ret)
{
    const struct action_log *log = streams->log;
    struct redis_id believed = stream->last;
    bool is_same = stream->is_believed && redis_id_compare(found, believed) == 0;
    bool has_lost = stream->is_believed && redis_id_compare(found, believed) < 0, has_missed = stream->has_missed;
    uint64_t told_id = 0;
    enum feed_told told =
        is_empty(found) ? FEED_IS_EARLIER : log->look_told(log->userdata, found.ms, found.seq, &told_id);
    if (!is_same && told == FEED_IS_LATER)
        return explain_later(stream, found, ret);
    if (!is_same && told == FEED_IS_AHEAD)
        return renew(streams, stream, found, ret);
    if (has_lost && !may_publish_again(streams, stream, ret))
        return false;

    if (told != FEED_IS_OURS)
        told_id = 0;
    stream->last = found;
    stream->is_known = stream->is_believed = true;
    stream->has_missed = false;
    if (stream->renewed_from && told_id >= stream->renewed_from && found.ms < log->newest_epoch_ms(log->userdata))
        told_id = stream->renewed_from - 1;
    if (has_lost)
        tell_lost(streams, stream, believed);
    if (!streams->walked_from)
        streams->walked_from = event_id;
    bool has_come = !has_lost && told_id + 1 >= streams->walked_from;
    if (((is_same || has_come) && !has_missed) || told_id + 1 >= event_id)
        return true;
    return go_back(streams, stream, told_id + 1, ret);
}
