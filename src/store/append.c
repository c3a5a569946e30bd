/* append.c - events into their rows, with what was decided about them, and into refs, by which they are found again.
 * Both are written many at a time as far as there are so many. */
#include <errno.h>
#include <string.h>

#include "private.h"

#define EVENT_COLUMNS 21
#define DESCRIPTION_COLUMNS 10 /* of them, from the tenth on */
#define REF_COLUMNS 4

static void bind_id(sqlite3_stmt *statement, int position, int64_t id)
{
    if (id)
        sqlite3_bind_int64(statement, position, id);
    else
        sqlite3_bind_null(statement, position);
}

static void bind_text(sqlite3_stmt *statement, int position, const char *s)
{
    store_bind_text(statement, position, s, strlen(s));
}

/* ---- refs ---- */

static void bind_ref(const struct store *store, sqlite3_stmt *statement, int position, const struct ref *ref)
{
    bind_text(statement, position, ref->event->community);
    bind_text(statement, position + 1, ref->kind);
    if (ref->number_size)
        store_bind_text(statement, position + 2, store->numbers.s + ref->number, ref->number_size);
    else
        sqlite3_bind_int64(statement, position + 2, ref->id);
    sqlite3_bind_int64(statement, position + 3, (sqlite3_int64) ref->event->id);
}

/* All that have been collected. */
static int flush_refs(struct store *store, struct err *err)
{
    bool all = store->n_refs == ROWS_AT_ONCE;
    enum statement which = all ? INSERT_REFS : INSERT_REF;
    const size_t n_rows = all ? ROWS_AT_ONCE : 1;
    int r = store->numbers.failed ? err_set(err, -ENOMEM, "no memory") : 0;
    for (size_t i = 0; i < store->n_refs && r == 0; i += n_rows) {
        for (size_t row = 0; row < n_rows; row++)
            bind_ref(store, store->statements[which], 1 + REF_COLUMNS * (int) row, &store->refs[i + row]);
        r = store_run(store, which, err, "cannot write what finds an event");
    }
    store->n_refs = 0;
    text_reset(&store->numbers);
    return r;
}

static int add_ref(struct store *store, struct ref ref, struct err *err)
{
    store->refs[store->n_refs++] = ref;
    return store->n_refs == ROWS_AT_ONCE ? flush_refs(store, err) : 0;
}

static int add_ids(struct store *store, const struct event *event, const char *kind, const struct ids *ids,
                   struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < ids->n && r == 0; i++)
        r = add_ref(store, (struct ref){ .event = event, .kind = kind, .id = ids->v[i] }, err);
    return r;
}

/* As upper() of SQL, which finds them again. */
static int add_number(struct store *store, const struct event *event, const char *number, struct err *err)
{
    struct text *numbers = &store->numbers;
    size_t start = numbers->size;
    text_add(numbers, number);
    for (char *s = numbers->s + start; *s; s++)
        if (*s >= 'a' && *s <= 'z')
            *s = (char) (*s - 'a' + 'A');
    return add_ref(store, (struct ref){ event, "number", 0, start, numbers->size - start }, err);
}

static int add_numbers(struct store *store, const struct event *event, const struct description *description,
                       struct err *err)
{
    int r = 0;
    for (const char *number = NULL; r == 0 && (number = description_next_number(description, number));)
        r = add_number(store, event, number, err);
    return r;
}

static int add_refs(struct store *store, const struct event *event, const struct description *description,
                    struct err *err)
{
    int r = add_ids(store, event, "call", &description->calls, err);
    if (r == 0)
        r = add_ids(store, event, "911", &description->calls911, err);
    if (r == 0)
        r = add_ids(store, event, "unit", &description->units, err);
    return r == 0 ? add_numbers(store, event, description, err) : r;
}

int append_insert_refs(struct store *store, const struct event *event, const struct description *description,
                       struct err *err)
{
    store->n_refs = 0;
    int r = add_refs(store, event, description, err);
    return r == 0 ? flush_refs(store, err) : r;
}

/* ---- rows ---- */

/* "[90417,90418]" for each list, at the end of scratch. */
static void write_ids(struct text *scratch, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        text_add_bytes(scratch, i ? "," : "[", 1);
        text_add_int(scratch, ids->v[i]);
    }
    if (ids->n)
        text_add_bytes(scratch, "]", 1);
}

/* Where those of one event stand in scratch: calls, calls911 and units, and the end. */
struct places {
    size_t at[4];
};

