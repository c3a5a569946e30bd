/* fuzz_checks.h - what the targets look for besides crashes, and how they take their bytes apart. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What has been inlined leaves no line in a backtrace. */
#define require(holds) require_at((holds), #holds, __FILE__, __LINE__)

static inline void require_at(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

/* UTF-8 without what a terminal would obey. */
static inline void require_safe(const char *words)
{
    size_t size = strlen(words);
    uint32_t code;
    for (size_t n; size; words += n, size -= n) {
        require((n = utf8_read(words, size, &code)) > 0);
        require(!text_is_unsafe(code));
    }
}

/* In whatever letters: none of it got out. */
static inline void require_without(const char *words, const char *secret)
{
    require(!strcasestr(words, secret));
}

/* The next part of the bytes, which end in a NUL, up to the separator, which becomes a NUL. Behind the last one "". */
static inline char *next_part(char **bytes, char separator)
{
    char *part = *bytes, *end = strchr(part, separator);
    *bytes = end ? end + 1 : part + strlen(part);
    if (end)
        *end = '\0';
    return part;
}
