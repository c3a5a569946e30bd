/* test_pipeline_days.c - over days a daemon that was started anew again and again knows, and says, what one knows and
 * says that ran all the time: of units and calls that are spoken of every few hours too. */
#include "pipeline_helpers.h"

#define N_UNITS 8
#define N_CALLS 4

/* ---- what a community says in a week ---- */

static unsigned unit(void)
{
    return 40 + (unsigned) random_below(N_UNITS);
}

static unsigned call(void)
{
    return 70 + (unsigned) random_below(N_CALLS);
}

static void add_data(struct text *out)
{
    static const char *const groups[] = { "HARBOR 3", "K9" };
    static const char *const people[] = { "Mara Ellison", "Tess Novak", "Jonas Reed" };
    const char *group = groups[random_below(2)], *name = people[random_below(3)];
    switch (random_below(20)) {
    case 0:
        text_addf(out,
                  "\"EVENT_UNIT_LOGIN\",\"data\":{\"unit\":{\"id\":%u,\"status\":2,\"isDispatch\":%s,\"data\":"
                  "{\"unitNum\":\"3-L-%u\",\"name\":\"%s\",\"department\":\"Sheriff\"}}}",
                  unit(), random_below(4) ? "false" : "true", (unsigned) random_below(N_UNITS), name);
        return;
    case 1:
        text_addf(out, "\"EVENT_UNIT_LOGOUT\",\"data\":{\"identIds\":[%u]}", unit());
        return;
    case 2:
        text_addf(
            out,
            "\"EVENT_DISPATCH_NEW\",\"data\":{\"dispatch\":{\"callId\":%u,\"origin\":0,\"status\":1,\"priority\":2,"
            "\"block\":\"1200\",\"address\":\"118 Lantern St\",\"postal\":\"204\",\"title\":\"Traffic stop %u\","
            "\"code\":\"10-38\",\"description\":\"Grey sedan\",\"notes\":[],\"idents\":[%u],\"metaData\":"
            "{\"createdFromId\":\"%u\"}}}",
            call(), (unsigned) random_below(9), unit(), call());
        return;
    case 3:
        text_addf(out, "\"EVENT_DISPATCH_CLOSED\",\"data\":{\"callIds\":[%u]}", call());
        return;
    case 4:
        text_addf(out,
                  "\"EVENT_911\",\"data\":{\"call\":{\"callId\":%u,\"caller\":\"%s\",\"location\":\"Pier Rd\","
                  "\"description\":\"Smoke\",\"isEmergency\":%s}}",
                  call(), name, random_below(2) ? "true" : "false");
        return;
    case 5:
        text_addf(out, "\"EVENT_REMOVE_911\",\"data\":{\"callIds\":[%u]}", call());
        return;
    case 6:
        text_addf(out, "\"EVENT_UNIT_GROUP_ADD\",\"data\":{\"identId\":%u,\"groupName\":\"%s\"}", unit(), group);
        return;
    case 7:
        text_addf(out, "\"EVENT_UNIT_GROUP_REMOVE\",\"data\":{\"identIds\":[%u],\"groupName\":\"%s\"}", unit(), group);
        return;
    case 8:
    case 9:
        text_addf(out, "\"EVENT_UNIT_PANIC\",\"data\":{\"identIds\":[%u],\"isPanic\":%s}", unit(),
                  random_below(2) ? "true" : "false");
        return;
    case 10:
    case 11:
        text_addf(out, "\"EVENT_DISPATCH_UNIT_ATTACH\",\"data\":{\"callId\":%u,\"idents\":[%u,%u]}", call(), unit(),
                  unit());
        return;
    case 12:
        text_addf(out, "\"EVENT_DISPATCH_UNIT_DETACH\",\"data\":{\"callId\":%u,\"idents\":[%u]}", call(), unit());
        return;
    case 13:
        text_addf(out, "\"EVENT_DISPATCH_NOTE\",\"data\":{\"callId\":%u,\"note\":\"18:04 %s\"}", call(), name);
        return;
    default: /* the status of one or of two, so that most of what is known was told long ago */
        text_addf(out,
                  "\"EVENT_UNIT_STATUS\",\"data\":[{\"identIds\":[%u],\"status\":%u},{\"identIds\":[%u],\"status\":3}]",
                  unit(), (unsigned) random_below(5), unit());
    }
}

static char *next_body(void)
{
    struct text body = TEXT_INIT;
    if (random_below(10) == 0)
        return read_sample(names[random_below(n_names)]);
    text_add(&body, "{\"key\":\"" KEY "\",\"type\":");
    add_data(&body);
    text_add(&body, "}");
    assert_false(body.failed);
    return body.s;
}

/* Some hours with something every minute, hours with something now and then, now and then a day without anything, and a
 * clock that somebody sets. */
