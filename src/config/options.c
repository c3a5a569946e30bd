/* options.c - the table of all options, and its groups. */
#include <assert.h>
#include <string.h>

#include "private.h"

#define KIB ((uint64_t) 1 << 10)
#define MIB ((uint64_t) 1 << 20)
#define GIB ((uint64_t) 1 << 30)
#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)

#define SUGGEST_MAX_CHARS 40

#define MEMBER(type, member) .offset = offsetof(type, member), .size = sizeof(((type *) NULL)->member)
#define FIELD(member) MEMBER(struct config, member)
#define LISTENER(member) MEMBER(struct config_listener, member)
#define COMMUNITY(member) MEMBER(struct config_community, member)
#define LIST(member) .offset = offsetof(struct config, member), .size = sizeof(struct list)

#define ASSERT_LIST(member)                                                                                            \
    static_assert(offsetof(struct config, n_##member) ==                                                               \
                      offsetof(struct config, member) + offsetof(struct list, n_elements),                             \
                  "the number of " #member " stands right behind them")

ASSERT_LIST(listeners);
ASSERT_LIST(paths);
ASSERT_LIST(communities);

static const char *const unknown_types[] = { "reject", "accept", NULL };
static const char *const levels[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", NULL };
static const char *const durabilities[] = { "full", "normal", NULL };
static const char *const targets[] = { "auto", "journal", "text", "json", NULL };

static_assert(ARRAY_SIZE(unknown_types) == UNKNOWN_TYPES_ACCEPT + 2, "every value of unknown_types needs a word");
static_assert(ARRAY_SIZE(levels) == LOG_DEBUG + 2, "every level needs a word");
static_assert(ARRAY_SIZE(durabilities) == DURABILITY_NORMAL + 2, "every durability needs a word");
static_assert(ARRAY_SIZE(targets) == LOG_TARGET_JSON + 2, "every target needs a word");

static const struct config_list lists[] = {
    { .group = "listeners[]",
      .one = "listener",
      .offset = offsetof(struct config, listeners),
      .element_size = sizeof(struct config_listener) },
    { .group = "communities[]",
      .one = "community",
      .offset = offsetof(struct config, communities),
      .element_size = sizeof(struct config_community),
      .required = true },
};

struct list list_get(const void *base, size_t offset)
{
    struct list list;
    memcpy(&list, (const char *) base + offset, sizeof(list));
    return list;
}

void list_set(void *base, size_t offset, struct list list)
{
    memcpy((char *) base + offset, &list, sizeof(list));
}

const struct config_list *list_of(const char *group)
{
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (strcmp(lists[i].group, group) == 0)
            return &lists[i];
    return NULL;
}

struct rows rows_next(const struct config_option *row)
{
    struct rows rows = { row, 0 };
    const struct config_option *end = config_options + config_n_options;
    while (row + rows.n < end && strcmp(row[rows.n].group, row->group) == 0)
        rows.n++;
    return rows;
}

struct rows rows_of(const char *group)
{
    struct rows rows = rows_next(config_options);
    while (rows.n && strcmp(rows.first->group, group) != 0)
        rows = rows_next(rows.first + rows.n);
    return rows;
}

int group_name_size(const char *group)
{
    return (int) strcspn(group, "[");
}

static bool is_group_name(const char *group, const char *name)
{
    size_t size = (size_t) group_name_size(group);
    return size && strlen(name) == size && strncmp(group, name, size) == 0;
}

struct rows rows_of_setting(const char *name)
{
    struct rows rows = rows_next(config_options);
    while (rows.n && !is_group_name(rows.first->group, name))
        rows = rows_next(rows.first + rows.n);
    return rows;
}

const struct config_option *rows_find(struct rows rows, const char *name)
{
    for (size_t i = 0; i < rows.n; i++)
        if (strcmp(rows.first[i].name, name) == 0)
            return &rows.first[i];
    return NULL;
}

const struct config_option *option_partner(const struct config_option *option)
{
    struct rows rows = rows_of(option->group);
    for (size_t i = 0; i < rows.n; i++)
        if (rows.first[i].offset == option->offset && &rows.first[i] != option)
            return &rows.first[i];
    return NULL;
}

/* Letters to change, add or leave out to make b of a (Levenshtein), in one row of the usual table. */
static size_t distance(const char *a, const char *b)
{
    size_t row[SUGGEST_MAX_CHARS + 1], n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (; *a; a++) {
        size_t diagonal = row[0]++;
        for (size_t j = 1; j <= n; j++) {
            size_t best = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
}

struct nearest {
    const char *name;
    int size; /* of name, which may be "listeners[]" */
    size_t distance;
};

static void try_name(struct nearest *nearest, const char *written, const char *name, int size)
{
    char known[SUGGEST_MAX_CHARS + 1];
    if ((size_t) size >= sizeof(known))
        return;
    memcpy(known, name, (size_t) size);
    known[size] = '\0';

    size_t found = distance(written, known);
    if (found < nearest->distance)
        *nearest = (struct nearest){ name, size, found };
}

static bool suggest_elsewhere(struct text *text, const char *name)
{
    for (size_t i = 0; i < config_n_options; i++) {
        const struct config_option *option = &config_options[i];
        if (strcmp(option->name, name) == 0) {
            text_addf(text, "%s%s%s", option->group, *option->group ? "." : "", name);
            return true;
        }
    }
    struct rows rows = rows_of_setting(name);
    if (rows.n)
        text_add(text, name);
    return rows.n;
}

bool option_suggest(struct text *text, const char *group, const char *name)
{
    size_t size = strlen(name);
    if (size > SUGGEST_MAX_CHARS)
        return false;

    struct nearest nearest = { .distance = size < 5 ? 2 : size < 9 ? 3 : 4 };
    struct rows rows = rows_of(group);
    for (size_t i = 0; i < rows.n; i++)
        try_name(&nearest, name, rows.first[i].name, (int) strlen(rows.first[i].name));
    for (rows = rows_next(config_options); !*group && rows.n; rows = rows_next(rows.first + rows.n))
        try_name(&nearest, name, rows.first->group, group_name_size(rows.first->group));
    if (!nearest.name || !nearest.size)
        return suggest_elsewhere(text, name);

    text_add_bytes(text, nearest.name, (size_t) nearest.size);
    return true;
}

const struct config_option config_options[] = {
    { .group = "listeners[]",
      .name = "name",
      .type = CONFIG_NAME,
      LISTENER(name),
      .fallback = "main",
      .required = true,
      .unique = true,
      .restart = true,
      .help = "What the log calls this listener." },
    { .group = "listeners[]",
      .name = "address",
      .type = CONFIG_ADDRESS,
      LISTENER(address),
      .fallback = "[::]:30120",
      .unique = true,
      .restart = true,
      .help = "Where to listen; [::] is every address, of IPv6 and IPv4." },

    { .group = "",
      .name = "paths",
      .type = CONFIG_PATH,
      .list = true,
      LIST(paths),
      .fallback = "/sonorancad/event /",
      .unique = true,
      .help = "The paths that take events." },
    { .group = "",
      .name = "unknown_types",
      .type = CONFIG_WORD,
      FIELD(unknown_types),
      .fallback = "reject",
      .words = unknown_types,
      .help = "What to answer to an event of a type that is not known." },

    { .group = "communities[]",
      .name = "name",
      .type = CONFIG_NAME,
      COMMUNITY(name),
      .fallback = "default",
      .required = true,
      .unique = true,
      .help = "What the log calls this community." },
    { .group = "communities[]",
      .name = "api_key",
      .type = CONFIG_SECRET,
      COMMUNITY(api_key),
      .required = true,
      .unique = true,
      .help = "The key itself; api_key_file keeps it out of this file." },
    { .group = "communities[]",
      .name = "api_key_file",
      .type = CONFIG_FILE,
      COMMUNITY(api_key),
      .help = "A file with the key: in $CREDENTIALS_DIRECTORY, else beside this one." },

    { .group = "log",
      .name = "level",
      .type = CONFIG_WORD,
      FIELD(log.level),
      .fallback = "info",
      .words = levels,
      .help = "The least important lines to write." },
    { .group = "log",
      .name = "target",
      .type = CONFIG_WORD,
      FIELD(log.target),
      .fallback = "auto",
      .words = targets,
      .help = "Where lines go; auto is the journal under systemd, else text." },
    { .group = "log",
      .name = "payload",
      .type = CONFIG_SIZE,
      FIELD(log.payload_bytes),
      .fallback = "4K",
      .max = MIB,
      .help = "How much of an event's data to add to its line; 0 is nothing." },

    { .group = "store",
      .name = "path",
      .type = CONFIG_TEXT,
      FIELD(store.path),
      .fallback = "/var/lib/sonoran-pushd/events.db",
      .restart = true,
      .help = "The event log; relative in $STATE_DIRECTORY, else beside this file." },
    { .group = "store",
      .name = "durability",
      .type = CONFIG_WORD,
      FIELD(store.durability),
      .fallback = "full",
      .words = durabilities,
      .help = "What an answered event survives: the power cut, or only the end of the process." },
    { .group = "store",
      .name = "keep",
      .type = CONFIG_DURATION,
      FIELD(store.keep_us),
      .fallback = "30d",
      .min = MINUTE,
      .max = 3650 * 24 * HOUR,
      .help = "How long events are kept." },
    { .group = "store",
      .name = "max_size",
      .type = CONFIG_SIZE,
      FIELD(store.max_size_bytes),
      .fallback = "1G",
      .min = MIB,
      .max = 1024 * GIB,
      .help = "How large the event log may grow; the oldest events go first." },

    { .group = "limits",
      .name = "body",
      .type = CONFIG_SIZE,
      FIELD(limits.body_bytes),
      .fallback = "1M",
      .min = KIB,
      .max = 64 * MIB,
      .help = "The largest body of a request." },
    { .group = "limits",
      .name = "connections",
      .type = CONFIG_COUNT,
      FIELD(limits.connections),
      .fallback = "1024",
      .min = 1,
      .max = 65536,
      .help = "Connections at the same time." },
    { .group = "limits",
      .name = "connections_per_ip",
      .type = CONFIG_COUNT,
      FIELD(limits.connections_per_ip),
      .fallback = "64",
      .min = 1,
      .max = 65536,
      .help = "Connections at the same time from one address." },
    { .group = "limits",
      .name = "request_time",
      .type = CONFIG_DURATION,
      FIELD(limits.request_time_us),
      .fallback = "10s",
      .min = USEC_PER_SEC,
      .max = 10 * MINUTE,
      .help = "How long a request may take to arrive, and a connection be idle." },
    { .group = "limits",
      .name = "in_flight",
      .type = CONFIG_SIZE,
      FIELD(limits.in_flight_bytes),
      .fallback = "64M",
      .min = KIB,
      .max = 64 * GIB,
      .help = "All bodies together that are held at the same time; those up to 16K do not count." },
    { .group = "limits",
      .name = "failed_keys",
      .type = CONFIG_COUNT,
      FIELD(limits.failed_keys),
      .fallback = "20",
      .max = 1000000,
      .help = "Wrong keys from one address until it is refused unread; 0 is no limit." },
    { .group = "limits",
      .name = "failed_keys_window",
      .type = CONFIG_DURATION,
      FIELD(limits.failed_keys_window_us),
      .fallback = "1min",
      .min = USEC_PER_SEC,
      .max = 24 * HOUR,
      .help = "How long a wrong key counts." },
};

const size_t config_n_options = ARRAY_SIZE(config_options);
