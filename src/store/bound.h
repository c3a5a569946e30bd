/* bound.h - inside src/store: the parameters of the statements that write rows, one after the other, from the first on.
 * In a statement of many rows most of them are what they were the last time (a community, a type, nothing): to find
 * that out costs less than to tell SQLite again. So nothing else may bind them. Short texts are kept here; longer ones
 * are borrowed until the statement has run. Inline: there are some twenty for each event. */
#pragma once

#include <string.h>

#include "store_private.h"

enum { BOUND_NULL, BOUND_OTHER, BOUND_TEXT }; /* BOUND_TEXT + n: a text of n bytes, in s */

struct bound_row {
    sqlite3_stmt *statement;
    struct bound *bound; /* the next one, like: */
    int position;
};

#define BOUND_MOST_BYTES sizeof(((struct bound *) 0)->s)

static inline struct bound_row bound_begin(struct store *store, enum statement which)
{
    return (struct bound_row){ store->statements[which], store->bound[which], 1 };
}

static inline void bound_int(struct bound_row *row, int64_t number)
{
    (row->bound++)->what = BOUND_OTHER;
    sqlite3_bind_int64(row->statement, row->position++, number);
}

static inline void bound_null(struct bound_row *row)
{
    struct bound *bound = row->bound++;
    int position = row->position++;
    if (bound->what == BOUND_NULL)
        return;
    bound->what = BOUND_NULL;
    sqlite3_bind_null(row->statement, position);
}

static inline void bound_text(struct bound_row *row, const char *s, size_t size)
{
    struct bound *bound = row->bound++;
    int position = row->position++;
    if (size > BOUND_MOST_BYTES) {
        bound->what = BOUND_OTHER;
        store_bind_text(row->statement, position, s, size);
        return;
    }
    if (bound->what == BOUND_TEXT + size && memcmp(bound->s, s, size) == 0)
        return;
    bound->what = (unsigned char) (BOUND_TEXT + size);
    store_bind_text(row->statement, position, memcpy(bound->s, s, size), size);
}

/* Size 0 is NULL. */
static inline void bound_span(struct bound_row *row, struct span span)
{
    if (span.size)
        bound_text(row, span.s, span.size);
    else
        bound_null(row);
}

/* So is 0. */
static inline void bound_id(struct bound_row *row, int64_t id)
{
    if (id)
        bound_int(row, id);
    else
        bound_null(row);
}
