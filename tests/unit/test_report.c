/* test_report.c - a module that counts: its rows alone say what the status, its line and the metrics show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/source_gate.h>
#include <sonoran-pushd/sse.h>

#include "../../src/daemon/daemon_private.h"

struct toy {
    uint64_t eaten, dropped, fresh, room_bytes, baked_us;
};

static const struct report_row rows[] = {
    { .name = "toys",
      .kind = REPORT_COUNTER,
      .label = "end",
      .value = "eaten",
      .help = "Toys by their end.",
      .object = "toys",
      .member = "eaten",
      .offset = REPORT_OFFSET(struct toy, eaten) },
    { .name = "toys",
      .kind = REPORT_COUNTER,
      .label = "end",
      .value = "dropped",
      .help = "Toys by their end.",
      .object = "toys",
      .member = "lost",
      .offset = REPORT_OFFSET(struct toy, dropped) },
    { .name = "toys_fresh",
      .kind = REPORT_FLAG,
      .help = "1: still warm.",
      .member = "fresh",
      .offset = REPORT_OFFSET(struct toy, fresh) },
    { .name = "room_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "What is left.",
      .member = "room",
      .line = "bytes of room",
      .offset = REPORT_OFFSET(struct toy, room_bytes) },
    { .name = "baked_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When the last one was baked.",
      .member = "baked",
      .line = "baked at",
      .offset = REPORT_OFFSET(struct toy, baked_us) },
    { .name = "secret", .kind = REPORT_COUNTER, .help = "In no status.", .offset = REPORT_OFFSET(struct toy, eaten) },
};

static const struct report_table table = { rows, ARRAY_SIZE(rows) };

#define SOME                                                                                                           \
    {                                                                                                                  \
        .eaten = 7, .dropped = 9223372036854775807, .fresh = 1, .room_bytes = 4096, .baked_us = 1795449600000001u      \
    }

static void test_members(void **state)
{
    const struct toy toy = SOME, none = { 0 };
    const struct report_part part = { .table = &table, .values = &toy };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&out);
    (void) state;
    json_begin_object(&json, NULL);
    report_add_members(&json, &part, NULL);
    json_begin_object(&json, "toys");
    report_add_members(&json, &part, "toys");
    json_end(&json);
    report_add_members(&json, &part, "nothing");
    json_begin_object(&json, "none");
    report_add_members(&json, &(struct report_part){ .table = &table, .values = &none }, NULL);
    json_end(&json);
    json_end(&json);
    assert_string_equal(out.s, "{\"fresh\":true,\"room\":4096,\"baked\":\"2026-11-23T16:00:00.000001Z\","
                               "\"toys\":{\"eaten\":7,\"lost\":9223372036854775807},"
                               "\"none\":{\"fresh\":false,\"room\":0}}");
}

static void test_line(void **state)
{
    const struct toy toy = SOME, none = { 0 };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    report_add_line(&out, &(struct report_part){ .table = &table, .values = &toy });
    assert_string_equal(out.s, ", 4096 bytes of room, baked at 2026-11-23T16:00:00.000001Z");
    text_reset(&out);
    report_add_line(&out, &(struct report_part){ .table = &table, .values = &none });
    assert_string_equal(out.s, ", 0 bytes of room");
}

static const struct report_row guest_row = { .name = "guests", .kind = REPORT_GAUGE, .help = "Who is there." };
static const struct report_table guest_table = { &guest_row, 1 };

/* Two of a kind with another module between them: a family stands in one block all the same. */
static void test_openmetrics(void **state)
{
    const struct toy toy = SOME, other = { .eaten = 1 };
    const uint64_t guests = 3;
    const struct report_part parts[] = {
        { &table, &toy, { { "shelf", "a" } } },
        { &guest_table, &guests, { { NULL, NULL } } },
        { &table, &other, { { "shelf", "b\"\\\nc" } } },
    };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    report_add_metrics(&out, REPORT_OPENMETRICS, parts, ARRAY_SIZE(parts));
    assert_string_equal(out.s, "# TYPE sonoran_pushd_toys counter\n"
                               "# HELP sonoran_pushd_toys Toys by their end.\n"
                               "sonoran_pushd_toys_total{shelf=\"a\",end=\"eaten\"} 7\n"
                               "sonoran_pushd_toys_total{shelf=\"a\",end=\"dropped\"} 9223372036854775807\n"
                               "sonoran_pushd_toys_total{shelf=\"b\\\"\\\\\\nc\",end=\"eaten\"} 1\n"
                               "sonoran_pushd_toys_total{shelf=\"b\\\"\\\\\\nc\",end=\"dropped\"} 0\n"
                               "# TYPE sonoran_pushd_toys_fresh gauge\n"
                               "# HELP sonoran_pushd_toys_fresh 1: still warm.\n"
                               "sonoran_pushd_toys_fresh{shelf=\"a\"} 1\n"
                               "sonoran_pushd_toys_fresh{shelf=\"b\\\"\\\\\\nc\"} 0\n"
                               "# TYPE sonoran_pushd_room_bytes gauge\n"
                               "# UNIT sonoran_pushd_room_bytes bytes\n"
                               "# HELP sonoran_pushd_room_bytes What is left.\n"
                               "sonoran_pushd_room_bytes{shelf=\"a\"} 4096\n"
                               "sonoran_pushd_room_bytes{shelf=\"b\\\"\\\\\\nc\"} 0\n"
                               "# TYPE sonoran_pushd_baked_timestamp_seconds gauge\n"
                               "# UNIT sonoran_pushd_baked_timestamp_seconds seconds\n"
                               "# HELP sonoran_pushd_baked_timestamp_seconds When the last one was baked.\n"
                               "sonoran_pushd_baked_timestamp_seconds{shelf=\"a\"} 1795449600.000001\n"
                               "sonoran_pushd_baked_timestamp_seconds{shelf=\"b\\\"\\\\\\nc\"} 0.000000\n"
                               "# TYPE sonoran_pushd_secret counter\n"
                               "# HELP sonoran_pushd_secret In no status.\n"
                               "sonoran_pushd_secret_total{shelf=\"a\"} 7\n"
                               "sonoran_pushd_secret_total{shelf=\"b\\\"\\\\\\nc\"} 1\n"
                               "# TYPE sonoran_pushd_guests gauge\n"
                               "# HELP sonoran_pushd_guests Who is there.\n"
                               "sonoran_pushd_guests 3\n"
                               "# EOF\n");
    text_reset(&out);
    report_add_metrics(&out, REPORT_OPENMETRICS, NULL, 0);
    assert_string_equal(out.s, "# EOF\n");
}

