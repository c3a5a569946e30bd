/* state_dump.h - all that a state knows of a community, as text: to compare two states, or one with itself. */
#pragma once

#include <inttypes.h>
#include <stdlib.h>

#include <sonoran-pushd/state.h>

static inline void dump_unit_text(struct text *out, const struct state *state, const struct state_unit *u)
{
    text_addf(out, "unit %" PRId64 " [%s|%s|%s|%s|%s|%s] %d %d %d %d %d %d", u->id, u->number, u->name, u->location,
              u->department, u->group, u->api_ids, u->status, u->page, u->panic, u->dispatcher, u->online, u->told);
    text_addf(out, " since %" PRIu64 " %" PRIu64 " %" PRIu64 " seen %" PRIu64 " by %" PRIu64 " %s\n",
              u->status_since_us, u->panic_since_us, u->duty_since_us, u->seen_us, u->changed_id,
              state_source(state, u->changed_source));
}

static inline void dump_call_text(struct text *out, const struct state_call *c, const int64_t *units,
                                  const usec_t *since_us, size_t n_units)
{
    text_addf(out, "call %" PRId64 " [%s|%s|%s|%s|%s|%s|%s] %d %d %d %d %d", c->id, c->title, c->code, c->address,
              c->postal, c->block, c->description, c->last_note, c->origin, c->status, c->priority, c->track_primary,
              c->told);
    text_addf(out, " %" PRId64 " %" PRId64 " %u since %" PRIu64 " %" PRIu64 " seen %" PRIu64 " by %" PRIu64, c->primary,
              c->call911, c->n_notes, c->opened_us, c->closed_us, c->seen_us, c->changed_id);
    for (size_t i = 0; i < n_units; i++)
        text_addf(out, " @%" PRId64 "/%" PRIu64, units[i], since_us[i]);
    text_add(out, "\n");
}

static inline void dump_call911_text(struct text *out, const struct state_call911 *c)
{
    const char *const texts[] = { c->caller, c->location, c->description, c->postal, c->plate, c->phone, c->position };
    text_addf(out, "911 %" PRId64 " [", c->id);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        text_addf(out, "%s|", texts[i] ? texts[i] : "");
    text_addf(out, "] %d %d %d %d %" PRId64 " since %" PRIu64 " seen %" PRIu64 " by %" PRIu64 "\n", c->emergency,
              c->silent, c->removed, c->told, c->call, c->opened_us, c->seen_us, c->changed_id);
}

/* What snapshots leave out is asked for: the calls of each unit, and 911 calls with ids up to max_id. */
static inline void dump_state_text(const struct state *state, const char *community, int64_t max_id, struct text *out)
{
    struct state_snapshot *s = NULL;
    int dispatchers, on_duty;
    assert_true(state_snapshot(state, community, &s) >= 0);
    state_count(state, community, &dispatchers, &on_duty);
    text_addf(out, "%s as of %" PRIu64 ": %d %d\n", community, s->as_of, dispatchers, on_duty);
    for (size_t i = 0; i < s->n_units; i++) {
        int64_t calls[64];
        size_t n = state_unit_calls(state, community, s->units[i].id, calls, 64);
        dump_unit_text(out, state, &s->units[i]);
        for (size_t k = 0; k < n; k++)
            text_addf(out, " at %" PRId64, calls[k]);
    }
    for (size_t i = 0; i < s->n_calls; i++)
        dump_call_text(out, &s->calls[i], s->attached[i], s->attached_since_us[i], s->n_attached[i]);
    for (int64_t id = -1; id <= max_id; id++) {
        const struct state_call911 *call = state_find_call911(state, community, id);
        if (call)
            dump_call911_text(out, call);
    }
    state_snapshot_free(s);
}
