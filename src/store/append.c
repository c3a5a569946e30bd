/* append.c - events into their rows, with what was decided about them, and into refs, by which they are found again.
 * Both are written many at a time as far as there are so many. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "bound.h"

#define DESCRIPTION_COLUMNS 10

static void bind_word(struct bound_row *row, const char *s)
{
    bound_text(row, s, strlen(s));
}

/* Of one, and the two behind it: that of the most rows, of which n are left. */
static enum statement statement_of(size_t n, enum statement one, size_t *ret_rows)
{
    *ret_rows = n >= ROWS_AT_ONCE ? ROWS_AT_ONCE : n >= FEW_ROWS ? FEW_ROWS : 1;
    return *ret_rows == 1 ? one : *ret_rows == FEW_ROWS ? one + 1 : one + 2;
}

/* ---- refs ---- */

static void bind_ref(const struct store *store, struct bound_row *row, const struct ref *ref)
{
    bind_word(row, ref->event->realm);
    bind_word(row, ref->kind);
    if (ref->number_size)
        bound_text(row, store->numbers.s + ref->number, ref->number_size);
    else
        bound_int(row, ref->id);
    bound_int(row, (int64_t) ref->event->id);
}

/* All that have been collected. */
static int flush_refs(struct store *store, struct err *err)
{
    int r = store->numbers.failed ? err_set(err, -ENOMEM, "no memory") : 0;
    for (size_t i = 0, n_rows; i < store->n_refs && r == 0; i += n_rows) {
        enum statement which = statement_of(store->n_refs - i, INSERT_REF, &n_rows);
        struct bound_row row = bound_begin(store, which);
        for (size_t k = i; k < i + n_rows; k++)
            bind_ref(store, &row, &store->refs[k]);
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
    struct json_writer list = json_writer(scratch);
    if (!ids->n)
        return;
    json_begin_array(&list, NULL);
    for (size_t i = 0; i < ids->n; i++)
        json_add_int(&list, NULL, ids->v[i]);
    json_end(&list);
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

static void bind_description(struct store *store, struct bound_row *row, const struct event *event,
                             const struct description *description, const struct places *places)
{
    const char *family = event->family ? event->family->name : "";
    bound_span(row, span_of(family));
    bound_int(row, description->level);
    bound_id(row, event->test);
    bound_text(row, description->line.s, description->line.size);
    for (int i = 0; i < 3; i++)
        bound_span(row, (struct span){ store->scratch.s + places->at[i], places->at[i + 1] - places->at[i] });
    bound_id(row, description->by);
    bound_id(row, description->record);
    bound_span(row, (struct span){ description->known.s, description->known.size });
}

int append_bind_description(struct store *store, struct bound_row *row, const struct event *event,
                            const struct description *description)
{
    text_reset(&store->scratch);
    struct places places = write_lists(&store->scratch, description);
    if (store->scratch.failed)
        return -ENOMEM;
    bind_description(store, row, event, description, &places);
    return 0;
}

static void bind_home(struct bound_row *row, const struct event_home *home)
{
    bound_span(row, home->node ? span_of(home->node) : (struct span){ 0 });
    bound_span(row, home->node ? span_of(home->log) : (struct span){ 0 });
    bound_id(row, home->node ? (int64_t) home->id : 0);
}

static void bind_event(struct store *store, struct bound_row *row, const struct store_entry *entry,
                       const struct places *places)
{
    const struct event *event = entry->event;
    const char *sent = event->type_sent ? event->type_sent : "";
    bound_int(row, (int64_t) event->id);
    bound_int(row, (int64_t) event->time_us);
    bind_word(row, event->origin->source);
    bind_word(row, event->community);
    bind_word(row, event->origin->name);
    bind_word(row, event->origin->peer);
    bind_word(row, event->type);
    bind_word(row, event_verdict_name(event->verdict));
    bound_span(row, span_of(sent));
    if (entry->description)
        bind_description(store, row, event, entry->description, places);
    for (int i = 0; i < DESCRIPTION_COLUMNS && !entry->description; i++)
        bound_null(row);
    bound_span(row, event->data_text);
    bound_span(row, event->extra_text);
    bind_home(row, &event->home);
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
    struct bound_row row = bound_begin(store, which);
    for (size_t i = 0; i < n; i++)
        bind_event(store, &row, &entries[i], &places[i]);
    return store_run(store, which, err, "cannot write an event");
}

int store_append_all(struct store *store, const struct store_entry *entries, size_t n, struct err *err)
{
    int r = 0;
    assert(!sqlite3_get_autocommit(store->db));
    for (size_t i = 0, n_rows; i < n && r == 0; i += n_rows) {
        enum statement which = statement_of(n - i, INSERT_EVENT, &n_rows);
        r = insert_events(store, which, entries + i, n_rows, err);
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
