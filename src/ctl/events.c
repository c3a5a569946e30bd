/* events.c - "sonoran-pushctl events": what its options ask for. Reading and printing is walk.c. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/events.h>

#include "private.h"

#define DEFAULT_LIMIT 100 /* for people who set no bounds */
#define LIMIT_MAX 10000000

struct arguments {
    const char *config_file;
    const char *limit;
    char *type; /* ours */
    struct query query;
    bool help;
};

/* Each option: what it takes, and where that goes. -EINVAL with a sentence, which the option is put in front of. */
struct events_option {
    const char *name;
    const char *value; /* NULL: it has none */
    int (*read)(struct arguments *arguments, const char *value, struct err *err);
    const char *help;
};

static int read_whole(const char *value, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (isspace((unsigned char) *value) || end == value || *end || errno || n < min || n > max)
        return err_set(err, -EINVAL, "expected a whole number%s", min > 0 ? " from 1 on" : "");
    *ret = n;
    return 0;
}

/* An alias is stored under its real name; types are upper case there. */
static int read_type(struct arguments *arguments, const char *value, struct err *err)
{
    const struct event_family *family;
    free(arguments->type);
    arguments->type = strdup(value);
    if (!arguments->type)
        return err_set(err, -ENOMEM, "no memory");
    for (char *p = arguments->type; *p; p++)
        *p = (char) toupper((unsigned char) *p);
    const struct event_type *type = event_find_type(&all_event_families, arguments->type, &family);
    arguments->query.filter.type = type ? type->name : arguments->type;
    return 0;
}

static int read_verdict(struct arguments *arguments, const char *value, struct err *err)
{
    for (enum event_verdict verdict = EVENT_ACCEPTED; verdict <= EVENT_INVALID; verdict++)
        if (strcmp(value, event_verdict_name(verdict)) == 0) {
            arguments->query.filter.verdict = event_verdict_name(verdict);
            return 0;
        }
    return err_set(err, -EINVAL, "expected accepted, unknown or invalid");
}

static int read_community(struct arguments *arguments, const char *value, struct err *err)
{
    (void) err;
    arguments->query.filter.community = value;
    return 0;
}

static int read_since(struct arguments *arguments, const char *value, struct err *err)
{
    bool second;
    if (time_read(value, now_us(), &arguments->query.filter.since_us, &second) < 0)
        return err_set(err, -EINVAL, "expected a time: " TIME_FORMS);
    return 0;
}

/* A second that was named counts to its end: what was shown as 16:00:05 came before --until 16:00:05 is over. */
static int read_until(struct arguments *arguments, const char *value, struct err *err)
{
    bool second;
    usec_t until_us;
    if (time_read(value, now_us(), &until_us, &second) < 0)
        return err_set(err, -EINVAL, "expected a time: " TIME_FORMS);
    arguments->query.filter.until_us = until_us + (second ? USEC_PER_SEC - 1 : 0);
    if (arguments->query.filter.until_us == 0)
        arguments->query.filter.until_us = 1; /* 0 is no end */
    return 0;
}

static int read_call(struct arguments *arguments, const char *value, struct err *err)
{
    arguments->query.call.wanted = true;
    return read_whole(value, INT64_MIN, INT64_MAX, &arguments->query.call.id, err);
}

static int read_call911(struct arguments *arguments, const char *value, struct err *err)
{
    arguments->query.call911.wanted = true;
    return read_whole(value, INT64_MIN, INT64_MAX, &arguments->query.call911.id, err);
}

static int read_unit(struct arguments *arguments, const char *value, struct err *err)
{
    arguments->query.unit.wanted = true;
    return read_whole(value, INT64_MIN, INT64_MAX, &arguments->query.unit.id, err);
}

static int read_after(struct arguments *arguments, const char *value, struct err *err)
{
    int64_t id;
    int r = read_whole(value, 0, INT64_MAX, &id, err);
    if (r == 0)
        arguments->query.filter.after_id = (uint64_t) id;
    return r;
}

static int read_limit(struct arguments *arguments, const char *value, struct err *err)
{
    int64_t n;
    int r = read_whole(value, 1, LIMIT_MAX, &n, err);
    if (r < 0)
        return r;
    arguments->limit = value;
    arguments->query.limit = (uint64_t) n;
    return 0;
}

static int read_follow(struct arguments *arguments, const char *value, struct err *err)
{
    (void) value, (void) err;
    arguments->query.follow = true;
    return 0;
}

static int read_json(struct arguments *arguments, const char *value, struct err *err)
{
    (void) value, (void) err;
    arguments->query.json = true;
    return 0;
}

static int read_store(struct arguments *arguments, const char *value, struct err *err)
{
    (void) err;
    arguments->query.store = value;
    return 0;
}

static int read_config(struct arguments *arguments, const char *value, struct err *err)
{
    (void) err;
    arguments->config_file = value;
    return 0;
}

