/* discord_hear.h - bodies as events with their descriptions, for the tests of what Discord gets. */
#pragma once

#include "discord.h"
#include "discord_checks.h"
#include "fixture_cases.h"

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#define NOON_US ((usec_t) 1795449600000000)
#define FIRST_ID 1042

typedef void heard_function(const struct event *event, const struct description *description, void *context);

/* Every event of a body, as its row will have it: described as it came, then what is known. Returns how many. */
static inline size_t hear(const char *body, struct state *cad, heard_function *heard, void *context)
{
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = {
        .communities = communities, .n_communities = 1, .families = &families_all, .accept_unknown_types = true
    };
    struct batch batch;
    struct err err;
    if (envelope_parse(strdup(body), strlen(body), &rules, &origin, NOON_US, &batch, NULL, &err) != ENVELOPE_OK)
        return 0;

    size_t n = batch.events[0].verdict == EVENT_UNKNOWN ? 0 : batch.n_events; /* no action gets those */
    for (size_t i = 0; i < n; i++) {
        struct event *event = &batch.events[i];
        struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
        event->id = FIRST_ID + i;
        event_describe(event, cad, &description);
        if (event->handler && event->handler->apply && event->verdict == EVENT_ACCEPTED)
            event->handler->apply(event, cad);
        families_write_known(event, cad, &description);
        if (heard)
            heard(event, &description, context);
    }
    batch_done(&batch);
    return n;
}
