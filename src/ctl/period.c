/* period.c - since when until when; and the cells of a table for spreadsheets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "period.h"

int period_read_since(void *period, const char *value, struct err *err)
{
    if (time_read_since(value, now_us(), &((struct period *) period)->since_us) < 0)
        return err_set(err, -EINVAL, "expected a time: " TIME_FORMS);
    return 0;
}

/* A second that was named counts to its end; 0 is no end. */
int period_read_until(void *period, const char *value, struct err *err)
{
    bool second;
    usec_t until_us;
    if (time_read(value, now_us(), &until_us, &second) < 0)
        return err_set(err, -EINVAL, "expected a time: " TIME_FORMS);
    until_us += second ? USEC_PER_SEC - 1 : 0;
    ((struct period *) period)->until_us = until_us ? until_us : 1;
    return 0;
}

int period_check(const struct period *period)
{
    if (period->until_us && period->since_us > period->until_us)
        return ctl_fail(EXIT_USAGE, "--since is later than --until");
    if (period->csv && period->common.json)
        return ctl_fail(EXIT_USAGE, "--csv cannot go with --json");
    return -1;
}

int period_open(const struct period *period, struct store_reader **ret)
{
    char *path CLEANUP(cleanup_free) = NULL;
    struct err err;
    int status = settings_find_store(&period->common, &path);
    if (status != EXIT_SUCCESS)
        return status;
    return store_reader_open(ret, path, &err) < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

static void write_minute(usec_t time_us, struct text *out)
{
    time_t seconds = (time_t) (time_us / USEC_PER_SEC);
    char words[64] = "";
    struct tm tm;
    localtime_r(&seconds, &tm);
    strftime(words, sizeof(words), "%Y-%m-%d %H:%M", &tm);
    text_add(out, words);
}

void period_write(usec_t since_us, usec_t until_us, struct text *out)
{
    write_minute(since_us, out);
    text_add(out, " to ");
    write_minute(until_us, out);
    text_add(out, " (");
    time_write_zone(out);
    text_add(out, ")");
}

void period_write_missing(usec_t oldest_us, bool set_back, struct text *out)
{
    if (oldest_us) {
        text_add(out, "The log begins at ");
        time_write(out, oldest_us);
        text_add(out, ": what was before is not in it.\n");
    }
    if (set_back)
        text_add(out, "The clock was set back in this time: what lies across that is not counted.\n");
}

void period_add_time(struct json_writer *out, const char *name, usec_t time_us)
{
    if (time_us)
        json_add_time(out, name, time_us);
    else
        json_add_null(out, name);
}

/* ---- CSV ---- */

static void add_comma(struct text *out)
{
    if (out->size && out->s[out->size - 1] != '\n')
        text_add(out, ",");
}

/* Where it would be computed. Some spreadsheets take ; between cells, and then none of the quotes around one. */
static bool is_formula(const char *cell, const char *at)
{
    const char *begin = at;
    while (begin > cell && (begin[-1] == ' ' || begin[-1] == '"'))
        begin--;
    return strchr("=+-@", *at) && begin > cell && begin[-1] == ';';
}

/* What was written by people is theirs: no control character gets into a cell. */
void period_add_cell(struct text *out, const char *cell)
{
    struct text plain CLEANUP(text_free) = TEXT_INIT;
    text_add_plain(&plain, cell, strlen(cell));
    add_comma(out);
    bool formula = *plain.s && strchr("=+-@'", *plain.s);
    bool quoted = strpbrk(plain.s, ",;\"") || plain.s[strspn(plain.s, " ")] != *plain.s;
    text_add(out, quoted ? "\"" : "");
    text_add(out, formula ? "'" : "");
    for (const char *p = plain.s; *p; p++) {
        text_add(out, is_formula(plain.s, p) ? "'" : *p == '"' ? "\"" : "");
        text_add_bytes(out, p, 1);
    }
    text_add(out, quoted ? "\"" : "");
    out->failed |= plain.failed;
}

void period_add_number(struct text *out, uint64_t number)
{
    add_comma(out);
    text_addf(out, "%llu", (unsigned long long) number);
}

void period_end_row(struct text *out)
{
    text_add(out, "\r\n");
}
