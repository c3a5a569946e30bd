/* counts.c - the daemon's counts in status and doctor. */
#include <ctype.h>
#include <string.h>

#include <sonoran-pushd/http.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/source_gate.h>

#include "counts.h"

const struct report_table *const counts_tables[COUNTS_N_TABLES] = { &gate_report, &http_report, &pipeline_report,
                                                                    &log_report };

static const cJSON *object_of(const cJSON *told, const struct report_row *row)
{
    return row->object ? json_get(told, row->object) : told;
}

uint64_t counts_get(const cJSON *told, const struct report_row *row)
{
    return row->member ? json_get_count(object_of(told, row), row->member) : 0;
}

/* "last 5 min ago, from 203.0.113.7: TLS", as far as it is told. */
static void add_last(const cJSON *told, const char *member, const char *last_words, const char *from_words, usec_t now,
                     struct text *out)
{
    char name[64];
    snprintf(name, sizeof(name), "last_%s", member);
    const cJSON *last = json_get(told, name);
    usec_t at_us = daemon_get_time(last, "at");
    if (!at_us)
        return;
    text_add(out, last_words);
    table_write_ago(out, at_us, now);
    text_add(out, from_words);
    table_write_safe(out, json_get_text(last, "from"), STATUS_WORDS_MAX_CHARS);
    if (*json_get_text(last, "what")) {
        text_add(out, ": ");
        table_write_safe(out, json_get_text(last, "what"), STATUS_WORDS_MAX_CHARS);
    }
}

/* ---- status ---- */

static bool is_of(const struct report_row *row, const char *object)
{
    return row->object && row->member && strcmp(row->object, object) == 0;
}

static bool has_row(const struct report_table *table, const char *object, const char *member)
{
    for (size_t i = 0; i < table->n; i++)
        if (is_of(&table->rows[i], object) && strcmp(table->rows[i].member, member) == 0)
            return true;
    return false;
}

/* What a newer daemon counts besides, by its name there. */
static void add_others(const struct report_table *table, const char *object, const cJSON *counts, struct text *line)
{
    const cJSON *member;
    cJSON_ArrayForEach (member, counts) {
        uint64_t n = has_row(table, object, member->string) ? 0 : json_get_count(counts, member->string);
        if (!n)
            continue;
        text_addf(line, ", %llu ", (unsigned long long) n);
        table_write_safe(line, member->string, STATUS_WORDS_MAX_CHARS);
    }
}

/* The first is told always, the others where there were any. */
static void write_object(const cJSON *told, const struct report_table *table, const char *object, struct text *out)
{
    const cJSON *counts = json_get(told, object);
    struct text line CLEANUP(text_free) = TEXT_INIT, label CLEANUP(text_free) = TEXT_INIT;
    bool since_start = false;
    for (size_t i = 0; counts && i < table->n; i++) {
        const struct report_row *row = &table->rows[i];
        uint64_t n = counts_get(told, row);
        if (!is_of(row, object) || !row->words || (!n && line.size))
            continue;
        text_addf(&line, "%s%llu %s", line.size ? ", " : "", (unsigned long long) n, row->words);
        since_start |= row->kind == REPORT_COUNTER;
    }
    if (!line.size)
        return;
    add_others(table, object, counts, &line);
    text_add(&line, since_start ? " (since the start)" : "");
    text_addf(&label, "%c%s:", toupper((unsigned char) *object), object + 1);
    table_write_line(label.s, &line, out);
}

static void write_last(const cJSON *told, const struct report_row *row, usec_t now, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    add_last(told, row->member, "last ", ", from ", now, &line);
    if (line.size)
        table_write_line(row->last_label, &line, out);
}

void counts_write(const cJSON *told, const struct report_table *table, usec_t now, struct text *out)
{
    const char *object = NULL;
    for (size_t i = 0; i < table->n; i++) {
        const struct report_row *row = &table->rows[i];
        if (!row->object || (object && strcmp(row->object, object) == 0))
            continue;
        object = row->object;
        write_object(told, table, object, out);
    }
    for (size_t i = 0; i < table->n; i++)
        if (table->rows[i].last_label)
            write_last(told, &table->rows[i], now, out);
}

/* ---- doctor ---- */

void counts_write_last(const cJSON *told, const char *member, usec_t now, struct text *out)
{
    add_last(told, member, ", the last ", " from ", now, out);
}

uint64_t counts_check_one(const cJSON *told, const struct report_table *table, const char *check, const char *which,
                          usec_t now, struct findings *findings)
{
    uint64_t n_all = 0;
    for (size_t i = 0; i < table->n; i++) {
        const struct report_row *row = &table->rows[i];
        struct text sentence CLEANUP(text_free) = TEXT_INIT;
        uint64_t n = row->doubt.words ? counts_get(told, row) : 0;
        if (!n)
            continue;
        report_add_doubt(&sentence, row, which, n);
        counts_write_last(told, row->member, now, &sentence);
        finding_add(findings, FINDING_WARN,
                    check         ? check
                    : row->object ? row->object
                                  : row->member,
                    row->doubt.advice, "%s", sentence.s);
        n_all += n;
    }
    return n_all;
}

uint64_t counts_check(const cJSON *told, const struct report_table *table, usec_t now, struct findings *findings)
{
    return counts_check_one(told, table, NULL, NULL, now, findings);
}
