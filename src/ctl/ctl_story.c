/* ctl_story.c - "sonoran-pushctl story": one call from first word to closing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/story.h>

#include "ctl_private.h"

#define LINE_INDENT 37 /* behind time, lapse and id */
#define NAME_MAX_CHARS 40

struct arguments {
    struct ctl_common common;
    const char *community;
};

static const struct ctl_option rows[] = {
    { "community", 0, "C", NULL, "of which community the id is, where the log has several",
      offsetof(struct arguments, community) },
    OPTION_JSON("one object for programs, as GET /api/story answers"),
};

static const struct ctl_spec spec = {
    .verb = "story",
    .usage = "[OPTION]... CALL",
    .about =
        "Prints one call from first word to closing: what was told, who was at it, how long it took. CALL is the id "
        "of a dispatch call, or 911:ID of a 911 call; either leads to both. Read from the log, whether the daemon "
        "runs or not.",
    .footer = "AFTER counts from the first line. An id that the CAD used again is that of its newest call.\n"
              "Exit status: 0 done, 1 the log cannot be read or has nothing of the call, 2 usage, 78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_min = 1,
    .words_max = 1,
};

/* "0:12", "23:05", "1:02:03". */
static void write_lapse(struct text *out, int64_t us)
{
    uint64_t s = (uint64_t) (us < 0 ? -us : us) / USEC_PER_SEC;
    text_add(out, us < 0 && s ? "-" : "");
    if (s >= 3600)
        text_addf(out, "%llu:%02u:%02u", (unsigned long long) (s / 3600), (unsigned) (s / 60 % 60),
                  (unsigned) (s % 60));
    else
        text_addf(out, "%u:%02u", (unsigned) (s / 60), (unsigned) (s % 60));
}

/* ---- the call, and what was told of it ---- */

static void write_title(const struct story *story, struct text *out)
{
    bool is_call = story->call != STATE_UNSET_ID;
    text_addf(out, is_call ? "Call %lld" : "911 call %lld", (long long) (is_call ? story->call : story->call911));
    if (*story->title) {
        text_add(out, " ");
        text_add_prose(out, story->title, strlen(story->title), 2 * NAME_MAX_CHARS);
    }
    if (*story->address) {
        text_add(out, " at ");
        text_add_prose(out, story->address, strlen(story->address), 2 * NAME_MAX_CHARS);
    }
    if (is_call && story->call911 != STATE_UNSET_ID)
        text_addf(out, ", from 911 call %lld", (long long) story->call911);
    text_add(out, "\n\n");
}

static void write_entry(const struct story *story, const struct story_entry *entry, size_t width, struct text *out)
{
    struct text after CLEANUP(text_free) = TEXT_INIT;
    if (entry != story->entries)
        write_lapse(&after, (int64_t) (entry->time_us - story->entries->time_us));
    time_write(out, entry->time_us);
    text_addf(out, " %8s %7llu ", after.s, (unsigned long long) entry->id);
    wrap_write(out, entry->summary, LINE_INDENT, width);
    out->failed |= after.failed;
}

static void write_entries(const struct story *story, struct text *out)
{
    struct text time CLEANUP(text_free) = TEXT_INIT;
    size_t width = wrap_width();
    text_add(&time, "TIME (");
    time_write_zone(&time);
    text_add(&time, ")");
    text_addf(out, "%-19s %8s %7s EVENT\n", time.s, "AFTER", "ID");
    for (size_t i = 0; i < story->n_entries; i++)
        write_entry(story, &story->entries[i], width, out);
}

/* ---- its units ---- */

enum { UNIT, ATTACHED, EN_ROUTE, ON_SCENE, LEFT, COLUMNS };

struct unit_cells {
    struct text cells[COLUMNS];
};

static void write_moment(const struct story *story, usec_t time_us, const char *otherwise, struct text *out)
{
    if (time_us)
        write_lapse(out, (int64_t) (time_us - story->entries->time_us));
    else
        text_add(out, otherwise);
}

