/* ahead.c - at a start: rows of the log read and parsed by threads of their own, ahead of what is made of them, since
 * that takes three times as long as to apply them. Each takes every second piece of the log, through a reader of its
 * own. Few rows are read without them, and all where there is no thread or no second CPU for it: they would only take
 * turns. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

#define CHUNK_EVENTS 128
#define CHUNK_BYTES ((size_t) 256 << 10) /* of bodies: what is in hand at once stays small, however large they are */
#define FEW_EVENTS ((uint64_t) 4 * CHUNK_EVENTS)
#define N_CHUNKS 2
#define N_LANES 2

struct chunk {
    struct ahead_event events[CHUNK_EVENTS];
    size_t n;
    int r; /* 1: more of this piece may follow; 0, or negative with the lane's err: its end */
};

/* Who posts is nearly always who posted before. */
struct heard {
    struct origin from;
    usec_t newest_us; /* 0: nobody yet */
};

/* Who reads, and what it has read. */
struct lane {
    struct ahead *ahead;
    struct store_reader *reader;
    struct heard heard;
    uint64_t after_id; /* of the piece that is read, or is to be read next */
    bool under_way;    /* it is read */
    size_t filling;
    struct err err;

    struct chunk chunks[N_CHUNKS];
    size_t taking; /* of who takes */

    pthread_t thread;
    pthread_cond_t changed;
    size_t n_full; /* under the lock */
};

struct ahead {
    const struct pipeline_recovery *recovery;
    usec_t begin_us;
    struct store_filter filter; /* last_id: where the walk ends */
    uint64_t told_id;
    uint64_t piece_ids; /* so many of them are one piece */

    struct lane lanes[N_LANES];
    struct store_reader *second; /* opened here */
    size_t n_lanes, n_running;

    size_t next;       /* of who takes: the event in the chunk, like: */
    uint64_t after_id; /* of the piece that is taken */
    struct lane *lane; /* that has it */
    bool taken;        /* a chunk of it */

    pthread_mutex_t lock;
    bool ending; /* under the lock */
};

/* ---- who reads ---- */

static void tell_heard(struct lane *lane)
{
    const struct pipeline_recovery *recovery = lane->ahead->recovery;
    struct heard *heard = &lane->heard;
    if (!heard->newest_us)
        return;
    pthread_mutex_lock(&lane->ahead->lock);
    recovery->heard(recovery->userdata, heard->from.source, heard->from.peer, heard->newest_us);
    pthread_mutex_unlock(&lane->ahead->lock);
    heard->newest_us = 0;
}

static void hear(struct lane *lane, const struct store_row *row)
{
    struct heard *heard = &lane->heard;
    if (row->time_us < lane->ahead->begin_us)
        return;
    if (strcmp(heard->from.peer, row->peer) != 0 || strcmp(heard->from.source, row->source) != 0) {
        tell_heard(lane);
        text_copy(heard->from.peer, sizeof(heard->from.peer), row->peer);
        text_copy(heard->from.source, sizeof(heard->from.source), row->source);
    }
    if (row->time_us > heard->newest_us)
        heard->newest_us = row->time_us;
}

static bool changes_state(const struct ahead *ahead, const struct store_row *row)
{
    const struct event_family *family;
    const struct event_type *handler =
        event_find_stored_type(ahead->recovery->families, row->type, row->verdict, &family);
    return !event_verdict_is_refusal(row->verdict) && handler && handler->apply;
}

/* An event that changes nothing and is told is not even parsed. */
static int take_row(struct ahead *ahead, const struct store_row *row, struct ahead_event *ret)
{
    int r = -ENODATA;
    const struct event_families *families = ahead->recovery->families;
    bool untold = row->id > ahead->told_id;
    batch_done(&ret->batch); /* here, since malloc takes long where one thread gives back what another one took */
    ret->id = row->id;
    ret->time_us = row->time_us;
    ret->order_us = row->came_us < row->time_us ? row->came_us : row->time_us;
    text_copy(ret->realm, sizeof(ret->realm), row->realm);
    ret->elsewhere = row->home.node;
    ret->bytes = 0;
    if (untold || changes_state(ahead, row))
        r = store_row_restore(row, families, &ret->batch);
    ret->readable = r >= 0;
    if (ret->readable)
        ret->bytes = row->data.size + row->extra.size;
    ret->untold = ret->readable && untold;
    ret->described = ret->untold && row->described;
    if (ret->described)
        store_row_describe(row, &ret->batch.events[0], &ret->description);
    return r == -ENOMEM ? r : 0;
}

/* The end of the piece behind an id. */
static uint64_t piece_end(const struct ahead *ahead, uint64_t after_id)
{
    uint64_t left = ahead->filter.last_id - after_id;
    return after_id + (left < ahead->piece_ids ? left : ahead->piece_ids);
}

