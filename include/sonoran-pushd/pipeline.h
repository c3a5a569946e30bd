/* pipeline.h - what happens to a batch of events after its verdict: told, and applied to state.
 *
 * Owner:   the pipeline takes the batch (batch_done is its business), and borrows state.
 * Threads: pipeline_submit is called by the HTTP thread.
 */
#pragma once

#include <sonoran-pushd/event.h>
#include <sonoran-pushd/state.h>

struct pipeline;

int pipeline_new(struct pipeline **ret, struct state *state) MUST_CHECK;
struct pipeline *pipeline_free(struct pipeline *pipeline);

/* How much of an event's data goes into its line's fields; 0: none. */
void pipeline_set_payload_bytes(struct pipeline *pipeline, uint64_t payload_bytes);

void pipeline_submit(struct pipeline *pipeline, struct batch *take_batch);
