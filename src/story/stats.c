/* stats.c - the days or hours of a log: what began in each, and how long it took. The calls are stats_calls.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stats_private.h"

/* ---- days and hours ---- */

/* Where the day or hour begins that has this moment, and its hour of the day. An hour may come twice a year. */
static usec_t begin_of(usec_t time_us, bool by_hour, int *ret_hour)
{
    time_t seconds = (time_t) (time_us / USEC_PER_SEC);
    struct tm tm;
    localtime_r(&seconds, &tm);
    *ret_hour = tm.tm_hour;
    if (by_hour)
        return (usec_t) (seconds - tm.tm_min * 60 - tm.tm_sec) * USEC_PER_SEC;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    time_t begin = mktime(&tm);
    return begin < 0 ? 0 : (usec_t) begin * USEC_PER_SEC;
}

/* Spans are few and asked for in nearly their order. */
static struct span_lapses *find_span(struct stats_pass *pass, usec_t begin_us)
{
    size_t i = pass->n_spans;
    while (i && pass->spans[i - 1].out.begin_us > begin_us)
        i--;
    if (i && pass->spans[i - 1].out.begin_us == begin_us)
        return &pass->spans[i - 1];
    struct span_lapses *spans = stats_make_room(pass->spans, pass->n_spans, &pass->room_spans, sizeof(*spans));
    if (!spans)
        return NULL;
    pass->spans = spans;
    memmove(spans + i + 1, spans + i, (pass->n_spans++ - i) * sizeof(*spans));
    spans[i] = (struct span_lapses){ .out.begin_us = begin_us };
    return &spans[i];
}

struct span_lapses *stats_span_of(struct stats_pass *pass, usec_t time_us, int *ret_hour)
{
    usec_t minute = time_us / (15 * 60 * USEC_PER_SEC); /* no zone begins an hour within one */
    if (minute != pass->cached_at || !pass->n_spans) {
        pass->cached_begin_us = begin_of(time_us, pass->asked->by_hour, &pass->cached_hour);
        pass->cached_at = minute;
    }
    *ret_hour = pass->cached_hour;
    return find_span(pass, pass->cached_begin_us);
}

/* ---- lapses ---- */

void *stats_make_room(void *v, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return v;
    size_t more = *room ? 2 * *room : 64;
    void *larger = realloc(v, more * size);
    if (larger)
        *room = more;
    return larger;
}

int stats_add_lapse(struct lapses *lapses, usec_t us)
{
    usec_t *v = stats_make_room(lapses->v, lapses->n, &lapses->room, sizeof(*v));
    if (!v)
        return -ENOMEM;
    lapses->v = v;
    v[lapses->n++] = us;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const usec_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The smallest that so many percent of them are not above. */
static usec_t rank(const struct lapses *lapses, size_t percent)
{
    size_t n = (lapses->n * percent + 99) / 100;
    return lapses->v[n ? n - 1 : 0];
}

static struct stats_lapses sum_up(struct lapses *lapses)
{
    struct stats_lapses ret = { .n = (uint32_t) lapses->n };
    if (!lapses->n)
        return ret;
    qsort(lapses->v, lapses->n, sizeof(*lapses->v), compare);
    ret.median_us = rank(lapses, 50);
    ret.p90_us = rank(lapses, 90);
    return ret;
}

static int add_all(struct lapses *to, const struct lapses *from)
{
    for (size_t i = 0; i < from->n; i++)
        if (stats_add_lapse(to, from->v[i]) < 0)
            return -ENOMEM;
    return 0;
}

/* ---- all of it ---- */

static int end(struct stats_pass *pass, struct stats *stats)
{
    struct lapses on_scene = { 0 }, attached = { 0 };
    stats->spans = calloc(pass->n_spans + 1, sizeof(*stats->spans));
    int r = stats->spans ? 0 : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < pass->n_spans; i++) {
        struct span_lapses *span = &pass->spans[i];
        if (add_all(&on_scene, &span->on_scene) < 0 || add_all(&attached, &span->attached) < 0)
            r = -ENOMEM;
        span->out.on_scene = sum_up(&span->on_scene);
        span->out.attached = sum_up(&span->attached);
        stats->total.n_calls += span->out.n_calls;
        stats->total.n_calls911 += span->out.n_calls911;
        stats->spans[stats->n_spans++] = span->out;
    }
    stats->total.on_scene = sum_up(&on_scene);
    stats->total.attached = sum_up(&attached);
    free(on_scene.v);
    free(attached.v);
    return r;
}

static int take(void *userdata, const struct digest *digest)
{
    struct stats_pass *pass = userdata;
    struct stats *stats = pass->stats;
    int hour;
    stats->set_back |= digest_is_set_back(pass->newest_us, digest->time_us);
    pass->newest_us = digest->time_us;
    if (!stats->since_us)
        stats->since_us = digest->time_us;
    if (digest->time_us >= pass->asked->since_us && !stats_span_of(pass, digest->time_us, &hour))
        return -ENOMEM;
    return stats_take_calls(pass, digest);
}

static int run(struct stats_pass *pass, struct store_reader *reader, struct err *err)
{
    const struct stats_asked *asked = pass->asked;
    const struct digest_period period = { asked->since_us, asked->until_us, asked->community };
    int r = digest_read_period(reader, &period, take, pass, err);
    if (r >= 0)
        r = story_read_end(reader, asked->since_us, asked->until_us, pass->newest_us, &pass->stats->until_us, err);
    return r < 0 ? r : end(pass, pass->stats) < 0 ? err_set(err, -ENOMEM, "no memory") : 0;
}

static void pass_done(struct stats_pass *pass)
{
    for (size_t i = 0; i < pass->n_spans; i++) {
        free(pass->spans[i].on_scene.v);
        free(pass->spans[i].attached.v);
    }
    free(pass->spans);
    stats_calls_done(pass);
}

int stats_read(struct store_reader *reader, const struct stats_asked *asked, struct stats **ret, struct err *err)
{
    struct stats *stats = calloc(1, sizeof(*stats));
    struct stats_pass pass CLEANUP(pass_done) = { .asked = asked, .stats = stats };
    uint64_t oldest_id;
    if (!stats)
        return err_set(err, -ENOMEM, "no memory");
    int r = story_read_oldest(reader, &oldest_id, &stats->oldest_us, err);
    if (r >= 0)
        r = run(&pass, reader, err);
    if (r < 0) {
        stats_free(stats);
        return r;
    }
    stats->since_us = asked->since_us ? asked->since_us : stats->since_us;
    if (stats->oldest_us <= stats->since_us)
        stats->oldest_us = 0;
    *ret = stats;
    return 0;
}

struct stats *stats_free(struct stats *stats)
{
    if (stats)
        free(stats->spans);
    free(stats);
    return NULL;
}
