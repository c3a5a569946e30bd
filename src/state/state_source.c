/* state_source.c - where changes come from, as a number: one byte in each item. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state_private.h"

static bool is_source(const char *known, const char *source, const char *name)
{
    size_t size = strlen(source);
    return strncmp(known, source, size) == 0 && known[size] == '/' && strcmp(known + size + 1, name) == 0;
}

/* Others read the names, so a new one wants the lock. */
static uint8_t add_source(struct state *base, const char *source, const char *name)
{
    STATE_LOCK(base);
    size_t size = strlen(source) + strlen(name) + sizeof("/");
    char *text = base->n_sources < STATE_MAX_SOURCES ? malloc(size) : NULL;
    if (!text)
        return 0;
    snprintf(text, size, "%s/%s", source, name);
    base->sources[base->n_sources++] = text;
    return (uint8_t) base->n_sources;
}

static struct state *source_owner(const struct state *state)
{
    if (state->below)
        return state->below;
    return state->elder ? state->elder : (struct state *) (uintptr_t) state;
}

void state_set_source(struct state *state, const char *source, const char *name)
{
    struct state *base = source_owner(state);
    for (size_t i = 0; i < base->n_sources; i++)
        if (is_source(base->sources[i], source, name)) {
            state->source = (uint8_t) (i + 1);
            return;
        }
    state->source = add_source(base, source, name);
}

const char *state_source(const struct state *state, uint8_t number)
{
    const struct state *base = source_owner(state);
    STATE_LOCK(base);
    return number && number <= base->n_sources ? base->sources[number - 1] : "";
}
