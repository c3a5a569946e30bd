/* names.c - how a line names a unit: by what people know it by, or by its number. */
#include <string.h>

#include "state_private.h"

#define NAME_MAX_CHARS 60 /* of each text in a name: a line has to stay one */

/* Nothing for what is not known. Returns whether it is. */
static bool add_known(struct text *out, const char *before, const char *s)
{
    if (!s)
        return false;
    text_add(out, before);
    text_add_prose(out, s, strlen(s), NAME_MAX_CHARS);
    return true;
}

bool state_name_unit(const struct state *state, const char *community_name, int64_t id, struct text *out)
{
    const struct state_unit *unit = state_find_unit(state, community_name, id);
    if (!unit || (!unit->number && !unit->name)) {
        text_addf(out, "unit %lld", (long long) id);
        return false;
    }
    bool numbered = add_known(out, "", unit->number);
    add_known(out, numbered ? " " : "", unit->name);
    return true;
}
