/* listing.c - events of the log on stdout, as they were told when they came.
 *
 * Nothing is written while a walk through the database is under way: a reader of ours that does not read (a pager)
 * would keep the daemon's WAL growing. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sonoran-pushd/families.h>

#include "ctl_private.h"

#define POLL_MS 200
#define FAILURES_TOLD 10 /* looks in a row; a daemon that restarts is no news */
#define WRITE_BYTES ((size_t) 64 << 10)

struct listing {
    const struct query *query;
    struct store_reader *reader;
    struct store_filter filter;
    char community[REALM_MAX_BYTES + 1]; /* the only one, where none was named */
    struct description description;
    struct text out;
    uint64_t read_id; /* read already */
    uint64_t n_shown;
    uint64_t *newest; /* the last matches, a ring of limit; NULL: they are printed */
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

static bool has_number(const struct description *description, const char *number)
{
    for (const char *told = NULL; (told = description_next_number(description, told));)
        if (strcasecmp(told, number) == 0)
            return true;
    return false;
}

/* As refs has it; rows that are not in there yet, and those that have just come, are asked themselves. */
static bool concerns(const struct store_ref *ref, const struct description *description)
{
    const struct ids *ids = strcmp(ref->kind, "call") == 0  ? &description->calls
                            : strcmp(ref->kind, "911") == 0 ? &description->calls911
                                                            : &description->units;
    return (ref->has_id && has_id(ids, ref->id)) || (ref->number && has_number(description, ref->number));
}

static bool is_wanted(struct listing *listing)
{
    const struct query *query = listing->query;
    if (query->n_refs)
        description_read_numbers(&listing->description);
    for (size_t i = 0; i < query->n_refs; i++)
        if (!concerns(&query->refs[i], &listing->description))
            return false;
    return true;
}

static void take(struct listing *listing, const struct event *event)
{
    const struct query *query = listing->query;
    if (listing->newest) {
        listing->newest[listing->n_matches++ % listing->limit] = event->id;
        return;
    }
    if (!listing->n_shown++ && !query->json)
        show_heading("EVENT", &listing->out);
    show_event(event, &listing->description, query->json, listing->terminal, &listing->out);
}

static int take_row(struct listing *listing, const struct store_row *row, struct err *err)
{
    struct batch batch;
    int r = store_row_restore(row, &families_all, &batch);
    if (r == -ENOMEM)
        return err_set(err, r, "no memory");
    if (r < 0) {
        if (!listing->newest)
            ctl_fail(0, "event %llu is not shown: what is stored is not JSON", (unsigned long long) row->id);
        return 0;
    }
    store_row_describe(row, &batch.events[0], &listing->description);
    if (listing->filter.n_refs || is_wanted(listing))
        take(listing, &batch.events[0]);
    batch_done(&batch);
    return listing->out.failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

/* ---- many rows ---- */

static int write_out(struct listing *listing, struct err *err)
{
    const struct text *out = &listing->out;
    if (out->size && (fwrite(out->s, 1, out->size, stdout) != out->size || fflush(stdout) != 0))
        return err_set(err, -errno, "cannot write: %s", strerror(errno));
    text_reset(&listing->out);
    return 0;
}

/* Everything behind read_id that the filter lets through. */
static int list_on(struct listing *listing, struct err *err)
{
    struct store_row row = { 0 };
    int r;
    do {
        if (listing->filter.after_id < listing->read_id)
            listing->filter.after_id = listing->read_id;
        r = store_seek(listing->reader, &listing->filter, err);
        while (r >= 0 && !stopped && listing->out.size < WRITE_BYTES &&
               (r = store_read(listing->reader, &row, err)) > 0) {
            listing->read_id = row.id;
            r = take_row(listing, &row, err);
            if (r == 0)
                r = 1;
        }
        store_rest(listing->reader);
        int w = r >= 0 ? write_out(listing, err) : 0;
        if (w < 0)
            return w;
    } while (r > 0 && !stopped);
    return r;
}

/* Once through everything to find where the newest begin. */
static int scan_for_first(struct listing *listing, uint64_t *ret_id, struct err *err)
{
    listing->newest = calloc(listing->limit, sizeof(*listing->newest));
    int r = listing->newest ? list_on(listing, err) : err_set(err, -ENOMEM, "no memory");
    uint64_t n = listing->n_matches;
    if (r >= 0 && n == 0)
        r = -ENOENT;
    else if (r >= 0)
        *ret_id = listing->newest[n > listing->limit ? n % listing->limit : 0];
    free(listing->newest);
    listing->newest = NULL;
    listing->read_id = 0;
    return r;
}

/* Only the newest so many. */
static int skip_older(struct listing *listing, bool scan, struct err *err)
{
    const struct store_filter filter = listing->filter;
    uint64_t first_id = 0, n = listing->limit;
    int r =
        scan ? scan_for_first(listing, &first_id, err) : store_newest_n(listing->reader, &filter, &n, &first_id, err);
    if (r >= 0)
        listing->filter.after_id = first_id - 1;
    return r;
}

static void say_names(struct listing *listing, const char *first, struct err *err)
{
    struct text names CLEANUP(text_free) = TEXT_INIT;
    struct err ignored;
    char name[REALM_MAX_BYTES + 1];
    snprintf(name, sizeof(name), "%s", first);
    do {
        text_add(&names, names.size ? ", " : "");
        table_write_safe(&names, name, REALM_MAX_BYTES);
    } while (store_next_community(listing->reader, name, &ignored) > 0);
    err_set(err, 0, "the log has events of several communities (%s), and ids are those of one: add --community NAME",
            names.s);
}

/* Of which community an id is: of the only one that there is. */
static int find_community(struct listing *listing, struct err *err)
{
    char first[REALM_MAX_BYTES + 1] = "", *name = listing->community;
    int r = store_next_community(listing->reader, name, err);
    if (r <= 0)
        return r;
    memcpy(first, name, sizeof(first));
    listing->filter.community = name;
    char second[REALM_MAX_BYTES + 1];
    memcpy(second, first, sizeof(second));
    r = store_next_community(listing->reader, second, err);
    if (r <= 0)
        return r;
    say_names(listing, first, err);
    return -EINVAL;
}

/* Rows of an older version are in no ref: then all are read. */
static int must_scan(struct listing *listing, bool *ret, struct err *err)
{
    uint64_t after_id, until_id;
    int r = store_get_unfilled(listing->reader, &after_id, &until_id, err);
    *ret = r > 0;
    for (size_t i = 0; r > 0 && i < listing->query->n_refs; i++)
        if (listing->query->refs[i].number && !listing->query->refs[i].has_id)
            ctl_fail(0,
                     "the events %llu to %llu are of an older version and are still being brought up to date: in them "
                     "a unit is not found by its number",
                     (unsigned long long) after_id + 1, (unsigned long long) until_id);
    return r < 0 ? r : 0;
}

static int narrow(struct listing *listing, uint64_t last_id, struct err *err)
{
    const struct query *query = listing->query;
    struct store_filter *filter = &listing->filter;
    bool scan = false;
    int r = 0;
    filter->last_id = last_id;
    if (query->id) {
        filter->last_id = query->id;
        if (filter->after_id < query->id)
            filter->after_id = query->id - 1;
    }
    if (query->n_refs)
        r = must_scan(listing, &scan, err);
    if (r >= 0 && query->n_refs && !scan) {
        filter->refs = query->refs;
        filter->n_refs = query->n_refs;
    }
    listing->limit = query->limit < last_id ? query->limit : last_id;
    return r >= 0 && listing->limit ? skip_older(listing, scan, err) : r;
}

/* What is in the log now. */
static int list_log(struct listing *listing, struct err *err)
{
    uint64_t last_id;
    int r = store_newest(listing->reader, &last_id, err);
    listing->filter = listing->query->filter;
    if (r >= 0 && listing->query->n_refs && !listing->filter.community)
        r = find_community(listing, err);
    if (r < 0)
        return r;
    r = listing->query->id > last_id || !last_id ? -ENOENT : narrow(listing, last_id, err);
    if (r >= 0)
        r = list_on(listing, err);
    listing->read_id = last_id;
    return r == -ENOENT ? 0 : r;
}

/* ---- what comes ---- */

/* The log may have been replaced by another since, and a daemon that starts or ends may be in the way. */
static int reopen(struct listing *listing, struct err *err)
{
    struct stat st = { 0 };
    uint64_t newest;
    listing->reader = store_reader_close(listing->reader);
    int r = store_reader_open(&listing->reader, listing->query->store, err);
    if (r >= 0)
        r = store_newest(listing->reader, &newest, err);
    if (r < 0)
        return r;
    bool same =
        stat(listing->query->store, &st) == 0 && st.st_ino == listing->file.st_ino && st.st_dev == listing->file.st_dev;
    listing->file = st;
    if (!same || newest < listing->read_id)
        listing->read_id = listing->filter.after_id = 0;
    return 0;
}

/* Waits for the next look. False: asked to end, or nobody reads our output any more. */
static bool wait_for_more(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO };
    int n = stopped ? 0 : poll(&out, 1, POLL_MS);
    return !stopped && !(n > 0 && out.revents);
}

static int follow(struct listing *listing, struct err *err)
{
    struct store_filter *filter = &listing->filter;
    filter->since_us = filter->last_id = filter->n_refs = 0;
    filter->after_id = listing->query->filter.after_id;
    for (unsigned failures = 0; wait_for_more();) {
        int r = reopen(listing, err);
        if (r >= 0)
            r = list_on(listing, err);
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

static int run(struct listing *listing, struct err *err)
{
    int r = store_reader_open(&listing->reader, listing->query->store, err);
    if (r >= 0 && stat(listing->query->store, &listing->file) < 0)
        r = err_set(err, -errno, "%s: %s", listing->query->store, strerror(errno));
    if (r >= 0)
        r = list_log(listing, err);
    return r >= 0 && listing->query->follow ? follow(listing, err) : r;
}

int listing_run(const struct query *query, struct err *err)
{
    struct listing listing = {
        .query = query, .description = DESCRIPTION_INIT, .out = TEXT_INIT, .terminal = isatty(STDOUT_FILENO)
    };
    if (query->follow)
        catch_signals();
    int r = run(&listing, err);
    store_reader_close(listing.reader);
    description_free(&listing.description);
    text_free(&listing.out);
    return r < 0 && !stopped ? r : listing.n_shown > 0;
}
