/* events.c - "sonoran-pushctl events": what its options ask for. Reading and printing is listing.c. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/families.h>

#include "ctl_private.h"

#define DEFAULT_LIMIT 100 /* for people who set no bounds */
#define LIMIT_MAX 10000000

struct arguments {
    struct ctl_common common;
    const char *limit;
    char *type, *unit; /* ours */
    struct query query;
};

static int read_whole(const char *value, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (isspace((unsigned char) *value) || end == value || *end || (n < min && n != INT64_MIN))
        return err_set(err, -EINVAL, "expected a whole number%s", min > 0 ? " from 1 on" : "");
    if (errno || n < min || n > max) /* of too many digits too */
        return err_set(err, -ERANGE, "too %s: expected a whole number from %lld to %lld", n < 0 ? "small" : "large",
                       (long long) min, (long long) max);
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
    const struct event_type *type = event_find_type(&families_all, arguments->type, &family);
    if (!type)
        type = event_find_stored_type(&families_all, arguments->type, EVENT_INTERNAL, &family);
    arguments->query.filter.type = type ? type->name : arguments->type;
    /* It may be one of a later version, of which the log has some. */
    const char *near = type || strpbrk(value, "*?[") ? NULL : event_nearest_type(&families_all, value);
    if (near)
        ctl_fail(0, "%s is not a type that is known, did you mean %s?", arguments->type, near);
    return 0;
}

static int read_verdict(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    enum event_verdict verdict;
    if (event_verdict_read(value, &verdict) < 0)
        return err_set(err, -EINVAL, EVENT_VERDICTS_EXPECTED);
    arguments->query.filter.verdict = event_verdict_name(verdict);
    return 0;
}

static int read_since(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    if (time_read_since(value, now_us(), &arguments->query.filter.since_us) < 0)
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

/* The last one of its kind counts. */
static struct store_ref *add_ref(struct query *query, const char *kind)
{
    size_t i = 0;
    while (i < query->n_refs && strcmp(query->refs[i].kind, kind) != 0)
        i++;
    query->n_refs = i == query->n_refs ? i + 1 : query->n_refs;
    query->refs[i] = (struct store_ref){ .kind = kind };
    return &query->refs[i];
}

static int read_ref(struct arguments *arguments, const char *kind, const char *value, struct err *err)
{
    struct store_ref *ref = add_ref(&arguments->query, kind);
    ref->has_id = true;
    return read_whole(value, INT64_MIN, INT64_MAX, &ref->id, err);
}

static int read_call911(void *context, const char *value, struct err *err)
{
    return read_ref(context, "911", value, err);
}

static int read_call(void *context, const char *value, struct err *err)
{
    static const char call911[] = "911:";
    if (strncmp(value, call911, strlen(call911)) == 0)
        return read_call911(context, value + strlen(call911), err);
    return read_ref(context, "call", value, err);
}

/* A whole number may be either. */
static int read_unit(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    struct store_ref *ref = add_ref(&arguments->query, "unit");
    struct err no_id;
    free(arguments->unit);
    arguments->unit = strdup(value);
    if (!arguments->unit)
        return err_set(err, -ENOMEM, "no memory");
    for (char *p = arguments->unit; *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char) (*p - 'a' + 'A') : *p;
    ref->has_id = read_whole(value, INT64_MIN, INT64_MAX, &ref->id, &no_id) == 0;
    ref->number = arguments->unit;
    return *value ? 0 : err_set(err, -EINVAL, "expected the id or the number of a unit");
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

static int read_id(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    if (options_read_id(value, &arguments->query.id) < 0)
        return err_set(err, -EINVAL, "expected the id of an event, a whole number from 1 on");
    return 0;
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
    { "type", 0, "GLOB", read_type, "only these types: EVENT_911, 'EVENT_UNIT_*'", 0 },
    { "verdict", 0, "V", read_verdict, "only accepted, unknown (type), invalid (data) or internal ones", 0 },
    { "community", 0, "C", NULL, "only those of one community; of other nodes a glob: *@edge1",
      offsetof(struct arguments, query.filter.community) },
    { "since", 0, "T", read_since, "not before T", 0 },
    { "until", 0, "T", read_until, "not after T", 0 },
    { "call", 0, "N", read_call, "only those that concern dispatch call N, or 911 call 911:N", 0 },
    { "911", 0, "N", read_call911, "only those that concern 911 call N", 0 },
    { "unit", 0, "U", read_unit, "only those that concern a unit: its id, or its number (3-L-27)", 0 },
    { "id", 0, "ID", read_id, "only event ID", 0 },
    { "after", 0, "ID", read_after, "only those behind event ID", 0 },
    { "limit", 'n', "N", read_limit, "only the newest N (without other bounds: 100, with --json all)", 0 },
    { "follow", 'f', NULL, NULL, "go on with what comes, until interrupted", offsetof(struct arguments, query.follow) },
    OPTION_JSON("whole event records, one a line"),
};

static const struct ctl_spec spec = {
    .verb = "events",
    .usage = "[OPTION]...",
    .about = "Prints the events in the log, oldest first, whether the daemon runs or not.",
    .footer = "T is a local time: " TIME_FORMS ".\n"
              "Exit status: 0 done, 1 the log cannot be read or event ID is not in it, 2 usage, 78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

static int check_together(struct arguments *arguments)
{
    struct query *query = &arguments->query;
    bool bounds =
        query->filter.since_us || query->filter.until_us || query->filter.after_id || query->id || query->n_refs;
    if (query->n_refs && query->filter.community && strpbrk(query->filter.community, "*?["))
        return ctl_fail(EXIT_USAGE, "ids are those of one community: --community has to name it, as in county@edge1");
    if (query->follow && query->id)
        return ctl_fail(EXIT_USAGE, "--id is one event: it cannot go with --follow");
    if (query->follow && query->filter.until_us)
        return ctl_fail(EXIT_USAGE, "--follow has no end: it cannot go with --until");
    if (query->filter.until_us && query->filter.since_us > query->filter.until_us)
        return ctl_fail(EXIT_USAGE, "--since is later than --until");
    if (!arguments->limit && !bounds && !arguments->common.json)
        query->limit = DEFAULT_LIMIT;
    return -1;
}

/* r: of listing_run */
static int tell_end(const struct query *query, int r, const struct err *err)
{
    if (r == -EINVAL)
        return ctl_fail(EXIT_USAGE, "%s", err->msg);
    if (r < 0 && r != -EPIPE)
        return ctl_fail(EXIT_FAILURE, "%s", err->msg);
    if (r == 0 && query->id)
        return ctl_fail(EXIT_FAILURE, "event %llu is not in the log, or not one of those that are wanted",
                        (unsigned long long) query->id);
    if (r == 0 && !query->json && !query->follow)
        fputs("No event matches.\n", stdout);
    return EXIT_SUCCESS;
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
    return tell_end(&arguments->query, listing_run(&arguments->query, &err), &err);
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
    free(arguments.unit);
    return status;
}
