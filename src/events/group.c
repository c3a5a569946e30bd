/* group.c - EVENT_UNIT_GROUP_*: units that work together under one name.
 * Source: events.md 4.15 to 4.17; vendor pages push-events/unit-group-events. */
#include "fields.h"

static const char *const unit_names[] = { "identIds", "identId", NULL };

/* V5: the official receiver looks for the ids outside data, the documentation prints them inside. */
static void group_ids(const struct event *event, struct ids *ret)
{
    get_ids(event->data, unit_names, ret);
    if (ret->n == 0)
        get_ids(event->top, unit_names, ret);
}

static int add_check(const struct event *event, struct err *err)
{
    int r = need_ids(event, err, unit_names, ALSO_AT_TOP);
    return r < 0 ? r : need_text(event, err, NAMES("groupName"));
}

static int remove_check(const struct event *event, struct err *err)
{
    return need_ids(event, err, unit_names, ALSO_AT_TOP);
}

static void member_describe(const struct event *event, const struct state *state, struct description *out,
                            const char *verb)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    group_ids(event, &ids);
    say_units(event, state, out, &ids);
    text_add(&out->line, verb);
    say_after(&out->line, " ", get_text(event->data, "groupName"), LINE_NAME_MAX);
}

static void add_describe(const struct event *event, const struct state *state, struct description *out)
{
    member_describe(event, state, out, " joined group");
}

static void remove_describe(const struct event *event, const struct state *state, struct description *out)
{
    member_describe(event, state, out, " left group");
}

static int put_group(const struct event *event, struct state *state, const char *group)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    int changed = 0;
    group_ids(event, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        struct state_unit patch = STATE_UNIT_PATCH(ids.v[i]);
        patch.group = group;
        changed |= state_unit_put(state, event->community, &patch, event->time_us);
    }
    return changed;
}

static int add_apply(const struct event *event, struct state *state)
{
    return put_group(event, state, get_text(event->data, "groupName"));
}

static int remove_apply(const struct event *event, struct state *state)
{
    return put_group(event, state, "");
}

static int rename_check(const struct event *event, struct err *err)
{
    int r = need_text(event, err, NAMES("oldName"));
    return r < 0 ? r : need_text(event, err, NAMES("newName"));
}

static void rename_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct ids ids CLEANUP(ids_free) = { 0 };
    group_ids(event, &ids);
    say_after(&out->line, "group ", get_text(event->data, "oldName"), LINE_NAME_MAX);
    say_after(&out->line, " renamed ", get_text(event->data, "newName"), LINE_NAME_MAX);
    if (ids.n) {
        text_add(&out->line, ", with ");
        say_units(event, state, out, &ids);
    }
}

static int rename_apply(const struct event *event, struct state *state)
{
    const char *new_name = get_text(event->data, "newName");
    int changed =
        state_group_rename(state, event->community, get_text(event->data, "oldName"), new_name, event->time_us);
    return changed | put_group(event, state, new_name);
}

static const struct event_type types[] = {
    { "EVENT_UNIT_GROUP_ADD", NULL, LOG_INFO, add_check, add_describe, add_apply },
    { "EVENT_UNIT_GROUP_REMOVE", NULL, LOG_INFO, remove_check, remove_describe, remove_apply },
    { "EVENT_UNIT_GROUP_CHANGE_NAME", NULL, LOG_INFO, rename_check, rename_describe, rename_apply },
};

const struct event_family family_group = { "group", "grp", 36, types, ARRAY_SIZE(types) };
