/* private.h - inside src/event: the parts of a body. */
#pragma once

#include <sonoran-pushd/event.h>

/* What a text has that wants care when it is parsed. */
struct met {
    bool awkward;  /* what cJSON spoils: a long number, half a surrogate pair */
    bool numbered; /* a name that begins with a digit, or may */
};

/* Where a scan of JSON text stands. */
struct scan {
    const char *start, *p, *end;
    unsigned depth;   /* containers open around p */
    uint64_t objects; /* which of them are objects, the outermost in bit 0 */
    struct met met;
};

/* Passes white space. */
void scan_space(struct scan *scan);

/* Each passes one such thing, which is sound JSON after it. 0, or -EINVAL and what is wrong where. */
int scan_string(struct scan *scan, struct err *err) MUST_CHECK;
int scan_value(struct scan *scan, struct err *err) MUST_CHECK;

/* The object that is all of a text, member by member. begin, next: 1 stands before a member, 0 that was all of it.
 * scan_member passes it; the name has its quotes. */
int scan_object_begin(struct scan *scan, struct err *err) MUST_CHECK;
int scan_object_next(struct scan *scan, struct err *err) MUST_CHECK;
int scan_member(struct scan *scan, struct span *ret_name, struct span *ret_value, struct err *err) MUST_CHECK;

/* Sound text as cJSON has it, and as event_is_list says. Long numbers become texts of the same letters. NULL: no
 * memory. */
cJSON *json_parse(struct span value, struct met met);

/* Puts the lists of Lua below the root in the order of their numbers; of the root only the places are noted. */
int lua_lists_order(cJSON *root) MUST_CHECK;

/* The members of the body's object; size 0 where there was none. */
struct parts {
    char *body; /* where a key that is none of ours is wiped */
    struct span key, type, data;
    unsigned n_key, n_type;
    struct met met;
};

/* Whether what stands under "type" can be one: a text that is not empty, nor longer than any type. */
bool member_is_type(struct span value);

/* Takes a body's object apart; extra becomes an object of all other members (and of a type that is none), as they came,
 * or stays empty. The whole body is sound JSON after it. */
int read_members(struct span body, struct parts *parts, struct text *extra, struct err *err) MUST_CHECK;

/* The text that a sound JSON string stands for; from malloc. NULL: not a string, or no memory. */
char *string_value(struct span json, size_t *ret_size);

static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
}

/* keys.c: whose it is, ignoring ASCII case; NULL: nobody's. */
const struct event_community *find_community(const struct envelope_rules *rules, struct span key_json);

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
void arena_end(void);
void arena_free(struct arena *arena);

/* ---- batch.c ---- */

struct batch_memory {
    char *body;
    size_t body_size;
    char *type;      /* in upper case */
    char *type_sent; /* NULL: spelt like type */
    cJSON *data, *top;
    struct text extra;
    struct err reason;
    struct http_origin origin;
    char community[NAME_MAX_BYTES + 1];
    char source[NAME_MAX_BYTES + 1], log[NAME_MAX_BYTES + 1]; /* of a stored event */
    struct event one;                                         /* where nearly every batch finds room */
    struct arena arena;                                       /* data and top are in it */
};

/* With one event that has neither type nor data yet; takes the body. NULL: no memory, and the body stays. */
struct batch_memory *batch_memory_new(char *body, size_t size, const struct http_origin *origin, usec_t time_us);

/* What follows from type, data and top in memory. For a handler a list without elements is no data. */
void batch_fill(struct batch_memory *memory, const struct event_families *families);

/* ---- judge.c ---- */

/* From the one event in memory: one for each element of its data where that is a list, and their verdict, which is the
 * same for all of them. A request is taken as a whole or not at all: a refused one stays one event with all its data,
 * and says which element it was. 0, or -ENOMEM and a sentence. */
int batch_judge(struct batch *batch, bool accept_unknown_types, struct err *err) MUST_CHECK;

/* One event for everything, for the reason in memory. */
void batch_take_whole(struct batch *batch, const struct event *whole, enum event_verdict verdict);

/* Whether its handler can use it: 0, or -EINVAL and why not. */
int event_check(const struct event *event, struct err *reason) MUST_CHECK;