static void fill_cells(const struct story *story, const struct story_unit *unit, struct text *cells)
{
    text_add_prose(&cells[UNIT], unit->number, strlen(unit->number), NAME_MAX_CHARS);
    text_add(&cells[UNIT], *unit->number && *unit->name ? " " : "");
    text_add_prose(&cells[UNIT], unit->name, strlen(unit->name), NAME_MAX_CHARS);
    if (!cells[UNIT].size)
        text_addf(&cells[UNIT], "unit %lld", (long long) unit->id);
    write_moment(story, unit->attached_us, "not seen", &cells[ATTACHED]);
    write_moment(story, unit->en_route_us, "-", &cells[EN_ROUTE]);
    write_moment(story, unit->on_scene_us, "-", &cells[ON_SCENE]);
    write_moment(story, unit->left_us, story->closed_us ? "-" : "still there", &cells[LEFT]);
}

static void write_units(const struct story *story, struct text *out)
{
    static const char *const heads[COLUMNS] = { "UNIT", "ATTACHED", "EN ROUTE", "ON SCENE", "LEFT" };
    struct text *cells = table_cells_new(story->n_units + 1, COLUMNS, out);
    if (!cells)
        return;
    for (size_t k = 0; k < COLUMNS; k++)
        text_add(&cells[k], heads[k]);
    for (size_t i = 0; i < story->n_units; i++)
        fill_cells(story, &story->units[i], cells + (i + 1) * COLUMNS);
    table_cells_write(cells, story->n_units + 1, COLUMNS, out);
}

/* ---- what comes of it ---- */

static void add_figure(struct text *line, const char *what, int64_t us)
{
    if (us < 0)
        return;
    text_addf(line, "%s%s after ", line->size ? ", " : "", what);
    write_lapse(line, us);
}

static void write_figures(const struct story *story, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT, words CLEANUP(text_free) = TEXT_INIT;
    struct story_figures figures = story_get_figures(story);
    add_figure(&line, "answered", figures.answered_us);
    add_figure(&line, "first unit attached", figures.first_unit_us);
    add_figure(&line, "first on scene", figures.first_on_scene_us);
    add_figure(&line, story->call == STATE_UNSET_ID ? "removed" : "closed", figures.closed_us);
    if (line.size)
        text_addf(&words, "%c%s.%s", *line.s >= 'a' ? *line.s - 'a' + 'A' : *line.s, line.s + 1,
                  story->missing.size ? " " : "");
    text_add(&words, story->missing.s);
    text_add(out, "\n");
    wrap_write(out, words.s, 0, wrap_width());
    out->failed |= line.failed || words.failed;
}

static int print(const struct story *story)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    write_title(story, &out);
    write_entries(story, &out);
    if (story->n_units) {
        text_add(&out, "\n");
        write_units(story, &out);
    }
    write_figures(story, &out);
    return table_write_stdout(&out);
}

static int print_json(const struct story *story)
{
    struct text out CLEANUP(text_free) = TEXT_INIT, shown CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    json_begin_object(&json, NULL);
    story_write(story, &json);
    json_end(&json);
    show_json(out.s, out.size, isatty(STDOUT_FILENO), &shown);
    shown.failed |= out.failed;
    return table_write_stdout(&shown);
}

static int run(const struct arguments *arguments, struct story_asked *asked)
{
    char *path CLEANUP(cleanup_free) = NULL;
    struct store_reader *reader = NULL;
    struct story *story = NULL;
    struct err err = { "" };
    int status = settings_find_store(&arguments->common, &path);
    if (status != EXIT_SUCCESS)
        return status;
    asked->community = arguments->community;
    int r = store_reader_open(&reader, path, &err);
    if (r >= 0)
        r = story_read(reader, asked, &story, &err);
    store_reader_close(reader);
    if (r < 0)
        return ctl_fail(r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, "%s%s", err.msg,
                        r == -EINVAL ? ": --community NAME" : "");
    status = arguments->common.json ? print_json(story) : print(story);
    story_free(story);
    return status;
}

int story_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    struct story_asked asked = { 0 };
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;
    if (story_read_call(argv[optind], &asked) < 0) {
        struct text shown CLEANUP(text_free) = TEXT_INIT;
        table_write_safe(&shown, argv[optind], 40);
        return ctl_fail(EXIT_USAGE, "%s: expected the id of a call, such as 55120, or 911:90417 of a 911 call",
                        shown.s);
    }
    return run(&arguments, &asked);
}
