/* private.h - inside src/ctl: what the verbs of sonoran-pushctl share. */
#pragma once

#include <sonoran-pushd/base.h>
#include <sonoran-pushd/store.h>
#include <sonoran-pushd/text.h>

#define CTL_NAME "sonoran-pushctl"
#define EXIT_USAGE 2

/* A verb gets its own word as argv[0] and returns the exit status. config_file: of -c, which a verb takes too. */
struct verb {
    const char *name;
    int (*run)(const char *config_file, int argc, char **argv);
    const char *help; /* one line */
};

/* Each verb, and what it is called with, a file. */
int events_run(const char *config_file, int argc, char **argv);

/* "sonoran-pushctl: " and the sentence on stderr. Returns status. */
int ctl_fail(int status, const char *format, ...) PRINTF_LIKE(2, 3);

/* time.c: a point in time as people write it, relative to now. -EINVAL: not one. ret_second: it names a second as a
 * whole ("16:00:05"), not a point in it. */
int time_read(const char *text, usec_t now, usec_t *ret_us, bool *ret_second) MUST_CHECK;
#define TIME_FORMS                                                                                                     \
    "\"2026-11-23\", \"2026-11-23 16:00\", \"16:00\", \"-2h\", \"-30min\", \"-7d\", \"now\" or unix seconds"

/* "2026-11-23 16:00:00", local time. */
void time_write(struct text *out, usec_t time_us);

/* show.c: what an event says, and why it was refused where it was (the sentence is in reason, which has to live as
 * long as event). */
void show_describe(struct event *event, const struct state *state, struct err *reason, struct description *out);
/* With its line end. terminal: coloured; in JSON, raw characters that a terminal obeys become escapes. */
void show_event(const struct event *event, const struct description *description, bool json, bool terminal,
                struct text *out);

/* walk.c: from the log to stdout. */
struct query {
    const char *store; /* path */
    struct store_filter filter;
    struct {
        bool wanted;
        int64_t id;
    } call, call911, unit;
    uint64_t limit; /* the newest so many, 0: all */
    bool follow, json;
};

/* -EPIPE: whoever read our output went away. */
int walk_run(const struct query *query, struct err *err) MUST_CHECK;
