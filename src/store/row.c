/* row.c - one row of the log, and the event and what was decided about it, which it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "private.h"

static struct span span_of(sqlite3_stmt *statement, int column)
{
    const char *text = store_text(statement, column);
    return (struct span){ text, (size_t) sqlite3_column_bytes(statement, column) };
}

static enum event_verdict verdict_of(const char *name)
{
    for (enum event_verdict verdict = EVENT_ACCEPTED; verdict < EVENT_INVALID; verdict++)
        if (strcmp(event_verdict_name(verdict), name) == 0)
            return verdict;
    return EVENT_INVALID;
}

/* Lives are few, and nearly every row is of the last one. */
static const char *life_of(const struct store_reader *reader, uint64_t id)
{
    for (size_t i = reader->n_lives; i > 0; i--)
        if (reader->lives[i - 1].first_id <= id)
            return reader->lives[i - 1].log;
    return reader->n_lives ? reader->lives[0].log : "";
}

static void read_decided(sqlite3_stmt *walk, struct store_row *ret)
{
    ret->family = store_text(walk, 9);
    ret->level = sqlite3_column_int(walk, 10);
    ret->described = sqlite3_column_type(walk, 11) != SQLITE_NULL;
    ret->summary = span_of(walk, 11);
    ret->calls = span_of(walk, 12);
    ret->calls911 = span_of(walk, 13);
    ret->units = span_of(walk, 14);
    ret->by = sqlite3_column_int64(walk, 15);
    ret->record = sqlite3_column_int64(walk, 16);
    ret->known = span_of(walk, 17);
}

/* In the order of ROW_COLUMNS. */
void row_read(struct store_reader *reader, struct store_row *ret)
{
    sqlite3_stmt *walk = reader->walk;
    *ret = (struct store_row){
        .id = (uint64_t) sqlite3_column_int64(walk, 0),
        .time_us = (usec_t) sqlite3_column_int64(walk, 1),
        .source = store_text(walk, 2),
        .community = store_text(walk, 3),
        .listener = store_text(walk, 4),
        .peer = store_text(walk, 5),
        .type = store_text(walk, 6),
        .verdict = verdict_of(store_text(walk, 7)),
        .type_sent = (const char *) sqlite3_column_text(walk, 8),
        .family = "",
        .data = span_of(walk, 18),
        .extra = span_of(walk, 19),
    };
    ret->log = life_of(reader, ret->id);
    if (!reader->walk_came)
        read_decided(walk, ret);
}

int store_row_restore(const struct store_row *row, const struct event_families *families, struct batch *ret)
{
    struct http_origin origin;
    text_copy(origin.listener, sizeof(origin.listener), row->listener);
    text_copy(origin.peer, sizeof(origin.peer), row->peer);
    const struct event stored = {
        .id = row->id,
        .time_us = row->time_us,
        .type = row->type,
        .type_sent = row->type_sent,
        .source = row->source,
        .log = row->log,
        .community = row->community,
        .origin = &origin,
        .verdict = row->verdict,
        .data_text = row->data,
        .extra_text = row->extra,
    };
    return batch_restore(ret, &stored, families);
}

static void read_ids(struct span json, struct ids *ret)
{
    const char *end = json.s + json.size;
    char *next;
    for (const char *p = json.s + 1; p < end; p = next + 1) {
        int64_t id = strtoll(p, &next, 10);
        if (next == p)
            return;
        ids_add(ret, id);
    }
}

void store_row_describe(const struct store_row *row, const struct event *event, struct description *ret)
{
    if (!row->described) {
        event_describe(event, NULL, ret);
        return;
    }
    description_reset(ret);
    text_add_bytes(&ret->line, row->summary.s, row->summary.size);
    description_take_known(ret, row->known);
    read_ids(row->calls, &ret->calls);
    read_ids(row->calls911, &ret->calls911);
    read_ids(row->units, &ret->units);
    ret->level = row->level >= LOG_EMERG && row->level <= LOG_DEBUG ? row->level : LOG_INFO;
    ret->by = row->by;
    ret->record = row->record;
}
