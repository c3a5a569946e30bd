/* test_store_rows.c - what was decided about an event, in its row and in what finds it again; lives of a log. */
#include "store_described.h"

static struct store *open_with(bool durable, const char *boot_id, uint64_t keep_us)
{
    struct store *store = NULL;
    const struct store_settings settings = { .path = path, .durable = durable, .keep_us = keep_us, .boot_id = boot_id };
    if (store_open(&store, &settings, &err) < 0)
        fail_msg("%s", err.msg);
    return store;
}

static void test_described(void **state)
{
    (void) state;
    struct store_reader *reader = NULL;
    struct store_row row;
    struct store *store = open_store(0, 0);
    append_described(store, 2);
    store_close(store);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_read(reader, &row, &err), 1);
        assert_described(&row);
    }
    store_reader_close(reader);
}

/* One for each id, and one for each number, in capitals; they go with their events. */
static void test_refs(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(3600 * USEC_PER_SEC, 0);
    append_described(store, 3);
    assert_int_equal(ask_number("SELECT count(*) FROM refs"), 3 * 5);
    assert_int_equal(ask_number("SELECT event_id FROM refs WHERE community = 'alpha' AND kind = 'call'"
                                " AND ref = 9007199254740993 AND event_id > 2"),
                     3);
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE kind = '911' AND ref = 3"), 3);
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE kind = 'unit' AND ref IN (7, -9223372036854775808)"),
                     6);
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE kind = 'number' AND ref = '3-L-27'"), 3);
    assert_int_equal(trim_all(store, 3602 * USEC_PER_SEC + 1, &unread), 2);
    assert_int_equal(ask_number("SELECT count(*) FROM refs"), 5);
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE event_id < 3"), 0);
    store_close(store);
}

