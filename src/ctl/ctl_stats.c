/* ctl_stats.c - "sonoran-pushctl stats": calls by day or hour, and how long until somebody came. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sonoran-pushd/json.h>
#include <sonoran-pushd/stats.h>

#include "period.h"

#define BUSIEST 3

struct arguments {
    struct period period;
    bool by_hour;
};

static int read_by(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    arguments->by_hour = strcmp(value, "hour") == 0;
    return arguments->by_hour || strcmp(value, "day") == 0 ? 0 : err_set(err, -EINVAL, "expected day or hour");
}

static const struct ctl_option rows[] = {
    { "by", 0, "SPAN", read_by, "day (the default) or hour, of local time", 0 },
    PERIOD_OPTIONS,
    OPTION_JSON("one object for programs"),
};

static const struct ctl_spec spec = {
    .verb = "stats",
    .usage = "[OPTION]...",
    .about =
        "Prints how many 911 calls and dispatch calls began on each day or in each hour; how long it took from a 911 "
        "call to the first unit on scene, and from the opening of a call to the first unit attached (half of them "
        "were not slower than MEDIAN, nine of ten not slower than P90); and the busiest hours. A day without any "
        "event is not listed. Test events do not count.",
    .footer = "T is a local time: " TIME_FORMS ".\n"
              "Exit status: 0 done, 1 the log cannot be read, 2 usage, 78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

/* ---- for people ---- */

enum { SPAN, CALLS911, CALLS, SCENE_MEDIAN, SCENE_P90, ATTACHED_MEDIAN, ATTACHED_P90, COLUMNS };

enum moment { MOMENT_DAY, MOMENT_HOUR, MOMENT_CSV_DAY, MOMENT_CSV_HOUR };

static void write_begin(usec_t time_us, enum moment how, struct text *out)
{
    time_t seconds = (time_t) (time_us / USEC_PER_SEC);
    char words[64] = "";
    struct tm tm;
    localtime_r(&seconds, &tm);
    if (how == MOMENT_DAY)
        strftime(words, sizeof(words), "%Y-%m-%d %a", &tm);
    else if (how == MOMENT_HOUR)
        strftime(words, sizeof(words), "%Y-%m-%d %H:%M %Z", &tm);
    else if (how == MOMENT_CSV_DAY)
        strftime(words, sizeof(words), "%Y-%m-%d", &tm);
    else
        strftime(words, sizeof(words), "%Y-%m-%dT%H:%M%z", &tm);
    text_add(out, words);
}

static void write_lapse(const struct stats_lapses *lapses, usec_t us, struct text *out)
{
    uint64_t s = us / USEC_PER_SEC;
    if (!lapses->n)
        text_add(out, "-");
    else if (s >= 3600)
        text_addf(out, "%llu:%02u:%02u", (unsigned long long) (s / 3600), (unsigned) (s / 60 % 60),
                  (unsigned) (s % 60));
    else
        text_addf(out, "%u:%02u", (unsigned) (s / 60), (unsigned) (s % 60));
}

static void fill_cells(const struct stats_span *span, struct text *cells)
{
    text_addf(&cells[CALLS911], "%u", span->n_calls911);
    text_addf(&cells[CALLS], "%u", span->n_calls);
    write_lapse(&span->on_scene, span->on_scene.median_us, &cells[SCENE_MEDIAN]);
    write_lapse(&span->on_scene, span->on_scene.p90_us, &cells[SCENE_P90]);
    write_lapse(&span->attached, span->attached.median_us, &cells[ATTACHED_MEDIAN]);
    write_lapse(&span->attached, span->attached.p90_us, &cells[ATTACHED_P90]);
}

static void write_heads(bool by_hour, struct text *cells)
{
    static const char *const words[] = { "DAY", "911", "CALLS", "ON SCENE MEDIAN", "P90", "ATTACHED MEDIAN", "P90" };
    for (size_t i = 0; i < COLUMNS; i++)
        text_add(&cells[i], i == SPAN && by_hour ? "HOUR" : words[i]);
}

static void write_table(const struct stats *stats, bool by_hour, struct text *out)
{
    size_t n_rows = stats->n_spans + 2;
    struct text *cells = table_cells_new(n_rows, COLUMNS, out), *row = cells;
    if (!cells)
        return;
    write_heads(by_hour, row);
    for (size_t i = 0; i < stats->n_spans; i++) {
        row += COLUMNS;
        write_begin(stats->spans[i].begin_us, by_hour ? MOMENT_HOUR : MOMENT_DAY, &row[SPAN]);
        fill_cells(&stats->spans[i], row);
    }
    row += COLUMNS;
    text_add(&row[SPAN], "all");
    fill_cells(&stats->total, row);
    table_cells_write(cells, n_rows, COLUMNS, out);
}

/* The next busiest hour of the day that is not among those before it; -1: no call began in any other. */
static int busiest(const struct stats *stats, const int *before, size_t n)
{
    int found = -1;
    for (int hour = 0; hour < 24; hour++) {
        bool again = false;
        for (size_t i = 0; i < n; i++)
            again |= before[i] == hour;
        if (!again && stats->by_hour[hour] && (found < 0 || stats->by_hour[hour] > stats->by_hour[found]))
            found = hour;
    }
    return found;
}

