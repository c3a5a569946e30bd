/* walk.c - the log from an event on to stdout, with a state rebuilt on the way, so that units and calls have names.
 *
 * Nothing is written while a walk through the database is under way: a reader of ours that does not read (a pager)
 * would keep the daemon's WAL growing. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sonoran-pushd/events.h>
#include <sonoran-pushd/state.h>

#include "private.h"

#define POLL_MS 200
#define FAILURES_TOLD 10 /* looks in a row; a daemon that restarts is no news */
#define WRITE_BYTES ((size_t) 64 << 10)
#define EXPIRE_EVERY_US (60 * USEC_PER_SEC)

struct walk {
    const struct query *query;
    struct store_reader *reader;
    struct state *state;
    usec_t expired_us; /* when state last forgot */
    struct description description;
    struct text out;
    uint64_t first_id; /* what comes before it is only applied to state */
    uint64_t read_id;  /* read already */
    uint64_t *newest;  /* the last matches, a ring of limit; NULL: they are printed */
    uint64_t limit, n_matches;
    struct stat file; /* the log, as it was opened */
    bool terminal;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void) number;
    stopped = 1;
}

/* ---- one row ---- */

static bool has_id(const struct ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i] == id)
            return true;
    return false;
}

static bool concerns(const struct query *query, const struct description *description)
{
    return (!query->call.wanted || has_id(&description->calls, query->call.id)) &&
           (!query->call911.wanted || has_id(&description->calls911, query->call911.id)) &&
           (!query->unit.wanted || has_id(&description->units, query->unit.id));
}

static void take(struct walk *walk, const struct event *event)
{
    const struct query *query = walk->query;
    if (!concerns(query, &walk->description))
        return;
    if (walk->newest)
        walk->newest[walk->n_matches++ % walk->limit] = event->id;
    else
        show_event(event, &walk->description, query->json, walk->terminal, &walk->out);
}

static void apply(struct walk *walk, const struct event *event)
{
    if (event->verdict != EVENT_ACCEPTED || !event->handler || !event->handler->apply)
        return;
    (void) event->handler->apply(event, walk->state); /* without memory, what lines can name is less */
    if (event->time_us > walk->expired_us + EXPIRE_EVERY_US) {
        walk->expired_us = event->time_us;
        (void) state_expire(walk->state, event->time_us);
    }
}

