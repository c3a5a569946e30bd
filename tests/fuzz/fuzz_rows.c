/* fuzz_rows.c - any values in the columns of an event log: walked in every way, read back as events, told as stories,
 * duty and statistics, opened to be written, brought up to date from schema 1. libFuzzer's target.
 *
 * The first byte says what is done besides reading. Rows follow, between bytes 0x1e: a letter for the table, and
 * between bytes 0x1f the columns: "" is NULL, "#12" a number, "~1.5" a real one, "!x" a blob, all else a text. The
 * tables are not STRICT and take NULL everywhere, as SQLite itself never leaves them. Looked for besides crashes: walks
 * that do not end, or differ in which rows they find; a record of a row that is no JSON; sentences that a terminal
 * would obey; a log that was opened and takes no event more. */
#include "fuzz_checks.h"
#include "fuzz_log.h"

#include <errno.h>
#include <sonoran-pushd/duty.h>
#include <sonoran-pushd/facts.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/feed.h>
#include <sonoran-pushd/stats.h>
#include <sonoran-pushd/store.h>
#include <sonoran-pushd/story.h>

#define WALKS_MAX 1000 /* more than there can be rows, or names */
#define TRIES_MAX 4

enum how { HOW_OPEN = 1, HOW_OLD = 2 };

/* ---- rows ---- */

static void look_at_fact(void *context, const struct fact *fact, const struct fact_value *value)
{
    (void) context;
    require(fact->name && *value->text);
}

static void look_at_record(const struct event *event, const struct description *description)
{
    struct text record CLEANUP(text_free) = TEXT_INIT;
    event_write_record(event, description, &record);
    for (size_t i = 0; i < record.size; i++)
        require((unsigned char) record.s[i] >= 0x20);
    cJSON *json = cJSON_ParseWithOpts(record.s, NULL, true);
    /* What was sent goes out as it is, and may hold what cJSON gives up on. */
    require(json || strcasestr(record.s, "\\ud") || event->data_text.size + event->extra_text.size > 60 ||
            description->known.size > 60);
    cJSON_Delete(json);
}

static void look_at_row(const struct store_row *row, struct state *state)
{
    const struct feed_record *record = NULL;
    struct description description = DESCRIPTION_INIT;
    struct batch batch;
    require(row->log && row->source && row->community && row->listener && row->peer && row->type && row->family);
    require(strlen(row->realm) <= REALM_MAX_BYTES || !row->home.node);
    int r = store_row_restore(row, &families_all, &batch);
    require(r == 0 || r == -EINVAL);
    require(feed_restore(row, &families_all, &record) == r);
    if (r < 0)
        return;
    feed_unref(record);
    const struct event *event = &batch.events[0];
    store_row_describe(row, event, &description);
    require(description.level >= 0 && description.level <= 7);
    look_at_record(event, &description);
    if (!event_verdict_is_refusal(event->verdict))
        facts_emit(event, &description, description.known_json, look_at_fact, NULL);
    state_set_event(state, event->id, event->time_us);
    if (event->verdict == EVENT_ACCEPTED && event->handler && event->handler->apply)
        require(event->handler->apply(event, state) >= 0);
    families_write_known(event, state, &description);
    batch_done(&batch);
    description_free(&description);
}

/* ---- walks ---- */

static bool walk_on(int r, const struct err *err)
{
    require(r >= 0 || *err->msg);
    if (r < 0)
        require_safe(err->msg);
    return r > 0;
}

/* How many there are of it, in the order of their ids. */
static size_t walk(struct store_reader *reader, const struct store_filter *filter, struct state *state)
{
    struct store_row row;
    struct err err = { "" };
    size_t n = 0;
    int64_t last_id = INT64_MIN;
    if (store_seek(reader, filter, &err) < 0)
        return 0;
    while (walk_on(store_read(reader, &row, &err), &err)) {
        require(++n <= WALKS_MAX && (n == 1 || (int64_t) row.id > last_id));
        last_id = (int64_t) row.id;
        if (state)
            look_at_row(&row, state);
    }
    require(store_read(reader, &row, &err) == 0);
    return n;
}

/* However much of each row is read, they are the same. */
static void walk_alike(struct store_reader *reader, struct store_filter filter)
{
    struct err err = { "" };
    uint64_t id, most = WALKS_MAX;
    size_t n = walk(reader, &filter, NULL);
    int r = store_newest_n(reader, &filter, &most, &id, &err);
    require(n ? r == 0 && most == n : r == -ENOENT);
    filter.told = true;
    require(walk(reader, &filter, NULL) == n);
    filter.counts = true;
    require(walk(reader, &filter, NULL) == n);
    filter.came = true;
    require(walk(reader, &filter, NULL) == n);
}

