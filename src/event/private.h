/* private.h - inside src/event: the parts of a body. */
#pragma once

#include <sonoran-pushd/event.h>

/* Where a scan of JSON text stands. */
struct scan {
    const char *start, *p, *end;
    unsigned depth;   /* containers open around p */
    uint64_t objects; /* which of them are objects, the outermost in bit 0 */
    bool awkward;     /* met what cJSON spoils: a long number, half a surrogate pair */
};

/* Passes white space. */
void scan_space(struct scan *scan);

/* Each passes one such thing, which is sound JSON after it. 0, or -EINVAL and what is wrong where. */
int scan_string(struct scan *scan, struct err *err) MUST_CHECK;
int scan_value(struct scan *scan, struct err *err) MUST_CHECK;

/* Sound text as cJSON has it. Long numbers become texts of the same letters. NULL: no memory. */
cJSON *json_parse(struct span value, bool awkward);

/* The members of the body's object; size 0 where there was none. */
struct parts {
    struct span key, type, data;
    unsigned n_key, n_type;
    bool awkward;
};

/* Takes a body's object apart; extra becomes an object of all other members, as they came, or stays empty. The whole
 * body is sound JSON after it. */
int read_members(struct span body, struct parts *parts, struct text *extra, struct err *err) MUST_CHECK;

/* The text that a sound JSON string stands for; from malloc. NULL: not a string, or no memory. */
char *string_value(struct span json, size_t *ret_size);

/* Between arena_begin and arena_end all that cJSON allocates in this thread comes from the arena and is never freed
 * one by one; arena_free gives it all back. The first bytes need no allocation of their own. */
struct arena {
    unsigned char *at;
    size_t left, next_chunk_size, taken; /* taken: from malloc */
    struct arena_chunk *chunks;
    _Alignas(16) unsigned char first[3072];
};

void arena_begin(struct arena *arena);
void arena_end(void);
void arena_free(struct arena *arena);
