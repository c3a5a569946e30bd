/* test_counts.c - a counter is one row: it is in the status object, and from there sonoran-pushctl's status and doctor
 * tell it in the row's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/log.h>

#include "../../src/ctl/counts.h"

#define NOW 1795449600000000u
#define ROOM 4

struct toy {
    uint64_t eaten, dropped, warm;
};

static const struct report_row eaten = { .name = "toys_eaten",
                                         .kind = REPORT_COUNTER,
                                         .help = "Toys that are gone.",
                                         .object = "toys",
                                         .member = "eaten",
                                         .words = "eaten",
                                         .offset = REPORT_OFFSET(struct toy, eaten) };
static const struct report_row dropped = { .name = "toys_dropped",
                                           .kind = REPORT_COUNTER,
                                           .help = "Toys that fell.",
                                           .object = "toys",
                                           .member = "dropped",
                                           .line = "toys on the floor",
                                           .words = "dropped",
                                           .last_label = "Dropped:",
                                           .doubt = { "toy", "toys", "fell down", "pick them up" },
                                           .offset = REPORT_OFFSET(struct toy, dropped) };
static const struct report_row warm = { .name = "toys_warm",
                                        .kind = REPORT_GAUGE,
                                        .help = "Toys that are warm.",
                                        .object = "oven",
                                        .member = "warm",
                                        .words = "warm",
                                        .offset = REPORT_OFFSET(struct toy, warm) };
static const struct report_row open = { .name = "toys_open",
                                        .kind = REPORT_GAUGE,
                                        .help = "Toys that are open.",
                                        .member = "open",
                                        .doubt = { "toy", "toys", "stand open", NULL },
                                        .offset = REPORT_OFFSET(struct toy, warm) };

struct told {
    struct report_row rows[ROOM];
    struct report_table table;
    struct text status, people;
    cJSON *json;
    struct findings findings;
};

/* The daemon with a table of these rows says its status; sonoran-pushctl has read it. */
static void tell(struct told *told, const struct toy *values, const char *more, const struct report_row *row, ...)
{
    static const char *const objects[] = { "toys", "oven" };
    const struct report_part part = { .table = &told->table, .values = values };
    struct json_writer json = json_writer(&told->status);
    va_list rows;
    va_start(rows, row);
    for (; row; row = va_arg(rows, const struct report_row *))
        told->rows[told->table.n++] = *row;
    va_end(rows);
    told->table.rows = told->rows;
    json_begin_object(&json, NULL);
    report_add_members(&json, &part, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        json_begin_object(&json, objects[i]);
        report_add_members(&json, &part, objects[i]);
        json_end(&json);
    }
    json_add_members(&json, span_of(more));
    json_end(&json);
    assert_non_null(told->json = cJSON_Parse(told->status.s));
    counts_write(told->json, &told->table, NOW, &told->people);
}

static void told_done(struct told *told)
{
    cJSON_Delete(told->json);
    findings_done(&told->findings);
    text_free(&told->status);
    text_free(&told->people);
}

#define TOLD_INIT                                                                                                      \
    {                                                                                                                  \
        .status = TEXT_INIT, .people = TEXT_INIT                                                                       \
    }

static void expect_finding(const struct told *told, size_t i, const char *check, const char *sentence,
                           const char *advice)
{
    const struct finding *finding = &told->findings.list[i];
    assert_true(i < told->findings.n && finding->level == FINDING_WARN);
    assert_string_equal(finding->check, check);
    assert_string_equal(finding->sentence, sentence);
    assert_true(advice ? strcmp(finding->advice, advice) == 0 : !finding->advice);
}

static void test_without_the_row(void **state)
{
    struct told told CLEANUP(told_done) = TOLD_INIT;
    (void) state;
    tell(&told, &(struct toy){ .eaten = 7, .dropped = 2 }, "", &eaten, NULL);
    assert_string_equal(told.status.s, "{\"toys\":{\"eaten\":7},\"oven\":{}}");
    assert_string_equal(told.people.s, "Toys:       7 eaten (since the start)\n");
    assert_int_equal(counts_check(told.json, &told.table, NOW, &told.findings), 0);
    assert_int_equal(told.findings.n, 0);
}

