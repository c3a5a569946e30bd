/* events.c - "sonoran-pushctl events": what its options ask for. Reading and printing is walk.c. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/events.h>

#include "private.h"

#define DEFAULT_LIMIT 100 /* for people who set no bounds */
#define LIMIT_MAX 10000000

struct arguments {
    struct ctl_common common;
    const char *limit;
    char *type; /* ours */
    struct query query;
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
static int read_type(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
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

static int read_verdict(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    for (enum event_verdict verdict = EVENT_ACCEPTED; verdict <= EVENT_INVALID; verdict++)
        if (strcmp(value, event_verdict_name(verdict)) == 0) {
            arguments->query.filter.verdict = event_verdict_name(verdict);
            return 0;
        }
    return err_set(err, -EINVAL, "expected accepted, unknown or invalid");
}

static int read_since(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    bool second;
    if (time_read(value, now_us(), &arguments->query.filter.since_us, &second) < 0)
        return err_set(err, -EINVAL, "expected a time: " TIME_FORMS);
    return 0;
}

/* A second that was named counts to its end: what was shown as 16:00:05 came before --until 16:00:05 is over. */
static int read_until(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    bool second;
    usec_t until_us;
    if (time_read(value, now_us(), &until_us, &second) < 0)
        return err_set(err, -EINVAL, "expected a time: " TIME_FORMS);
    arguments->query.filter.until_us = until_us + (second ? USEC_PER_SEC - 1 : 0);
    if (arguments->query.filter.until_us == 0)
        arguments->query.filter.until_us = 1; /* 0 is no end */
    return 0;
}

static int read_call(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    arguments->query.call.wanted = true;
    return read_whole(value, INT64_MIN, INT64_MAX, &arguments->query.call.id, err);
}

static int read_call911(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    arguments->query.call911.wanted = true;
    return read_whole(value, INT64_MIN, INT64_MAX, &arguments->query.call911.id, err);
}

static int read_unit(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    arguments->query.unit.wanted = true;
    return read_whole(value, INT64_MIN, INT64_MAX, &arguments->query.unit.id, err);
}

static int read_after(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    int64_t id = 0;
    int r = read_whole(value, 0, INT64_MAX, &id, err);
    if (r == 0)
        arguments->query.filter.after_id = (uint64_t) id;
    return r;
}

static int read_limit(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    int64_t n = 0;
    int r = read_whole(value, 1, LIMIT_MAX, &n, err);
    if (r < 0)
        return r;
    arguments->limit = value;
    arguments->query.limit = (uint64_t) n;
    return 0;
}

static const struct ctl_option rows[] = {
    { "type", "GLOB", read_type, "only these types: EVENT_911, 'EVENT_UNIT_*'", 0 },
    { "verdict", "V", read_verdict, "only accepted, unknown (type) or invalid (data) ones", 0 },
    { "community", "C", NULL, "only those of one community", offsetof(struct arguments, query.filter.community) },
    { "since", "T", read_since, "not before T", 0 },
    { "until", "T", read_until, "not after T", 0 },
    { "call", "N", read_call, "only those that concern dispatch call N", 0 },
    { "911", "N", read_call911, "only those that concern 911 call N", 0 },
    { "unit", "N", read_unit, "only those that concern unit N", 0 },
    { "after", "ID", read_after, "only those behind event ID", 0 },
    { "limit", "N", read_limit, "only the newest N (without other bounds: 100, with --json all)", 0 },
    { "follow", NULL, NULL, "go on with what comes, until interrupted", offsetof(struct arguments, query.follow) },
    OPTION_JSON("whole event records, one a line"),
};

static const struct ctl_spec spec = {
    .verb = "events",
    .usage = "[OPTION]...",
    .about = "Prints the events in the log, oldest first, whether the daemon runs or not.",
    .footer = "T is a local time: " TIME_FORMS ".",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

static int check_together(struct arguments *arguments)
{
    struct query *query = &arguments->query;
    bool bounds = query->filter.since_us || query->filter.until_us || query->filter.after_id || query->call.wanted ||
                  query->call911.wanted || query->unit.wanted;
    if (query->follow && query->filter.until_us)
        return ctl_fail(EXIT_USAGE, "--follow has no end: it cannot go with --until");
    if (query->filter.until_us && query->filter.since_us > query->filter.until_us)
        return ctl_fail(EXIT_USAGE, "--since is later than --until");
    if (!arguments->limit && !bounds && !arguments->common.json)
        query->limit = DEFAULT_LIMIT;
    return -1;
}

static int run(struct arguments *arguments)
{
    char *store CLEANUP(cleanup_free) = NULL;
    struct err err = { "" };
    int status = settings_find_store(&arguments->common, &store);
    if (status != EXIT_SUCCESS)
        return status;
    arguments->query.store = store;
    arguments->query.json = arguments->common.json;
    int r = walk_run(&arguments->query, &err);
    return r < 0 && r != -EPIPE ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

int events_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    int status = options_read(&spec, &arguments, argc, argv);
    if (status < 0)
        status = check_together(&arguments);
    if (status < 0)
        status = run(&arguments);
    free(arguments.type);
    return status;
}