static usec_t next_time(usec_t now_us)
{
    switch (random_below(200)) {
    case 0:
        return now_us + DAY_US + random_below(DAY_US);
    case 1:
        return now_us + 30 * DAY_US;
    case 2:
        return now_us - random_below(3 * DAY_US);
    default:
        return now_us + random_below(now_us / DAY_US % 2 ? 90 * MINUTE_US : 20 * MINUTE_US);
    }
}

static void forget_log(void)
{
    char command[300];
    snprintf(command, sizeof(command), "rm -f %s %s-*", path, path);
    assert_int_equal(system(command), 0);
}

static void read_lines(struct text *out)
{
    struct store_reader *reader;
    struct store_row row;
    text_reset(out);
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek(reader, &(struct store_filter){ 0 }, &err), 0);
    while (store_read(reader, &row, &err) > 0) {
        text_addf(out, "%llu %s: ", (unsigned long long) row.id, row.type);
        text_add_bytes(out, row.summary.s, row.summary.size);
        text_add_bytes(out, row.known.s, row.known.size);
        text_add(out, "\n");
    }
    store_reader_close(reader);
    assert_false(out->failed);
}

/* The first that differs, if one does. */
static void assert_same_lines(const char *a, const char *b)
{
    size_t line = 0, i = 0;
    for (; a[i] && a[i] == b[i]; i++)
        line = a[i] == '\n' ? i + 1 : line;
    if (a[i] || b[i])
        fail_msg("%.600s\n!=\n%.600s", a + line, b + line);
}

static void start_anew(void)
{
    struct text before CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    dump(&before);
    stop();
    start();
    dump(&after);
    assert_string_equal(before.s, after.s);
}

/* The same weeks each time, with a start after each so many requests (0: none). All that was said of them. */
static void live(uint64_t weeks, int start_every, struct text *ret)
{
    usec_t now = T0;
    stop();
    forget_log();
    start();
    seed = weeks;
    for (int i = 1; i <= 800; i++) {
        now = next_time(now);
        assert_true(post(next_body(), now) >= 0);
        if (start_every && i % start_every == 0)
            start_anew();
    }
    read_lines(ret);
}

static void starts_change_nothing(void **unused)
{
    struct text whole CLEANUP(text_free) = TEXT_INIT, lines CLEANUP(text_free) = TEXT_INIT;
    (void) unused;
    for (uint64_t weeks = 1; weeks <= 2; weeks++) {
        live(weeks, 0, &whole);
        assert_true(store_last_id(store) > 700);
        live(weeks, 13, &lines);
        assert_same_lines(whole.s, lines.s);
    }
}

/* ---- what is forgotten, and what a start reads ---- */

static void post_status(unsigned id, int status, usec_t time_us)
{
    struct text body = TEXT_INIT;
    text_addf(&body, "{\"key\":\"" KEY "\",\"type\":\"EVENT_UNIT_STATUS\",\"data\":{\"identIds\":[%u],\"status\":%d}}",
              id, status);
    assert_int_equal(post(body.s, time_us), 0);
}

static void post_login(unsigned id, usec_t time_us)
{
    struct text body = TEXT_INIT;
    text_addf(&body,
              "{\"key\":\"" KEY "\",\"type\":\"EVENT_UNIT_LOGIN\",\"data\":{\"unit\":{\"id\":%u,\"status\":2,\"data\":"
              "{\"unitNum\":\"3-L-27\",\"name\":\"Mara\"}}}}",
              id);
    assert_int_equal(post(body.s, time_us), 0);
}

/* Within a day of its log-in a unit has its name, whatever else was told; after two it has it no more. */
static void a_name_is_known_for_a_day(void **unused)
{
    usec_t now = T0;
    (void) unused;
    post_status(50, 1, now);
    post_login(41, now += 23 * 60 * MINUTE_US);
    for (int hours = 5; hours <= 20; hours += 5) {
        post_status(41, hours % 4, now + (usec_t) hours * 60 * MINUTE_US);
        assert_string_equal(state_find_unit(cad, "default", 41)->name, "Mara");
    }
    for (int hours = 25; hours <= 50; hours += 5)
        post_status(41, hours % 4, now + (usec_t) hours * 60 * MINUTE_US);
    assert_null(state_find_unit(cad, "default", 41)->name);
    start_anew();
    assert_null(state_find_unit(cad, "default", 41)->name);
}

static uint64_t place(const char *name)
{
    char statement[96];
    snprintf(statement, sizeof(statement), "SELECT value FROM meta WHERE name = '%s'", name);
    return (uint64_t) ask_number(statement);
}

static void a_start_reads_two_days_at_most(void **unused)
{
    (void) unused;
    for (unsigned hour = 0; hour < 24 * 8; hour++) {
        post_status(41, (int) (hour % 5), T0 + hour * 60 * MINUTE_US);
        assert_true(store_last_id(store) - place("state_after_id") <= 50);
    }
    assert_int_equal(place("state_turned_id") - place("state_after_id"), 25);
    post_status(41, 1, T0 + 10 * DAY_US); /* after a day without anything all of that is gone */
    assert_int_equal(place("state_after_id"), store_last_id(store) - 1);
    assert_int_equal(place("state_turned_id"), store_last_id(store) - 1);
    start_anew();
}

