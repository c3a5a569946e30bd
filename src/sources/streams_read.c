/* streams_read.c - what the streams of a row have behind what was read of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "streams_private.h"

#define BLOCK "10000"      /* milliseconds */
#define BLOCK_SHORT "1000" /* likewise */
#define AT_ONCE_MAX 500
#define WORDS_BEFORE 6
#define LOST_TOLD_MAX 5 /* lines of a stream in: */
#define LOST_TOLD_US (60 * USEC_PER_SEC)

/* ---- one entry ---- */

/* Each entry says what is before it, so who writes nonsense there could have a line for each. */
static bool may_tell_lost(struct streams_stream *stream)
{
    usec_t now = uptime_us();
    if (!stream->n_told_lost || now - stream->told_lost_us >= LOST_TOLD_US) {
        stream->told_lost_us = now;
        stream->n_told_lost = 0;
    }
    return stream->n_told_lost < LOST_TOLD_MAX;
}

static void tell_lost(struct streams_stream *stream, struct redis_id up_to)
{
    char last[REDIS_ID_BYTES], before[REDIS_ID_BYTES];
    if (!may_tell_lost(stream))
        return;
    stream->n_told_lost++;
    streams_tell(stream->row, LOG_WARNING,
                 "%s: entries of node %s are lost, behind %s up to %s: the stream was cut (max_len) or deleted before "
                 "they were read%s",
                 stream->key, stream->node, redis_id_write(streams_known_last(&stream->known), last),
                 redis_id_write(up_to, before),
                 stream->n_told_lost == LOST_TOLD_MAX ? "; what more is lost within a minute is only counted" : "");
}

/* Once for each stream, since each entry may be like it. */
static void tell_passed(struct streams_stream *stream, const struct streams_entry *entry, enum streams_made made,
                        const struct err *err)
{
    char place[REDIS_ID_BYTES];
    if (made == STREAMS_OURS && !stream->told_ours)
        streams_tell(stream->row, LOG_NOTICE,
                     "%s: events of this very log stand in it, from %s on, and are passed: an action publishes to what "
                     "is read here",
                     stream->key, redis_id_write(entry->place, place));
    if (made == STREAMS_UNREADABLE && !stream->told_bad)
        streams_tell(stream->row, LOG_WARNING, "%s: entry %s is no event and is passed, like all such: %s", stream->key,
                     redis_id_write(entry->place, place), err->msg);
    stream->told_ours |= made == STREAMS_OURS;
    stream->told_bad |= made == STREAMS_UNREADABLE;
}

static void count_passed(struct streams_values *values, enum streams_made made)
{
    values->ours += made == STREAMS_OURS;
    values->unwanted += made == STREAMS_UNWANTED;
    values->unreadable += made == STREAMS_UNREADABLE;
}

/* It is known from now on, and that is kept when what comes before it is stored. */
static void pass(struct streams_stream *stream, const struct streams_known *known, enum streams_made made)
{
    pthread_mutex_lock(&stream->row->all->lock);
    stream->known = *known;
    stream->unsaved = true;
    count_passed(&stream->row->values, made);
    pthread_mutex_unlock(&stream->row->all->lock);
}

static void note(struct streams_stream *stream, const struct streams_entry *entry)
{
    pthread_mutex_lock(&stream->row->all->lock);
    stream->place = entry->place;
    if (redis_id_compare(entry->place, stream->end) > 0)
        stream->end = entry->place;
    stream->row->values.entries++;
    pthread_mutex_unlock(&stream->row->all->lock);
}

/* Boards show it. */
static void note_lost(struct streams_stream *stream, struct redis_id up_to)
{
    struct streams *all = stream->row->all;
    pthread_mutex_lock(&all->lock);
    stream->lost = up_to;
    stream->n_gaps++;
    stream->row->values.gaps++;
    stream->row->values.last_gap_us = now_us();
    pthread_mutex_unlock(&all->lock);
    if (all->parts.changed)
        all->parts.changed(all->parts.set);
}

void streams_lose(struct streams_stream *stream, struct redis_id up_to)
{
    if (redis_id_compare(stream->lost, up_to) == 0)
        return;
    tell_lost(stream, up_to);
    note_lost(stream, up_to);
}

static int take_event(struct streams_stream *stream, struct batch *take_batch, const struct streams_known *known,
                      struct err *err)
{
    const struct description *decided = take_batch->events[0].decided;
    int64_t late_s;
    bool late = description_read_late((struct span){ decided->known.s, decided->known.size }, &late_s) && late_s > 0;
    const usec_t time_us = take_batch->events[0].time_us;
    int r = streams_hand_in(stream, take_batch, known, err);
    pthread_mutex_lock(&stream->row->all->lock);
    stream->row->values.late += r == 0 && late;
    stream->read_us = r == 0 ? time_us : stream->read_us;
    pthread_mutex_unlock(&stream->row->all->lock);
    return r;
}

static int take_new(struct streams_stream *stream, const struct streams_entry *entry, struct err *err)
{
    struct streams_row *row = stream->row;
    const struct streams_wishes wishes = { row->all->parts.families, row->settings.communities,
                                           row->settings.n_communities, streams_is_ours, stream };
    struct streams_known known = stream->known;
    struct batch batch;
    streams_known_add(&known, entry->place);
    int r = streams_entry_make(entry, stream->node, &wishes, now_us(), &batch, err);
    if (r == STREAMS_EVENT)
        return take_event(stream, &batch, &known, err);
    if (r < 0)
        return r;
    tell_passed(stream, entry, r, err);
    pass(stream, &known, r);
    return 0;
}

