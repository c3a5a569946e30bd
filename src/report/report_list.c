/* report_list.c - what is to be seen together, copied from where it is counted. */
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/report.h>

/* The values, and behind them those of the labels. */
static char *copy_of(const struct report_part *part, size_t size)
{
    size_t sizes[REPORT_LABELS] = { 0 }, all = size;
    for (size_t i = 0; i < REPORT_LABELS && part->labels[i].name; i++)
        all += sizes[i] = strlen(part->labels[i].value) + 1;
    char *copy = malloc(all), *end = copy ? copy + size : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, part->values, size);
    for (size_t i = 0; i < REPORT_LABELS && part->labels[i].name; i++) {
        memcpy(end, part->labels[i].value, sizes[i]);
        end += sizes[i];
    }
    return copy;
}

static bool make_room(struct report_list *list)
{
    if (list->n < list->room)
        return true;
    size_t room = list->room ? 2 * list->room : 32;
    struct report_part *parts = realloc(list->parts, room * sizeof(*parts));
    if (!parts)
        return false;
    list->parts = parts;
    list->room = room;
    return true;
}

void report_list_add(struct report_list *list, const struct report_part *part, size_t size)
{
    char *copy = make_room(list) ? copy_of(part, size) : NULL;
    if (!copy) {
        list->failed = true;
        return;
    }
    struct report_part *added = &list->parts[list->n++];
    *added = *part;
    added->values = copy;
    const char *value = copy + size;
    for (size_t i = 0; i < REPORT_LABELS && part->labels[i].name; i++) {
        added->labels[i].value = value;
        value += strlen(value) + 1;
    }
}

void report_list_free(struct report_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free((void *) (uintptr_t) list->parts[i].values);
    free(list->parts);
    *list = (struct report_list){ 0 };
}
