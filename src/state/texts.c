/* texts.c - the texts of items: cut, compared, taken over; those of a copy are shared until they change. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

const char *text_at(const void *facts, size_t offset)
{
    return *(const char *const *) ((const char *) facts + offset);
}

/* The public structs have them const, for those who read; here is where they are made and freed. */
static char **text_slot(struct item *item, size_t offset)
{
    return (char **) ((char *) &item->facts + offset);
}

static bool is_own(const struct item *item, size_t i)
{
    return item->own_texts >> i & 1;
}

static size_t cut_size(const char *s)
{
    return utf8_cut(s, strnlen(s, STATE_TEXT_MAX_BYTES + 1), STATE_TEXT_MAX_BYTES);
}

bool text_is(const char *known, const char *told)
{
    size_t size = cut_size(told);
    return known ? strncmp(known, told, size) == 0 && known[size] == '\0' : size == 0;
}

void texts_free(struct texts *texts)
{
    for (size_t i = 0; i < MAX_TEXTS; i++)
        free(texts->s[i]);
}

int texts_prepare(struct texts *texts, const struct kind *kind, const union facts *known, const void *patch)
{
    for (size_t i = 0; i < kind->n_texts; i++) {
        const char *told = text_at(patch, kind->texts[i]);
        if (!told || text_is(text_at(known, kind->texts[i]), told))
            continue;

        texts->told[i] = true;
        if (*told == '\0')
            continue;
        texts->s[i] = strndup(told, cut_size(told));
        if (!texts->s[i]) {
            texts_free(texts);
            return -ENOMEM;
        }
    }
    return 0;
}

int texts_hand_over(struct texts *texts, const struct kind *kind, struct item *item)
{
    int changed = 0;
    for (size_t i = 0; i < kind->n_texts; i++) {
        if (!texts->told[i])
            continue;
        char **slot = text_slot(item, kind->texts[i]);
        if (is_own(item, i))
            free(*slot);
        *slot = texts->s[i];
        item->own_texts |= (uint8_t) (1 << i);
        changed = 1;
    }
    return changed;
}

void texts_free_own(const struct kind *kind, struct item *item)
{
    for (size_t i = 0; i < kind->n_texts; i++)
        if (is_own(item, i))
            free(*text_slot(item, kind->texts[i]));
}

void texts_merge(const struct kind *kind, struct item *item)
{
    for (size_t i = 0; i < kind->n_texts; i++)
        if (is_own(item, i))
            free(*text_slot(item->below, kind->texts[i]));
    item->below->facts = item->facts;
}