static struct places write_lists(struct text *scratch, const struct description *description)
{
    struct places places = { .at[0] = scratch->size };
    write_ids(scratch, &description->calls);
    places.at[1] = scratch->size;
    write_ids(scratch, &description->calls911);
    places.at[2] = scratch->size;
    write_ids(scratch, &description->units);
    places.at[3] = scratch->size;
    return places;
}

static void bind_description(struct store *store, sqlite3_stmt *statement, int position, const struct event *event,
                             const struct description *description, const struct places *places)
{
    const char *family = event->family ? event->family->name : "";
    store_bind_span(statement, position, (struct span){ family, strlen(family) });
    sqlite3_bind_int(statement, position + 1, description->level);
    bind_id(statement, position + 2, event->test);
    store_bind_text(statement, position + 3, description->line.s, description->line.size);
    for (int i = 0; i < 3; i++)
        store_bind_span(statement, position + 4 + i,
                        (struct span){ store->scratch.s + places->at[i], places->at[i + 1] - places->at[i] });
    bind_id(statement, position + 7, description->by);
    bind_id(statement, position + 8, description->record);
    store_bind_span(statement, position + 9, (struct span){ description->known.s, description->known.size });
}

int append_bind_description(struct store *store, sqlite3_stmt *statement, int position, const struct event *event,
                            const struct description *description)
{
    text_reset(&store->scratch);
    struct places places = write_lists(&store->scratch, description);
    if (store->scratch.failed)
        return -ENOMEM;
    bind_description(store, statement, position, event, description, &places);
    return 0;
}

static void bind_event(struct store *store, sqlite3_stmt *statement, int position, const struct store_entry *entry,
                       const struct places *places)
{
    const struct event *event = entry->event;
    const char *sent = event->type_sent ? event->type_sent : "";
    sqlite3_bind_int64(statement, position, (sqlite3_int64) event->id);
    sqlite3_bind_int64(statement, position + 1, (sqlite3_int64) event->time_us);
    bind_text(statement, position + 2, event->source ? event->source : EVENT_SOURCE_PUSH);
    bind_text(statement, position + 3, event->community);
    bind_text(statement, position + 4, event->origin->listener);
    bind_text(statement, position + 5, event->origin->peer);
    bind_text(statement, position + 6, event->type);
    bind_text(statement, position + 7, event_verdict_name(event->verdict));
    store_bind_span(statement, position + 8, (struct span){ sent, strlen(sent) });
    if (entry->description)
        bind_description(store, statement, position + 9, event, entry->description, places);
    for (int i = 0; i < DESCRIPTION_COLUMNS && !entry->description; i++)
        sqlite3_bind_null(statement, position + 9 + i);
    store_bind_span(statement, position + 9 + DESCRIPTION_COLUMNS, event->data_text);
    store_bind_span(statement, position + 10 + DESCRIPTION_COLUMNS, event->extra_text);
}

/* n: as many as the statement has rows. */
static int insert_events(struct store *store, enum statement which, const struct store_entry *entries, size_t n,
                         struct err *err)
{
    struct places places[ROWS_AT_ONCE] = { 0 };
    text_reset(&store->scratch);
    for (size_t i = 0; i < n; i++)
        if (entries[i].description)
            places[i] = write_lists(&store->scratch, entries[i].description);
    if (store->scratch.failed)
        return err_set(err, -ENOMEM, "no memory");
    for (size_t i = 0; i < n; i++)
        bind_event(store, store->statements[which], 1 + EVENT_COLUMNS * (int) i, &entries[i], &places[i]);
    return store_run(store, which, err, "cannot write an event");
}

int store_append_all(struct store *store, const struct store_entry *entries, size_t n, struct err *err)
{
    int r = 0;
    for (size_t i = 0, n_rows; i < n && r == 0; i += n_rows) {
        n_rows = n - i >= ROWS_AT_ONCE ? ROWS_AT_ONCE : 1;
        r = insert_events(store, n_rows > 1 ? INSERT_EVENTS : INSERT_EVENT, entries + i, n_rows, err);
    }
    store->n_refs = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        if (entries[i].description)
            r = add_refs(store, entries[i].event, entries[i].description, err);
    if (r == 0)
        r = flush_refs(store, err);
    if (r == 0 && n)
        store->appended_id = entries[n - 1].event->id;
    return r;
}

int store_append(struct store *store, const struct event *event, const struct description *description, struct err *err)
{
    return store_append_all(store, &(struct store_entry){ event, description }, 1, err);
}
