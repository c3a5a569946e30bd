/* digest.c - rows of the log as who was on duty and at which call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <sonoran-pushd/families.h>

#include "digest.h"
#include "story_private.h"

#define MANY_IDS 16

/* A walk through the log. Events that were made up, and those that were refused, are passed. */
struct digest_walk {
    struct store_reader *reader;
    struct state *scratch;
    struct digest digest;
    struct ids units;
    size_t room;
};

static const struct {
    const char *type;
    enum digest_kind kind;
} kinds[] = {
    { "EVENT_UNIT_STATUS", DIGEST_STATUS },
    { "EVENT_UNIT_UPDATE", DIGEST_STATUS },
    { "EVENT_911", DIGEST_911 },
    { "EVENT_DISPATCH_NEW", DIGEST_OPENED },
    { "EVENT_DISPATCH_UNIT_ATTACH", DIGEST_ATTACHED },
    { "EVENT_DISPATCH_UNIT_DETACH", DIGEST_DETACHED },
    { "EVENT_DISPATCH_CLOSED", DIGEST_CLOSED },
    { "EVENT_DISPATCH_EDIT", DIGEST_LISTED },
    { "EVENT_REMOVE_911", DIGEST_REMOVED },
    { "EVENT_UNIT_LOGIN", DIGEST_LOGIN },
    { "EVENT_UNIT_LOGOUT", DIGEST_LOGOUT },
    { "EVENT_UNIT_PANIC", DIGEST_STATUS },
};

static enum digest_kind kind_of(const struct store_row *row)
{
    for (size_t i = 0; row->verdict == EVENT_ACCEPTED && !row->test && i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].type, row->type) == 0)
            return kinds[i].kind;
    return DIGEST_OTHER;
}

static void clear_ids(struct ids *ids)
{
    if (ids->n > MANY_IDS)
        ids_free(ids); /* with what finds them */
    ids->n = 0;
}

/* "[90417,90418]" */
static void read_ids(struct span json, struct ids *ret)
{
    const char *end = json.s + json.size;
    char *next;
    for (const char *p = json.s + 1; p < end; p = next + 1) {
        int64_t id = strtoll(p, &next, 10);
        if (next == p)
            return;
        ids_add(ret, id);
    }
}

static int set_units(struct digest_walk *walk)
{
    size_t n = walk->units.n;
    if (n > walk->room) {
        struct digest_unit *units = realloc(walk->digest.units, n * sizeof(*units));
        if (!units)
            return -ENOMEM;
        walk->digest.units = units;
        walk->room = n;
    }
    walk->digest.n_units = n;
    for (size_t i = 0; i < n; i++)
        walk->digest.units[i] = (struct digest_unit){ .id = walk->units.v[i], .status = STATE_UNSET, .panic = -1 };
    return 0;
}

/* ---- what the row knows of its units ---- */

static bool is_name(struct span quoted, const char *name)
{
    size_t size = strlen(name);
    return quoted.size == size + JSON_QUOTES && memcmp(quoted.s + 1, name, size) == 0;
}

static struct span member(struct span object, const char *name)
{
    struct json_scan members = json_children_of(object);
    struct span found, value;
    while (json_next_child(&members, &found, &value))
        if (is_name(found, name))
            return value;
    return (struct span){ NULL, 0 };
}

static struct digest_unit *find(struct digest *digest, int64_t id)
{
    for (size_t i = 0; i < digest->n_units; i++)
        if (digest->units[i].id == id)
            return &digest->units[i];
    return NULL;
}

static void read_known_unit(struct digest *digest, struct span object)
{
    struct json_scan members = json_children_of(object);
    struct span name, value;
    struct digest_unit unit = { .status = STATE_UNSET }, *told;
    while (json_next_child(&members, &name, &value)) {
        if (is_name(name, "id"))
            unit.id = strtoll(value.s + (*value.s == '"'), NULL, 10);
        else if (is_name(name, "number"))
            unit.number = value;
        else if (is_name(name, "name"))
            unit.name = value;
        else if (is_name(name, "status"))
            unit.status = (int32_t) strtol(value.s, NULL, 10);
    }
    if (!(told = find(digest, unit.id)))
        return;
    told->status = unit.status;
    told->number = unit.number;
    told->name = unit.name;
}

static void read_known(struct digest *digest, struct span known)
{
    struct json_scan units = json_children_of(member(known, "units"));
    struct span unit;
    while (json_next_child(&units, NULL, &unit))
        read_known_unit(digest, unit);
}

/* ---- what only the event knows ---- */

/* Alone in a state of its own: what is there then was told by it. */
static int hear(struct digest_walk *walk, const struct store_row *row, struct batch *ret, struct err *err)
{
    state_clear(walk->scratch);
    return story_hear(row, walk->scratch, ret, err);
}

static int take_list(struct digest_walk *walk, const struct store_row *row, struct err *err)
{
    struct batch batch;
    const int64_t *units;
    struct digest *digest = &walk->digest;
    int r = hear(walk, row, &batch, err);
    if (r <= 0)
        return r;
    const struct state_call *call = state_find_call(walk->scratch, row->realm, digest->call);
    size_t n = state_call_units(walk->scratch, row->realm, digest->call, &units);
    clear_ids(&walk->units);
    for (size_t i = 0; i < n; i++)
        ids_add(&walk->units, units[i]);
    if (!call || !call->told)
        digest->kind = DIGEST_OTHER;
    if (call && call->status == STATE_CALL_CLOSED)
        digest->kind = DIGEST_CLOSED;
    digest->call911 = call ? call->call911 : STATE_UNSET_ID;
    batch_done(&batch);
    return set_units(walk) < 0 ? err_set(err, -ENOMEM, "no memory") : 1;
}

