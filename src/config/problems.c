/* problems.c - the sentences about a config file, in its order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

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
static void append(struct problems *problems, uint64_t order, bool warns, struct text *line)
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
            text_addf(&line, ":%u:%u", place.line, place.column);
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

void problems_note(struct problems *problems, int r)
{
    static const int passing[] = { EAGAIN, EBUSY, EINTR, EIO, EMFILE, ENFILE, ENOBUFS, ETIMEDOUT };
    for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
        problems->passing |= r == -passing[i];
}

void problems_show(struct problems *problems, const char *lines)
{
    struct problem *last = problems->n_items ? &problems->items[problems->n_items - 1] : NULL;
    if (!last || problems->n_items == PROBLEMS_MAX)
        return;
    char *with = NULL;
    if (asprintf(&with, "%s\n%s", last->line, lines) < 0) {
        problems->failed = true;
        return;
    }
    free(last->line);
    last->line = with;
}

void problems_forget(struct problems *problems, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        problems->n_mistakes -= !problems->items[i].warns;
        free(problems->items[i].line);
    }
    if (from < to)
        memmove(&problems->items[from], &problems->items[to], (problems->n_items - to) * sizeof(problems->items[0]));
    problems->n_items -= to - from;
}

static void add_rest(struct problems *problems)
{
    if (problems->n_items < PROBLEMS_MAX || problems->n_mistakes <= PROBLEMS_MAX)
        return;
    struct text line = TEXT_INIT;
    text_addf(&line, "… and %zu more mistake%s", problems->n_mistakes - PROBLEMS_MAX,
              text_plural(problems->n_mistakes - PROBLEMS_MAX));
    append(problems, UINT64_MAX, false, &line);
}

/* Its own line, and those of the file that are shown with it. */
static bool hand_over(const struct problem *problem, struct config_problems *ret)
{
    for (char *rest = problem->line, *line; (line = strsep(&rest, "\n"));) {
        ret->lines[ret->n_lines] = strdup(line);
        if (!ret->lines[ret->n_lines])
            return false;
        ret->warns[ret->n_lines] = problem->warns;
        ret->shows[ret->n_lines++] = line != problem->line;
    }
    return true;
}

int problems_hand_over(struct problems *problems, struct config_problems *ret)
{
    add_rest(problems);
    if (problems->n_items)
        qsort(problems->items, problems->n_items, sizeof(problems->items[0]), compare_problems);

    size_t room = 3 * problems->n_items + 1;
    *ret = (struct config_problems){ .lines = calloc(room, sizeof(ret->lines[0])),
                                     .warns = calloc(room, sizeof(ret->warns[0])),
                                     .shows = calloc(room, sizeof(ret->shows[0])) };
    bool failed = problems->failed || !ret->lines || !ret->warns || !ret->shows;
    for (size_t i = 0; i < problems->n_items; i++) {
        failed = failed || !hand_over(&problems->items[i], ret);
        free(problems->items[i].line);
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
    free(problems->shows);
    *problems = (struct config_problems){ 0 };
}
