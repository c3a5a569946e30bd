/* streams_hand_in.c - from the rows' threads to the writer. An event goes together with what is known of its stream
 * then, so the log never has one without the other. Where something could not be stored, all that was handed in comes
 * back; then every row forgets what it has read and begins again behind what the log has. */
#include <errno.h>
#include <sonoran-pushd/wait.h>
#include <string.h>

#include "streams_private.h"

#define LOOK_AGAIN_US (100 * USEC_PER_MSEC) /* the writer wakes nobody for a source that was closed before */

/* Under the lock. */
static bool is_over(const struct streams_row *row)
{
    return row->stopping || row->n_failures != row->all->n_failures;
}

static int over(const struct streams_row *row, struct err *err)
{
    return row->stopping ? err_set(err, -ECANCELED, "it is stopped") : -EAGAIN;
}

static int submit(struct streams_stream *stream, struct batch *take_batch, const char *known)
{
    struct streams *all = stream->row->all;
    const struct pipeline_position position = { STREAMS_SOURCE, stream->key, known };
    int r = -EBUSY;
    while (!is_over(stream->row) &&
           (all->paused || (r = pipeline_submit_at(all->parts.way_in, take_batch, stream, &position)) == -EBUSY)) {
        pthread_cond_wait(&all->changed, &all->lock);
        stream->row->n_rounds++;
    }
    return r;
}

int streams_hand_in(struct streams_stream *stream, struct batch *take_batch, const struct streams_known *known,
                    struct err *err)
{
    struct streams_row *row = stream->row;
    char text[STREAMS_KNOWN_BYTES];
    streams_known_write(known, text);
    pthread_mutex_lock(&row->all->lock);
    int r = submit(stream, take_batch, text);
    if (r == 0) {
        stream->n_open++;
        row->all->n_open++;
        stream->known = *known;
        stream->unsaved = false;
        row->values.events++;
        row->values.last_event_us = now_us();
    }
    pthread_mutex_unlock(&row->all->lock);
    batch_done(take_batch); /* where it was not taken */
    if (r == -EBUSY)
        return over(row, err);
    return r < 0 ? err_set(err, r, "no memory") : 0;
}

void streams_flush(struct streams_row *row)
{
    pthread_mutex_lock(&row->all->lock);
    pipeline_flush(row->all->parts.way_in);
    pthread_mutex_unlock(&row->all->lock);
}

bool streams_has_failed(struct streams_row *row)
{
    pthread_mutex_lock(&row->all->lock);
    bool failed = row->n_failures != row->all->n_failures;
    pthread_mutex_unlock(&row->all->lock);
    return failed;
}

/* ---- again ---- */

/* The first row that sees that all has come back says so to the pipeline. */
static void wait_for_return(struct streams_row *row)
{
    struct streams *all = row->all;
    pthread_mutex_lock(&all->lock);
    while (all->failed && !row->stopping) {
        pipeline_flush(all->parts.way_in);
        if (all->n_open == 0 && !all->paused) {
            pipeline_source_again(all->parts.way_in);
            all->failed = false;
            pthread_cond_broadcast(&all->changed);
        } else {
            pthread_cond_wait(&all->changed, &all->lock);
        }
        row->n_rounds++;
    }
    row->n_failures = all->n_failures;
    pthread_mutex_unlock(&all->lock);
}

int streams_begin_again(struct streams_row *row, struct err *err)
{
    wait_for_return(row);
    for (struct streams_stream *stream = row->list; stream; stream = stream->next)
        stream->loaded = false; /* where it cannot be loaded now, it is before anything is read */
    return row->stopping ? err_set(err, -ECANCELED, "it is stopped") : streams_load(row, err);
}

/* ---- what the log has ---- */

static int read_position(const struct streams *all, const char *key, char ret[STREAMS_KNOWN_BYTES], struct err *err)
{
    struct store_reader *reader = NULL;
    *ret = '\0';
    int r = store_reader_open(&reader, all->store_path, err);
    if (r >= 0)
        r = store_get_position(reader, STREAMS_SOURCE, key, ret, STREAMS_KNOWN_BYTES, err);
    store_reader_close(reader);
    return r == -ENOENT ? 0 : r;
}

static int look_again(struct streams_row *row, const char *log, struct err *err)
{
    row->lives = store_reader_close(row->lives);
    int r = store_reader_open(&row->lives, row->all->store_path, err);
    return r < 0 ? r : store_has_life(row->lives, log);
}

int streams_is_ours(void *context, const char *log, struct err *err)
{
    struct streams_stream *stream = context;
    struct streams_row *row = stream->row;
    if (strcmp(log, stream->foreign_log) == 0)
        return 0;
    int r = row->lives && store_has_life(row->lives, log) ? 1 : look_again(row, log, err);
    if (r == 0)
        text_copy(stream->foreign_log, sizeof(stream->foreign_log), log);
    return r;
}

