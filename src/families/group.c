/* group.c - EVENT_UNIT_GROUP_*: units that work together under one name.
 * Source: events.md 4.15 to 4.17; vendor pages push-events/unit-group-events. */
#include <stdlib.h>

#include <sonoran-pushd/ids.h>

#include "fields.h"

static const char *const unit_names[] = { "identIds", "identId", NULL };

/* V5: the official receiver looks for the ids outside data, the documentation prints them inside. */
static void group_ids(const struct event *event, struct ids *ret)
{
    field_get_units(event->data, unit_names, ret);
    if (ret->n == 0)
        field_get_units(event->top, unit_names, ret);
}

static int add_check(const struct event *event, struct err *err)
{
    int r = field_need_ids(event, err, unit_names, ALSO_AT_TOP);
    return r < 0 ? r : field_need_text(event, err, NAMES("groupName"));
}

static int remove_check(const struct event *event, struct err *err)
{
    return field_need_ids(event, err, unit_names, ALSO_AT_TOP);
}

/* The group that all of these units are in, as state knows; NULL: none, or not one. */
static const char *old_group(const struct event *event, const struct state *state, const struct ids *ids)
{
    const char *group = NULL;
    for (size_t i = 0; i < ids->n; i++) {
        const struct state_unit *unit = state_find_unit(state, event->realm, ids->v[i]);
        if (!unit || !unit->group || !*unit->group || (group && strcmp(group, unit->group) != 0))
            return NULL;
        group = unit->group;
    }
    return group;
}

static void say_members(const struct event *event, const struct state *state, struct description *out,
                        const struct ids *ids)
{
    if (ids->n == 0) {
        out->level = LOG_DEBUG;
        text_add(&out->line, "no unit");
    }
    phrase_say_units(event, state, out, ids);
}

static void add_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    group_ids(event, &ids);
    const char *name = field_get_text(event->data, "groupName"), *old = old_group(event, state, &ids);
    say_members(event, state, out, &ids);
    phrase_say_after(&out->line, " joined group ", name, LINE_NAME_MAX);
    phrase_say_was(&out->line, old, name);
    if (old && !phrase_is_other(old, name))
        text_add(&out->line, ids.n == 1 ? ", was in it already" : ", were in it already");
}

static void remove_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    group_ids(event, &ids);
    const char *name = field_get_text(event->data, "groupName");
    if (!name || !*name)
        name = old_group(event, state, &ids);
    say_members(event, state, out, &ids);
    if (name)
        phrase_say_after(&out->line, " left group ", name, LINE_NAME_MAX);
    else
        text_add(&out->line, ids.n == 1 ? " left a group" : " left their group");
}

static int put_group(const struct event *event, struct state *state, const char *group)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    group_ids(event, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(ids.v[i]);
        patch.group = group;
        changed |= state_unit_put(state, event->realm, &patch, event->time_us);
    }
    return changed;
}

static int add_apply(const struct event *event, struct state *state)
{
    return put_group(event, state, field_get_text(event->data, "groupName"));
}

static int remove_apply(const struct event *event, struct state *state)
{
    return put_group(event, state, "");
}

static int rename_check(const struct event *event, struct err *err)
{
    int r = field_need_text(event, err, NAMES("oldName"));
    return r < 0 ? r : field_need_text(event, err, NAMES("newName"));
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* In the order of their ids: that of hearing says nothing here. */
static void known_units(const struct event *event, const struct state *state, const char *group, struct ids *ret)
{
    state_group_units(state, event->realm, group, ret);
    if (ret->n > 1)
        qsort(ret->v, ret->n, sizeof(*ret->v), by_number);
}

static void rename_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    const char *old = field_get_text(event->data, "oldName");
    group_ids(event, &ids);
    if (ids.n == 0 && old)
        known_units(event, state, old, &ids);
    phrase_say_after(&out->line, "group ", old, LINE_NAME_MAX);
    phrase_say_after(&out->line, " renamed to ", field_get_text(event->data, "newName"), LINE_NAME_MAX);
    if (ids.n) {
        text_add(&out->line, ", with ");
        phrase_say_units(event, state, out, &ids);
    }
}

static int rename_apply(const struct event *event, struct state *state)
{
    const char *new_name = field_get_text(event->data, "newName");
    int changed =
        state_group_rename(state, event->realm, field_get_text(event->data, "oldName"), new_name, event->time_us);
    return changed | put_group(event, state, new_name);
}

static const struct event_type types[] = {
    { "EVENT_UNIT_GROUP_ADD", NULL, add_check, add_describe, add_apply, &facts_group },
    { "EVENT_UNIT_GROUP_REMOVE", NULL, remove_check, remove_describe, remove_apply, &facts_group },
    { "EVENT_UNIT_GROUP_CHANGE_NAME", NULL, rename_check, rename_describe, rename_apply, &facts_group_name },
};

const struct event_family family_group = { "group", "36", types, ARRAY_SIZE(types) };
