/* text.h - a growing text, and the ways in which text from outside may enter one.
 *
 * Shape:   .s is always terminated and never NULL; .size counts its bytes without the terminator.
 * Owner:   whoever declares it; TEXT_INIT at first, text_free at the end, text_reset to use it again.
 * Errors:  an append that finds no memory (or passes TEXT_MAX_BYTES) leaves the text as it was and sets
 *          .failed, which the caller looks at once, at the end.
 * Threads: none; one text belongs to one thread at a time.
 */
#pragma once

#include <sonoran-pushd/base.h>
#include <string.h>

#define TEXT_MAX_BYTES ((size_t) 256 << 20)

struct text {
    char *s;
    size_t size;
    size_t room;
    bool failed;
};

extern char text_nothing[1];
#define TEXT_INIT                                                                                                      \
    {                                                                                                                  \
        .s = text_nothing                                                                                              \
    }

void text_free(struct text *text);
void text_wipe(struct text *text); /* the same for a secret, of which nothing is left in memory */
void text_reset(struct text *text);

/* Makes room for more bytes behind the text; false when there is none to be had. */
bool text_reserve(struct text *text, size_t more_bytes);

/* Our own words. */
void text_addf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_add_bytes(struct text *text, const char *s, size_t size);

/* Inline: so the compiler counts what stands in quotes. */
static inline void text_add(struct text *text, const char *words)
{
    text_add_bytes(text, words, strlen(words));
}

void text_add_int(struct text *text, int64_t number);

/* As much of s as there is room for, with its NUL. Returns ret. */
static inline char *text_copy(char *ret, size_t size, const char *s)
{
    size_t n = strnlen(s, size - 1);
    memcpy(ret, s, n);
    ret[n] = '\0';
    return ret;
}

/* What a word gets behind it: "1 event", "2 events". */
static inline const char *text_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* Text from outside, to be read by people: control characters, line breaks, escape sequences and marks that
 * turn the direction of writing are shown (\n, \x1b, \u202e), never obeyed; what is not UTF-8 is shown as \x...
 * Longer than max_chars characters, it ends in "…" (max_chars 0: no limit). */
void text_add_safe(struct text *text, const char *s, size_t size, size_t max_chars);

/* The same for sentences: line breaks and tabs are one blank, and what is too long ends at a blank where one is near.
 */
void text_add_prose(struct text *text, const char *s, size_t size, size_t max_chars);

/* What text_add_prose wrote, for people who see no terminal: what stands for characters that nobody sees is left out.
 * A \n in it is what somebody wrote, as in C:\new. */
void text_add_unescaped(struct text *text, const char *s, size_t size);

/* Text from outside where nobody sees a terminal, a variable of a program: line breaks and tabs are blanks, other
 * control characters and marks that nobody sees are gone. */
void text_add_plain(struct text *text, const char *s, size_t size);

/* 2026-11-23T16:00:00.123456Z */
void text_add_time_utc(struct text *text, usec_t time_us);

/* text_duration.c. As a configuration has it, exactly, in the largest unit that does: "20s", "1500ms", "10min", "0s".
 */
void text_add_duration(struct text *text, usec_t us);
/* As people say it: "45 s", "23 min", "3 h 12 min", "2 d 3 h". */
void text_add_lapse(struct text *text, usec_t us);
/* The same in a column, one unit with at least two of it: "90 s", "23 min", "25 h", "2 d". */
void text_add_about(struct text *text, usec_t us);

void text_add_size(struct text *text, uint64_t bytes); /* "4M", "1536K", "1000" */

/* nearest.c: of the known names that were tried, the one that is nearest to the one written, and near enough to have
 * been meant. Longer names than NEAREST_MAX_BYTES are near to nothing. */
#define NEAREST_MAX_BYTES 63
struct nearest {
    const char *written;
    const char *name; /* NULL: none is near */
    int size;         /* of name, which may go on */
    size_t distance;
};

struct nearest nearest_to(const char *written);
void nearest_try(struct nearest *nearest, const char *name, int size);

/* Whether a terminal would obey it rather than show it. */
bool text_is_unsafe(uint32_t code);

/* The same, and what nobody sees besides. */
bool text_is_unseen(uint32_t code);

/* Whether what was sent is the secret; how long that takes depends on the length of what was sent alone. any_case:
 * ignoring that of ASCII letters. */
bool text_is_secret(struct span sent, const char *secret, bool any_case);

/* Has it nothing that anybody could see? */
bool text_is_blank(const char *s, size_t size);

#define UTF8_MAX_BYTES 4

/* Reads one UTF-8 character: its length in bytes, or 0 where the bytes are not UTF-8. size is at least 1. */
size_t utf8_read(const char *s, size_t size, uint32_t *ret_code);

/* How many of size bytes to keep, at most max_bytes of them and no part of a character. Of what is not UTF-8 (more than
 * three bytes in a row that begin nothing) max_bytes. */
size_t utf8_cut(const char *s, size_t size, size_t max_bytes);
