/* test_report_metrics.c - the other kinds of rows, and both formats, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sonoran-pushd/report.h>

struct toy {
    struct report_histogram baked_us, sizes;
    uint64_t mood, age_us;
};

static const struct report_limits baked_limits = { { 500, 10000, 1500000, 10000000 }, 4 };
static const struct report_limits size_limits = { { 1, 256 }, 2 };
static const char *const moods[] = { "glad", "sad", NULL };

static const struct report_row rows[] = {
    { .name = "baked_seconds",
      .unit = "seconds",
      .kind = REPORT_HISTOGRAM,
      .limits = &baked_limits,
      .help = "How long it took.",
      .offset = REPORT_OFFSET_HISTOGRAM(struct toy, baked_us) },
    { .name = "sizes",
      .kind = REPORT_HISTOGRAM,
      .limits = &size_limits,
      .help = "How large they are.",
      .offset = REPORT_OFFSET_HISTOGRAM(struct toy, sizes) },
    { .name = "mood",
      .kind = REPORT_STATE,
      .states = moods,
      .help = "How it is.",
      .offset = REPORT_OFFSET(struct toy, mood) },
    { .name = "process_age_seconds",
      .unit = "seconds",
      .common = true,
      .kind = REPORT_COUNTER,
      .help = "How old it is.",
      .offset = REPORT_OFFSET(struct toy, age_us) },
};

static const struct report_table table = { rows, ARRAY_SIZE(rows) };

struct build {
    char version[16], oven[16];
};

static const struct report_row build_rows[] = {
    { .name = "build",
      .kind = REPORT_INFO,
      .label = "version",
      .help = "Versions.",
      .offset = REPORT_OFFSET_TEXT(struct build, version) },
    { .name = "build",
      .kind = REPORT_INFO,
      .label = "oven",
      .help = "Versions.",
      .offset = REPORT_OFFSET_TEXT(struct build, oven) },
};

static const struct report_table build_table = { build_rows, ARRAY_SIZE(build_rows) };

#define BUCKETS                                                                                                        \
    "sonoran_pushd_baked_seconds_bucket{shelf=\"a\",door=\"b\",le=\"0.0005\"} 1\n"                                     \
    "sonoran_pushd_baked_seconds_bucket{shelf=\"a\",door=\"b\",le=\"0.01\"} 2\n"                                       \
    "sonoran_pushd_baked_seconds_bucket{shelf=\"a\",door=\"b\",le=\"1.5\"} 2\n"                                        \
    "sonoran_pushd_baked_seconds_bucket{shelf=\"a\",door=\"b\",le=\"10.0\"} 2\n"                                       \
    "sonoran_pushd_baked_seconds_bucket{shelf=\"a\",door=\"b\",le=\"+Inf\"} 3\n"                                       \
    "sonoran_pushd_baked_seconds_sum{shelf=\"a\",door=\"b\"} 10.001002\n"                                              \
    "sonoran_pushd_baked_seconds_count{shelf=\"a\",door=\"b\"} 3\n"
#define SIZES                                                                                                          \
    "sonoran_pushd_sizes_bucket{shelf=\"a\",door=\"b\",le=\"1.0\"} 0\n"                                                \
    "sonoran_pushd_sizes_bucket{shelf=\"a\",door=\"b\",le=\"256.0\"} 1\n"                                              \
    "sonoran_pushd_sizes_bucket{shelf=\"a\",door=\"b\",le=\"+Inf\"} 1\n"                                               \
    "sonoran_pushd_sizes_sum{shelf=\"a\",door=\"b\"} 2\n"                                                              \
    "sonoran_pushd_sizes_count{shelf=\"a\",door=\"b\"} 1\n"
#define MOODS                                                                                                          \
    "sonoran_pushd_mood{shelf=\"a\",door=\"b\",sonoran_pushd_mood=\"glad\"} 0\n"                                       \
    "sonoran_pushd_mood{shelf=\"a\",door=\"b\",sonoran_pushd_mood=\"sad\"} 1\n"
#define AGE "process_age_seconds_total{shelf=\"a\",door=\"b\"} 1.500000\n"
#define BUILD "sonoran_pushd_build_info{version=\"1.0\",oven=\"a\\\"b\"} 1\n"

static const char openmetrics[] =
    "# TYPE sonoran_pushd_baked_seconds histogram\n"
    "# UNIT sonoran_pushd_baked_seconds seconds\n"
    "# HELP sonoran_pushd_baked_seconds How long it took.\n" BUCKETS "# TYPE sonoran_pushd_sizes histogram\n"
    "# HELP sonoran_pushd_sizes How large they are.\n" SIZES "# TYPE sonoran_pushd_mood stateset\n"
    "# HELP sonoran_pushd_mood How it is.\n" MOODS "# TYPE process_age_seconds counter\n"
    "# UNIT process_age_seconds seconds\n"
    "# HELP process_age_seconds How old it is.\n" AGE "# TYPE sonoran_pushd_build info\n"
    "# HELP sonoran_pushd_build Versions.\n" BUILD "# EOF\n";

static const char prometheus[] =
    "# TYPE sonoran_pushd_baked_seconds histogram\n"
    "# HELP sonoran_pushd_baked_seconds How long it took.\n" BUCKETS "# TYPE sonoran_pushd_sizes histogram\n"
    "# HELP sonoran_pushd_sizes How large they are.\n" SIZES "# TYPE sonoran_pushd_mood gauge\n"
    "# HELP sonoran_pushd_mood How it is.\n" MOODS "# TYPE process_age_seconds_total counter\n"
    "# HELP process_age_seconds_total How old it is.\n" AGE "# TYPE sonoran_pushd_build_info gauge\n"
    "# HELP sonoran_pushd_build_info Versions.\n" BUILD;

static void test_formats(void **state)
{
    static const char *const expected[] = { [REPORT_OPENMETRICS] = openmetrics, [REPORT_PROMETHEUS] = prometheus };
    struct report_list list CLEANUP(report_list_free) = { 0 };
    struct toy counted = { .mood = 1, .age_us = 1500000 }, toy;
    struct build build = { "1.0", "a\"b" };
    char shelf[] = "a";
    (void) state;
    report_observe(&counted.baked_us, &baked_limits, 500);
    report_observe(&counted.baked_us, &baked_limits, 501);
    report_observe(&counted.baked_us, &baked_limits, 10000001);
    report_observe(&counted.sizes, &size_limits, 2);
    report_copy(&toy, &counted, sizeof(toy));
    report_list_add(&list, &(struct report_part){ &table, &toy, { { "shelf", shelf }, { "door", "b" } } }, sizeof(toy));
    report_list_add(&list, &(struct report_part){ .table = &build_table, .values = &build }, sizeof(build));
    memset(&toy, 0, sizeof(toy)); /* the list has copies */
    *shelf = 'x';
    assert_false(list.failed);
    for (enum report_format format = REPORT_OPENMETRICS; format <= REPORT_PROMETHEUS; format++) {
        struct text out CLEANUP(text_free) = TEXT_INIT;
        report_add_metrics(&out, format, list.parts, list.n);
        assert_string_equal(out.s, expected[format]);
    }
}

