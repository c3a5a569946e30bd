/* samples.h - inside src/ctl: for each type of event, one of its kind to try things with.
 *
 * Shape:   ids, names and texts are made up and say that they are a test; no real unit or call should have them.
 * Source:  events.md section 4.
 */
#pragma once

#include <sonoran-pushd/event.h>

struct sample {
    const char *type; /* its real name, not an alias */
    const char *data; /* JSON; NULL: it has none */
    const char *top;  /* other top-level members, "\"logKey\":1", or NULL */
};

extern const struct sample samples[];
extern const size_t samples_n;

/* By name or alias, in any letter case. NULL: there is none. */
const struct sample *sample_find(const char *type);
