/* sent.c - the sender's own bytes of a part of an event.
 *
 * cJSON reads numbers as doubles, so 1.10 becomes 1.1 and 1e3 becomes 1000; a program or a bot shall have what the CAD
 * wrote. The text has been checked when it came (src/event/scan.c); what is not sound ends the walk, never the bounds.
 */
#include <string.h>

#include "private.h"

struct walk {
    const char *p, *end;
};

static bool at(const struct walk *walk, char c)
{
    return walk->p < walk->end && *walk->p == c;
}

static void skip_space(struct walk *walk)
{
    while (walk->p < walk->end && (*walk->p == ' ' || *walk->p == '\n' || *walk->p == '\r' || *walk->p == '\t'))
        walk->p++;
}

static void skip_string(struct walk *walk)
{
    for (walk->p++; walk->p < walk->end && *walk->p != '"'; walk->p++)
        if (*walk->p == '\\' && walk->p + 1 < walk->end)
            walk->p++;
    if (walk->p < walk->end)
        walk->p++;
}

static void skip_container(struct walk *walk)
{
    unsigned depth = 0;
    while (walk->p < walk->end) {
        if (*walk->p == '"') {
            skip_string(walk);
            continue;
        }
        char c = *walk->p++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return;
    }
}

static void skip_value(struct walk *walk)
{
    if (at(walk, '"'))
        skip_string(walk);
    else if (at(walk, '{') || at(walk, '['))
        skip_container(walk);
    else
        while (walk->p < walk->end && !strchr(",]} \n\r\t", *walk->p))
            walk->p++;
}

static void skip_name(struct walk *walk)
{
    if (at(walk, '"'))
        skip_string(walk);
    skip_space(walk);
    if (at(walk, ':'))
        walk->p++;
    skip_space(walk);
}

struct span sent_child(struct span container, uint32_t n)
{
    const struct span none = { 0 };
    struct walk walk = { container.s, container.s + container.size };
    skip_space(&walk);
    bool object = at(&walk, '{');
    if (!object && !at(&walk, '['))
        return none;
    walk.p++;

    for (uint32_t i = 0;; i++) {
        skip_space(&walk);
        if (object)
            skip_name(&walk);
        const char *first = walk.p;
        skip_value(&walk);
        if (i == n)
            return (struct span){ first, (size_t) (walk.p - first) };
        skip_space(&walk);
        if (!at(&walk, ','))
            return none;
        walk.p++;
    }
}
