/* private.h - inside src/pipeline. */
#pragma once

#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>

/* One event as one record of the log. The description is scratch memory, filled here for an accepted event. */
void line_write(const struct event *event, const struct state *state, struct description *description,
                uint64_t payload_bytes);
