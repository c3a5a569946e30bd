/* streams_place.c - what of a stream was read, what is missing, and what was read before. */
#include "streams_place.h"

#include <stdio.h>
#include <string.h>

void streams_known_read(const char *text, struct streams_known *ret)
{
    *ret = (struct streams_known){ 0 };
    while (*text && ret->n < STREAMS_LIVES_MAX) {
        size_t size = strcspn(text, " ");
        if (!redis_id_read((struct span){ text, size }, &ret->v[ret->n]))
            return;
        ret->n++;
        text += size + strspn(text + size, " ");
    }
}

const char *streams_known_write(const struct streams_known *known, char ret[STREAMS_KNOWN_BYTES])
{
    char place[REDIS_ID_BYTES];
    size_t size = 0;
    *ret = '\0';
    for (size_t i = 0; i < known->n; i++)
        size += (size_t) snprintf(ret + size, STREAMS_KNOWN_BYTES - size, "%s%s", i ? " " : "",
                                  redis_id_write(known->v[i], place));
    return ret;
}

void streams_known_add(struct streams_known *known, struct redis_id place)
{
    size_t at = 0;
    while (at < known->n && known->v[at].ms != place.ms)
        at++;
    if (at < known->n && place.seq < known->v[at].seq)
        place = known->v[at];
    if (at == known->n && at < STREAMS_LIVES_MAX)
        known->n++;
    if (at == STREAMS_LIVES_MAX)
        at--;
    memmove(&known->v[1], &known->v[0], at * sizeof(known->v[0]));
    known->v[0] = place;
}

bool streams_known_has(const struct streams_known *known, struct redis_id place)
{
    for (size_t i = 0; i < known->n; i++)
        if (known->v[i].ms == place.ms)
            return place.seq <= known->v[i].seq;
    return false;
}

struct redis_id streams_known_last(const struct streams_known *known)
{
    return known->n ? known->v[0] : (struct redis_id){ 0 };
}

/* Of a stream of which nothing was read nothing is missed: it begins with what it has. */
enum streams_news streams_look(const struct streams_known *known, struct redis_id place, struct redis_id before)
{
    if (streams_known_has(known, place))
        return STREAMS_KNOWN;
    bool says = before.ms || before.seq;
    return says && known->n && !streams_known_has(known, before) ? STREAMS_LOST : STREAMS_NEXT;
}

enum streams_end streams_look_at_end(const struct streams_known *known, struct redis_id end,
                                     const struct redis_id *asked)
{
    struct redis_id last = streams_known_last(known);
    bool is_empty = !end.ms && !end.seq;
    if (redis_id_compare(end, last) >= 0)
        return STREAMS_END_GOES_ON;
    if (end.ms == last.ms || is_empty)
        return STREAMS_END_BEHIND;
    return asked && redis_id_compare(*asked, end) != 0 ? STREAMS_END_ANEW : STREAMS_END_EARLIER;
}