static void test_observe(void **state)
{
    static const uint64_t values[] = { 0, 500, 501, 10000, 10000000, 10000001 };
    static const size_t buckets[] = { 0, 0, 1, 1, 3, 4 };
    struct report_histogram histogram = { 0 };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        uint64_t before = histogram.n[buckets[i]];
        report_observe(&histogram, &baked_limits, values[i]);
        assert_int_equal(histogram.n[buckets[i]], before + 1);
    }
    assert_int_equal(histogram.sum, 20011002);
}

static void test_accept(void **state)
{
    static const struct {
        const char *accept;
        enum report_format format;
    } cases[] = {
        { NULL, REPORT_PROMETHEUS },
        { "", REPORT_PROMETHEUS },
        { "*/*", REPORT_PROMETHEUS },
        { "text/html,application/xhtml+xml,*/*;q=0.8", REPORT_PROMETHEUS },
        { "text/plain", REPORT_PROMETHEUS },
        { "application/openmetrics-text", REPORT_OPENMETRICS },
        { "Application/OpenMetrics-Text ; Version = 1.0.0 ; charset=utf-8", REPORT_OPENMETRICS },
        { "application/openmetrics-text;version=0.0.1", REPORT_PROMETHEUS },
        { "application/openmetrics-text;q=0", REPORT_PROMETHEUS },
        { "application/openmetrics-text;q=0.000", REPORT_PROMETHEUS },
        { "application/openmetrics-text;q=0.4,text/plain;version=0.0.4;q=0.5", REPORT_PROMETHEUS },
        { "application/openmetrics-text;q=0.5,text/plain;version=0.0.4;q=0.5", REPORT_OPENMETRICS },
        { "text/plain;version=1.0.0,application/openmetrics-text;q=0.001", REPORT_OPENMETRICS },
        /* Prometheus 2.42, and 3 */
        { "application/openmetrics-text; version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          REPORT_OPENMETRICS },
        { "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
          "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
          "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
          REPORT_OPENMETRICS },
        { ",;,=;q,q=;;,application/openmetrics-text;q=x", REPORT_OPENMETRICS },
        { "application/openmetrics-textual, openmetrics-text, application", REPORT_PROMETHEUS },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(report_format_for(cases[i].accept), cases[i].format);
    assert_string_equal(report_content_types[REPORT_OPENMETRICS],
                        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_string_equal(report_content_types[REPORT_PROMETHEUS], "text/plain; version=0.0.4; charset=utf-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_observe),
        cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
