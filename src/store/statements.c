/* statements.c - what the writing connection says to SQLite again and again. */
#include <errno.h>
#include <stdlib.h>

#include "store_private.h"

/* What append.c has put into refs for the events up to ?1, told by the same columns. */
#define REALM "iif(origin_node IS NULL, community, community || '@' || origin_node)"
#define IDS_OF(kind, column)                                                                                           \
    "SELECT " REALM ", '" kind "', value, events.id FROM events, json_each(iif(json_valid(" column "), " column        \
    ", '[]')) WHERE events.id <= ?1 UNION ALL "
#define NUMBERS                                                                                                        \
    "SELECT " REALM ", 'number', upper(json_extract(value, '$.number')), events.id"                                    \
    " FROM events, json_each(iif(json_valid(known), known, '{}'), '$.units')"                                          \
    " WHERE events.id <= ?1 AND json_each.type = 'object'"

/* OR FAIL: SQLite need not be able to undo one statement of several rows, since what fails is rolled back whole. */
#define EVENTS_HEAD                                                                                                    \
    "INSERT OR FAIL INTO events (id, received_at, source, community, listener, peer, type, verdict, type_sent,"        \
    " family, level, test, summary, calls, calls911, units, originator, record, known, data, extra,"                   \
    " origin_node, origin_log, origin_id) VALUES "
#define EVENTS_ROW "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define REFS_HEAD "INSERT OR IGNORE INTO refs (community, kind, ref, event_id) VALUES "
#define REFS_ROW "(?, ?, ?, ?)"

static const char *const sql[N_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [INSERT_EVENT] = EVENTS_HEAD EVENTS_ROW,
    [INSERT_REF] = REFS_HEAD REFS_ROW,
    [FILL_EVENT] = "UPDATE events SET family = ?2, level = ?3, test = ?4, summary = ?5, calls = ?6, calls911 = ?7,"
                   " units = ?8, originator = ?9, record = ?10, known = ?11 WHERE id = ?1",
    [GET_META] = "SELECT value FROM meta WHERE name = ?1",
    [SET_META] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
    [DROP_META] = "DELETE FROM meta WHERE name = ?1",
    [LAST_LIFE] = "SELECT log, epoch, first_id FROM lives ORDER BY first_id DESC LIMIT 1",
    [INSERT_LIFE] = "INSERT OR REPLACE INTO lives (log, epoch, first_id) VALUES (?1, ?2, ?3)",
    [GET_CURSOR] = "SELECT event_id FROM cursors WHERE action = ?1",
    [SET_CURSOR] = "INSERT INTO cursors (action, event_id) VALUES (?1, ?2)"
                   " ON CONFLICT (action) DO UPDATE SET event_id = excluded.event_id",
    [NEXT_CURSOR] = "SELECT action, event_id FROM cursors WHERE action > ?1 AND length(CAST(action AS BLOB)) <= ?2"
                    " AND instr(action, char(0)) = 0 ORDER BY action LIMIT 1", /* what is no name is left alone */
    [DROP_CURSOR] = "DELETE FROM cursors WHERE action = ?1",
    [SET_POSITION] = "INSERT OR REPLACE INTO positions (source, key, value) VALUES (?1, ?2, ?3)",
    [PUT_FAILED] = "INSERT INTO failed (action, event_id, attempts, error, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    [DROP_FAILED] = "DELETE FROM failed WHERE action = ?1 AND event_id BETWEEN ?2 AND ?3",
    [FORGET_FAILED] = "DELETE FROM failed WHERE event_id <= ?1 RETURNING action",
    [OLDEST] = "SELECT id, received_at FROM events ORDER BY id LIMIT 1",
    [SLOWEST_CURSOR] = "SELECT min(event_id) FROM cursors",
    [FORGET_FILL] = "DELETE FROM meta WHERE name IN ('filled_id', 'fill_until_id', 'fill_bytes',"
                    " 'fill_after_id', 'fill_turned_id')",
    [OLD_REFS] = IDS_OF("call", "calls") IDS_OF("911", "calls911") IDS_OF("unit", "units") NUMBERS,
    [DELETE_REF] = "DELETE FROM refs WHERE community = ?1 AND kind = ?2 AND ref = ?3 AND event_id = ?4",
    [DELETE_EVENTS] = "DELETE FROM events WHERE id <= ?1",
    [FILL_PAGES] = "INSERT INTO events (id, received_at, source, community, listener, peer, type, verdict, data)"
                   " VALUES (?1, 0, '', '', '', '', '', '', hex(zeroblob(?2)))",
    [TOUCH] = "INSERT OR REPLACE INTO cursors (action, event_id) VALUES ('-probe', 0)",
    [UNTOUCH] = "DELETE FROM cursors WHERE action = '-probe'",
};

static int prepare_one(struct store *store, enum statement which, const char *text, struct err *err)
{
    int code = sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, &store->statements[which], NULL);
    if (code != SQLITE_OK)
        return store_problem(store->db, code, err, store->path);
    int n = sqlite3_bind_parameter_count(store->statements[which]);
    store->bound[which] = calloc((size_t) n + 1, sizeof(struct bound));
    return store->bound[which] ? 0 : err_set(err, -ENOMEM, "no memory");
}

/* What one statement costs besides its rows is more than one row of refs. */
static int prepare_rows(struct store *store, enum statement which, int n_rows, const char *head, const char *row,
                        struct err *err)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    text_add(&text, head);
    for (int i = 0; i < n_rows; i++) {
        text_add(&text, i ? ", " : "");
        text_add(&text, row);
    }
    return text.failed ? err_set(err, -ENOMEM, "no memory") : prepare_one(store, which, text.s, err);
}

int statements_prepare(struct store *store, struct err *err)
{
    int r = prepare_rows(store, INSERT_EVENTS, ROWS_AT_ONCE, EVENTS_HEAD, EVENTS_ROW, err);
    if (r == 0)
        r = prepare_rows(store, INSERT_FEW_EVENTS, FEW_ROWS, EVENTS_HEAD, EVENTS_ROW, err);
    if (r == 0)
        r = prepare_rows(store, INSERT_REFS, ROWS_AT_ONCE, REFS_HEAD, REFS_ROW, err);
    if (r == 0)
        r = prepare_rows(store, INSERT_FEW_REFS, FEW_ROWS, REFS_HEAD, REFS_ROW, err);
    for (size_t i = 0; i < N_STATEMENTS && r == 0; i++)
        if (sql[i])
            r = prepare_one(store, (enum statement) i, sql[i], err);
    return r;
}

void statements_finalize(struct store *store)
{
    for (size_t i = 0; i < N_STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
        free(store->bound[i]);
    }
}
