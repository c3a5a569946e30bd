/* base.h - what every folder needs: errors as values, scope cleanup, time.
 *
 * Errors:  a function that can fail returns a negative errno, and fills the caller's struct err with one
 *          sentence for people where a person will read it. On success struct err is untouched.
 * Units:   usec_t is microseconds; wall-clock values count from 1970 UTC.
 * Threads: everything here is safe from any thread.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM_NAME "sonoran-pushd"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CLEANUP(function) __attribute__((cleanup(function)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))

typedef uint64_t usec_t;
#define USEC_PER_MSEC ((usec_t) 1000)
#define USEC_PER_SEC ((usec_t) 1000000)

/* Names of listeners, communities and actions: 1 to NAME_MAX_BYTES of A-Z a-z 0-9 . _ - */
#define NAME_MAX_BYTES 32

/* Whose state something is of: a community's name; of what came from another node "county@edge1". */
#define REALM_MAX_BYTES (2 * NAME_MAX_BYTES + 1)

struct err {
    char msg[512];
};

/* Sets the sentence and returns r, so that a failure is one expression: return err_set(err, -EINVAL, "…"). err may be
 * NULL, in both: nobody reads it. What does not fit is cut at the end. */
int err_set(struct err *err, int r, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " in front of what is there already and returns r. */
int err_wrap(struct err *err, int r, const char *format, ...) PRINTF_LIKE(3, 4);

/* A part of somebody's text; not terminated, not owned. */
struct span {
    const char *s;
    size_t size;
};

/* Of a text that ends with NUL. */
static inline struct span span_of(const char *s)
{
    return (struct span){ s, strlen(s) };
}

static inline bool span_is(struct span span, const char *s)
{
    return span.size == strlen(s) && memcmp(span.s, s, span.size) == 0;
}

/* now_us: wall clock. uptime_us: a clock that never jumps, for limits and waits. boottime_us: one that counts what the
 * machine slept as well, to compare the wall clock with. */
usec_t now_us(void);
usec_t uptime_us(void);
usec_t boottime_us(void);

static inline usec_t usec_later(usec_t a, usec_t b)
{
    return a > b ? a : b;
}

/* FNV-1a: begins with HASH_START, or with a secret number where strangers choose the bytes. */
#define HASH_START ((uint64_t) 0xcbf29ce484222325)
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size);

/* Arguments for CLEANUP: run at the end of the scope, and accept what was never opened. */
void cleanup_free(void *pointer_to_pointer);
void cleanup_close(const int *fd);
void cleanup_fclose(FILE **file);
