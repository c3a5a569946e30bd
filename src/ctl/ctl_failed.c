/* ctl_failed.c - "sonoran-pushctl failed": deliveries that were given up, from the log itself. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/families.h>

#include "ctl_private.h"
#include "settings.h"

#define ERROR_MAX_CHARS 200
#define SUMMARY_MAX_CHARS 120
#define LINE_INDENT 28 /* behind time and id */

/* One walk goes through the failures, the other looks up their events. */
struct failed_list {
    struct store_reader *failures, *events;
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
static int look_up(struct failed_list *listing, uint64_t id, struct failed_event *ret, struct err *err)
{
    struct store_filter filter = { .after_id = id - 1, .last_id = id };
    struct store_row row;
    struct batch batch;
    int r = store_seek(listing->events, &filter, err);
    if (r >= 0)
        r = store_read(listing->events, &row, err);
    if (r > 0) {
        ret->there = true;
        text_add_bytes(&ret->type, row.type, strlen(row.type));
        description_reset(&listing->description);
        if (store_row_restore(&row, &families_all, &batch) >= 0) {
            store_row_describe(&row, &batch.events[0], &listing->description);
            batch_done(&batch);
        }
    }
    store_rest(listing->events);
    return r < 0 ? r : 0;
}

/* "bot, given up after 5 attempts: HTTP 500": the error may say it itself. */
static void write_error(const struct store_failure *failure, struct text *line)
{
    static const char says_so[] = "given up after ";
    table_write_safe(line, failure->action, NAME_MAX_BYTES);
    if (strncmp(failure->error, says_so, strlen(says_so)) == 0)
        text_add(line, ", ");
    else
        text_addf(line, ", %u attempt%s: ", failure->attempts, text_plural(failure->attempts));
    table_write_safe(line, failure->error, ERROR_MAX_CHARS);
}

static void write_line(struct failed_list *listing, const struct store_failure *failure,
                       const struct failed_event *event)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    struct text *out = &listing->out;
    write_error(failure, &line);
    if (event->there) {
        text_add(&line, " | ");
        text_add_safe(&line, event->type.s, event->type.size, EVENT_TYPE_MAX_BYTES / 4);
        text_add(&line, ": ");
        text_add_safe(&line, listing->description.line.s, listing->description.line.size, SUMMARY_MAX_CHARS);
    } else {
        text_add(&line, " | no longer in the log");
    }
    if (!listing->n)
        show_heading("ACTION, ERROR | EVENT", out);
    time_write(out, failure->at_us);
    text_addf(out, " %7llu ", (unsigned long long) failure->event_id);
    wrap_write(out, line.s, LINE_INDENT, wrap_width());
    out->failed |= line.failed;
}

static void write_object(struct failed_list *listing, const struct store_failure *failure,
                         const struct failed_event *event)
{
    struct json_writer json = json_writer(&listing->out);
    json_begin_object(&json, NULL);
    json_add_int(&json, "event_id", (int64_t) failure->event_id);
    json_add_text(&json, "action", failure->action);
    json_add_int(&json, "attempts", failure->attempts);
    json_add_text(&json, "error", failure->error);
    json_add_time(&json, "at", failure->at_us);
    if (event->there) {
        json_add_text(&json, "type", event->type.s);
        json_add_text(&json, "summary", listing->description.line.s);
    }
    json_end(&json);
    text_add(&listing->out, "\n");
}

static int take(struct failed_list *listing, const struct store_failure *failure, struct err *err)
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
static int list(struct failed_list *listing, const char *store, const char *action, struct err *err)
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

static void listing_done(struct failed_list *listing)
{
    store_reader_close(listing->failures);
    store_reader_close(listing->events);
    description_free(&listing->description);
    text_free(&listing->out);
}

/* Those that are no more may have failures too; of a name without any it is worth to know. False: told on stderr. */
static bool is_configured(const char *config_file, const char *name)
{
    struct nearest nearest = nearest_to(name);
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    struct config_problems problems = { 0 };
    struct config *config = NULL;
    int r = settings_load(config_file, true, &config, &problems);
    config_problems_free(&problems);
    bool found = r < 0;
    for (size_t i = 0; config && i < config->n_actions; i++) {
        found |= strcmp(config->actions[i].name, name) == 0;
        nearest_try(&nearest, config->actions[i].name, (int) strlen(config->actions[i].name));
    }
    table_write_safe(&shown, name, NAME_MAX_BYTES);
    if (!found && nearest.name)
        ctl_fail(0, "no action is called %s, did you mean %s?", shown.s, nearest.name);
    else if (!found)
        ctl_fail(0, "no action is called %s, and none of that name has given anything up", shown.s);
    config_free(config);
    return found;
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

    struct failed_list listing CLEANUP(
        listing_done) = { .description = DESCRIPTION_INIT, .out = TEXT_INIT, .json = common.json };
    const char *action = optind < argc ? argv[optind] : NULL;
    if (list(&listing, store, action, &err) < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    if (!listing.n && action && !common.store && !is_configured(common.config_file, action))
        return EXIT_FAILURE;
    if (!listing.n && !common.json)
        text_add(&listing.out, "No failed deliveries.\n");
    return table_write_stdout(&listing.out);
}
