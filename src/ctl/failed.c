/* failed.c - "sonoran-pushctl failed": deliveries that were given up, from the log itself. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/events.h>
#include <sonoran-pushd/state.h>

#include "private.h"

#define ERROR_MAX_CHARS 200
#define SUMMARY_MAX_CHARS 120

/* One walk goes through the failures, the other looks up their events. */
struct listing {
    struct store_reader *failures, *events;
    struct state *state; /* an empty one: a line names ids, not who they are */
    struct description description;
    struct text out;
    bool json;
    uint64_t n;
};

struct failed_event {
    bool there; /* in the log still */
    struct text type;
};

static const struct ctl_option rows[] = {
    OPTION_JSON("an object for each, one a line"),
};

static const struct ctl_spec spec = {
    .verb = "failed",
    .usage = "[ACTION] [OPTION]...",
    .about = "Prints the deliveries that were given up, whether the daemon runs or not.",
    .footer = CTL_NAME " retry ACTION ID|all tries them once more.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_max = 1,
};

/* What the event says goes to listing->description. */
static int look_up(struct listing *listing, uint64_t id, struct failed_event *ret, struct err *err)
{
    struct store_filter filter = { .after_id = id - 1, .last_id = id };
    struct store_row row;
    struct batch batch;
    struct err reason;
    int r = store_seek(listing->events, &filter, err);
    if (r >= 0)
        r = store_read(listing->events, &row, err);
    if (r > 0) {
        ret->there = true;
        text_add_bytes(&ret->type, row.type, strlen(row.type));
        description_reset(&listing->description);
        if (store_row_restore(&row, &all_event_families, &batch) >= 0) {
            show_describe(&batch.events[0], listing->state, &reason, &listing->description);
            batch_done(&batch);
        }
    }
    store_rest(listing->events);
    return r < 0 ? r : 0;
}

static void write_line(struct listing *listing, const struct store_failure *failure, const struct failed_event *event)
{
    struct text *out = &listing->out;
    time_write(out, failure->at_us);
    text_addf(out, " %7llu ", (unsigned long long) failure->event_id);
    write_safe(out, failure->action, NAME_MAX_BYTES);
    text_addf(out, ", %u %s: ", failure->attempts, failure->attempts == 1 ? "attempt" : "attempts");
    write_safe(out, failure->error, ERROR_MAX_CHARS);
    if (event->there) {
        text_add(out, " | ");
        text_add_safe(out, event->type.s, event->type.size, EVENT_TYPE_MAX_BYTES / 4);
        text_add(out, ": ");
        text_add_safe(out, listing->description.line.s, listing->description.line.size, SUMMARY_MAX_CHARS);
    } else {
        text_add(out, " | no longer in the log");
    }
    text_add(out, "\n");
}

static void write_object(struct listing *listing, const struct store_failure *failure, const struct failed_event *event)
{
    struct text *out = &listing->out;
    text_addf(out, "{\"event_id\":%llu", (unsigned long long) failure->event_id);
    write_member(out, "action", failure->action);
    text_addf(out, ",\"attempts\":%u", failure->attempts);
    write_member(out, "error", failure->error);
    text_add(out, ",\"at\":\"");
    text_add_time_utc(out, failure->at_us);
    text_add(out, "\"");
    if (event->there) {
        write_member(out, "type", event->type.s);
        write_member(out, "summary", listing->description.line.s);
    }
    text_add(out, "}\n");
}

static int take(struct listing *listing, const struct store_failure *failure, struct err *err)
{
    struct failed_event event = { .type = TEXT_INIT };
    int r = look_up(listing, failure->event_id, &event, err);
    if (r >= 0 && listing->json)
        write_object(listing, failure, &event);
    else if (r >= 0)
        write_line(listing, failure, &event);
    listing->out.failed |= event.type.failed;
    text_free(&event.type);
    listing->n++;
    return r;
}

/* All of it before a byte is written: a reader of ours that does not read would hold the daemon's WAL. */
static int list(struct listing *listing, const char *store, const char *action, struct err *err)
{
    struct store_failure failure;
    int r = store_reader_open(&listing->failures, store, err);
    if (r >= 0)
        r = store_reader_open(&listing->events, store, err);
    if (r >= 0)
        r = store_seek_failed(listing->failures, action, err);
    while (r >= 0 && (r = store_read_failed(listing->failures, &failure, err)) > 0)
        r = take(listing, &failure, err);
    if (listing->failures)
        store_rest(listing->failures);
    return r;
}

static void listing_done(struct listing *listing)
{
    store_reader_close(listing->failures);
    store_reader_close(listing->events);
    state_free(listing->state);
    description_free(&listing->description);
    text_free(&listing->out);
}

int failed_run(const char *config_file, int argc, char **argv)
{
    struct ctl_common common = { .config_file = config_file };
    char *store CLEANUP(cleanup_free) = NULL;
    struct err err = { "" };
    int status = options_read(&spec, &common, argc, argv);
    if (status < 0)
        status = settings_find_store(&common, &store);
    if (!store)
        return status;

    struct listing listing CLEANUP(listing_done) = {
        .description = DESCRIPTION_INIT, .out = TEXT_INIT, .state = state_new(), .json = common.json
    };
    if (!listing.state)
        return ctl_fail(EXIT_FAILURE, "no memory");
    if (list(&listing, store, optind < argc ? argv[optind] : NULL, &err) < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    if (!listing.n && !common.json)
        text_add(&listing.out, "No failed deliveries.\n");
    return write_stdout(&listing.out);
}