/* Where less is kept than two days, state goes back no further than that. */
static void a_start_knows_as_much_without_what_is_not_kept(void **unused)
{
    struct text before CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    char statement[96];
    (void) unused;
    stop();
    keep_us = DAY_US / 2;
    start();
    usec_t now = T0;
    post_login(41, now);
    for (unsigned hour = 1; hour < 24 * 3; hour++) {
        post_status(41, (int) (hour % 5), now = T0 + hour * 60 * MINUTE_US);
        assert_true(store_last_id(store) - place("state_after_id") <= 13);
    }
    dump(&before);
    stop();
    snprintf(statement, sizeof(statement), "DELETE FROM events WHERE received_at < %llu",
             (unsigned long long) (now - keep_us));
    (void) ask_number(statement);
    start();
    dump(&after);
    assert_string_equal(before.s, after.s);
    keep_us = 0;
}

/* Of an older version, or one that ran in between: the last day is read, and it stays at that. */
static void a_log_without_a_place(void **unused)
{
    struct text before CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    (void) unused;
    for (unsigned hour = 0; hour < 72; hour++)
        post_status(41 + hour % 3, (int) (hour % 5), T0 + hour * 60 * MINUTE_US);
    stop();
    (void) ask_number("DELETE FROM meta WHERE name LIKE 'state_%'");
    start();
    assert_int_equal(state_begin(cad), 72 - 25);
    dump(&before);
    stop();
    start();
    dump(&after);
    assert_string_equal(before.s, after.s);
    post_status(41, 1, T0 + 80 * 60 * MINUTE_US);
    assert_int_equal(place("state_after_id"), 72 - 25);
    start_anew();
    assert_int_equal(state_begin(cad), 72 - 25);

    stop();
    (void) ask_number("UPDATE meta SET value = '99999' WHERE name LIKE 'state_%'");
    start();
    assert_true(state_begin(cad) >= 72 - 25 && state_begin(cad) < 72);
}

/* ---- rows of schema 1 ---- */

#define AS_SCHEMA_1                                                                                                    \
    "CREATE TABLE old (id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, community TEXT NOT NULL, listener TEXT"   \
    " NOT NULL, peer TEXT NOT NULL, type TEXT NOT NULL, verdict TEXT NOT NULL, data TEXT, extra TEXT) STRICT;"         \
    "INSERT INTO old SELECT id, received_at, community, listener, peer, type, verdict, data, extra FROM events;"       \
    "DROP TABLE events; DROP TABLE refs; DROP TABLE positions; DROP TABLE lives; DROP TABLE meta;"                     \
    "ALTER TABLE old RENAME TO events; PRAGMA user_version = 1;"

static void make_old(void)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, AS_SCHEMA_1, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* Waits until so many rows are filled, or all. */
static void wait_filled(int64_t id)
{
    usec_t end = uptime_us() + PATIENCE_US;
    while (ask_number("SELECT count(*) FROM meta WHERE name = 'fill_until_id'") &&
           ask_number("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'filled_id'") < id && uptime_us() < end)
        usleep(1000);
    assert_true(uptime_us() < end);
}

/* Three communities with the same ids, over weeks: each row is filled with what it said when it came, from what was
 * known in its own community; also when the daemon is started anew in the middle. */
static void old_rows_say_what_they_said(void **unused)
{
    static const char *const communities[] = { "city", "county", "state" };
    struct text said CLEANUP(text_free) = TEXT_INIT, filled CLEANUP(text_free) = TEXT_INIT;
    usec_t now = T0;
    (void) unused;
    stop();
    several_communities = true;
    start();
    seed = 5;
    for (int i = 0; i < 2000; i++) {
        now = next_time(now);
        community_name = communities[random_below(3)];
        assert_true(post(next_body(), now) >= 0);
    }
    community_name = "default";
    read_lines(&said);
    stop();
    make_old();
    start();
    for (int64_t id = 1; id < 2000; id += 700) {
        wait_filled(id);
        stop();
        start();
    }
    wait_filled(INT64_MAX);
    stop();
    read_lines(&filled);
    assert_same_lines(said.s, filled.s);
    several_communities = false;
    start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pipeline_test(starts_change_nothing),
        pipeline_test(a_name_is_known_for_a_day),
        pipeline_test(a_start_reads_two_days_at_most),
        pipeline_test(a_log_without_a_place),
        pipeline_test(a_start_knows_as_much_without_what_is_not_kept),
        pipeline_test(old_rows_say_what_they_said),
    };
    list_samples();
    if (log_open(LOG_TARGET_TEXT, LOG_ERR, &err) < 0)
        return 1;
    int r = cmocka_run_group_tests_name("pipeline_days", tests, NULL, NULL);
    log_close(USEC_PER_SEC);
    while (n_names)
        free(names[--n_names]);
    return r;
}