static void walk_all(struct store_reader *reader)
{
    const struct store_ref refs[] = { { .kind = "unit", .has_id = true, .id = 4127, .number = "3-L-27" },
                                      { .kind = "call", .has_id = true, .id = 55120 } };
    struct state *state = state_new();
    require(state != NULL);
    size_t n = walk(reader, &(struct store_filter){ 0 }, state);
    state_free(state);
    walk_alike(reader, (struct store_filter){ 0 });
    walk_alike(reader, (struct store_filter){ .type = "EVENT_*", .verdict = "accepted", .community = "a" });
    walk_alike(reader, (struct store_filter){ .community = "*@*", .since_us = 1, .until_us = 1795449600000000 });
    require(walk(reader, &(struct store_filter){ .community = "a", .refs = refs, .n_refs = 1 }, NULL) <= n);
    require(walk(reader, &(struct store_filter){ .community = "a", .refs = refs, .n_refs = 2 }, NULL) <= n);
}

static void look_at_others(struct store_reader *reader)
{
    struct store_failure failure;
    struct err err = { "" };
    char name[REALM_MAX_BYTES + 1] = "", before[REALM_MAX_BYTES + 1] = "", value[24];
    uint64_t id = 0;
    size_t n = 0;
    if (store_seek_failed(reader, NULL, &err) == 0)
        while (walk_on(store_read_failed(reader, &failure, &err), &err))
            require(++n <= WALKS_MAX && failure.action && failure.error);
    for (n = 0; walk_on(store_next_community(reader, name, &err), &err); n++) {
        require(n <= WALKS_MAX && strcmp(name, before) > 0);
        memcpy(before, name, sizeof(before));
    }
    (void) !store_newest(reader, &id, &err);
    (void) !store_last_until(reader, 1795449600000000, &id, &err);
    (void) !store_get_position(reader, "session", "heard", value, sizeof(value), &err);
    (void) store_has_life(reader, "00aa");
    require_safe(err.msg);
}

/* ---- what follows from all of them ---- */

static void look_at_story(struct store_reader *reader, bool is_911, int64_t id)
{
    const struct story_asked asked = { .community = "a", .is_911 = is_911, .id = id, .max_events = 20 };
    struct story *story = NULL;
    struct err err = { "" };
    struct text text CLEANUP(text_free) = TEXT_INIT;
    struct json_writer out = json_writer(&text);
    int r = story_read(reader, &asked, &story, &err);
    require_safe(err.msg);
    if (r < 0)
        return;
    (void) story_get_figures(story);
    require_safe(story->missing.s);
    json_begin_object(&out, NULL);
    story_write(story, &out);
    json_end(&out);
    cJSON *json = cJSON_ParseWithOpts(text.s, NULL, true);
    require(json != NULL);
    cJSON_Delete(json);
    story_free(story);
}

static void look_at_duty(struct store_reader *reader)
{
    struct duty *duty = NULL;
    struct err err = { "" };
    if (duty_read(reader, &(struct duty_asked){ 0 }, &duty, &err) < 0) {
        require_safe(err.msg);
        return;
    }
    for (size_t i = 0; i < duty->n_units; i++) {
        usec_t sum = 0;
        for (size_t k = 0; k < DUTY_STATUSES; k++)
            sum += duty->units[i].status_us[k];
        require(duty->units[i].number && duty->units[i].name && sum <= duty->units[i].on_us);
        require(!i || duty->units[i - 1].on_us >= duty->units[i].on_us);
    }
    duty_free(duty);
}

static void look_at_stats(struct store_reader *reader, bool by_hour)
{
    struct stats *stats = NULL;
    struct err err = { "" };
    uint64_t n_calls = 0;
    if (stats_read(reader, &(struct stats_asked){ .by_hour = by_hour }, &stats, &err) < 0) {
        require_safe(err.msg);
        return;
    }
    require(stats->n_spans <= 2 * ROWS_MAX + 1);
    for (size_t i = 0; i < stats->n_spans; i++)
        n_calls += stats->spans[i].n_calls;
    require(n_calls == stats->total.n_calls);
    stats_free(stats);
}

static void read_log(const char *path)
{
    struct store_reader *reader = NULL;
    struct err err = { "" };
    if (store_reader_open(&reader, path, &err) < 0) {
        require(*err.msg);
        require_safe(err.msg);
        return;
    }
    walk_all(reader);
    look_at_others(reader);
    look_at_story(reader, false, 55120);
    look_at_story(reader, true, 90417);
    look_at_duty(reader);
    look_at_stats(reader, true);
    look_at_stats(reader, false);
    store_reader_close(reader);
}

