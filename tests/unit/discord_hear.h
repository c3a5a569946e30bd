/* discord_hear.h - bodies as events with their descriptions, for the tests of what Discord gets. */
#pragma once

#include <errno.h>

#include "discord.h"
#include "discord_checks.h"

#include <sonoran-pushd/events.h>
#include <sonoran-pushd/state.h>

#define KEY "TEST-API-KEY-0000"
#define NOON_US ((usec_t) 1795449600000000)
#define FIRST_ID 1042

static inline char *read_file(const char *folder, const char *name)
{
    char path[1024];
    struct text text = TEXT_INIT;
    snprintf(path, sizeof(path), "%s/%s/%s", FIXTURES, folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        text_add_bytes(&text, piece, n);
    fclose(file);
    return text.s;
}

typedef void heard_function(const struct event *event, const struct description *description, void *context);

/* Every event of a body: described as it came, then known. Returns how many. */
static inline size_t hear(const char *body, struct state *cad, heard_function *heard, void *context)
{
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct http_origin origin = { "main", "192.0.2.1" };
    const struct envelope_rules rules = { communities, 1, &all_event_families, true };
    struct batch batch;
    struct err err;
    if (envelope_parse(strdup(body), strlen(body), &rules, &origin, NOON_US, &batch, NULL, &err) != ENVELOPE_OK)
        return 0;

    size_t n = batch.n_events;
    for (size_t i = 0; i < n; i++) {
        struct event *event = &batch.events[i];
        struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
        event->id = FIRST_ID + i;
        if (event->handler && event->verdict == EVENT_ACCEPTED)
            event->handler->describe(event, cad, &description);
        if (heard)
            heard(event, &description, context);
        if (event->handler && event->handler->apply && event->verdict == EVENT_ACCEPTED)
            event->handler->apply(event, cad);
    }
    batch_done(&batch);
    return n;
}