static int take_units(struct digest_walk *walk, const struct store_row *row, struct err *err)
{
    struct batch batch;
    struct digest *digest = &walk->digest;
    int r = hear(walk, row, &batch, err);
    if (r <= 0)
        return r;
    for (size_t i = 0; i < digest->n_units; i++) {
        struct digest_unit *unit = &digest->units[i];
        const struct state_unit *told = state_find_unit(walk->scratch, row->realm, unit->id);
        if (told && told->status != STATE_UNSET)
            unit->status = told->status;
        if (told && told->panic >= 0)
            unit->panic = told->panic;
    }
    batch_done(&batch);
    return 1;
}

/* Of a row without what was decided: the ids that its event has. */
static int take_undescribed(struct digest_walk *walk, const struct store_row *row, struct err *err)
{
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    struct batch batch;
    struct digest *digest = &walk->digest;
    int r = store_row_restore(row, &families_all, &batch);
    if (r < 0)
        return r == -EINVAL ? 0 : err_set(err, r, "no memory");
    store_row_describe(row, &batch.events[0], &description);
    bool about_911 = digest->kind == DIGEST_911 || digest->kind == DIGEST_REMOVED;
    const struct ids *calls = about_911 ? &description.calls911 : &description.calls;
    for (size_t i = 0; i < calls->n; i++)
        ids_add(&digest->calls, calls->v[i]);
    for (size_t i = 0; i < description.units.n; i++)
        ids_add(&walk->units, description.units.v[i]);
    if (batch.events[0].test)
        digest->kind = DIGEST_OTHER;
    batch_done(&batch);
    return 1;
}

/* ---- one row ---- */

static bool are_all_known(const struct digest *digest)
{
    for (size_t i = 0; i < digest->n_units; i++)
        if (digest->units[i].status == STATE_UNSET)
            return false;
    return true;
}

/* A level above others says that a panic begins or ends. */
static bool needs_event(const struct store_row *row, const struct digest *digest)
{
    return row->level < LOG_INFO || !row->described || !are_all_known(digest);
}

static int read_row_ids(struct digest_walk *walk, const struct store_row *row, struct err *err)
{
    struct digest *digest = &walk->digest;
    bool about_911 = digest->kind == DIGEST_911 || digest->kind == DIGEST_REMOVED;
    clear_ids(&digest->calls);
    clear_ids(&walk->units);
    if (!row->described)
        return take_undescribed(walk, row, err);
    read_ids(about_911 ? row->calls911 : row->calls, &digest->calls);
    if (!about_911)
        read_ids(row->units, &walk->units);
    return 1;
}

static int take_row(struct digest_walk *walk, const struct store_row *row, struct err *err)
{
    struct digest *digest = &walk->digest;
    int r = read_row_ids(walk, row, err);
    if (r <= 0)
        return r;
    if (set_units(walk) < 0)
        return err_set(err, -ENOMEM, "no memory");
    digest->call = digest->calls.n ? digest->calls.v[0] : STATE_UNSET_ID;
    digest->call911 = STATE_UNSET_ID;
    if (digest->kind == DIGEST_OPENED || digest->kind == DIGEST_LISTED)
        r = take_list(walk, row, err);
    if (r > 0 && walk->units.n)
        read_known(digest, row->known);
    if (r > 0 && (digest->kind == DIGEST_STATUS || digest->kind == DIGEST_LOGIN) && needs_event(row, digest))
        r = take_units(walk, row, err);
    return r;
}

static int begin(struct digest_walk *walk, struct store_reader *reader, const struct store_filter *filter,
                 struct err *err)
{
    struct store_filter counted = *filter;
    counted.counts = true;
    *walk = (struct digest_walk){ .reader = reader, .scratch = state_new() };
    return walk->scratch ? store_seek(reader, &counted, err) : err_set(err, -ENOMEM, "no memory");
}

/* 1: the next, borrowed; 0: that was all. */
static int read_next(struct digest_walk *walk, const struct digest **ret, struct err *err)
{
    struct store_row row;
    int r;
    *ret = &walk->digest;
    while ((r = store_read(walk->reader, &row, err)) > 0) {
        walk->digest.kind = kind_of(&row);
        walk->digest.n_units = 0;
        walk->digest.id = row.id;
        walk->digest.time_us = row.time_us;
        walk->digest.community = row.realm;
        if (walk->digest.kind == DIGEST_OTHER)
            return 1;
        r = take_row(walk, &row, err);
        if (r != 0)
            return r;
    }
    return r;
}

static void end(struct digest_walk *walk)
{
    if (walk->reader)
        store_rest(walk->reader);
    state_free(walk->scratch);
    ids_free(&walk->digest.calls);
    ids_free(&walk->units);
    free(walk->digest.units);
}

int digest_read_period(struct store_reader *reader, const struct digest_period *period,
                       int (*take)(void *pass, const struct digest *digest), void *pass, struct err *err)
{
    usec_t since_us = period->since_us > STATE_KEEP_US ? period->since_us - STATE_KEEP_US : 0;
    const struct store_filter filter = { .since_us = since_us,
                                         .until_us = period->until_us,
                                         .community = period->community };
    struct digest_walk walk;
    const struct digest *digest;
    int taken = 0, r = begin(&walk, reader, &filter, err);
    while (r >= 0 && taken >= 0 && (r = read_next(&walk, &digest, err)) > 0)
        taken = take(pass, digest);
    end(&walk);
    return r < 0 ? r : taken < 0 ? err_set(err, taken, "no memory") : 0;
}
