/* event_private.h - inside src/event: the parts of a body. */
#pragma once

#include <sonoran-pushd/event.h>

/* As json_parse. Below the root the lists of Lua (event_is_list) are in the order of their numbers; in the root only
 * the places of its members are noted. */
cJSON *event_parse_json(struct span value, struct json_met met);

/* The members of the body's object; size 0 where there was none. */
struct parts {
    char *body; /* where keys are wiped */
    struct span key, type, data;
    unsigned n_key, n_type;
    struct json_met met;
};

/* Whether what stands under "type" can be one: a text that is not empty, nor longer than any type. */
bool member_is_type(struct span value);

/* Takes a body's object apart; extra becomes an object of all other members (and of a type that is none), as they came,
 * or stays empty. The whole body is sound JSON after it. */
int members_read(struct span body, struct parts *parts, struct text *extra, struct err *err) MUST_CHECK;

static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
}

/* keys.c: whose it is, ignoring ASCII case; NULL: nobody's. */
const struct event_community *keys_find_community(const struct envelope_rules *rules, struct span key_json);

/* ---- arena.c ---- */

/* Between arena_begin and arena_end all that cJSON allocates in this thread comes from the arena and is never freed
 * one by one; arena_free gives it all back. The first bytes need no allocation of their own. */
struct arena {
    unsigned char *at;
    size_t left, next_chunk_size, taken; /* taken: from malloc */
    size_t max;                          /* of taken */
    bool full;                           /* no more was given for that */
    struct arena_chunk *chunks;
    _Alignas(16) unsigned char first[3072];
};

/* max_bytes 0: as much as there is. */
void arena_begin(struct arena *arena, uint64_t max_bytes);
void arena_resume(struct arena *arena); /* where arena_end left it */
void arena_end(void);
void arena_free(struct arena *arena);

/* A copy with a NUL behind it, at any time from arena_begin on. NULL: no memory, or more than the arena may take. */
char *arena_copy(struct arena *arena, struct span text);

/* ---- batch.c ---- */

struct batch_memory {
    char *body;
    size_t body_size;
    char *type;         /* in upper case; in the arena, like: */
    char *type_sent;    /* NULL: spelt like type */
    struct parts parts; /* of a body that is not yet made into events */
    cJSON *data, *top;
    struct text extra;
    struct err reason;
    struct origin origin;
    char community[NAME_MAX_BYTES + 1];
    char log[NAME_MAX_BYTES + 1];                                                            /* of a stored event */
    char realm[REALM_MAX_BYTES + 1], node[NAME_MAX_BYTES + 1], home_log[NAME_MAX_BYTES + 1]; /* of another node's */
    struct description *decided;                                                             /* by it; NULL: none */
    struct event one;   /* where nearly every batch finds room */
    struct arena arena; /* data and top are in it */
};

/* Of the one event, whose community is there. */
void batch_set_home(struct batch_memory *memory, const struct event_home *home);

/* With one event that has neither type nor data yet; takes the body. NULL: no memory, and the body stays. */
struct batch_memory *batch_memory_new(char *body, size_t size, const struct origin *origin, usec_t time_us);

/* What follows from type, data and top in memory. For a handler a list without elements is no data. */
void batch_fill(struct batch_memory *memory, const struct event_families *families);

/* ---- record_home.c ---- */

struct record_home {
    char node[NAME_MAX_BYTES + 1], log[NAME_MAX_BYTES + 1];
    uint64_t id;
};

int record_read_home(struct span origin, struct record_home *ret, struct err *err) MUST_CHECK;

/* ---- judge.c ---- */

/* From the one event in memory: one for each element of its data where that is a list, and their verdict, which is the
 * same for all of them. A request is taken as a whole or not at all: a refused one stays one event with all its data,
 * and says which element it was. 0, or -ENOMEM and a sentence. */
int batch_judge(struct batch *batch, bool accept_unknown_types, struct err *err) MUST_CHECK;

/* One event for everything, for the reason in memory. */
void batch_take_whole(struct batch *batch, const struct event *whole, enum event_verdict verdict);

/* Whether its handler can use it: 0, or -EINVAL and why not. */
int event_check(const struct event *event, struct err *reason) MUST_CHECK;
