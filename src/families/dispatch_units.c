/* dispatch_units.c - EVENT_DISPATCH_UNIT_ATTACH, …_DETACH: who comes to a call and who leaves it, and what had no
 * effect. Source: events.md 4.7, 4.8. */
#include "call.h"

const char *const dispatch_attach_unit_names[] = { "idents", "ident", NULL };

/* Who is moved to or from which call, and those for whom that changed nothing. */
struct move {
    const struct event *event;
    const struct state *state;
    struct description *out;
    bool named; /* call is its id */
    int64_t call;
    struct ids units, same; /* same only where state was told all of the call's units */
};

static void move_read(struct move *ret, const struct event *event, const struct state *state, struct description *out,
                      bool attach)
{
    const int64_t *attached;
    *ret = (struct move){ .event = event, .state = state, .out = out };
    struct ids before CLEANUP(ids_free) = { 0 };
    field_get_units(event->data, dispatch_attach_unit_names, &ret->units);
    ret->named = field_get_id(event->data, "callId", &ret->call);
    if (!ret->named)
        return;
    size_t n = state_call_units(state, event->realm, ret->call, &attached);
    for (size_t i = 0; i < n; i++)
        ids_add(&before, attached[i]);
    for (size_t i = 0; phrase_call_known(event, state, ret->call) && i < ret->units.n; i++)
        if (call_has_id(&before, ret->units.v[i]) == attach)
            ids_add(&ret->same, ret->units.v[i]);
}

static void move_done(struct move *move)
{
    ids_free(&move->units);
    ids_free(&move->same);
}

/* Whoever does it to itself is named once. */
static void say_move(const struct move *move, const char *verb, const char *call_state)
{
    struct text *line = &move->out->line;
    int64_t by = phrase_originator_of(move->event);
    bool itself = by != 0 && move->units.n == 1 && move->units.v[0] == by;
    if (move->units.n == 0) {
        move->out->level = LOG_DEBUG;
        text_add(line, "no unit");
    }
    phrase_say_units(move->event, move->state, move->out, &move->units);
    text_add(line, itself ? " self-" : " ");
    text_add(line, verb);
    if (move->named)
        phrase_say_call(move->event, move->state, move->out, move->call);
    text_add(line, call_state);
    move->out->by = by;
    if (!itself)
        phrase_say_originator(move->event, move->state, move->out);
}

static void say_same(const struct move *move, const char *what)
{
    struct text *line = &move->out->line;
    if (move->same.n == 0)
        return;
    text_add(line, ", ");
    if (move->same.n < move->units.n) {
        phrase_say_units(move->event, move->state, move->out, &move->same);
        text_add(line, " ");
    }
    text_add(line, move->same.n == 1 ? "was " : "were ");
    text_add(line, what);
}

/* The other open calls of a unit, as far as state was told them as a whole. */
static void other_calls(const struct move *move, int64_t unit, struct ids *ret)
{
    int64_t calls[LINE_LIST_MAX + 1];
    size_t n = state_unit_calls(move->state, move->event->realm, unit, calls, ARRAY_SIZE(calls));
    for (size_t i = 0; i < n; i++)
        if (calls[i] != move->call && phrase_call_known(move->event, move->state, calls[i]))
            ids_add(ret, calls[i]);
}

/* At two calls at once. */
static void say_also(const struct move *move)
{
    for (size_t i = 0; i < move->units.n && i < LINE_LIST_MAX; i++) {
        struct ids others CLEANUP(ids_free) = { 0 };
        other_calls(move, move->units.v[i], &others);
        if (others.n == 0 || call_has_id(&move->same, move->units.v[i]))
            continue;
        text_add(&move->out->line, ", ");
        if (move->units.n > 1) {
            phrase_say_unit(move->event, move->state, move->out, move->units.v[i]);
            text_add(&move->out->line, " ");
        }
        text_add(&move->out->line, "also on ");
        phrase_say_calls(move->event, move->state, move->out, &others);
    }
}

void dispatch_attach_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct move move CLEANUP(move_done);
    move_read(&move, event, state, out, true);
    bool closed = phrase_is_closed(state_find_call(state, event->realm, move.call));
    say_move(&move, "attached to ", closed ? " (closed)" : "");
    say_same(&move, "attached already");
    say_also(&move);
}

void dispatch_detach_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct move move CLEANUP(move_done);
    move_read(&move, event, state, out, false);
    say_move(&move, "detached from ", "");
    say_same(&move, "not attached");
    if (move.same.n < move.units.n)
        phrase_say_left(event, state, &out->line, move.call, &move.units);
}
