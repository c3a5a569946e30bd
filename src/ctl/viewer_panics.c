/* viewer_panics.c - who is in panic, and whether somebody here knows of it. */
#include <string.h>

#include "viewer.h"

bool viewer_is_panic(const struct viewer_item *unit)
{
    return strcmp(unit->label, "PANIC") == 0 && viewer_is_shown(VIEWER_UNIT, unit);
}

static int count_heard(const struct viewer *viewer, bool heard)
{
    const struct viewer_list *units = &viewer->lists[VIEWER_UNIT];
    int n = 0;
    for (size_t i = 0; i < units->n; i++)
        n += viewer_is_panic(&units->v[i]) && units->v[i].heard == heard;
    return n;
}

int viewer_count_panics(const struct viewer *viewer)
{
    return count_heard(viewer, false) + count_heard(viewer, true);
}

bool viewer_has_unheard(const struct viewer *viewer)
{
    return count_heard(viewer, false) > 0;
}

const struct viewer_item *viewer_panic(const struct viewer *viewer, int i)
{
    const struct viewer_list *units = &viewer->lists[VIEWER_UNIT];
    for (int heard = 0; heard < 2; heard++)
        for (size_t k = 0; k < units->n; k++)
            if (viewer_is_panic(&units->v[k]) && units->v[k].heard == heard && i-- == 0)
                return &units->v[k];
    return NULL;
}

void viewer_hear(struct viewer *viewer, const struct viewer_item *panic)
{
    struct viewer_list *units = &viewer->lists[VIEWER_UNIT];
    const char *since = json_get_text(panic->json, "panic_since");
    for (size_t i = 0; i < units->n; i++)
        if (viewer_is_same(&units->v[i], panic) && viewer_is_panic(&units->v[i]) &&
            strcmp(json_get_text(units->v[i].json, "panic_since"), since) == 0)
            units->v[i].heard = true;
}
