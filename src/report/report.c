/* report.c - the numbers of a module in the status and in its line. */
#include <string.h>

#include <sonoran-pushd/report.h>

uint64_t report_value(const struct report_row *row, const void *values)
{
    uint64_t number;
    memcpy(&number, (const char *) values + row->offset, sizeof(number));
    return number;
}

void report_observe(struct report_histogram *histogram, const struct report_limits *limits, uint64_t value)
{
    size_t i = 0;
    while (i < limits->n && value > limits->v[i])
        i++;
    report_count(&histogram->n[i], 1);
    report_count(&histogram->sum, value);
}

void report_copy(void *ret, const void *values, size_t size)
{
    const uint64_t *from = values;
    uint64_t *to = ret;
    for (size_t i = 0; i < size / sizeof(*from); i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static void add_member(struct json_writer *out, const struct report_row *row, uint64_t number)
{
    switch (row->kind) {
    case REPORT_COUNTER:
    case REPORT_GAUGE:
    case REPORT_STATE:
        json_add_int(out, row->member, (int64_t) number);
        return;
    case REPORT_FLAG:
        json_add_bool(out, row->member, number);
        return;
    case REPORT_TIME:
        if (number)
            json_add_time(out, row->member, number);
        return;
    case REPORT_HISTOGRAM:
    case REPORT_INFO:
        return; /* these are metrics only */
    }
}

static bool is_of(const struct report_row *row, const char *object)
{
    return row->member && (object && row->object ? strcmp(object, row->object) == 0 : object == row->object);
}

void report_add_members(struct json_writer *out, const struct report_part *part, const char *object)
{
    for (size_t i = 0; i < part->table->n; i++) {
        const struct report_row *row = &part->table->rows[i];
        if (is_of(row, object))
            add_member(out, row, report_value(row, part->values));
    }
}

void report_add_line(struct text *out, const struct report_part *part)
{
    for (size_t i = 0; i < part->table->n; i++) {
        const struct report_row *row = &part->table->rows[i];
        uint64_t number = report_value(row, part->values);
        if (!row->line || (row->kind == REPORT_TIME && !number))
            continue;
        if (row->kind != REPORT_TIME) {
            text_addf(out, ", %llu %s", (unsigned long long) number, row->line);
            continue;
        }
        text_addf(out, ", %s ", row->line);
        text_add_time_utc(out, number);
    }
}

void report_add_doubt(struct text *out, const struct report_row *row, const char *which, uint64_t n)
{
    const struct report_doubt *doubt = &row->doubt;
    const char *things = n == 1 ? doubt->one : doubt->many;
    if (which)
        text_addf(out, "%s %s %llu %s", which, doubt->words, (unsigned long long) n, things);
    else
        text_addf(out, "%llu %s %s", (unsigned long long) n, things, doubt->words);
    text_add(out, row->kind == REPORT_COUNTER ? " since the start" : "");
}