static void test_with_the_row(void **state)
{
    const struct toy values = { .eaten = 7, .dropped = 2 };
    struct told told CLEANUP(told_done) = TOLD_INIT;
    struct text line CLEANUP(text_free) = TEXT_INIT, metrics CLEANUP(text_free) = TEXT_INIT;
    const struct report_part part = { .table = &told.table, .values = &values };
    (void) state;
    tell(&told, &values,
         "\"last_dropped\":{\"at\":\"2026-11-23T15:57:00Z\",\"from\":\"a \\u001b\",\"what\":\"a ball\"}", &eaten,
         &dropped, NULL);
    assert_non_null(strstr(told.status.s, "\"toys\":{\"eaten\":7,\"dropped\":2}"));
    assert_string_equal(told.people.s, "Toys:       7 eaten, 2 dropped (since the start)\n"
                                       "Dropped:    last 3 min ago, from a \\x1b: a ball\n");
    assert_int_equal(counts_check(told.json, &told.table, NOW, &told.findings), 2);
    assert_int_equal(told.findings.n, 1);
    expect_finding(&told, 0, "toys", "2 toys fell down since the start, the last 3 min ago from a \\x1b: a ball",
                   "pick them up");
    report_add_line(&line, &part);
    assert_string_equal(line.s, ", 2 toys on the floor");
    report_add_metrics(&metrics, REPORT_OPENMETRICS, &part, 1);
    assert_non_null(strstr(metrics.s, "# HELP sonoran_pushd_toys_dropped Toys that fell.\n"
                                      "sonoran_pushd_toys_dropped_total 2\n"));
}

/* The first of an object is told always; what is measured now is no count since the start. */
static void test_nothing_happened(void **state)
{
    struct told told CLEANUP(told_done) = TOLD_INIT;
    (void) state;
    tell(&told, &(struct toy){ 0 }, "", &eaten, &dropped, &warm, NULL);
    assert_string_equal(told.people.s, "Toys:       0 eaten (since the start)\nOven:       0 warm\n");
    assert_int_equal(counts_check(told.json, &told.table, NOW, &told.findings), 0);
}

/* One thing, of the status itself; and one of several that have the same rows. */
static void test_doubts(void **state)
{
    struct told told CLEANUP(told_done) = TOLD_INIT;
    (void) state;
    tell(&told, &(struct toy){ .dropped = 1, .warm = 1 }, "", &open, &dropped, NULL);
    assert_int_equal(counts_check(told.json, &told.table, NOW, &told.findings), 2);
    expect_finding(&told, 0, "open", "1 toy stand open", NULL);
    expect_finding(&told, 1, "toys", "1 toy fell down since the start", "pick them up");
    assert_int_equal(counts_check_one(told.json, &told.table, "shelves", "shelf a", NOW, &told.findings), 2);
    expect_finding(&told, 3, "shelves", "shelf a fell down 1 toy since the start", "pick them up");
}

/* A daemon that is newer or older than its sonoran-pushctl. */
static void test_another_version(void **state)
{
    cJSON *newer = cJSON_Parse("{\"toys\":{\"eaten\":1,\"flown\":3,\"sunk\":0,\"dropped\":\"x\"}}");
    struct text people CLEANUP(text_free) = TEXT_INIT;
    struct findings findings = { .n = 0 };
    const struct report_row rows[] = { eaten, dropped };
    const struct report_table table = { rows, ARRAY_SIZE(rows) };
    (void) state;
    counts_write(newer, &table, NOW, &people);
    assert_string_equal(people.s, "Toys:       1 eaten, 3 flown (since the start)\n");
    text_reset(&people);
    counts_write(NULL, &table, NOW, &people);
    assert_int_equal(people.size, 0);
    assert_int_equal(counts_check(NULL, &table, NOW, &findings), 0);
    cJSON_Delete(newer);
}

/* Each row of the daemon has what the places that show it need. */
static void test_tables(void **state)
{
    (void) state;
    for (size_t t = 0; t <= COUNTS_N_TABLES; t++) {
        const struct report_table *table = t < COUNTS_N_TABLES ? counts_tables[t] : &delivery_report;
        for (size_t i = 0; i < table->n; i++) {
            const struct report_row *row = &table->rows[i];
            assert_true(!row->words || (row->member && (row->object || table == &delivery_report)));
            assert_true(!row->last_label || row->member);
            assert_true(!row->doubt.words || (row->member && row->doubt.one && row->doubt.many));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_the_row),  cmocka_unit_test(test_with_the_row),
        cmocka_unit_test(test_nothing_happened), cmocka_unit_test(test_doubts),
        cmocka_unit_test(test_another_version),  cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
