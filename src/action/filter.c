/* filter.c - which events an action wants, and whether its configuration says so soundly. */
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define SHOWN_MAX_CHARS 80
#define TYPE_MAX_CHARS 63 /* of a type, for a suggestion */

static struct span span_of(const char *s)
{
    return (struct span){ s, strlen(s) };
}

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

bool filter_wants_type(const struct config_action *config, const struct event_families *families, const char *type)
{
    const struct event_family *family;
    return wants_type(config, type, event_find_type(families, type, &family));
}

/* ---- events ---- */

static bool in_list(char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return n == 0;
}

bool filter_wants(const struct config_action *config, const struct event *event)
{
    if (!wants_type(config, event->type, event->handler) ||
        !in_list(config->communities, config->n_communities, event->community) ||
        !in_list(config->listeners, config->n_listeners, event->origin->listener))
        return false;

    for (size_t i = 0; i < config->n_when; i++) {
        struct condition condition;
        if (condition_read(config->when[i], &condition, NULL) < 0 || !condition_holds(&condition, event))
            return false;
    }
    return true;
}

/* ---- check ---- */

struct nearest {
    const char *name;
    size_t distance;
};

static void try_name(struct nearest *nearest, const char *written, const char *name)
{
    if (!name || strlen(name) > TYPE_MAX_CHARS)
        return;
    size_t found = text_distance(written, name);
    if (found < nearest->distance)
        *nearest = (struct nearest){ name, found };
}

/* The type that was meant, perhaps; or NULL. */
static const char *suggest_type(const struct event_families *families, const char *written)
{
    char whole[TYPE_MAX_CHARS + sizeof("EVENT_")];
    size_t size = strlen(written);
    struct nearest nearest = { .distance = size < 9 ? 2 : 4 };
    if (size > TYPE_MAX_CHARS)
        return NULL;

    snprintf(whole, sizeof(whole), "EVENT_%s", written);
    for (size_t i = 0; i < families->n; i++) {
        const struct event_family *family = families->list[i];
        for (size_t k = 0; k < family->n_types; k++) {
            try_name(&nearest, written, family->types[k].name);
            try_name(&nearest, written, family->types[k].alias);
            try_name(&nearest, whole, family->types[k].name);
        }
    }
    return nearest.name;
}

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
    const char *near = suggest_type(families, glob);
    text_add_safe(&shown, glob, strlen(glob), SHOWN_MAX_CHARS);
    err_set(&err, 0,
            "expected types of events such as EVENT_911 or EVENT_UNIT_*, but \"%s\" is none that is known%s%s%s",
            shown.s, near ? ", did you mean " : "", near ? near : "", near ? "?" : "");
    complain(context, "events", err.msg);
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
        if (condition_read(config->when[i], &condition, &err) < 0)
            complain(context, "when", err.msg);
    }
}