/* ---- the one who writes ---- */

/* False: its columns have what the table, STRICT from schema 2 on, does not take any more. */
static bool fill_row(struct store *store, const struct store_row *row, struct description *description)
{
    struct batch batch;
    struct err err = { "" };
    if (store_row_restore(row, &families_all, &batch) < 0)
        return true;
    event_describe(&batch.events[0], NULL, description);
    int r = store_fill(store, &batch.events[0], description, &err);
    require(r == 0 || *err.msg);
    require_safe(err.msg);
    batch_done(&batch);
    return r == 0;
}

/* As the pipeline does it with rows of schema 1. */
static void fill_rows(struct store *store)
{
    const struct store_fill_place place = store_get_fill(store);
    struct description description = DESCRIPTION_INIT;
    struct store_reader *reader = NULL;
    struct store_row row;
    struct err err = { "" };
    if (!place.until_id || store_open_reader(store, &reader, &err) < 0)
        return;
    bool is_sound = true;
    require(store_begin_fill(store, &err) == 0);
    const struct store_filter filter = { .after_id = place.filled_id, .last_id = place.until_id };
    require(store_seek(reader, &filter, &err) == 0);
    while (is_sound && walk_on(store_read(reader, &row, &err), &err))
        is_sound = fill_row(store, &row, &description);
    store_rest(reader);
    if (is_sound)
        require(store_end_fill(store, place.until_id, &err) == 0 && store_get_fill(store).until_id == 0);
    else
        store_rollback(store);
    description_free(&description);
    store_reader_close(reader);
}

static void append_one(struct store *store)
{
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct event event = { .id = store_last_id(store) + 1,
                                 .time_us = 1795449600000000,
                                 .type = "EVENT_911",
                                 .community = "a",
                                 .realm = "a",
                                 .origin = &origin,
                                 .index = -1 };
    struct err err = { "" };
    if (event.id > INT64_MAX) /* behind the last there can be */
        return;
    require(store_begin(store, &err) == 0 && store_append(store, &event, NULL, &err) == 0);
    require(store_commit(store, &err) == 0 && store_last_id(store) == event.id);
}

static void look_at_places(struct store *store)
{
    struct store_try tries[TRIES_MAX];
    struct store_place place;
    struct store_life life, before, *lives = NULL;
    struct err err = { "" };
    char name[NAME_MAX_BYTES + 1] = "", node[NAME_MAX_BYTES + 1], last[NAME_MAX_BYTES + 1] = "";
    uint64_t id;
    size_t n = 0;
    for (n = 0; walk_on(store_next_cursor(store, name, &id, &err), &err); n++) {
        require(n <= WALKS_MAX && strcmp(name, last) > 0);
        memcpy(last, name, sizeof(last));
    }
    require(store_get_tries(store, "a", tries, TRIES_MAX, &n, &err) < 0 || n <= TRIES_MAX);
    (void) !store_get_place(store, STORE_STATE, &place, &err);
    (void) !store_get_began(store, "a", &id, &err);
    (void) store_count_failed(store, "a");
    (void) store_get_life(store, &life, &before);
    require(store_get_node(store, node, &err) < 0 || event_is_node(node));
    (void) !store_get_lives(store, &lives, &n, &err);
    free(lives);
}

static void open_log(const char *path)
{
    const struct store_settings settings = { .path = path, .keep_us = 86400 * USEC_PER_SEC, .max_size_bytes = 1 << 20 };
    const struct store_time now = { 1795449600000000, 3600 * USEC_PER_SEC };
    struct store_trimmed trimmed;
    struct store *store = NULL;
    struct err err = { "" };
    if (store_open(&store, &settings, &err) < 0) {
        require(*err.msg);
        require_safe(err.msg);
        return;
    }
    look_at_places(store);
    fill_rows(store);
    append_one(store);
    (void) !store_trim(store, &now, &trimmed, &err);
    store_close(store);
    read_log(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!*folder)
        make_log();
    char *copy = size ? malloc(size) : NULL;
    if (!copy)
        return 0;
    memcpy(copy, bytes + 1, size - 1);
    copy[size - 1] = '\0';
    if (bytes[0] & HOW_OLD) {
        fill_log(copy_path, copy, true);
        read_log(copy_path);
        open_log(copy_path);
        remove_log(copy_path);
    } else {
        fill_log(log_path, copy, false);
        read_log(log_path);
        if (bytes[0] & HOW_OPEN) {
            copy_log();
            open_log(copy_path);
            remove_log(copy_path);
        }
    }
    free(copy);
    return 0;
}