static void write_busiest(const struct stats *stats, struct text *out)
{
    int hours[BUSIEST] = { 0 };
    for (size_t n = 0; n < BUSIEST && (hours[n] = busiest(stats, hours, n)) >= 0; n++)
        text_addf(out, "%s%02d:00 (%u)",
                  n ? ", " : "\nBusiest hours of the day, with how many began in them: ", hours[n],
                  stats->by_hour[hours[n]]);
    text_add(out, out->size && out->s[out->size - 1] == ')' ? "\n" : "");
}

static void write_people(const struct stats *stats, bool by_hour, struct text *out)
{
    if (!stats->n_spans) {
        text_add(out, "The log has no event of this time.\n");
    } else {
        text_add(out, "Calls ");
        period_write(stats->since_us, stats->until_us, out);
        text_add(out, "\n\n");
        write_table(stats, by_hour, out);
        if (!stats->total.n_calls && !stats->total.n_calls911)
            text_add(out, "\nNo call began in this time; test events do not count.\n");
        write_busiest(stats, out);
    }
    period_write_missing(stats->oldest_us, stats->set_back, out);
}

/* ---- for programs ---- */

static void add_csv_lapses(const struct stats_lapses *lapses, struct text *out)
{
    period_add_number(out, lapses->n);
    if (!lapses->n) {
        text_add(out, ",,");
        return;
    }
    period_add_number(out, lapses->median_us / USEC_PER_SEC);
    period_add_number(out, lapses->p90_us / USEC_PER_SEC);
}

static void write_csv(const struct stats *stats, bool by_hour, struct text *out)
{
    text_add(out, "begin,calls911,calls,on_scene_n,on_scene_median_s,on_scene_p90_s,attached_n,attached_median_s,"
                  "attached_p90_s");
    period_end_row(out);
    for (size_t i = 0; i < stats->n_spans; i++) {
        const struct stats_span *span = &stats->spans[i];
        write_begin(span->begin_us, by_hour ? MOMENT_CSV_HOUR : MOMENT_CSV_DAY, out);
        period_add_number(out, span->n_calls911);
        period_add_number(out, span->n_calls);
        add_csv_lapses(&span->on_scene, out);
        add_csv_lapses(&span->attached, out);
        period_end_row(out);
    }
}

static void add_lapses(struct json_writer *out, const char *name, const struct stats_lapses *lapses)
{
    json_begin_object(out, name);
    json_add_int(out, "n", lapses->n);
    if (lapses->n) {
        json_add_int(out, "median_s", (int64_t) (lapses->median_us / USEC_PER_SEC));
        json_add_int(out, "p90_s", (int64_t) (lapses->p90_us / USEC_PER_SEC));
    } else {
        json_add_null(out, "median_s");
        json_add_null(out, "p90_s");
    }
    json_end(out);
}

static void add_span(struct json_writer *out, const char *name, const struct stats_span *span)
{
    json_begin_object(out, name);
    if (span->begin_us)
        json_add_time(out, "begin", span->begin_us);
    json_add_int(out, "calls911", span->n_calls911);
    json_add_int(out, "calls", span->n_calls);
    add_lapses(out, "on_scene", &span->on_scene);
    add_lapses(out, "attached", &span->attached);
    json_end(out);
}

static void write_json(const struct stats *stats, bool by_hour, struct text *out)
{
    struct text json CLEANUP(text_free) = TEXT_INIT;
    struct json_writer writer = json_writer(&json);
    json_begin_object(&writer, NULL);
    period_add_time(&writer, "since", stats->since_us);
    period_add_time(&writer, "until", stats->until_us);
    period_add_time(&writer, "log_begins", stats->oldest_us);
    json_add_bool(&writer, "clock_set_back", stats->set_back);
    json_add_text(&writer, "by", by_hour ? "hour" : "day");
    json_begin_array(&writer, "spans");
    for (size_t i = 0; i < stats->n_spans; i++)
        add_span(&writer, NULL, &stats->spans[i]);
    json_end(&writer);
    add_span(&writer, "all", &stats->total);
    json_begin_array(&writer, "by_hour_of_day");
    for (size_t i = 0; i < ARRAY_SIZE(stats->by_hour); i++)
        json_add_int(&writer, NULL, stats->by_hour[i]);
    json_end(&writer);
    json_end(&writer);
    show_json(json.s, json.size, isatty(STDOUT_FILENO), out);
    out->failed |= json.failed;
}

static int run(const struct arguments *arguments)
{
    const struct period *period = &arguments->period;
    const struct stats_asked asked = { period->since_us, period->until_us, period->community, arguments->by_hour };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct store_reader *reader = NULL;
    struct stats *stats = NULL;
    struct err err;
    int status = period_open(period, &reader);
    if (status != EXIT_SUCCESS)
        return status;
    int r = stats_read(reader, &asked, &stats, &err);
    store_reader_close(reader);
    if (r < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    if (period->csv)
        write_csv(stats, arguments->by_hour, &out);
    else if (period->common.json)
        write_json(stats, arguments->by_hour, &out);
    else
        write_people(stats, arguments->by_hour, &out);
    stats_free(stats);
    return table_write_stdout(&out);
}

int stats_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .period.common.config_file = config_file };
    int status = options_read(&spec, &arguments, argc, argv);
    if (status < 0)
        status = period_check(&arguments.period);
    return status < 0 ? run(&arguments) : status;
}
