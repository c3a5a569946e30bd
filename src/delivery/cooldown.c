/* cooldown.c - what an action let through of late, so that the same is not told again and again. */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "delivery_private.h"

/* A hash table of a fixed size. A thing is in one of the PLACES of its row; where all are taken, the oldest is
 * replaced.
 */
#define ROWS 512
#define PLACES 8

struct seen {
    uint64_t what; /* a hash; 0: nobody */
    usec_t time_us;
};

struct cooldown {
    usec_t time_us;
    struct seen rows[ROWS][PLACES];
};

struct cooldown *cooldown_new(usec_t time_us)
{
    struct cooldown *cooldown = calloc(1, sizeof(*cooldown));
    if (cooldown)
        cooldown->time_us = time_us;
    return cooldown;
}

struct cooldown *cooldown_free(struct cooldown *cooldown)
{
    free(cooldown);
    return NULL;
}

/* The level tells a panic from its end, which come in the same type. */
static uint64_t hash_thing(const struct event *event, int level, char kind, int64_t id)
{
    uint64_t hash = hash_bytes(HASH_START, event->realm, strlen(event->realm) + 1);
    hash = hash_bytes(hash, event->type, strlen(event->type) + 1);
    hash = hash_bytes(hash, &level, sizeof(level));
    hash = hash_bytes(hash, &kind, sizeof(kind));
    hash = hash_bytes(hash, &id, sizeof(id));
    return hash ? hash : 1;
}

static struct seen *find_seen(struct cooldown *cooldown, uint64_t what)
{
    struct seen *row = cooldown->rows[what % ROWS], *oldest = row;
    for (size_t i = 0; i < PLACES; i++) {
        if (row[i].what == what)
            return &row[i];
        if (row[i].time_us < oldest->time_us)
            oldest = &row[i];
    }
    return oldest;
}

/* An event from before it is none that follows: the clock was set, or the action goes through the log once more. */
static bool is_seen(struct cooldown *cooldown, uint64_t what, usec_t time_us)
{
    const struct seen *seen = find_seen(cooldown, what);
    return seen->what == what && time_us >= seen->time_us && time_us - seen->time_us < cooldown->time_us;
}

/* What is not urgent repeats what was said before, however urgent that was: a 911 call that comes again. But a panic
 * and its end are two things. */
static bool is_repeat(struct cooldown *cooldown, const struct event *event, int level, char kind, int64_t id)
{
    for (int said = level < LOG_INFO ? level : LOG_EMERG; said <= level; said++)
        if (is_seen(cooldown, hash_thing(event, said, kind, id), event->time_us))
            return true;
    return false;
}

static const struct {
    char kind;
    size_t offset;
} kinds[] = {
    { 'u', offsetof(struct description, units) },
    { 'c', offsetof(struct description, calls) },
    { '9', offsetof(struct description, calls911) },
};

static const struct ids *ids_of(const struct description *description, size_t kind)
{
    return (const struct ids *) ((const char *) description + kinds[kind].offset);
}

bool cooldown_lets_through(struct cooldown *cooldown, const struct event *event, const struct description *description)
{
    size_t n = 0, n_seen = 0;
    for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        const struct ids *ids = ids_of(description, kind);
        for (size_t i = 0; i < ids->n; i++)
            n_seen += is_repeat(cooldown, event, description->level, kinds[kind].kind, ids->v[i]);
        n += ids->n;
    }
    if (n && n_seen == n)
        return false;
    for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        const struct ids *ids = ids_of(description, kind);
        for (size_t i = 0; i < ids->n; i++) {
            uint64_t what = hash_thing(event, description->level, kinds[kind].kind, ids->v[i]);
            *find_seen(cooldown, what) = (struct seen){ what, event->time_us };
        }
    }
    return true;
}
