/* problems.c - the sentences about a config file, in its order. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

static int compare_problems(const void *a, const void *b)
{
    const struct problem *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->sequence < y->sequence ? -1 : 1;
}

static bool has_room(struct problems *problems)
{
    if (problems->items)
        return problems->n_items < PROBLEMS_MAX;
    problems->items = calloc(PROBLEMS_MAX + 1, sizeof(problems->items[0])); /* one for "and more" */
    problems->failed |= !problems->items;
    return problems->items;
}

/* Takes the text over. */
static void append(struct problems *problems, unsigned order, bool warns, struct text *line)
{
    if (line->failed) {
        text_free(line);
        problems->failed = true;
        return;
    }
    problems->items[problems->n_items] =
        (struct problem){ .order = order, .sequence = (unsigned) problems->n_items, .warns = warns, .line = line->s };
    problems->n_items++;
}

PRINTF_LIKE(4, 0)
static void add(struct problems *problems, struct place place, bool warns, const char *format, va_list args)
{
    if (!has_room(problems))
        return;

    struct text line = TEXT_INIT;
    if (place.file) {
        text_add_safe(&line, place.file, strlen(place.file), 0);
        if (place.line)
            text_addf(&line, ":%u", place.line);
        text_add(&line, ": ");
    }
    text_add(&line, warns ? "warning: " : "");

    char *sentence = NULL;
    if (vasprintf(&sentence, format, args) < 0) {
        sentence = NULL;
        line.failed = true;
    } else {
        text_add(&line, sentence);
    }
    free(sentence);
    append(problems, place.order, warns, &line);
}

void problems_add(struct problems *problems, struct place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    problems->n_mistakes++;
    add(problems, place, false, format, args);
    va_end(args);
}

void problems_warn(struct problems *problems, struct place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, place, true, format, args);
    va_end(args);
}

static void add_rest(struct problems *problems)
{
    if (problems->n_items < PROBLEMS_MAX || problems->n_mistakes <= PROBLEMS_MAX)
        return;
    struct text line = TEXT_INIT;
    text_addf(&line, "… and %zu more mistake%s", problems->n_mistakes - PROBLEMS_MAX,
              text_plural(problems->n_mistakes - PROBLEMS_MAX));
    append(problems, UINT_MAX, false, &line);
}

int problems_hand_over(struct problems *problems, struct config_problems *ret)
{
    add_rest(problems);
    if (problems->n_items)
        qsort(problems->items, problems->n_items, sizeof(problems->items[0]), compare_problems);

    ret->lines = calloc(problems->n_items + 1, sizeof(ret->lines[0]));
    ret->warns = calloc(problems->n_items + 1, sizeof(ret->warns[0]));
    bool failed = problems->failed || !ret->lines || !ret->warns;
    ret->n_lines = ret->lines && ret->warns ? problems->n_items : 0;
    for (size_t i = 0; i < problems->n_items; i++) {
        if (i < ret->n_lines) {
            ret->lines[i] = problems->items[i].line;
            ret->warns[i] = problems->items[i].warns;
        } else {
            free(problems->items[i].line);
        }
    }
    free(problems->items);
    *problems = (struct problems){ .failed = failed };
    return problems->failed ? -ENOMEM : 0;
}

void config_problems_free(struct config_problems *problems)
{
    for (size_t i = 0; i < problems->n_lines; i++)
        free(problems->lines[i]);
    free(problems->lines);
    free(problems->warns);
    *problems = (struct config_problems){ 0 };
}