/* Under the lock. */
static bool is_under_way(const struct streams_row *list, const char *key)
{
    for (const struct streams_row *row = list; row; row = row->next)
        for (const struct streams_stream *stream = row->list; stream; stream = stream->next)
            if (stream->n_open && strcmp(stream->key, key) == 0)
                return true;
    return false;
}

/* Rows that another configuration has ended may still have something of the stream under way, and so may those of a
 * source that was closed and opened again. */
static int wait_for_others(const struct streams_stream *stream, struct err *err)
{
    struct streams_row *row = stream->row;
    struct streams *all = row->all;
    pthread_mutex_lock(&all->lock);
    while (!row->stopping &&
           (is_under_way(all->leaving, stream->key) || !pipeline_source_is_alone(all->parts.way_in))) {
        (void) wait_signal(&all->changed, &all->lock, uptime_us() + LOOK_AGAIN_US);
        row->n_rounds++;
    }
    pthread_mutex_unlock(&all->lock);
    return row->stopping ? err_set(err, -ECANCELED, "it is stopped") : 0;
}

/* Under the lock. NULL: none. */
static const struct streams_row *reader_of(const struct streams_stream *stream)
{
    for (const struct streams_row *row = stream->row->all->rows; row; row = row->next)
        for (const struct streams_stream *other = row->list; other; other = other->next)
            if (row != stream->row && !other->taken && strcmp(other->key, stream->key) == 0)
                return row;
    return NULL;
}

void streams_put(struct streams_stream *take_stream)
{
    struct streams_row *row = take_stream->row;
    struct streams_stream **link = &row->list;
    take_stream->taken = true; /* until it is known that no other row reads it */
    pthread_mutex_lock(&row->all->lock);
    while (*link)
        link = &(*link)->next;
    *link = take_stream;
    pthread_mutex_unlock(&row->all->lock);
}

/* What was read is kept by the key alone, so that it stays when a server moves or a row is called otherwise: of two
 * rows that find one key, the first reads it, until it ends. */
static bool claim(struct streams_stream *stream)
{
    struct streams *all = stream->row->all;
    pthread_mutex_lock(&all->lock);
    const struct streams_row *reader = reader_of(stream);
    stream->taken = reader;
    if (reader)
        snprintf(stream->why, sizeof(stream->why),
                 "streams %s reads a stream of this key, and how far that was read is kept by its key: where this is "
                 "another one, publish it under another key",
                 reader->settings.name);
    bool tell = !reader == stream->told_taken;
    stream->told_taken = reader;
    pthread_mutex_unlock(&all->lock);
    if (tell && reader)
        streams_tell(stream->row, LOG_WARNING, "%s is not read here: %s", stream->key, stream->why);
    else if (tell)
        streams_tell(stream->row, LOG_NOTICE, "%s is read here from now on", stream->key);
    return !reader;
}

static int load(struct streams_stream *stream, struct err *err)
{
    char text[STREAMS_KNOWN_BYTES];
    int r = wait_for_others(stream, err);
    if (r >= 0)
        r = read_position(stream->row->all, stream->key, text, err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&stream->row->all->lock);
    streams_known_read(text, &stream->known);
    stream->place = streams_known_last(&stream->known);
    stream->unsaved = false;
    stream->loaded = true;
    pthread_mutex_unlock(&stream->row->all->lock);
    return 0;
}

int streams_load(struct streams_row *row, struct err *err)
{
    int r = 0;
    for (struct streams_stream *stream = row->list; stream && r >= 0; stream = stream->next)
        if (!stream->loaded && claim(stream))
            r = load(stream, err);
    return r;
}

/* Behind the last event there may be entries that brought none. */
void streams_keep_passed(struct streams_row *row)
{
    struct streams *all = row->all;
    char text[STREAMS_KNOWN_BYTES];
    pthread_mutex_lock(&all->lock);
    for (struct streams_stream *stream = row->list; stream; stream = stream->next) {
        bool due = stream->unsaved && !stream->n_open && !is_over(row);
        if (due && pipeline_keep_position(all->parts.way_in, STREAMS_SOURCE, stream->key,
                                          streams_known_write(&stream->known, text)) == 0)
            stream->unsaved = false;
    }
    pthread_mutex_unlock(&all->lock);
}

/* ---- of the writer ---- */

void streams_settled(void *self, void *ticket, const struct event *first, int r)
{
    struct streams *all = self;
    struct streams_stream *stream = ticket;
    (void) first;
    pthread_mutex_lock(&all->lock);
    stream->n_open--;
    all->n_open--;
    all->n_failures += r < 0 && !all->failed;
    all->failed |= r < 0;
    pthread_mutex_unlock(&all->lock);
}

void streams_settled_all(void *self)
{
    struct streams *all = self;
    pthread_mutex_lock(&all->lock);
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
}

static void set_paused(struct streams *all, bool paused)
{
    pthread_mutex_lock(&all->lock);
    all->paused = paused;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
}

void streams_pause(void *self)
{
    set_paused(self, true);
}

void streams_resume(void *self)
{
    set_paused(self, false);
}
