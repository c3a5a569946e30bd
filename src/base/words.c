/* words.c - lists of texts for execve and for header lines. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/words.h>

/* Takes word, which may be NULL. */
static void take_word(struct words *words, char *word)
{
    if (words->n + 2 > words->room) {
        size_t room = words->room ? 2 * words->room : 8;
        char **v = word ? realloc(words->v, room * sizeof(*v)) : NULL;
        if (!v) {
            words->failed = true;
            free(word);
            return;
        }
        words->v = v;
        words->room = room;
    }
    words->failed |= !word;
    if (word)
        words->v[words->n++] = word;
    words->v[words->n] = NULL;
}

void words_add(struct words *words, const char *word)
{
    take_word(words, strdup(word));
}

void words_addf(struct words *words, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *word = NULL;
    if (vasprintf(&word, format, args) < 0)
        word = NULL;
    va_end(args);
    take_word(words, word);
}

void words_free(struct words *words)
{
    for (size_t i = 0; i < words->n; i++)
        free(words->v[i]);
    free(words->v);
    *words = (struct words){ 0 };
}
