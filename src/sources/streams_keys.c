/* streams_keys.c - which keys a row reads, found by its globs, and where each of their streams ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "streams_private.h"

#define LARGE_US (10 * 60 * USEC_PER_SEC)

/* ---- one stream ---- */

static struct streams_stream *find(const struct streams_row *row, struct span key)
{
    struct streams_stream *stream = row->list;
    while (stream && !span_is(key, stream->key))
        stream = stream->next;
    return stream;
}

static size_t count(const struct streams_row *row)
{
    size_t n = 0;
    for (const struct streams_stream *stream = row->list; stream; stream = stream->next)
        n++;
    return n;
}

/* What stands in lines and in the status is a text. */
static bool is_key(struct span key)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, key.s, key.size, 0);
    return key.size && key.size <= STREAMS_KEY_MAX_BYTES && shown.size == key.size &&
           memcmp(shown.s, key.s, key.size) == 0;
}

static bool may_be_read(struct streams_row *row, struct span key)
{
    bool odd = !is_key(key), full = count(row) == STREAMS_MAX;
    if (odd && !row->told_odd)
        streams_tell(row, LOG_WARNING, "a key is not read, like all such: expected up to %d bytes of plain text",
                     STREAMS_KEY_MAX_BYTES);
    if (full && !row->told_full)
        streams_tell(row, LOG_WARNING, "more than %d streams: the others are not read, give them to another row",
                     STREAMS_MAX);
    row->told_odd |= odd;
    row->told_full |= full;
    return !odd && !full;
}

static int add(struct streams_row *row, struct span key, struct err *err)
{
    if (find(row, key) || !may_be_read(row, key))
        return 0;
    struct streams_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return err_set(err, -ENOMEM, "no memory");
    stream->row = row;
    memcpy(stream->key, key.s, key.size);
    streams_node_of(stream->key, stream->node);
    streams_put(stream);
    return 0;
}

/* ---- the keys of a glob ---- */

static int add_all(struct streams_row *row, const struct redis_reply *keys, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < keys->n_elements && r >= 0; i++)
        r = add(row, keys->elements[i].text, err);
    return r;
}

static int scan(struct streams_row *row, const char *glob, char cursor[24], struct err *err)
{
    const struct span words[] = { span_of("SCAN"), span_of(cursor),  span_of("MATCH"),
                                  span_of(glob),   span_of("COUNT"), span_of("1000") };
    const struct redis_reply *reply;
    int r = streams_ask(row, words, ARRAY_SIZE(words), &reply, err);
    if (r < 0)
        return r;
    if (redis_judge(reply, err) != REDIS_DONE)
        return -EREMOTEIO;
    if (reply->type != REDIS_LIST || reply->n_elements != 2 || reply->elements[0].text.size >= 24)
        return err_set(err, -EPROTO, "the answer to SCAN is none");
    struct span next = reply->elements[0].text;
    memcpy(cursor, next.s, next.size);
    cursor[next.size] = '\0';
    return add_all(row, &reply->elements[1], err);
}

static int look_for(struct streams_row *row, const char *glob, struct err *err)
{
    char cursor[24] = "0";
    int r;
    if (!streams_is_glob(glob))
        return add(row, span_of(glob), err);
    do
        r = scan(row, glob, cursor, err);
    while (r >= 0 && strcmp(cursor, "0") != 0);
    return r;
}

int streams_look_for_keys(struct streams_row *row, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < row->settings.n_keys && r >= 0; i++)
        r = look_for(row, row->settings.keys[i], err);
    return r < 0 ? r : streams_load(row, err);
}

/* ---- where they end ---- */

static void tell_end(struct streams_stream *stream, enum streams_end end)
{
    char at[REDIS_ID_BYTES], last[REDIS_ID_BYTES];
    const char *node = stream->node;
    bool told = stream->told_end == end;
    stream->told_end = end;
    if (told || end == STREAMS_END_GOES_ON)
        return;
    redis_id_write(stream->end, at);
    redis_id_write(streams_known_last(&stream->known), last);
    if (end == STREAMS_END_BEHIND)
        streams_tell(stream->row, LOG_WARNING,
                     "%s ends at %s, before what was read (%s): waiting for %s to publish it again", stream->key, at,
                     last, node);
    if (end == STREAMS_END_EARLIER)
        streams_tell(stream->row, LOG_WARNING,
                     "%s ends at %s, of an earlier life of %s's log than what was read (%s): it is read from its start "
                     "when %s publishes there",
                     stream->key, at, node, last, node);
    if (end == STREAMS_END_ANEW)
        streams_tell(
            stream->row, LOG_WARNING,
            "%s is read from its start: %s publishes there, at %s, in an earlier life of its log than what was "
            "read (%s)",
            stream->key, node, at, last);
}

/* A stream of which nothing is known, where nothing is wanted of what is in it already. */
static void begin_at_end(struct streams_stream *stream)
{
    streams_known_add(&stream->known, stream->end);
    stream->place = stream->end;
    stream->unsaved = true;
}

