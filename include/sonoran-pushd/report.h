/* report.h - what is counted and measured, as rows: from one table come the status, its line and metrics.
 *
 * Shape:   a module has a table of rows over a struct of its own that it fills on demand. Each number there is a
 *          uint64_t. A new one is a member of the struct and a row; who shows it changes nothing. What
 *          sonoran-pushctl makes of the status object, in status, actions and doctor, stands in the same row. A
 *          distribution is a member of its own type (struct report_histogram), and its row names the limits.
 * Units:   in the name of the row and in unit: bytes; seconds, which are microseconds here, and of a time those since
 *          1970 UTC.
 * Rules:   a counter never goes back while what it counts is configured, whatever is reloaded: an action that is
 *          taken out and comes back begins anew. Labels come from the configuration or from the table, and of other
 *          nodes from what a Redis server has of them, as many as anybody draws; never from a sender.
 * Owner:   parts borrow everything; a list has copies.
 * Threads: any; everything here is pure. What one thread counts while others look (report_count, report_observe) they
 *          look at by report_copy.
 * Errors:  text.failed.
 * Source:  design section 15; OpenMetrics 1.0.
 */
#pragma once

#include <sonoran-pushd/json.h>

enum report_kind {
    REPORT_COUNTER,
    REPORT_GAUGE,
    REPORT_FLAG,      /* 0, 1 */
    REPORT_TIME,      /* 0: never */
    REPORT_HISTOGRAM, /* of limits */
    REPORT_STATE,     /* one of states, by its number */
    REPORT_INFO,      /* a text, which is a label of the one sample that the rows of its name have together */
};

/* What was observed, by how large it was: n[i] up to limit i, the one behind the last limit all that was larger. */
#define REPORT_LIMITS_MAX 15
struct report_histogram {
    uint64_t n[REPORT_LIMITS_MAX + 1];
    uint64_t sum;
};

/* In the order of their size, in what the histogram counts. */
struct report_limits {
    uint64_t v[REPORT_LIMITS_MAX];
    size_t n;
};

/* What is worth a warning where it is not 0: "3 requests brought no event since the start"; of one of several
 * "action siren has given up 3 deliveries since the start". */
struct report_doubt {
    const char *one, *many; /* "request", "requests" */
    const char *words;      /* NULL: it is not worth one */
    const char *advice;     /* what to do about it; NULL: there is nothing to do */
};

struct report_row {
    const char *name; /* of the metric, "store_wal_bytes"; rows of one name stand together and share unit, kind, help */
    const char *unit; /* what the name ends in; NULL: a number of things */
    bool common;      /* the name is one that programs share, "process_open_fds": ours is not put before it */
    bool status_only; /* it is no metric: those have it by listener, by community, in a row of another table */
    enum report_kind kind;
    const struct report_limits *limits; /* REPORT_HISTOGRAM */
    const char *const *states;          /* REPORT_STATE: up to NULL */
    const char *label, *value; /* what tells rows of one name apart: "result", "accepted"; NULL: there is one */
    const char *help;
    const char *object; /* the object of the status that it is a member of; NULL: the status itself, and /health, which
                         * strangers may see */
    const char *member; /* its name there; NULL: the status does not show it */
    const char *line;   /* its words in STATUS=, behind a number, before a time; NULL: it is not there */
    const char *words; /* for people, behind its number in the line of its object, which it needs then; of an action the
                        * head of its column. NULL: they do not see it */
    const char *last_label; /* before who it was last, which is in the status as "last_MEMBER"; NULL: nobody is told */
    struct report_doubt doubt;
    size_t offset;
};

/* Of a member, which has to be a uint64_t. */
#define REPORT_OFFSET(type, member)                                                                                    \
    (offsetof(type, member) + 0 * sizeof(char[sizeof(((type *) 0)->member) == sizeof(uint64_t) ? 1 : -1]))

/* Of a text, for REPORT_INFO; of a distribution. */
#define REPORT_OFFSET_TEXT(type, member)                                                                               \
    (offsetof(type, member) + 0 * sizeof(char[sizeof(*((type *) 0)->member) == 1 ? 1 : -1]))
#define REPORT_OFFSET_HISTOGRAM(type, member)                                                                          \
    (offsetof(type, member) +                                                                                          \
     0 * sizeof(char[sizeof(((type *) 0)->member) == sizeof(struct report_histogram) ? 1 : -1]))

struct report_table {
    const struct report_row *rows;
    size_t n;
};

/* Which of several: "action", "siren". name NULL: none. */
struct report_label {
    const char *name, *value;
};

/* The rows of a module with their numbers. */
#define REPORT_LABELS 2
struct report_part {
    const struct report_table *table;
    const void *values;
    struct report_label labels[REPORT_LABELS]; /* which one of several; none: the only one */
};

/* ---- counting, in one thread or several, under no lock ---- */

static inline void report_count(uint64_t *counter, uint64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static inline void report_set(uint64_t *gauge, uint64_t number)
{
    __atomic_store_n(gauge, number, __ATOMIC_RELAXED);
}

void report_observe(struct report_histogram *histogram, const struct report_limits *limits, uint64_t value);

/* As they are now, of a struct that has nothing but uint64_t and histograms. */
void report_copy(void *ret, const void *values, size_t size);

/* ---- showing ---- */

uint64_t report_value(const struct report_row *row, const void *values);

/* "name":number, of the rows of this object (NULL: of none), into the object under way. A time is a text, and left out
 * where there is none. */
void report_add_members(struct json_writer *out, const struct report_part *part, const char *object);

/* ", 1042 in the log, the last at 2026-11-24T…Z" */
void report_add_line(struct text *out, const struct report_part *part);

/* The sentence of the row's doubt, without its end. which: "action siren"; NULL: the only one. */
void report_add_doubt(struct text *out, const struct report_row *row, const char *which, uint64_t n);

/* All that is to be seen together. What is added is copied: size bytes of values, the labels' values. */
struct report_list {
    struct report_part *parts;
    size_t n, room;
    bool failed; /* there was no memory */
};

void report_list_add(struct report_list *list, const struct report_part *part, size_t size);
void report_list_free(struct report_list *list);

/* exposition.c: to their end, in OpenMetrics 1.0 or in the text that Prometheus had before it (0.0.4). Parts of one
 * table may stand anywhere. */
enum report_format { REPORT_OPENMETRICS, REPORT_PROMETHEUS };

extern const char *const report_content_types[]; /* by format */
void report_add_metrics(struct text *out, enum report_format format, const struct report_part *parts, size_t n);

/* The one of them that the value of an Accept header asks for; NULL: there is none. */
enum report_format report_format_for(const char *accept);