/* Many rows of one statement, and what is left over: as one by one. */
static void test_many_at_once(void **state)
{
    enum { N = 37 };
    struct description descriptions[N];
    struct event events[N];
    struct store_entry entries[N];
    struct store *store = open_store(0, 0);
    (void) state;
    for (int i = 0; i < N; i++) {
        char line[32], number[32];
        events[i] = make_event((uint64_t) i + 1);
        descriptions[i] = (struct description) DESCRIPTION_INIT;
        snprintf(line, sizeof(line), "line %d", i + 1);
        snprintf(number, sizeof(number), "n-%d", i + 1);
        text_add(&descriptions[i].line, line);
        description_add_number(&descriptions[i], number);
        for (int id = 0; id < i % 5; id++)
            ids_add(&descriptions[i].units, 100 * (i + 1) + id);
        entries[i] = (struct store_entry){ &events[i], i % 7 == 3 ? NULL : &descriptions[i] };
    }
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_append_all(store, entries, 0, &err), 0);
    assert_int_equal(store_append_all(store, entries, N - 1, &err), 0);
    assert_int_equal(store_append_all(store, entries + N - 1, 1, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
    assert_int_equal(store_last_id(store), N);
    store_close(store);

    assert_int_equal(ask_number("SELECT count(*) FROM events WHERE received_at = 1000000 * id"), N);
    assert_int_equal(ask_number("SELECT count(*) FROM events WHERE summary = 'line ' || id"), N - 5);
    assert_int_equal(ask_number("SELECT count(*) FROM events WHERE summary IS NULL AND units IS NULL"), 5);
    for (int i = 0; i < N; i++) {
        char sql[200];
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM refs WHERE event_id = %d AND (kind = 'unit' AND ref / 100 = %d"
                 " OR kind = 'number' AND ref = 'N-%d')",
                 i + 1, i + 1, i + 1);
        assert_int_equal(ask_number(sql), entries[i].description ? i % 5 + 1 : 0);
        snprintf(sql, sizeof(sql), "SELECT coalesce(json_array_length(units), 0) FROM events WHERE id = %d", i + 1);
        assert_int_equal(ask_number(sql), entries[i].description ? i % 5 : 0);
        description_free(&descriptions[i]);
    }
    assert_int_equal(ask_number("SELECT count(*) FROM refs WHERE kind NOT IN ('unit', 'number')"), 0);
}

/* Whatever stood in the same place of the statement before: another text, one that begins alike, one that is longer
 * than what is kept, none. */
static void test_changes_between(void **state)
{
    static const char *const texts[] = { "alpha", "alphabet", "", "beta", "beta" };
    enum { N = 160, N_TEXTS = ARRAY_SIZE(texts) };
    static char longest[200];
    struct event events[N];
    struct description descriptions[N];
    struct origin origins[N];
    struct store_entry entries[N];
    struct store_reader *reader = NULL;
    struct store_row row;
    struct store *store = open_store(0, 0);
    (void) state;
    memset(longest, 'y', sizeof(longest) - 1);
    for (int i = 0; i < N; i++) {
        int turn = i / 16; /* so many rows has the statement */
        events[i] = make_event((uint64_t) i + 1);
        origins[i] = *events[i].origin;
        snprintf(origins[i].peer, sizeof(origins[i].peer), "%.*s", turn * 7, longest);
        events[i].origin = &origins[i];
        events[i].community = events[i].realm = texts[turn % N_TEXTS];
        events[i].type_sent = turn % 3 ? texts[turn % N_TEXTS] : NULL;
        events[i].test = turn % 2;
        events[i].extra_text = (struct span){ longest, turn % 4 == 1 ? 150 : 0 };
        descriptions[i] = (struct description) DESCRIPTION_INIT;
        descriptions[i].by = turn % 3 == 1 ? i : 0;
        if (turn % 3)
            ids_add(&descriptions[i].calls, turn % 3);
        entries[i] = (struct store_entry){ &events[i], turn == 4 ? NULL : &descriptions[i] };
    }
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(store_append_all(store, entries, N, &err), 0);
    assert_int_equal(store_commit(store, &err), 0);
    store_close(store);

    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    for (int i = 0; i < N; i++) {
        assert_int_equal(store_read(reader, &row, &err), 1);
        bool described = entries[i].description;
        const char *sent = events[i].type_sent && *events[i].type_sent ? events[i].type_sent : NULL;
        assert_string_equal(row.community, events[i].community);
        assert_string_equal(row.peer, origins[i].peer);
        assert_true(sent ? row.type_sent && strcmp(row.type_sent, sent) == 0 : !row.type_sent);
        assert_int_equal(row.extra.size, events[i].extra_text.size);
        assert_int_equal(row.by, described ? descriptions[i].by : 0);
        assert_int_equal(row.calls.size, described && descriptions[i].calls.n ? 3 : 0);
        assert_true(!row.calls.size || row.calls.s[1] == (char) ('0' + descriptions[i].calls.v[0]));
        description_free(&descriptions[i]);
    }
    store_reader_close(reader);
}

/* A row that somebody else has spoiled keeps no other from being deleted. */
static void test_refs_of_spoiled(void **state)
{
    (void) state;
    uint64_t unread;
    struct store *store = open_store(3600 * USEC_PER_SEC, 0);
    append_described(store, 3);
    (void) ask_number("UPDATE events SET known = '{', units = 'x', calls = '', calls911 = '{\"a\":1}' WHERE id = 1");
    assert_int_equal(trim_all(store, 10 * 3600 * USEC_PER_SEC, &unread), 2);
    store_close(store);
    assert_int_equal(ask_number("SELECT group_concat(id) FROM events"), 3);
}

/* ---- lives ---- */

static bool life(struct store *store, struct store_life *ret)
{
    struct store_life before;
    return store_get_life(store, ret, &before) != STORE_LIFE_GOES_ON;
}

static void test_first_life(void **state)
{
    (void) state;
    struct store_life first, again;
    struct store *store = open_store(0, 0);
    assert_false(life(store, &first));
    assert_int_equal(strlen(first.log), 32);
    assert_int_equal(strspn(first.log, "0123456789abcdef"), 32);
    assert_int_equal(first.first_id, 1);
    assert_true(first.epoch_ms > 1600000000000);
    store_close(store);
    store = open_store(0, 0);
    assert_false(life(store, &again));
    assert_string_equal(again.log, first.log);
    store_close(store);
    assert_int_equal(ask_number("SELECT count(*) FROM lives"), 1);
    assert_int_equal(ask_number("SELECT count(*) FROM meta WHERE name IN ('schema', 'boot_id', 'node')"), 3);
}

/* How a log was left, and whether the next start begins a life. As a power cut is for a process: it never closes. */
static void check_restart(bool durable, bool clean, const char *next_boot_id, bool begins)
{
    struct store_life first, second, before;
    char left[160], wal[400];
    struct store *store = open_with(durable, "boot-1", 0), *next = NULL;
    append_described(store, 2);
    (void) life(store, &first);
    if (clean)
        store_close(store);
    snprintf(left, sizeof(left), "%s/left.db", folder);
    copy_file(path, left);
    if (!clean) {
        snprintf(wal, sizeof(wal), "cp %s-wal %s-wal", path, left);
        assert_int_equal(system(wal), 0);
        store_close(store);
    }
    const struct store_settings settings = { .path = left, .durable = durable, .boot_id = next_boot_id };
    assert_int_equal(store_open(&next, &settings, &err), 0);
    assert_int_equal(store_get_life(next, &second, &before), begins);
    assert_int_equal(strcmp(first.log, second.log) != 0, begins);
    assert_int_equal(second.first_id, begins ? 3 : 1);
    if (begins) {
        assert_string_equal(before.log, first.log);
        assert_true(second.epoch_ms > first.epoch_ms);
    }
    store_close(next);
    (void) remove_folder(NULL);
    (void) make_folder(NULL);
}

static void test_restarts(void **state)
{
    (void) state;
    check_restart(false, false, "boot-2", true);
    check_restart(false, false, "boot-1", false); /* of the process alone: the kernel still has everything */
    check_restart(false, true, "boot-2", false);
    check_restart(true, false, "boot-2", false);
    check_restart(true, true, "boot-2", false);
}

/* Each id is of the life in which it lies; durability that changes while it runs is noted. */
static void test_ids_of_lives(void **state)
{
    (void) state;
    struct store_life first, second, before;
    struct store_reader *reader = NULL;
    struct store_row row;
    struct store *store = open_with(true, "boot-1", 0);
    append_described(store, 2);
    (void) life(store, &first);
    store_configure(store, &(struct store_settings){ .durable = false });
    assert_int_equal(ask_number("SELECT value = 'unsynced' FROM meta WHERE name = 'run'"), 1);
    store_configure(store, &(struct store_settings){ .durable = true });
    assert_int_equal(ask_number("SELECT value = 'unsynced' FROM meta WHERE name = 'run'"), 0);
    assert_int_equal(store_begin_life(store, &err), 0);
    assert_int_equal(store_begin_life(store, &err), 0); /* nothing came in the one before, so it never was */
    assert_int_equal(store_get_life(store, &second, &before), STORE_LIFE_BEGUN);
    assert_string_equal(before.log, first.log);
    append_described(store, 1);
    store_close(store);
    assert_int_equal(ask_number("SELECT count(*) FROM lives"), 2);

    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_read(reader, &row, &err), 1);
        assert_string_equal(row.log, i < 2 ? first.log : second.log);
    }
    store_reader_close(reader);
}

