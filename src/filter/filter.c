/* filter.c - which events an action wants, and whether its configuration says so soundly. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter_private.h"

#define SHOWN_MAX_CHARS 80

/* ---- types ---- */

static bool matches_type(const char *glob, const char *type, const struct event_type *handler)
{
    if (glob_matches(span_of(glob), span_of(type)))
        return true;
    return handler && handler->alias && glob_matches(span_of(glob), span_of(handler->alias));
}

static bool wants_type(const struct config_action *config, const char *type, const struct event_type *handler)
{
    for (size_t i = 0; i < config->n_events; i++)
        if (matches_type(config->events[i], type, handler))
            return true;
    return config->n_events == 0;
}

bool filter_wants_row(const struct config_action *config, const struct event_type *type)
{
    return wants_type(config, type->name, type);
}

bool filter_wants_type(const struct config_action *config, const struct event_families *families, const char *type)
{
    const struct event_family *family;
    return wants_type(config, type, event_find_type(families, type, &family));
}

/* ---- events ---- */

/* "county" is that name, at whichever node; "*@edge1" is a glob on names and nodes, and of other nodes alone. */
static bool is_named(const char *wanted, const char *name, const char *node)
{
    struct text whole CLEANUP(text_free) = TEXT_INIT;
    if (!strchr(wanted, '@'))
        return strcmp(wanted, name) == 0;
    if (!node)
        return false;
    text_addf(&whole, "%s@%s", name, node);
    return glob_matches(span_of(wanted), (struct span){ whole.s, whole.size });
}

static bool in_list(char *const *list, size_t n, const char *name, const char *node)
{
    for (size_t i = 0; i < n; i++)
        if (is_named(list[i], name, node))
            return true;
    return n == 0;
}

const char *filter_left_out_name(enum left_out why)
{
    static const char *const names[LEFT_OUT_N] = {
        [LEFT_OUT_NOT] = "",
        [LEFT_OUT_EVENTS] = "events",
        [LEFT_OUT_COMMUNITIES] = "communities",
        [LEFT_OUT_LISTENERS] = "listeners",
        [LEFT_OUT_WHEN] = "when",
        [LEFT_OUT_TEST] = "test",
        [LEFT_OUT_LATE] = "late",
        [LEFT_OUT_COOLDOWN] = "cooldown",
        [LEFT_OUT_MAX_AGE] = "max_age",
    };
    return names[why];
}

const char *filter_condition(const struct config_action *config, const struct action_record *record)
{
    for (size_t i = 0; i < config->n_when; i++) {
        struct condition condition;
        if (condition_read(config->when[i], &condition, NULL) < 0 || !condition_holds(&condition, record))
            return config->when[i];
    }
    return NULL;
}

enum left_out filter_look(const struct config_action *config, const struct action_record *record)
{
    const struct event *event = record->event;
    if (!wants_type(config, event->type, event->handler))
        return LEFT_OUT_EVENTS;
    if (!in_list(config->communities, config->n_communities, event->community, event->home.node))
        return LEFT_OUT_COMMUNITIES;
    if (!in_list(config->listeners, config->n_listeners, event->origin->name, event->home.node))
        return LEFT_OUT_LISTENERS;
    return filter_condition(config, record) ? LEFT_OUT_WHEN : LEFT_OUT_NOT;
}

/* ---- check ---- */

static bool matches_any(const struct event_families *families, const char *glob)
{
    for (size_t i = 0; i < families->n; i++) {
        const struct event_family *family = families->list[i];
        for (size_t k = 0; k < family->n_types; k++)
            if (matches_type(glob, family->types[k].name, &family->types[k]))
                return true;
    }
    return false;
}

static void complain_of_type(const char *glob, const struct event_families *families, config_complain *complain,
                             void *context)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    const char *near = event_nearest_type(families, glob);
    text_add_safe(&shown, glob, strlen(glob), SHOWN_MAX_CHARS);
    err_set(&err, 0,
            "expected types of events such as EVENT_911 or EVENT_UNIT_*, but \"%s\" is none that is known%s%s%s",
            shown.s, near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
    complain(context, "events", err.msg);
}

static int check_name(const struct config_action *config, const char *text, const struct condition *condition,
                      const struct event_families *families, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    if (condition_is_pointer(condition) || name_find(families, NULL, condition->name))
        return 0;
    const char *meant = name_meant(families, config, condition->name);
    text_add_safe(&shown, text, strlen(text), SHOWN_MAX_CHARS);
    return err_set(err, -EINVAL,
                   "expected the name of a fact or a JSON Pointer first, as in \"panic = true\", in the condition "
                   "\"%s\"%s%s%s",
                   shown.s, meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

void filter_check(const struct config_action *config, const struct event_families *families, bool accept_unknown_types,
                  config_complain *complain, void *context)
{
    for (size_t i = 0; i < config->n_events; i++) {
        const char *glob = config->events[i];
        if (!*glob || (!accept_unknown_types && !matches_any(families, glob)))
            complain_of_type(glob, families, complain, context);
    }
    for (size_t i = 0; i < config->n_when; i++) {
        struct condition condition;
        struct err err;
        if (condition_read(config->when[i], &condition, &err) < 0 ||
            check_name(config, config->when[i], &condition, families, &err) < 0)
            complain(context, "when", err.msg);
    }
}
