/* append.c - an event into its row, with what was decided about it, and into refs, by which it is found again. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

static void bind_id(sqlite3_stmt *statement, int position, int64_t id)
{
    if (id)
        sqlite3_bind_int64(statement, position, id);
    else
        sqlite3_bind_null(statement, position);
}

/* "[90417,90418]" at the end of scratch; where it begins. */
static size_t add_ids(struct text *scratch, const struct ids *ids)
{
    size_t start = scratch->size;
    for (size_t i = 0; i < ids->n; i++) {
        text_add(scratch, i ? "," : "[");
        text_add_int(scratch, ids->v[i]);
    }
    text_add(scratch, ids->n ? "]" : "");
    return start;
}

int append_bind_description(struct store *store, sqlite3_stmt *statement, int position, const struct event *event,
                            const struct description *description)
{
    struct text *scratch = &store->scratch;
    text_reset(scratch);
    size_t calls = add_ids(scratch, &description->calls), calls911 = add_ids(scratch, &description->calls911);
    size_t units = add_ids(scratch, &description->units);
    if (scratch->failed)
        return -ENOMEM;
    const char *family = event->family ? event->family->name : "";
    store_bind_span(statement, position, (struct span){ family, strlen(family) });
    sqlite3_bind_int(statement, position + 1, description->level);
    bind_id(statement, position + 2, event->test);
    store_bind_text(statement, position + 3, description->line.s, description->line.size);
    store_bind_span(statement, position + 4, (struct span){ scratch->s + calls, calls911 - calls });
    store_bind_span(statement, position + 5, (struct span){ scratch->s + calls911, units - calls911 });
    store_bind_span(statement, position + 6, (struct span){ scratch->s + units, scratch->size - units });
    bind_id(statement, position + 7, description->by);
    bind_id(statement, position + 8, description->record);
    store_bind_span(statement, position + 9, (struct span){ description->known.s, description->known.size });
    return 0;
}

/* ---- refs ---- */

static sqlite3_stmt *begin_ref(struct store *store, const struct event *event, const char *kind)
{
    sqlite3_stmt *statement = store->statements[INSERT_REF];
    store_bind_text(statement, 1, event->community, strlen(event->community));
    store_bind_text(statement, 2, kind, strlen(kind));
    sqlite3_bind_int64(statement, 4, (sqlite3_int64) event->id);
    return statement;
}

static int insert_ids(struct store *store, const struct event *event, const char *kind, const struct ids *ids,
                      struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < ids->n && r == 0; i++) {
        sqlite3_bind_int64(begin_ref(store, event, kind), 3, ids->v[i]);
        r = store_run(store, INSERT_REF, err, "cannot write what finds an event");
    }
    return r;
}

/* As upper() of SQL, which finds them again. */
static void make_upper(char *s)
{
    for (; *s; s++)
        if (*s >= 'a' && *s <= 'z')
            *s = (char) (*s - 'a' + 'A');
}

static int insert_numbers(struct store *store, const struct event *event, const struct description *description,
                          struct err *err)
{
    int r = 0;
    for (const char *number = NULL; r == 0 && (number = description_next_number(description, number));) {
        char *upper CLEANUP(cleanup_free) = strdup(number);
        if (!upper)
            return err_set(err, -ENOMEM, "no memory");
        make_upper(upper);
        store_bind_text(begin_ref(store, event, "number"), 3, upper, strlen(upper));
        r = store_run(store, INSERT_REF, err, "cannot write what finds an event");
    }
    return r;
}

int append_insert_refs(struct store *store, const struct event *event, const struct description *description,
                       struct err *err)
{
    int r = insert_ids(store, event, "call", &description->calls, err);
    if (r == 0)
        r = insert_ids(store, event, "911", &description->calls911, err);
    if (r == 0)
        r = insert_ids(store, event, "unit", &description->units, err);
    return r == 0 ? insert_numbers(store, event, description, err) : r;
}

/* ---- rows ---- */

static void bind_text(sqlite3_stmt *statement, int position, const char *s)
{
    store_bind_text(statement, position, s, strlen(s));
}

int store_append(struct store *store, const struct event *event, const struct description *description, struct err *err)
{
    sqlite3_stmt *statement = store->statements[INSERT_EVENT];
    const char *sent = event->type_sent ? event->type_sent : "";
    sqlite3_clear_bindings(statement);
    sqlite3_bind_int64(statement, 1, (sqlite3_int64) event->id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64) event->time_us);
    bind_text(statement, 3, event->source ? event->source : EVENT_SOURCE_PUSH);
    bind_text(statement, 4, event->community);
    bind_text(statement, 5, event->origin->listener);
    bind_text(statement, 6, event->origin->peer);
    bind_text(statement, 7, event->type);
    bind_text(statement, 8, event_verdict_name(event->verdict));
    store_bind_span(statement, 9, (struct span){ sent, strlen(sent) });
    if (description && append_bind_description(store, statement, 10, event, description) < 0)
        return err_set(err, -ENOMEM, "no memory");
    store_bind_span(statement, 20, event->data_text);
    store_bind_span(statement, 21, event->extra_text);
    int r = store_run(store, INSERT_EVENT, err, "cannot write an event");
    if (r == 0 && description)
        r = append_insert_refs(store, event, description, err);
    if (r == 0)
        store->appended_id = event->id;
    return r;
}
