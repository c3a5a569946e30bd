/* names.c - how a line names a unit, a call, a 911 call: by what people know it, or by its number. */
#include <string.h>

#include "private.h"

#define NAME_MAX_CHARS 80 /* of each text in a name: a line has to stay one */

/* Nothing for what is not known. Returns whether it is. */
static bool add_known(struct text *out, const char *before, const char *s)
{
    if (!s)
        return false;
    text_add(out, before);
    text_add_safe(out, s, strlen(s), NAME_MAX_CHARS);
    return true;
}

bool state_name_unit(const struct state *state, const char *community_name, int64_t id, struct text *out)
{
    STATE_LOCK(state);
    const struct community *community = community_find(state, community_name);
    const struct item *item = community ? map_find(&community->units, id) : NULL;
    if (!item || (!item->facts.unit.number && !item->facts.unit.name)) {
        text_add(out, "unit ");
        text_add_int(out, id);
        return false;
    }

    bool numbered = add_known(out, "", item->facts.unit.number);
    add_known(out, numbered ? " " : "", item->facts.unit.name);
    return true;
}

bool state_name_call(const struct state *state, const char *community_name, int64_t id, struct text *out)
{
    STATE_LOCK(state);
    const struct community *community = community_find(state, community_name);
    const struct item *item = community ? map_find(&community->calls, id) : NULL;
    text_add_int(out, id);
    return item && add_known(out, " ", item->facts.call.title);
}

bool state_name_call911(const struct state *state, const char *community_name, int64_t id, struct text *out)
{
    STATE_LOCK(state);
    const struct community *community = community_find(state, community_name);
    const struct item *item = community ? map_find(&community->calls911, id) : NULL;
    text_add_int(out, id);
    if (!item || (!item->facts.call911.caller && !item->facts.call911.location))
        return false;

    bool named = add_known(out, " (", item->facts.call911.caller);
    add_known(out, named ? ", " : " (", item->facts.call911.location);
    text_add(out, ")");
    return true;
}

bool state_say_location(const struct state *state, const char *community_name, int64_t id, struct text *out)
{
    STATE_LOCK(state);
    const struct community *community = community_find(state, community_name);
    const struct item *item = community ? map_find(&community->units, id) : NULL;
    return item && add_known(out, " at ", item->facts.unit.location);
}
