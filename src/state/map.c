/* map.c - items by id: a tree (tsearch) for finding and order, a list for who was heard of when. */
#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define MAX_TEXTS 6

static const size_t unit_texts[] = {
    offsetof(struct state_unit, number),     offsetof(struct state_unit, name),  offsetof(struct state_unit, location),
    offsetof(struct state_unit, department), offsetof(struct state_unit, group),
};
static const size_t call_texts[] = {
    offsetof(struct state_call, title),       offsetof(struct state_call, code),
    offsetof(struct state_call, address),     offsetof(struct state_call, postal),
    offsetof(struct state_call, description), offsetof(struct state_call, last_note),
};
static const size_t call911_texts[] = {
    offsetof(struct state_call911, caller),
    offsetof(struct state_call911, location),
    offsetof(struct state_call911, description),
};

static_assert(ARRAY_SIZE(unit_texts) <= MAX_TEXTS, "as many as a put can hold");
static_assert(ARRAY_SIZE(call_texts) <= MAX_TEXTS, "as many as a put can hold");
static_assert(ARRAY_SIZE(call911_texts) <= MAX_TEXTS, "as many as a put can hold");

/* New texts of an item, made before anything is written, so that a put without memory leaves no half. */
struct texts {
    char *s[MAX_TEXTS];
    bool told[MAX_TEXTS];
};

int id_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

const char *text_at(const void *facts, size_t offset)
{
    return *(const char *const *) ((const char *) facts + offset);
}

/* The public structs have them const, for those who read; here is where they are made and freed. */
static char **text_slot(struct item *item, size_t offset)
{
    return (char **) ((char *) &item->facts + offset);
}

static size_t cut_size(const char *s)
{
    size_t size = strnlen(s, STATE_TEXT_MAX_BYTES + 1);
    if (size <= STATE_TEXT_MAX_BYTES)
        return size;

    /* A character has up to three bytes behind its first; more of them in a row are not UTF-8, cut anywhere. */
    for (size_t back = 0; back <= 3; back++)
        if ((s[STATE_TEXT_MAX_BYTES - back] & 0xc0) != 0x80)
            return STATE_TEXT_MAX_BYTES - back;
    return STATE_TEXT_MAX_BYTES;
}

bool text_is(const char *known, const char *told)
{
    size_t size = cut_size(told);
    return known ? strncmp(known, told, size) == 0 && known[size] == '\0' : size == 0;
}

static void texts_free(struct texts *texts)
{
    for (size_t i = 0; i < MAX_TEXTS; i++)
        free(texts->s[i]);
}

static int texts_prepare(struct texts *texts, const struct kind *kind, const union facts *known, const void *patch)
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

static int texts_hand_over(struct texts *texts, const struct kind *kind, struct item *item)
{
    int changed = 0;
    for (size_t i = 0; i < kind->n_texts; i++) {
        if (!texts->told[i])
            continue;
        char **slot = text_slot(item, kind->texts[i]);
        free(*slot);
        *slot = texts->s[i];
        changed = 1;
    }
    return changed;
}

static void item_free(const struct kind *kind, struct item *item)
{
    for (size_t i = 0; i < kind->n_texts; i++)
        free(*text_slot(item, kind->texts[i]));
    free(item->attached);
    free(item);
}

void map_init(struct map *map, const struct kind *kind)
{
    map->kind = kind;
    map->tree = NULL;
    map->n = 0;
    TAILQ_INIT(&map->heard);
}

void map_clear(struct map *map)
{
    struct item *item;
    while ((item = TAILQ_FIRST(&map->heard)))
        map_remove(map, item);
}

struct item *map_find(const struct map *map, int64_t id)
{
    void *node = tfind(&id, &map->tree, id_compare);
    return node ? *(struct item **) node : NULL;
}

void map_touch(struct map *map, struct item *item, usec_t now_us)
{
    item->seen_us = now_us;
    TAILQ_REMOVE(&map->heard, item, heard);
    TAILQ_INSERT_TAIL(&map->heard, item, heard);
}

void map_remove(struct map *map, struct item *item)
{
    tdelete(item, &map->tree, id_compare);
    TAILQ_REMOVE(&map->heard, item, heard);
    map->n--;
    item_free(map->kind, item);
}

static struct item *map_add(struct map *map, int64_t id, usec_t now_us)
{
    struct item *item = calloc(1, sizeof(*item));
    if (!item)
        return NULL;

    item->id = id;
    item->seen_us = now_us;
    item->facts = map->kind->blank;
    if (!tsearch(item, &map->tree, id_compare)) {
        free(item);
        return NULL;
    }

    TAILQ_INSERT_TAIL(&map->heard, item, heard);
    if (++map->n > STATE_MAX_ENTRIES)
        map_remove(map, TAILQ_FIRST(&map->heard));
    return item;
}

struct item *map_hear(struct map *map, int64_t id, usec_t now_us, int *changed)
{
    struct item *item = map_find(map, id);
    if (item) {
        map_touch(map, item, now_us);
        return item;
    }

    item = map_add(map, id, now_us);
    if (item)
        *changed = 1;
    return item;
}

int map_put(struct map *map, int64_t id, const void *patch, usec_t now_us, struct item **ret)
{
    struct item *item = map_find(map, id);
    bool known = item;
    struct texts texts = { 0 };
    int r = texts_prepare(&texts, map->kind, known ? &item->facts : &map->kind->blank, patch);
    if (r < 0)
        return r;

    if (known)
        map_touch(map, item, now_us);
    else
        item = map_add(map, id, now_us);
    if (!item) {
        texts_free(&texts);
        return -ENOMEM;
    }

    r = texts_hand_over(&texts, map->kind, item);
    *ret = item;
    return known ? r : 1;
}

int map_expire(struct map *map, bool (*is_over)(const struct item *item), usec_t now_us)
{
    int changed = 0;
    struct item *item, *next;
    for (item = TAILQ_FIRST(&map->heard); item; item = next) {
        next = TAILQ_NEXT(item, heard);
        usec_t age = now_us > item->seen_us ? now_us - item->seen_us : 0; /* the clock may have stepped back */
        if (age <= (is_over(item) ? STATE_KEEP_US : STATE_KEEP_SILENT_US))
            continue;
        map_remove(map, item);
        changed = 1;
    }
    return changed;
}

struct walk {
    void (*visit)(struct item *item, void *context);
    void *context;
};

static void visit_node(const void *node, VISIT visit, void *closure)
{
    const struct walk *walk = closure;
    if (visit == postorder || visit == leaf) /* what search.h calls in order */
        walk->visit(*(struct item *const *) node, walk->context);
}

void map_walk(const struct map *map, void (*visit)(struct item *item, void *context), void *context)
{
    struct walk walk = { visit, context };
    twalk_r(map->tree, visit_node, &walk);
}

const struct kind kind_unit = {
    .texts = unit_texts,
    .n_texts = ARRAY_SIZE(unit_texts),
    .blank.unit = { .status = STATE_UNSET, .page = STATE_UNSET, .online = 1 },
};

const struct kind kind_call = {
    .texts = call_texts,
    .n_texts = ARRAY_SIZE(call_texts),
    .blank.call = { .origin = STATE_UNSET,
                    .status = STATE_UNSET,
                    .priority = STATE_UNSET,
                    .primary = STATE_UNSET_ID,
                    .call911 = STATE_UNSET_ID },
};

const struct kind kind_call911 = {
    .texts = call911_texts,
    .n_texts = ARRAY_SIZE(call911_texts),
};
