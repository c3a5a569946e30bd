/* private.h - inside src/event: the parts of a body. */
#pragma once

#include <sonoran-pushd/event.h>

/* Where a scan of JSON text stands. */
struct scan {
    const char *start, *p, *end;
    unsigned depth;    /* containers open around p */
    bool long_numbers; /* met a number that a double may not hold */
};

/* Passes white space. */
void scan_space(struct scan *scan);

/* Each passes one such thing and checks its letters: strings, numbers and words are sound after it, brackets are
 * only counted (cJSON looks at the grammar). 0, or -EINVAL and what is wrong where. */
int scan_string(struct scan *scan, struct err *err) MUST_CHECK;
int scan_value(struct scan *scan, struct err *err) MUST_CHECK;

/* A value as cJSON has it; numbers that a double would spoil become texts of the same letters. NULL: not JSON. */
cJSON *json_parse(struct span value, bool long_numbers);

/* The members of the body's object; size 0 where there was none. */
struct parts {
    struct span key, type, data;
    unsigned n_key, n_type;
    bool long_numbers;
};

/* Takes a body's object apart; extra becomes an object of all other members, as they came, or stays empty. The
 * letters of everything are sound after it, the grammar only at the top. */
int read_members(struct span body, struct parts *parts, struct text *extra, struct err *err) MUST_CHECK;

/* The text that a JSON string with sound letters stands for; from malloc. NULL: not a string, or no memory. */
char *string_value(struct span json, size_t *ret_size);

/* Between arena_begin and arena_end all that cJSON allocates in this thread comes from the arena and is never freed
 * one by one; arena_free gives it all back. The first bytes need no allocation of their own. */
struct arena {
    unsigned char *at;
    size_t left, next_chunk_size;
    struct arena_chunk *chunks;
    _Alignas(16) unsigned char first[3072];
};

void arena_begin(struct arena *arena);
void arena_end(void);
void arena_free(struct arena *arena);
