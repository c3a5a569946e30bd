/* streams_place.c - what of a stream was read, what is missing, and what was read before. */
#include "streams_place.h"

#include <stdio.h>
#include <string.h>

static const char *read_number(const char *p, const char *end, uint64_t *ret)
{
    const char *start = p;
    for (*ret = 0; p < end && *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t) (*p - '0');
        if (*ret > (UINT64_MAX - digit) / 10)
            return NULL;
        *ret = *ret * 10 + digit;
    }
    return p == start ? NULL : p;
}

bool streams_place_read(struct span text, struct streams_place *ret)
{
    const char *end = text.s + text.size;
    const char *p = text.size ? read_number(text.s, end, &ret->ms) : NULL;
    p = p && p < end && *p == '-' ? read_number(p + 1, end, &ret->seq) : NULL;
    if (p && p == end)
        return true;
    *ret = (struct streams_place){ 0 };
    return false;
}

const char *streams_place_write(struct streams_place place, char ret[STREAMS_PLACE_BYTES])
{
    snprintf(ret, STREAMS_PLACE_BYTES, "%llu-%llu", (unsigned long long) place.ms, (unsigned long long) place.seq);
    return ret;
}

int streams_place_compare(struct streams_place a, struct streams_place b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}

void streams_known_read(const char *text, struct streams_known *ret)
{
    *ret = (struct streams_known){ 0 };
    while (*text && ret->n < STREAMS_LIVES_MAX) {
        size_t size = strcspn(text, " ");
        if (!streams_place_read((struct span){ text, size }, &ret->v[ret->n]))
            return;
        ret->n++;
        text += size + strspn(text + size, " ");
    }
}

const char *streams_known_write(const struct streams_known *known, char ret[STREAMS_KNOWN_BYTES])
{
    char place[STREAMS_PLACE_BYTES];
    size_t size = 0;
    *ret = '\0';
    for (size_t i = 0; i < known->n; i++)
        size += (size_t) snprintf(ret + size, STREAMS_KNOWN_BYTES - size, "%s%s", i ? " " : "",
                                  streams_place_write(known->v[i], place));
    return ret;
}

void streams_known_add(struct streams_known *known, struct streams_place place)
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

bool streams_known_has(const struct streams_known *known, struct streams_place place)
{
    for (size_t i = 0; i < known->n; i++)
        if (known->v[i].ms == place.ms)
            return place.seq <= known->v[i].seq;
    return false;
}

struct streams_place streams_known_last(const struct streams_known *known)
{
    return known->n ? known->v[0] : (struct streams_place){ 0 };
}

/* Of a stream of which nothing was read nothing is missed: it begins with what it has. */
enum streams_news streams_look(const struct streams_known *known, struct streams_place place,
                               struct streams_place before)
{
    if (streams_known_has(known, place))
        return STREAMS_KNOWN;
    bool says = before.ms || before.seq;
    return says && known->n && !streams_known_has(known, before) ? STREAMS_LOST : STREAMS_NEXT;
}

enum streams_end streams_look_at_end(const struct streams_known *known, struct streams_place end,
                                     const struct streams_place *asked)
{
    struct streams_place last = streams_known_last(known);
    bool is_empty = !end.ms && !end.seq;
    if (streams_place_compare(end, last) >= 0)
        return STREAMS_END_GOES_ON;
    if (end.ms == last.ms || is_empty)
        return STREAMS_END_BEHIND;
    return asked && streams_place_compare(*asked, end) != 0 ? STREAMS_END_ANEW : STREAMS_END_EARLIER;
}
