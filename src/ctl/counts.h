/* counts.h - inside src/ctl: what the daemon counts, as the rows of report.h have it for people. A row that a module
 * gets is seen here by itself; a module that gets its first rows is a table of counts_tables. */
#pragma once

#include <sonoran-pushd/report.h>

#include "ctl_daemon.h"
#include "findings.h"

#define COUNTS_N_TABLES 4
extern const struct report_table *const counts_tables[COUNTS_N_TABLES]; /* of the status object itself */

/* What the daemon says of a row; 0 where it says nothing. told: the object that the rows are of. */
uint64_t counts_get(const cJSON *told, const struct report_row *row);

/* "Requests:   11 accepted, 2 malformed (since the start)", of each object that has words, and who was last. */
void counts_write(const cJSON *told, const struct report_table *table, usec_t now, struct text *out);

/* A warning of each doubt. Returns how much was doubted. */
uint64_t counts_check(const cJSON *told, const struct report_table *table, usec_t now, struct findings *findings);

/* The same of one of several: check "actions", which "action siren". */
uint64_t counts_check_one(const cJSON *told, const struct report_table *table, const char *check, const char *which,
                          usec_t now, struct findings *findings);

/* ", the last 5 min ago from 203.0.113.7", as far as it is told. */
void counts_write_last(const cJSON *told, const char *member, usec_t now, struct text *out);