static void take_end(struct streams_stream *stream, struct redis_id end)
{
    struct streams_row *row = stream->row;
    struct redis_id asked = stream->end;
    pthread_mutex_lock(&row->all->lock);
    stream->end = end;
    bool is_new = !stream->known.n && !row->looked && row->settings.start == STREAMS_FROM_NOW && end.ms;
    if (is_new)
        begin_at_end(stream);
    enum streams_end what = streams_look_at_end(&stream->known, end, stream->asked ? &asked : NULL);
    stream->behind = what != STREAMS_END_GOES_ON;
    if (what == STREAMS_END_ANEW)
        stream->place = (struct redis_id){ 0 };
    stream->asked = true;
    pthread_mutex_unlock(&row->all->lock);
    tell_end(stream, what);
}

static bool is_missing(const struct redis_reply *reply)
{
    static const char words[] = "ERR no such key";
    return reply->type == REDIS_FAULT && reply->text.size >= sizeof(words) - 1 &&
           memcmp(reply->text.s, words, sizeof(words) - 1) == 0;
}

static void set_gone(struct streams_stream *stream, bool gone, const char *why)
{
    if (gone && !stream->gone)
        streams_tell(stream->row, LOG_WARNING, "%s is not read: %s", stream->key, why);
    pthread_mutex_lock(&stream->row->all->lock);
    stream->gone = gone;
    text_copy(stream->why, sizeof(stream->why), why);
    pthread_mutex_unlock(&stream->row->all->lock);
}

/* Where its newest entry stands; zeros: there is none. */
static struct redis_id newest_of(const struct redis_reply *info)
{
    const struct redis_reply *entry = redis_member(info, "last-entry");
    struct streams_entry read;
    bool there = entry && entry->type == REDIS_LIST && streams_entry_read(entry, &read) == 0;
    return there ? read.place : (struct redis_id){ 0 };
}

/* Ids went on behind what was read, and nothing stands there: no entry will come that tells of it, or not soon. */
static void look_for_lost(struct streams_stream *stream, struct redis_id newest)
{
    struct redis_id last = streams_known_last(&stream->known);
    bool ahead = stream->known.n && stream->end.ms == last.ms && redis_id_compare(stream->end, last) > 0;
    if (ahead && redis_id_compare(newest, last) <= 0)
        streams_lose(stream, stream->end);
}

static int take_info(struct streams_stream *stream, const struct redis_reply *reply, struct err *err)
{
    struct redis_id end = { 0 };
    enum redis_verdict verdict = is_missing(reply) ? REDIS_DONE : redis_judge(reply, err);
    if (verdict == REDIS_NEVER ||
        verdict == REDIS_NOT_THIS_KEY) { /* of another type, or not ours to read: others may be */
        set_gone(stream, true, err->msg);
        return 0;
    }
    if (verdict != REDIS_DONE)
        return -EREMOTEIO;
    const struct redis_reply *last = redis_member(reply, "last-generated-id");
    if (last)
        (void) redis_id_read(last->text, &end);
    set_gone(stream, false, "");
    take_end(stream, end);
    look_for_lost(stream, newest_of(reply));
    return 0;
}

void streams_pass_large(struct streams_stream *stream)
{
    char last[REDIS_ID_BYTES], why[sizeof(stream->why)];
    redis_id_write(streams_known_last(&stream->known), last);
    snprintf(why, sizeof(why),
             "an entry of it, its first, its last or one behind %s, is larger than 64 MB or has more than 100,000 "
             "members: delete it (XDEL). It is looked at again every 10min",
             last);
    set_gone(stream, true, why);
    pthread_mutex_lock(&stream->row->all->lock);
    stream->large_until_us = uptime_us() + LARGE_US;
    pthread_mutex_unlock(&stream->row->all->lock);
}

/* Those that were too large may not be any more. */
static void look_at_large(struct streams_row *row)
{
    pthread_mutex_lock(&row->all->lock);
    for (struct streams_stream *stream = row->list; stream; stream = stream->next)
        if (stream->large_until_us && uptime_us() >= stream->large_until_us)
            stream->large_until_us = 0;
    pthread_mutex_unlock(&row->all->lock);
}

static bool is_asked(const struct streams_stream *stream)
{
    return !stream->taken && !stream->large_until_us;
}

/* All questions go before the first answer. */
int streams_ask_for_ends(struct streams_row *row, struct err *err)
{
    int r = 0;
    look_at_large(row);
    for (const struct streams_stream *stream = row->list; stream && r >= 0; stream = stream->next) {
        if (!is_asked(stream))
            continue;
        const struct span words[] = { span_of("XINFO"), span_of("STREAM"), span_of(stream->key) };
        r = redis_send(row->redis, words, ARRAY_SIZE(words), err);
    }
    for (struct streams_stream *stream = row->list; stream && r >= 0; stream = stream->next) {
        const struct redis_reply *reply;
        if (!is_asked(stream))
            continue;
        r = streams_await(row, &reply, err);
        if (r >= 0)
            r = take_info(stream, reply, err);
        else if (r == -EMSGSIZE)
            streams_pass_large(stream);
    }
    return r;
}
