/* event.c - ids, descriptions, and the table of types. Describing: describe.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <sonoran-pushd/event.h>

const char *event_verdict_name(enum event_verdict verdict)
{
    static const char *const names[EVENT_N_VERDICTS] = { [EVENT_ACCEPTED] = "accepted",
                                                         [EVENT_UNKNOWN] = "unknown",
                                                         [EVENT_INVALID] = "invalid",
                                                         [EVENT_INTERNAL] = "internal" };
    return names[verdict];
}

int event_verdict_read(const char *name, enum event_verdict *ret)
{
    for (*ret = EVENT_ACCEPTED; *ret < EVENT_N_VERDICTS; ++*ret)
        if (strcmp(name, event_verdict_name(*ret)) == 0)
            return 0;
    return -EINVAL;
}

void description_reset(struct description *description)
{
    text_reset(&description->line);
    description->calls.n = description->calls911.n = description->units.n = 0;
    description->by = description->record = 0;
    description->level = LOG_INFO;
    text_reset(&description->was);
    text_reset(&description->known);
    cJSON_Delete(description->known_json);
    description->known_json = NULL;
    text_reset(&description->numbers);
}

void description_free(struct description *description)
{
    text_free(&description->line);
    ids_free(&description->calls);
    ids_free(&description->calls911);
    ids_free(&description->units);
    text_free(&description->was);
    text_free(&description->known);
    cJSON_Delete(description->known_json);
    text_free(&description->numbers);
}

static void copy_text(struct text *ret, const struct text *from)
{
    text_add_bytes(ret, from->s, from->size);
}

static void copy_ids(struct ids *ret, const struct ids *from)
{
    for (size_t i = 0; i < from->n; i++)
        ids_add(ret, from->v[i]);
}

/* known_json is read again by whoever wants it. */
int description_copy(struct description *ret, const struct description *from)
{
    description_reset(ret);
    copy_text(&ret->line, &from->line);
    copy_text(&ret->was, &from->was);
    copy_text(&ret->known, &from->known);
    copy_text(&ret->numbers, &from->numbers);
    copy_ids(&ret->calls, &from->calls);
    copy_ids(&ret->calls911, &from->calls911);
    copy_ids(&ret->units, &from->units);
    ret->by = from->by;
    ret->record = from->record;
    ret->level = from->level;
    bool failed = ret->line.failed || ret->was.failed || ret->known.failed || ret->numbers.failed ||
                  ret->calls.n != from->calls.n || ret->calls911.n != from->calls911.n || ret->units.n != from->units.n;
    return failed ? -ENOMEM : 0;
}

static const struct event_type *find_in(const struct event_family *family, const char *type,
                                        const struct event_family **ret_family)
{
    for (size_t k = 0; k < family->n_types; k++) {
        const struct event_type *row = &family->types[k];
        if (strcmp(row->name, type) == 0 || (row->alias && strcmp(row->alias, type) == 0)) {
            *ret_family = family;
            return row;
        }
    }
    return NULL;
}

const struct event_type *event_find_type(const struct event_families *families, const char *type,
                                         const struct event_family **ret_family)
{
    const struct event_type *found = NULL;
    for (size_t i = 0; i < families->n && !found; i++)
        found = find_in(families->list[i], type, ret_family);
    return found;
}

const struct event_type *event_find_stored_type(const struct event_families *families, const char *type,
                                                enum event_verdict verdict, const struct event_family **ret_family)
{
    if (verdict != EVENT_INTERNAL)
        return event_find_type(families, type, ret_family);
    return families->internal ? find_in(families->internal, type, ret_family) : NULL;
}

const char *event_nearest_type(const struct event_families *families, const char *written)
{
    char whole[NEAREST_MAX_BYTES + sizeof("EVENT_")];
    struct nearest nearest = nearest_to(written);
    snprintf(whole, sizeof(whole), "EVENT_%s", written);
    for (size_t i = 0; i < families->n; i++)
        for (size_t k = 0; k < families->list[i]->n_types; k++) {
            const struct event_type *type = &families->list[i]->types[k];
            const char *alias = type->alias ? type->alias : "";
            nearest_try(&nearest, type->name, (int) strlen(type->name));
            nearest_try(&nearest, alias, (int) strlen(alias));
            nearest.written = whole;
            nearest_try(&nearest, type->name, (int) strlen(type->name));
            nearest.written = written;
        }
    return nearest.name;
}
