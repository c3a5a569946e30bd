/* period.h - inside src/ctl: what the verbs share that count over a time, and how they say which time it was. */
#pragma once

#include <sonoran-pushd/json.h>

#include "ctl_private.h"

struct period {
    struct ctl_common common;
    usec_t since_us, until_us;
    const char *community;
    bool csv;
};

int period_read_since(void *period, const char *value, struct err *err);
int period_read_until(void *period, const char *value, struct err *err);

#define PERIOD_OPTIONS                                                                                                 \
    { "since", 0, "T", period_read_since, "what was from T on (default: from the beginning of the log)", 0 },          \
        { "until", 0, "T", period_read_until, "what was up to T", 0 },                                                 \
        { "community", 0, "C", NULL, "only of one community", offsetof(struct period, community) },                    \
    {                                                                                                                  \
        "csv", 0, NULL, NULL, "a table for spreadsheets", offsetof(struct period, csv)                                 \
    }

/* -1: go on; else the exit status. */
int period_check(const struct period *period) MUST_CHECK;

/* The log, read from. Returns the exit status. */
int period_open(const struct period *period, struct store_reader **ret) MUST_CHECK;

/* "2026-11-23 16:00 to 2026-11-24 16:00 (CET)". */
void period_write(usec_t since_us, usec_t until_us, struct text *out);

/* What was not counted, a sentence and its line end for each: oldest_us 0, set_back false: nothing. */
void period_write_missing(usec_t oldest_us, bool set_back, struct text *out);
void period_add_time(struct json_writer *out, const char *name, usec_t time_us); /* null for 0 */

/* A cell of CSV (RFC 4180): in quotes where it has to be, and with ' in front of what a spreadsheet would compute. */
void period_add_cell(struct text *out, const char *cell);
void period_add_number(struct text *out, uint64_t number);
void period_end_row(struct text *out);
