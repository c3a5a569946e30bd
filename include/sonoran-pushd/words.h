/* words.h - a list of texts: the arguments or the environment of a program, the header lines of a request.
 *
 * Shape:   {0} is an empty list; words are never taken out again.
 * Owner:   whoever declares it; words_free at the end. The words are copies.
 * Errors:  a word that finds no memory sets .failed, which the caller looks at once, at the end.
 * Threads: none; one list belongs to one thread at a time.
 */
#pragma once

#include <sonoran-pushd/base.h>

/* Texts one behind the other, each terminated, with a NULL at the end: fit for execve. */
struct words {
    char **v;
    size_t n, room;
    bool failed; /* no memory; looked at once, at the end */
};

void words_add(struct words *words, const char *word);
void words_addf(struct words *words, const char *format, ...) PRINTF_LIKE(2, 3);
void words_free(struct words *words);