static int read_help(struct arguments *arguments, const char *value, struct err *err)
{
    (void) value, (void) err;
    arguments->help = true;
    return 0;
}

static const struct events_option rows[] = {
    { "type", "GLOB", read_type, "only these types: EVENT_911, 'EVENT_UNIT_*'" },
    { "verdict", "V", read_verdict, "only accepted, unknown (type) or invalid (data) ones" },
    { "community", "C", read_community, "only those of one community" },
    { "since", "T", read_since, "not before T" },
    { "until", "T", read_until, "not after T" },
    { "call", "N", read_call, "only those that concern dispatch call N" },
    { "911", "N", read_call911, "only those that concern 911 call N" },
    { "unit", "N", read_unit, "only those that concern unit N" },
    { "after", "ID", read_after, "only those behind event ID" },
    { "limit", "N", read_limit, "only the newest N (without other bounds: 100, with --json all)" },
    { "follow", NULL, read_follow, "go on with what comes, until interrupted" },
    { "json", NULL, read_json, "whole event records, one a line" },
    { "store", "PATH", read_store, "read this event log, and no configuration" },
    { "config", "FILE", read_config, "the daemon's configuration, which names the event log" },
    { "help", NULL, read_help, "print this and end" },
};

static void help(void)
{
    puts("Usage: " CTL_NAME " [-c FILE] events [OPTION]...\n"
         "Prints the events in the log, oldest first, whether the daemon runs or not.\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char option[32];
        snprintf(option, sizeof(option), "--%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
        printf("  %-16s %s\n", option, rows[i].help);
    }
    puts("\nT is a local time: " TIME_FORMS ".");
}

static int usage(void)
{
    fputs("Try: " CTL_NAME " events --help\n", stderr);
    return EXIT_USAGE;
}

static void make_options(struct option *ret_options)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        ret_options[i] = (struct option){ .name = rows[i].name,
                                          .has_arg = rows[i].value ? required_argument : no_argument,
                                          .val = 256 + (int) i };
}

static const struct events_option *row_of(int c)
{
    if (c >= 256)
        return &rows[c - 256];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if ((c == 'c' && rows[i].read == read_config) || (c == 'h' && rows[i].read == read_help))
            return &rows[i];
    return NULL;
}

static int check_together(struct arguments *arguments)
{
    struct query *query = &arguments->query;
    bool bounds = query->filter.since_us || query->filter.until_us || query->filter.after_id || query->call.wanted ||
                  query->call911.wanted || query->unit.wanted;
    if (query->follow && query->filter.until_us)
        return ctl_fail(EXIT_USAGE, "--follow has no end: it cannot go with --until");
    if (query->filter.until_us && query->filter.since_us > query->filter.until_us)
        return ctl_fail(EXIT_USAGE, "--since is later than --until");
    if (!arguments->limit && !bounds && !query->json)
        query->limit = DEFAULT_LIMIT;
    return -1;
}

/* -1: go on; else the exit status. */
static int read_arguments(struct arguments *arguments, int argc, char **argv)
{
    struct option options[ARRAY_SIZE(rows) + 1] = { 0 };
    struct err err;

    make_options(options);
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        const struct events_option *row = row_of(c);
        if (!row)
            return usage();
        int r = row->read(arguments, optarg, &err);
        if (r < 0) {
            struct text value CLEANUP(text_free) = TEXT_INIT;
            text_add_safe(&value, optarg, strlen(optarg), 80);
            return ctl_fail(r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, "--%s %s: %s", row->name, value.s, err.msg);
        }
    }
    if (arguments->help) {
        help();
        return EXIT_SUCCESS;
    }
    if (optind < argc) {
        ctl_fail(0, "unexpected argument");
        return usage();
    }
    return check_together(arguments);
}

/* Warnings about the file are the daemon's to tell. */
static int load_config(const char *file, struct config **ret)
{
    struct config_problems problems = { 0 };
    int r = config_load(file, NULL, ret, &problems);
    for (size_t i = 0; i < problems.n_lines && r < 0; i++)
        ctl_fail(0, "%s", problems.lines[i]);
    config_problems_free(&problems);
    if (r < 0)
        return ctl_fail(EX_CONFIG, "events --store PATH reads an event log without a configuration");
    return EXIT_SUCCESS;
}

static int run(struct arguments *arguments)
{
    struct config *config = NULL;
    struct err err = { "" };
    if (!arguments->query.store) {
        int status = load_config(arguments->config_file, &config);
        if (status != EXIT_SUCCESS)
            return status;
        arguments->query.store = config->store.path;
    }
    int r = walk_run(&arguments->query, &err);
    config_free(config);
    return r < 0 && r != -EPIPE ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

int events_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .config_file = config_file };
    int status = read_arguments(&arguments, argc, argv);
    if (status < 0)
        status = run(&arguments);
    free(arguments.type);
    return status;
}