static int begin_piece(struct lane *lane)
{
    struct store_filter filter = lane->ahead->filter;
    filter.after_id = lane->after_id;
    filter.last_id = piece_end(lane->ahead, lane->after_id);
    lane->under_way = true;
    return store_seek(lane->reader, &filter, &lane->err);
}

/* The next one of this lane; all those between are the others'. */
static void end_piece(struct lane *lane)
{
    lane->under_way = false;
    for (size_t i = 0; i < lane->ahead->n_lanes; i++)
        lane->after_id = piece_end(lane->ahead, lane->after_id);
}

static void fill(struct lane *lane, struct chunk *chunk)
{
    struct store_row row;
    size_t bytes = 0;
    int r;
    chunk->n = 0;
    chunk->r = lane->ahead->recovery->stop() ? err_set(&lane->err, -ECANCELED, "asked to end") : 1;
    if (chunk->r > 0 && !lane->under_way && (r = begin_piece(lane)) < 0)
        chunk->r = r;
    while (chunk->n < CHUNK_EVENTS && bytes < CHUNK_BYTES && chunk->r > 0) {
        chunk->r = store_read(lane->reader, &row, &lane->err);
        if (chunk->r <= 0)
            break;
        hear(lane, &row);
        if (take_row(lane->ahead, &row, &chunk->events[chunk->n]) < 0)
            chunk->r = err_set(&lane->err, -ENOMEM, "no memory");
        else
            bytes += chunk->events[chunk->n++].bytes;
    }
    if (chunk->r == 0)
        end_piece(lane);
    if (chunk->r < 0 || lane->after_id == lane->ahead->filter.last_id)
        tell_heard(lane);
}

/* false: nobody wants more. */
static bool wait_empty(struct lane *lane)
{
    pthread_mutex_lock(&lane->ahead->lock);
    while (lane->n_full == N_CHUNKS && !lane->ahead->ending)
        pthread_cond_wait(&lane->changed, &lane->ahead->lock);
    bool wanted = !lane->ahead->ending;
    pthread_mutex_unlock(&lane->ahead->lock);
    return wanted;
}

static void count_full(struct lane *lane, bool more)
{
    pthread_mutex_lock(&lane->ahead->lock);
    lane->n_full += more ? 1 : (size_t) -1;
    pthread_cond_signal(&lane->changed);
    pthread_mutex_unlock(&lane->ahead->lock);
}

static void *lane_thread(void *argument)
{
    struct lane *lane = argument;
    int r = 1;
    pthread_setname_np(pthread_self(), "read ahead");
    while (r >= 0 && lane->after_id < lane->ahead->filter.last_id && wait_empty(lane)) {
        struct chunk *chunk = &lane->chunks[lane->filling];
        fill(lane, chunk);
        r = chunk->r;
        lane->filling = (lane->filling + 1) % N_CHUNKS;
        count_full(lane, true);
    }
    return NULL;
}

/* ---- who takes ---- */

int ahead_open(struct ahead **ret, const struct pipeline_recovery *recovery, struct store_reader *reader,
               usec_t begin_us, struct err *err)
{
    struct ahead *ahead = calloc(1, sizeof(*ahead));
    if (!ahead)
        return err_set(err, -ENOMEM, "no memory");
    ahead->recovery = recovery;
    ahead->begin_us = begin_us;
    pthread_mutex_init(&ahead->lock, NULL);
    for (size_t i = 0; i < N_LANES; i++) {
        struct lane *lane = &ahead->lanes[i];
        *lane = (struct lane){ .ahead = ahead };
        pthread_cond_init(&lane->changed, NULL);
        for (size_t k = 0; k < N_CHUNKS; k++)
            for (size_t m = 0; m < CHUNK_EVENTS; m++)
                lane->chunks[k].events[m].description = (struct description) DESCRIPTION_INIT;
    }
    ahead->lanes[0].reader = reader;
    *ret = ahead;
    return 0;
}

static void rest(struct ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->ending = true;
    for (size_t i = 0; i < ahead->n_running; i++)
        pthread_cond_signal(&ahead->lanes[i].changed);
    pthread_mutex_unlock(&ahead->lock);
    for (size_t i = 0; i < ahead->n_running; i++)
        pthread_join(ahead->lanes[i].thread, NULL);
    for (size_t i = 0; i < ahead->n_lanes; i++)
        store_rest(ahead->lanes[i].reader);
    ahead->n_lanes = ahead->n_running = 0;
    ahead->ending = ahead->taken = false;
}

static bool has_second_cpu(void)
{
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) > 1;
}

/* One is enough where a second one cannot be had. */
static size_t open_readers(struct ahead *ahead)
{
    struct err err;
    if (!ahead->second && store_reader_open(&ahead->second, ahead->recovery->store_path, &err) < 0)
        return 1;
    store_stop_if(ahead->second, ahead->recovery->stop);
    ahead->lanes[1].reader = ahead->second;
    return N_LANES;
}