static int take_entry(struct streams_stream *stream, const struct redis_reply *reply, struct err *err)
{
    struct streams_entry entry;
    if (streams_entry_read(reply, &entry) < 0)
        return err_set(err, -EPROTO, "%s: an entry has no id", stream->key);
    enum streams_news news = streams_look(&stream->known, entry.place, entry.before);
    if (news == STREAMS_KNOWN) {
        stream->place = entry.place;
        return 0;
    }
    if (news == STREAMS_LOST)
        streams_lose(stream, entry.before);
    note(stream, &entry);
    return take_new(stream, &entry, err);
}

/* ---- an answer ---- */

static struct streams_stream *find(const struct streams_row *row, struct span key)
{
    struct streams_stream *stream = row->list;
    while (stream && !span_is(key, stream->key))
        stream = stream->next;
    return stream;
}

static int take_stream(struct streams_row *row, const struct redis_reply *reply, struct err *err)
{
    bool sound = reply->type == REDIS_LIST && reply->n_elements == 2 && reply->elements[1].type == REDIS_LIST;
    struct streams_stream *stream = sound ? find(row, reply->elements[0].text) : NULL;
    int r = 0;
    if (!stream)
        return err_set(err, -EPROTO, "the answer to XREAD is none");
    const struct redis_reply *entries = &reply->elements[1];
    for (size_t i = 0; i < entries->n_elements && r >= 0; i++)
        r = take_entry(stream, &entries->elements[i], err);
    stream->told_end = STREAMS_END_GOES_ON;
    pthread_mutex_lock(&row->all->lock);
    stream->behind = false;
    pthread_mutex_unlock(&row->all->lock);
    return r;
}

static int take_answer(struct streams_row *row, const struct redis_reply *reply, struct err *err)
{
    int r = 0;
    if (reply->type == REDIS_NOTHING)
        return 0;
    if (reply->type == REDIS_FAULT) {
        row->look_us = 0; /* a key may have become something else */
        (void) redis_judge(reply, err);
        return -EREMOTEIO;
    }
    for (size_t i = 0; i < reply->n_elements && r >= 0; i++)
        r = take_stream(row, &reply->elements[i], err);
    streams_flush(row);
    return r;
}

/* ---- the question ---- */

struct streams_question {
    struct span words[WORDS_BEFORE + 2 * STREAMS_MAX];
    char places[STREAMS_MAX][REDIS_ID_BYTES];
    char count[24];
};

/* As long as something is on its way to the log it looks again soon: what cannot be stored has to be read once more,
 * which nobody comes to tell. */
static const char *block_of(struct streams_row *row)
{
    pthread_mutex_lock(&row->all->lock);
    const char *block = row->all->n_open || row->all->failed ? BLOCK_SHORT : BLOCK;
    pthread_mutex_unlock(&row->all->lock);
    return block;
}

static size_t write_question(struct streams_row *row, struct streams_question *question)
{
    size_t n = 0, at = WORDS_BEFORE;
    snprintf(question->count, sizeof(question->count), "%llu", (unsigned long long) row->n_at_once);
    const struct span before[WORDS_BEFORE] = { span_of("XREAD"), span_of("COUNT"),       span_of(question->count),
                                               span_of("BLOCK"), span_of(block_of(row)), span_of("STREAMS") };
    memcpy(question->words, before, sizeof(before));
    for (const struct streams_stream *stream = row->list; stream; stream = stream->next)
        if (streams_is_read(stream))
            question->words[at++] = span_of(stream->key);
    for (const struct streams_stream *stream = row->list; stream; stream = stream->next)
        if (streams_is_read(stream)) {
            redis_id_write(stream->place, question->places[n]);
            question->words[at++] = span_of(question->places[n++]);
        }
    return n ? at : 0;
}

static int read_one(struct streams_stream *stream, struct err *err)
{
    char place[REDIS_ID_BYTES];
    const struct span words[] = { span_of("XREAD"),   span_of("COUNT"),     span_of("1"),
                                  span_of("STREAMS"), span_of(stream->key), span_of(place) };
    const struct redis_reply *reply;
    redis_id_write(stream->place, place);
    int r = streams_ask(stream->row, words, ARRAY_SIZE(words), &reply, err);
    if (r == -EMSGSIZE)
        streams_pass_large(stream);
    return r < 0 ? r : take_answer(stream->row, reply, err);
}

/* So it is found whose answer is too large. */
static int read_one_by_one(struct streams_row *row, struct err *err)
{
    int r = 0;
    for (struct streams_stream *stream = row->list; stream && r >= 0; stream = stream->next)
        if (streams_is_read(stream))
            r = read_one(stream, err);
    row->one_by_one = r < 0;
    return r;
}

int streams_read(struct streams_row *row, struct err *err)
{
    const struct redis_reply *reply;
    if (row->one_by_one)
        return read_one_by_one(row, err);
    if (!row->question) /* too much for a stack */
        row->question = malloc(sizeof(*row->question));
    if (!row->question)
        return err_set(err, -ENOMEM, "no memory");
    size_t n = write_question(row, row->question);
    if (!n)
        return 0;
    int r = streams_ask(row, row->question->words, n, &reply, err);
    if (r < 0)
        return r;
    r = take_answer(row, reply, err);
    if (row->n_at_once < AT_ONCE_MAX)
        row->n_at_once++;
    return r;
}
