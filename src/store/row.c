/* row.c - one row of the log, and the event and what was decided about it, which it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "store_private.h"

static struct span span_in(sqlite3_stmt *statement, int column)
{
    const char *text = store_text(statement, column);
    return (struct span){ text, (size_t) sqlite3_column_bytes(statement, column) };
}

/* What only a later version has is none that anything is done with. */
static enum event_verdict verdict_of(const char *name)
{
    enum event_verdict verdict;
    return event_verdict_read(name, &verdict) < 0 ? EVENT_INVALID : verdict;
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
    ret->family = store_text(walk, 14);
    ret->level = sqlite3_column_int(walk, 15);
    ret->described = sqlite3_column_type(walk, 16) != SQLITE_NULL;
    ret->summary = span_in(walk, 16);
    ret->calls = span_in(walk, 17);
    ret->calls911 = span_in(walk, 18);
    ret->units = span_in(walk, 19);
    ret->by = sqlite3_column_int64(walk, 20);
    ret->record = sqlite3_column_int64(walk, 21);
    ret->known = span_in(walk, 22);
}

static const char *realm_of(struct store_reader *reader, const char *community, const char *node)
{
    if (!node)
        return community;
    snprintf(reader->realm, sizeof(reader->realm), "%s@%s", community, node);
    return reader->realm;
}

/* As ROW_ARRIVAL has it. */
static usec_t came_us(const struct store_row *row)
{
    int64_t late_s, most_s = INT64_MAX / (int64_t) USEC_PER_SEC / 4;
    if (!row->home.node || row->time_us > INT64_MAX / 2 || !description_read_late(row->known, &late_s))
        return row->time_us;
    late_s = late_s > most_s ? most_s : late_s < -most_s ? -most_s : late_s;
    int64_t came = (int64_t) row->time_us + late_s * (int64_t) USEC_PER_SEC;
    return came > 0 ? (usec_t) came : 0;
}

/* In the order of ROW_COUNTED_COLUMNS. */
static void read_counted(struct store_reader *reader, sqlite3_stmt *walk, struct store_row *ret)
{
    *ret = (struct store_row){
        .id = (uint64_t) sqlite3_column_int64(walk, 0),
        .time_us = (usec_t) sqlite3_column_int64(walk, 1),
        .log = "",
        .source = "",
        .community = store_text(walk, 2),
        .listener = "",
        .peer = "",
        .type = store_text(walk, 3),
        .verdict = verdict_of(store_text(walk, 4)),
        .described = sqlite3_column_type(walk, 5) != SQLITE_NULL,
        .level = sqlite3_column_int(walk, 5),
        .family = "",
        .test = sqlite3_column_int(walk, 6),
        .calls = span_in(walk, 7),
        .calls911 = span_in(walk, 8),
        .units = span_in(walk, 9),
        .known = span_in(walk, 10),
        .data = span_in(walk, 11),
        .extra = span_in(walk, 12),
        .home = { .node = (const char *) sqlite3_column_text(walk, 13), .log = "" },
    };
    ret->realm = realm_of(reader, ret->community, ret->home.node);
    ret->came_us = came_us(ret);
}

/* In the order of ROW_COLUMNS. */
void row_read(struct store_reader *reader, struct store_row *ret)
{
    sqlite3_stmt *walk = reader->walk;
    if (reader->walk_counts) {
        read_counted(reader, walk, ret);
        return;
    }
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
        .data = span_in(walk, 9),
        .extra = span_in(walk, 10),
        .home = { (const char *) sqlite3_column_text(walk, 11), store_text(walk, 12),
                  (uint64_t) sqlite3_column_int64(walk, 13) },
    };
    ret->realm = realm_of(reader, ret->community, ret->home.node);
    ret->log = life_of(reader, ret->id);
    if (!reader->walk_came)
        read_decided(walk, ret);
    ret->came_us = came_us(ret);
    ret->test = reader->walk_told && sqlite3_column_int(walk, 23);
}

struct event store_row_event(const struct store_row *row, struct origin *ret_origin)
{
    text_copy(ret_origin->source, sizeof(ret_origin->source), row->source);
    text_copy(ret_origin->name, sizeof(ret_origin->name), row->listener);
    text_copy(ret_origin->peer, sizeof(ret_origin->peer), row->peer);
    return (struct event){
        .id = row->id,
        .time_us = row->time_us,
        .type = row->type,
        .type_sent = row->type_sent,
        .log = row->log,
        .community = row->community,
        .realm = row->realm,
        .home = row->home,
        .origin = ret_origin,
        .verdict = row->verdict,
    };
}

int store_row_restore(const struct store_row *row, const struct event_families *families, struct batch *ret)
{
    struct origin origin;
    struct event stored = store_row_event(row, &origin);
    stored.data_text = row->data;
    stored.extra_text = row->extra;
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