static int take_row(struct walk *walk, const struct store_row *row, struct err *err)
{
    bool wanted = row->matches && row->id >= walk->first_id && row->time_us >= walk->query->filter.since_us;
    struct batch batch;
    int r = store_row_restore(row, &all_event_families, &batch);
    if (r == -ENOMEM)
        return err_set(err, r, "no memory");
    if (r < 0) {
        if (wanted)
            ctl_fail(0, "event %llu is not shown: what is stored is not JSON", (unsigned long long) row->id);
        return 0;
    }

    struct err reason;
    if (wanted) {
        show_describe(&batch.events[0], walk->state, &reason, &walk->description);
        take(walk, &batch.events[0]);
    }
    apply(walk, &batch.events[0]);
    batch_done(&batch);
    return walk->out.failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

/* ---- many rows ---- */

static int write_out(struct walk *walk, struct err *err)
{
    const struct text *out = &walk->out;
    if (out->size && (fwrite(out->s, 1, out->size, stdout) != out->size || fflush(stdout) != 0))
        return err_set(err, -errno, "cannot write: %s", strerror(errno));
    text_reset(&walk->out);
    return 0;
}

/* Everything behind read_id that the filter lets through. */
static int walk_on(struct walk *walk, struct store_filter filter, struct err *err)
{
    struct store_row row = { 0 };
    int r;
    do {
        filter.after_id = walk->read_id;
        r = store_seek(walk->reader, &filter, err);
        while (r >= 0 && !stopped && walk->out.size < WRITE_BYTES && (r = store_read(walk->reader, &row, err)) > 0) {
            walk->read_id = row.id;
            r = take_row(walk, &row, err);
            if (r == 0)
                r = 1;
        }
        store_rest(walk->reader);
        int w = r >= 0 ? write_out(walk, err) : 0;
        if (w < 0)
            return w;
    } while (r > 0 && !stopped);
    return r;
}

static int forget(struct walk *walk, struct err *err)
{
    state_free(walk->state);
    walk->state = state_new();
    walk->expired_us = 0;
    walk->read_id = 0;
    return walk->state ? 0 : err_set(err, -ENOMEM, "no memory");
}

/* The time of the first event that matches from first_id on; it becomes first_id. -ENOENT: there is none. */
static int locate(struct walk *walk, struct store_filter filter, usec_t *ret_us, struct err *err)
{
    struct store_row row = { 0 };
    if (walk->first_id > filter.after_id)
        filter.after_id = walk->first_id - 1;
    int r = store_seek(walk->reader, &filter, err);
    if (r >= 0)
        r = store_read(walk->reader, &row, err);
    if (r > 0) {
        walk->first_id = row.id;
        *ret_us = row.time_us;
    }
    store_rest(walk->reader);
    return r == 0 ? -ENOENT : r < 0 ? r : 0;
}

/* From a day before the first one that is shown, so that state knows of what. */
static int walk_from_first(struct walk *walk, const struct store_filter *filter, struct err *err)
{
    usec_t first_us;
    int r = locate(walk, *filter, &first_us, err);
    if (r >= 0)
        r = forget(walk, err);
    if (r < 0)
        return r;
    struct store_filter all = *filter;
    all.since_us = first_us > STATE_KEEP_US ? first_us - STATE_KEEP_US : 0;
    all.mark = true;
    return walk_on(walk, all, err);
}

/* What concerns an id is known only from its description: once through everything to find where the newest begin. */
static int find_first(struct walk *walk, const struct store_filter *filter, struct err *err)
{
    walk->newest = calloc(walk->limit, sizeof(*walk->newest));
    int r = walk->newest ? walk_from_first(walk, filter, err) : err_set(err, -ENOMEM, "no memory");
    if (r >= 0 && walk->n_matches == 0)
        r = -ENOENT;
    if (r >= 0)
        walk->first_id = walk->newest[walk->n_matches > walk->limit ? walk->n_matches % walk->limit : 0];
    free(walk->newest);
    walk->newest = NULL;
    return r;
}

/* What is in the log now. */
static int walk_log(struct walk *walk, struct err *err)
{
    const struct query *query = walk->query;
    struct store_filter filter = query->filter;
    uint64_t last_id;
    int r = store_newest(walk->reader, &last_id, err);
    if (r < 0)
        return r;

    filter.last_id = last_id;
    walk->limit = query->limit < last_id ? query->limit : last_id;
    if (walk->limit && (query->call.wanted || query->call911.wanted || query->unit.wanted))
        r = find_first(walk, &filter, err);
    else if (walk->limit)
        r = store_newest_n(walk->reader, &filter, walk->limit, &walk->first_id, err);
    if (r >= 0)
        r = last_id ? walk_from_first(walk, &filter, err) : -ENOENT;
    if (r == -ENOENT && query->follow) {
        walk->first_id = (last_id > filter.after_id ? last_id : filter.after_id) + 1;
        r = forget(walk, err);
        struct store_filter all = { .since_us = now_us() - STATE_KEEP_US, .last_id = last_id, .mark = true };
        r = r >= 0 ? walk_on(walk, all, err) : r;
    }
    walk->read_id = last_id;
    return r == -ENOENT ? 0 : r;
}

/* ---- what comes ---- */

/* The log may have been replaced by another since, and a daemon that starts or ends may be in the way. */
static int reopen(struct walk *walk, struct err *err)
{
    struct stat st = { 0 };
    uint64_t newest;
    walk->reader = store_reader_close(walk->reader);
    int r = store_reader_open(&walk->reader, walk->query->store, err);
    if (r >= 0)
        r = store_newest(walk->reader, &newest, err);
    if (r < 0)
        return r;
    bool same = stat(walk->query->store, &st) == 0 && st.st_ino == walk->file.st_ino && st.st_dev == walk->file.st_dev;
    if (same && newest >= walk->read_id)
        return 0;
    walk->file = st;
    walk->first_id = 0;
    return forget(walk, err);
}

/* Waits for the next look. False: asked to end, or nobody reads our output any more. */
static bool wait_for_more(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO };
    int n = stopped ? 0 : poll(&out, 1, POLL_MS);
    return !stopped && !(n > 0 && out.revents);
}

static int follow(struct walk *walk, struct err *err)
{
    struct store_filter filter = walk->query->filter;
    filter.since_us = filter.last_id = 0;
    filter.mark = true;
    for (unsigned failures = 0; wait_for_more();) {
        int r = reopen(walk, err);
        if (r >= 0)
            r = walk_on(walk, filter, err);
        if (r == -ENOMEM || ferror(stdout))
            return r;
        failures = r < 0 ? failures + 1 : 0;
        if (failures == FAILURES_TOLD)
            ctl_fail(0, "%s; trying on", err->msg);
    }
    return 0;
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = stop }; /* no SA_RESTART: a write that waits ends too */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int run(struct walk *walk, struct err *err)
{
    int r = store_reader_open(&walk->reader, walk->query->store, err);
    if (r >= 0 && stat(walk->query->store, &walk->file) < 0)
        r = err_set(err, -errno, "%s: %s", walk->query->store, strerror(errno));
    if (r >= 0)
        r = walk_log(walk, err);
    return r >= 0 && walk->query->follow ? follow(walk, err) : r;
}

int walk_run(const struct query *query, struct err *err)
{
    struct walk walk = {
        .query = query, .description = DESCRIPTION_INIT, .out = TEXT_INIT, .terminal = isatty(STDOUT_FILENO)
    };
    if (query->follow)
        catch_signals();
    int r = run(&walk, err);
    store_reader_close(walk.reader);
    state_free(walk.state);
    description_free(&walk.description);
    text_free(&walk.out);
    return stopped ? 0 : r;
}