static void set_out(struct ahead *ahead, size_t n_lanes, uint64_t piece_ids)
{
    ahead->n_lanes = n_lanes;
    ahead->piece_ids = piece_ids;
    uint64_t after_id = ahead->after_id = ahead->filter.after_id;
    for (size_t i = 0; i < n_lanes; i++, after_id = piece_end(ahead, after_id)) {
        struct lane *lane = &ahead->lanes[i];
        lane->after_id = after_id;
        lane->under_way = false;
        lane->filling = lane->taking = lane->n_full = 0;
    }
    ahead->lane = ahead->lanes;
}

/* All lanes have a thread, or none: who takes knows whose turn it is. */
static void run(struct ahead *ahead)
{
    set_out(ahead, open_readers(ahead), CHUNK_EVENTS);
    while (ahead->n_running < ahead->n_lanes) {
        struct lane *lane = &ahead->lanes[ahead->n_running];
        if (pthread_create(&lane->thread, NULL, lane_thread, lane) != 0)
            break;
        ahead->n_running++;
    }
    if (ahead->n_running == ahead->n_lanes)
        return;
    rest(ahead);
    set_out(ahead, 1, UINT64_MAX);
}

/* What was deleted since is not looked for, piece by piece: filter->after_id becomes the id before the first event. */
static int skip_deleted(struct store_reader *reader, struct store_filter *filter, struct err *err)
{
    struct store_row row;
    int r = store_seek(reader, filter, err);
    if (r >= 0)
        r = store_read(reader, &row, err);
    if (r >= 0)
        filter->after_id = r > 0 ? row.id - 1 : filter->last_id;
    store_rest(reader);
    return r < 0 ? r : 0;
}

int ahead_seek(struct ahead *ahead, const struct store_filter *filter, uint64_t last_id, uint64_t told_id,
               struct err *err)
{
    rest(ahead);
    ahead->told_id = told_id;
    ahead->filter = *filter;
    ahead->filter.last_id = last_id > filter->after_id ? last_id : filter->after_id;
    int r = skip_deleted(ahead->lanes[0].reader, &ahead->filter, err);
    if (ahead->filter.last_id - ahead->filter.after_id > FEW_EVENTS && has_second_cpu())
        run(ahead);
    else
        set_out(ahead, 1, UINT64_MAX);
    return r;
}

static void wait_full(struct ahead *ahead)
{
    struct lane *lane = ahead->lane;
    if (!ahead->n_running) {
        fill(lane, &lane->chunks[lane->taking]);
        return;
    }
    pthread_mutex_lock(&ahead->lock);
    while (!lane->n_full)
        pthread_cond_wait(&lane->changed, &ahead->lock);
    pthread_mutex_unlock(&ahead->lock);
}

static void give_back(struct ahead *ahead)
{
    struct lane *lane = ahead->lane;
    bool ended = lane->chunks[lane->taking].r == 0;
    ahead->taken = false;
    if (ahead->n_running) {
        lane->taking = (lane->taking + 1) % N_CHUNKS;
        count_full(lane, false);
    }
    if (ended) {
        ahead->after_id = piece_end(ahead, ahead->after_id);
        ahead->lane = lane + 1 < ahead->lanes + ahead->n_lanes ? lane + 1 : ahead->lanes;
    }
}

int ahead_read(struct ahead *ahead, struct ahead_event **ret, struct err *err)
{
    for (;;) {
        struct chunk *chunk = &ahead->lane->chunks[ahead->lane->taking];
        if (ahead->taken && ahead->next < chunk->n) {
            *ret = &chunk->events[ahead->next++];
            return 1;
        }
        if (ahead->taken && chunk->r < 0) {
            *err = ahead->lane->err;
            return chunk->r;
        }
        if (ahead->taken)
            give_back(ahead);
        if (ahead->after_id == ahead->filter.last_id)
            return 0;
        wait_full(ahead);
        ahead->taken = true;
        ahead->next = 0;
    }
}

void ahead_drop(struct ahead_event *event)
{
    if (event->bytes >= CHUNK_BYTES)
        batch_done(&event->batch);
}

struct ahead *ahead_close(struct ahead *ahead)
{
    if (!ahead)
        return NULL;
    rest(ahead);
    for (size_t i = 0; i < N_LANES; i++) {
        struct lane *lane = &ahead->lanes[i];
        for (size_t k = 0; k < N_CHUNKS; k++)
            for (size_t m = 0; m < CHUNK_EVENTS; m++) {
                batch_done(&lane->chunks[k].events[m].batch);
                description_free(&lane->chunks[k].events[m].description);
            }
        pthread_cond_destroy(&lane->changed);
    }
    store_reader_close(ahead->second);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
    return NULL;
}
