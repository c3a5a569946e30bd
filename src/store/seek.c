/* seek.c - from what is asked for to the rows: by the order of the ids, or by refs where an id of the CAD is asked for.
 */
#include <errno.h>
#include <string.h>

#include "store_private.h"

#define FIRST_FREE 9   /* behind what each walk has, and ?8 of a limit */
#define BINDS_OF_REF 3 /* its kind, its id, its number */

/* The events of one thing, in the order of their ids. */
static void add_ref(struct text *sql, int first)
{
    static const char each[] = "SELECT event_id FROM refs WHERE community = ?6 AND event_id > ?1 AND event_id <= ?7";
    text_addf(sql, "%s AND kind = ?%d AND ref = ?%d UNION %s AND kind = 'number' AND ref = ?%d", each, first, first + 1,
              each, first + 2);
}

/* What is not asked for costs nothing of the rows that are read. */
static void add_conditions(struct text *sql, const struct store_filter *filter)
{
    text_add(sql, "id > ?1 AND id <= ?7");
    if (filter->since_us || filter->until_us)
        text_add(sql, " AND received_at >= ?2 AND received_at <= ?3");
    if (filter->type)
        text_add(sql, " AND type GLOB ?4");
    if (filter->verdict)
        text_add(sql, " AND verdict = ?5");
    if (filter->community && strchr(filter->community, '@'))
        text_add(sql, " AND origin_node IS NOT NULL AND community || '@' || origin_node GLOB ?6");
    else if (filter->community)
        text_add(sql, " AND community = ?6 AND origin_node IS NULL");
}

/* The first of them leads to the rows (CROSS JOIN: in this order), the others have to have them too. */
static void add_rows(struct text *sql, const struct store_filter *filter)
{
    text_add(sql, " FROM ");
    for (size_t i = 0; i < filter->n_refs; i++) {
        text_add(sql, i ? "" : "(");
        if (i == 0)
            add_ref(sql, FIRST_FREE);
        text_add(sql, i ? "" : ") CROSS JOIN ");
    }
    text_add(sql, "events WHERE ");
    add_conditions(sql, filter);
    for (size_t i = 0; i < filter->n_refs; i++) {
        text_add(sql, " AND id ");
        text_add(sql, i ? "IN (" : "= event_id");
        if (i)
            add_ref(sql, FIRST_FREE + (int) i * BINDS_OF_REF);
        text_add(sql, i ? ")" : "");
    }
}

static void bind_optional(sqlite3_stmt *statement, int position, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, position, text, -1, SQLITE_TRANSIENT);
}

static void bind_filter(sqlite3_stmt *statement, const struct store_filter *filter)
{
    sqlite3_clear_bindings(statement);
    sqlite3_bind_int64(statement, 1, (sqlite3_int64) filter->after_id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64) filter->since_us);
    sqlite3_bind_int64(statement, 3, filter->until_us ? (sqlite3_int64) filter->until_us : INT64_MAX);
    bind_optional(statement, 4, filter->type);
    bind_optional(statement, 5, filter->verdict);
    bind_optional(statement, 6, filter->community);
    sqlite3_bind_int64(statement, 7, filter->last_id ? (sqlite3_int64) filter->last_id : INT64_MAX);
    for (size_t i = 0; i < filter->n_refs; i++) {
        const struct store_ref *ref = &filter->refs[i];
        int first = FIRST_FREE + (int) i * BINDS_OF_REF;
        bind_optional(statement, first, ref->kind);
        if (ref->has_id)
            sqlite3_bind_int64(statement, first + 1, ref->id);
        bind_optional(statement, first + 2, ref->number);
    }
}

static int write_sql(const char *before, const struct store_filter *filter, const char *behind, struct text *ret,
                     struct err *err)
{
    text_add(ret, before);
    add_rows(ret, filter);
    text_add(ret, behind);
    return ret->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

static int prepare(struct store_reader *reader, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    int code = sqlite3_prepare_v3(reader->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
    return code == SQLITE_OK ? 0 : store_problem(reader->db, code, err, "cannot read events");
}

/* Who follows the log asks for the same again and again, with other values. */
static int prepare_walk(struct store_reader *reader, const char *sql, struct err *err)
{
    if (reader->walk && strcmp(sqlite3_sql(reader->walk), sql) == 0)
        return 0;
    sqlite3_finalize(reader->walk);
    reader->walk = NULL;
    return prepare(reader, sql, &reader->walk, err);
}

int store_seek(struct store_reader *reader, const struct store_filter *filter, struct err *err)
{
    struct text sql CLEANUP(text_free) = TEXT_INIT;
    store_rest(reader);
    int r = lives_look(reader, err);
    if (r < 0)
        return r;
    r = write_sql(filter->came     ? "SELECT " ROW_CAME_COLUMNS
                  : filter->counts ? "SELECT " ROW_COUNTED_COLUMNS
                  : filter->told   ? "SELECT " ROW_TOLD_COLUMNS
                                   : "SELECT " ROW_COLUMNS,
                  filter, " ORDER BY id", &sql, err);
    if (r >= 0)
        r = prepare_walk(reader, sql.s, err);
    if (r < 0)
        return r;
    reader->walk_came = filter->came;
    reader->walk_told = filter->told && !filter->came && !filter->counts;
    reader->walk_counts = filter->counts && !filter->came;
    bind_filter(reader->walk, filter);
    reader->under_way = reader->walk;
    return 0;
}

int store_newest_n(struct store_reader *reader, const struct store_filter *filter, uint64_t *n, uint64_t *ret_id,
                   struct err *err)
{
    struct text sql CLEANUP(text_free) = TEXT_INIT;
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    int r = write_sql("SELECT min(id), count(*) FROM (SELECT id", filter, " ORDER BY id DESC LIMIT ?8)", &sql, err);
    if (r >= 0)
        r = prepare(reader, sql.s, &statement, err);
    if (r < 0)
        return r;
    bind_filter(statement, filter);
    sqlite3_bind_int64(statement, 8, *n < INT64_MAX ? (sqlite3_int64) *n : INT64_MAX);
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return store_problem(reader->db, code, err, "cannot read events");
    if (sqlite3_column_type(statement, 0) == SQLITE_NULL)
        return -ENOENT;
    *ret_id = (uint64_t) sqlite3_column_int64(statement, 0);
    *n = (uint64_t) sqlite3_column_int64(statement, 1);
    return 0;
}
