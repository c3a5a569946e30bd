/* story_json.c - a story for programs: the answer of GET /api/story. */
#include <math.h>

#include "story_private.h"

static void add_id(struct json_writer *out, const char *name, int64_t id)
{
    if (id == STATE_UNSET_ID)
        json_add_null(out, name);
    else
        json_add_int(out, name, id);
}

static void add_seconds(struct json_writer *out, const char *name, int64_t us)
{
    char digits[JSON_DOUBLE_MAX_BYTES];
    json_write_double(digits, (double) us / (double) USEC_PER_SEC);
    json_add_raw(out, name, span_of(digits));
}

static void add_lapse(struct json_writer *out, const char *name, int64_t us)
{
    if (us < 0)
        json_add_null(out, name);
    else
        add_seconds(out, name, us);
}

static void add_entry(const struct story *story, const struct story_entry *entry, struct json_writer *out)
{
    json_begin_object(out, NULL);
    json_add_int(out, "id", (int64_t) entry->id);
    json_add_time(out, "time", entry->time_us);
    if (entry == story->entries)
        json_add_null(out, "after");
    else
        add_seconds(out, "after", (int64_t) (entry->time_us - story->entries->time_us));
    json_add_text(out, "type", entry->type);
    json_add_text(out, "summary", entry->summary);
    json_begin_array(out, "units");
    for (size_t i = 0; i < entry->units.n; i++)
        json_add_int(out, NULL, entry->units.v[i]);
    json_end(out);
    json_add_bool(out, "test", entry->test);
    json_end(out);
}

static void add_unit(const struct story_unit *unit, struct json_writer *out)
{
    json_begin_object(out, NULL);
    json_add_int(out, "id", unit->id);
    json_add_text(out, "number", unit->number);
    json_add_text(out, "name", unit->name);
    json_add_known_time(out, "attached", unit->attached_us);
    json_add_known_time(out, "en_route", unit->en_route_us);
    json_add_known_time(out, "on_scene", unit->on_scene_us);
    json_add_known_time(out, "left", unit->left_us);
    json_end(out);
}

static void add_figures(const struct story *story, struct json_writer *out)
{
    struct story_figures figures = story_get_figures(story);
    json_begin_object(out, "figures");
    add_lapse(out, "answered_after", figures.answered_us);
    add_lapse(out, "first_unit_after", figures.first_unit_us);
    add_lapse(out, "first_on_scene_after", figures.first_on_scene_us);
    add_lapse(out, "closed_after", figures.closed_us);
    json_end(out);
}

void story_write(const struct story *story, struct json_writer *out)
{
    json_add_text(out, "community", story->community);
    add_id(out, "call", story->call);
    add_id(out, "call911", story->call911);
    json_add_text(out, "title", story->title);
    json_add_text(out, "address", story->address);
    json_add_known_time(out, "opened", story->opened_us);
    json_add_known_time(out, "closed", story->closed_us);
    json_begin_array(out, "entries");
    for (size_t i = 0; i < story->n_entries; i++)
        add_entry(story, &story->entries[i], out);
    json_end(out);
    json_begin_array(out, "units");
    for (size_t i = 0; i < story->n_units; i++)
        add_unit(&story->units[i], out);
    json_end(out);
    add_figures(story, out);
    json_add_bool(out, "complete", !story->missing.size);
    if (story->missing.size)
        json_add_text(out, "missing", story->missing.s);
    else
        json_add_null(out, "missing");
}