/* ---- the tables of the daemon ---- */

static const struct report_table *const tables[] = {
    &log_report,           &http_report,
    &delivery_report,      &pipeline_report,
    &pipeline_type_report, &gate_report,
    &metrics_build_report, &metrics_reload_report,
    &metrics_disk_report,  &metrics_process_report,
    &metrics_cad_report,   &metrics_calls_report,
    &sse_report,           &http_listener_report,
};

static bool ends_in(const char *name, const char *unit)
{
    size_t size = strlen(name), end = strlen(unit);
    return size > end + 1 && name[size - end - 1] == '_' && strcmp(name + size - end, unit) == 0;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Of OpenMetrics, where a name means one thing: all rows of a name are alike, and stand together. */
static void check_row(const struct report_table *of, size_t i, const struct report_row *row)
{
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (size_t j = 0; j < tables[t]->n; j++) {
            const struct report_row *other = &tables[t]->rows[j];
            if (strcmp(other->name, row->name) != 0 || other == row)
                continue;
            assert_ptr_equal(tables[t], of);
            assert_true(row->label &&
                        (row->kind == REPORT_INFO ? !same(row->label, other->label)
                                                  : same(row->label, other->label) && !same(row->value, other->value)));
            assert_true(row->kind == other->kind && same(row->unit, other->unit) && same(row->help, other->help));
            for (size_t between = i < j ? i : j; between < (i < j ? j : i); between++)
                assert_string_equal(of->rows[between].name, row->name);
        }
}

static void test_tables(void **state)
{
    (void) state;
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct report_row *row = &tables[t]->rows[i];
            assert_true(*row->name && strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(row->name));
            assert_true(row->help && row->help[strlen(row->help) - 1] == '.' && !strpbrk(row->help, "\n\\"));
            assert_false(ends_in(row->name, "total"));
            assert_true(!row->unit || ends_in(row->name, row->unit));
            assert_true(row->kind != REPORT_TIME || ends_in(row->name, "timestamp_seconds"));
            check_row(tables[t], i, row);
        }
}

static void test_left_out_by_its_option(void **state)
{
    struct delivery_status status = { 0 };
    size_t n = 0;
    (void) state;
    for (size_t i = 0; i < LEFT_OUT_N; i++)
        status.n_left_out[i] = 100 + i;
    for (size_t i = 0; i < delivery_report.n; i++) {
        const struct report_row *row = &delivery_report.rows[i];
        if (!same(row->object, "left_out"))
            continue;
        enum left_out why = (enum left_out)(report_value(row, &status) - 100);
        assert_string_equal(row->member, filter_left_out_name(why));
        n++;
    }
    assert_int_equal(n, LEFT_OUT_N - LEFT_OUT_COMMUNITIES);
}

static void test_log_counts(void **state)
{
    struct log_values before, after;
    struct err err;
    (void) state;
    log_get_values(&before);
    assert_int_equal(log_open(LOG_TARGET_TEXT, LOG_INFO, &err), 0);
    log_line(LOG_INFO, NULL, "one");
    log_line(LOG_INFO, NULL, "two");
    log_line(LOG_DEBUG, NULL, "not wanted");
    log_close(USEC_PER_SEC);
    log_get_values(&after);
    assert_int_equal(after.lines[LOG_INFO] - before.lines[LOG_INFO], 2);
    assert_int_equal(after.lost_lines, before.lost_lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_openmetrics),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_left_out_by_its_option),
        cmocka_unit_test(test_log_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
