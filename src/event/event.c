/* event.c - ids, descriptions, and the table of types. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <sonoran-pushd/event.h>

const char *event_verdict_name(enum event_verdict verdict)
{
    static const char *const names[] = {
        [EVENT_ACCEPTED] = "accepted", [EVENT_UNKNOWN] = "unknown", [EVENT_INVALID] = "invalid"
    };
    return names[verdict];
}

void ids_add(struct ids *ids, int64_t id)
{
    if (ids->n == IDS_MAX)
        return;
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i] == id)
            return;
    if (ids->n == ids->room) {
        size_t room = ids->room ? 2 * ids->room : 8;
        int64_t *v = realloc(ids->v, room * sizeof(*v));
        if (!v)
            return;
        ids->v = v;
        ids->room = room;
    }
    ids->v[ids->n++] = id;
}

void ids_free(struct ids *ids)
{
    free(ids->v);
    *ids = (struct ids){ 0 };
}

void description_reset(struct description *description)
{
    text_reset(&description->line);
    description->calls.n = description->calls911.n = description->units.n = 0;
    description->level = LOG_INFO;
}

void description_free(struct description *description)
{
    text_free(&description->line);
    ids_free(&description->calls);
    ids_free(&description->calls911);
    ids_free(&description->units);
}

const struct event_type *event_find_type(const struct event_families *families, const char *type,
                                         const struct event_family **ret_family)
{
    for (size_t i = 0; i < families->n; i++) {
        const struct event_family *family = families->list[i];
        for (size_t k = 0; k < family->n_types; k++) {
            const struct event_type *row = &family->types[k];
            if (strcmp(row->name, type) == 0 || (row->alias && strcmp(row->alias, type) == 0)) {
                *ret_family = family;
                return row;
            }
        }
    }
    return NULL;
}

int event_refuse(const struct event *event, struct err *err, const char *path, const char *what)
{
    const char *dot = *path && *path != '[' ? "." : "";
    if (event->index < 0)
        return err_set(err, -EINVAL, "data%s%s: %s", dot, path, what);
    return err_set(err, -EINVAL, "data[%d]%s%s: %s", event->index, dot, path, what);
}

void event_describe(const struct event *event, const struct state *state, struct description *out)
{
    description_reset(out);
    if (event->handler) {
        event->handler->describe(event, state, out);
        return;
    }
    text_add_safe(&out->line, event->type, strlen(event->type), EVENT_TYPE_MAX_BYTES / 4);
    text_add(&out->line, ", a type not known here");
}