/* However little is read of it, it is an event again. */
static void test_undescribed_of_another_node(void **state)
{
    (void) state;
    static const struct event_families no_families;
    struct store_reader *reader = NULL;
    struct store_row row;
    struct batch batch;
    struct store *store = open_store(0, 0);
    append_described(store, 1);
    store_close(store);
    (void) ask_number("UPDATE events SET origin_node = 'edge1', origin_log = '00aa', origin_id = 7,"
                      " level = NULL, summary = NULL");
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    for (int how = 0; how < 4; how++) {
        const struct store_filter filter = { .came = how == 1, .told = how == 2, .counts = how == 3 };
        assert_int_equal(store_seek(reader, &filter, &err), 0);
        assert_int_equal(store_read(reader, &row, &err), 1);
        assert_false(row.described);
        assert_int_equal(store_row_restore(&row, &no_families, &batch), 0);
        assert_string_equal(batch.events[0].realm, "alpha@edge1");
        assert_string_equal(batch.events[0].home.log, how == 3 ? "" : "00aa");
        batch_done(&batch);
    }
    store_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_described),
        store_test(test_refs),
        store_test(test_many_at_once),
        store_test(test_refs_of_spoiled),
        store_test(test_changes_between),
        store_test(test_first_life),
        store_test(test_restarts),
        store_test(test_ids_of_lives),
        store_test(test_undescribed_of_another_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
