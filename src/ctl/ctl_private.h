/* ctl_private.h - inside src/ctl: what the verbs of sonoran-pushctl share. */
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
int actions_run(const char *config_file, int argc, char **argv);
int backup_run(const char *config_file, int argc, char **argv);
int board_run(const char *config_file, int argc, char **argv);
int doctor_run(const char *config_file, int argc, char **argv);
int events_run(const char *config_file, int argc, char **argv);
int failed_run(const char *config_file, int argc, char **argv);
int open_run(const char *config_file, int argc, char **argv);
int play_run(const char *config_file, int argc, char **argv);
int probe_run(const char *config_file, int argc, char **argv);
int reload_run(const char *config_file, int argc, char **argv);
int requests_replay_run(const char *config_file, int argc, char **argv);
int backup_restore_run(const char *config_file, int argc, char **argv);
int requests_retry_run(const char *config_file, int argc, char **argv);
int send_run(const char *config_file, int argc, char **argv);
int status_run(const char *config_file, int argc, char **argv);
int duty_run(const char *config_file, int argc, char **argv);
int stats_run(const char *config_file, int argc, char **argv);
int story_run(const char *config_file, int argc, char **argv);
int test_run(const char *config_file, int argc, char **argv);
int types_run(const char *config_file, int argc, char **argv);

/* "sonoran-pushctl: " and the sentence on stderr. Returns status. */
int ctl_fail(int status, const char *format, ...) PRINTF_LIKE(2, 3);

/* options.c: what a verb is told. The arguments of each begin with what all share. */
struct ctl_common {
    const char *config_file;
    const char *store; /* NULL: the configuration's */
    bool json, help;
};

/* What an option takes, and where that goes. -EINVAL with a sentence, which the option is put in front of. */
struct ctl_option {
    const char *name;
    char letter;       /* its short form; 0: none */
    const char *value; /* NULL: it has none */
    int (*read)(void *arguments, const char *value, struct err *err);
    const char *help;
    size_t at; /* read NULL: of the member that takes it as it is, a const char *, or a bool where there is no value */
};

#define OPTION_JSON(help)                                                                                              \
    {                                                                                                                  \
        "json", 0, NULL, NULL, help, offsetof(struct ctl_common, json)                                                 \
    }

#define OPTIONS_MAX 20

struct ctl_spec {
    const char *verb, *usage, *about;
    const char *footer;            /* NULL: none */
    const struct ctl_option *rows; /* --store, --config and --help come behind them */
    size_t n_rows;                 /* up to OPTIONS_MAX */
    int words_min, words_max;      /* that are no options; argv[optind] is the first of them */
};

/* -1: go on; else the exit status. */
int options_read(const struct ctl_spec *spec, void *arguments, int argc, char **argv) MUST_CHECK;
int options_usage(const struct ctl_spec *spec);

/* The id of an event; a name as configurations have it. */
int options_read_id(const char *value, uint64_t *ret) MUST_CHECK;
bool options_is_name(const char *word);

/* settings.c: the path of the event log, yours to free. Returns the exit status, and says why on stderr. */
int settings_find_store(const struct ctl_common *common, char **ret) MUST_CHECK;

/* wrap.c: of the terminal that stdout is, in characters; 0: it is none, and lines are as long as they are. */
size_t wrap_width(void);
/* words, which are safe already, go on with the line under way; no word is cut, and further lines begin with so many
 * blanks. With a line end. */
void wrap_write(struct text *out, const char *words, size_t indent, size_t width);
size_t wrap_chars(const char *s); /* how many characters of UTF-8 */

/* table.c: cells in rows of n_columns, which are safe already. notes: below each row, "" for none. */
void table_write(const char *const *cells, const char *const *notes, size_t n_rows, size_t n_columns, struct text *out);
/* The same, of cells that are filled one by one: row by row, no memory: NULL and out->failed. write takes them. */
struct text *table_cells_new(size_t n_rows, size_t n_columns, struct text *out);
void table_cells_write(struct text *take_cells, size_t n_rows, size_t n_columns, struct text *out);
/* "Listener:   main on [::]:30120", a line of status. */
void table_write_line(const char *label, const struct text *line, struct text *out);
#define STATUS_WORDS_MAX_CHARS 120                                  /* of words in it that are from elsewhere */
void table_write_ago(struct text *out, usec_t time_us, usec_t now); /* "3 min ago" */
void table_write_size(struct text *out, uint64_t bytes);
void table_write_safe(struct text *out, const char *words, size_t chars_max); /* text_add_safe */
/* All of out. Returns the exit status. */
int table_write_stdout(const struct text *out);

/* time.c: a point in time as people write it, relative to now. -EINVAL: not one. ret_second: it names a second as a
 * whole ("16:00:05"), not a point in it. */
int time_read(const char *text, usec_t now, usec_t *ret_us, bool *ret_second) MUST_CHECK;
#define TIME_FORMS                                                                                                     \
    "\"today\", \"yesterday\", \"16:00\", \"-2h\", \"-30min\", \"-7d\", \"2026-11-23\", \"2026-11-23 16:00\", "        \
    "\"now\" or unix seconds"

/* The same of a beginning, which is over: at 01:00 "23:00" is that of yesterday. */
int time_read_since(const char *text, usec_t now, usec_t *ret_us) MUST_CHECK;

/* "2026-11-23 16:00:00", local time; "CET", its zone now. */
void time_write(struct text *out, usec_t time_us);
void time_write_zone(struct text *out);

/* show.c: above what begins with a time and an id. */
void show_heading(const char *words, struct text *out);
/* With its line end. terminal: coloured; in JSON, raw characters that a terminal obeys become escapes. */
void show_event(const struct event *event, const struct description *description, bool json, bool terminal,
                struct text *out);
/* JSON as it came, safe for the terminal if there is one, and a line end. */
void show_json(const char *json, size_t size, bool terminal, struct text *out);

/* listing.c: from the log to stdout. */
#define QUERY_REFS_MAX 3
struct query {
    const char *store; /* path */
    struct store_filter filter;
    struct store_ref refs[QUERY_REFS_MAX]; /* all of which an event concerns */
    size_t n_refs;
    uint64_t id;    /* of the one event that is wanted, 0: of any */
    uint64_t limit; /* the newest so many, 0: all */
    bool follow, json;
};

/* 1: something was shown; 0: there was nothing to show; -EPIPE: whoever read our output went away; -EINVAL: the
 * community has to be named. */
int listing_run(const struct query *query, struct err *err) MUST_CHECK;
