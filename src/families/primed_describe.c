/* primed_describe.c - the line of STATE_PRIMED: what was missed, by name, and how much else is different. */
#include "call.h"
#include "primed_merge.h"
#include "unit.h"

/* What the line is made of. */
struct told {
    const struct event *event;
    const struct state *state;
    struct description *out;
    struct primed_moment moment;
    usec_t gap_us;
    size_t n_units, n_calls, n_calls911; /* that are different, or known from now on */
    size_t n_named;                      /* in the list that is being written */
};

/* ---- one thing by its name ---- */

/* Before a name in a list. False: it is only counted. */
static bool begin_name(struct told *told)
{
    bool named = told->n_named++ < LINE_LIST_MAX;
    if (named && told->n_named > 1)
        text_add(&told->out->line, ", ");
    return named;
}

static void end_names(struct told *told)
{
    phrase_say_more(&told->out->line, told->n_named);
    told->n_named = 0;
}

static void name_call(struct told *told, const struct state_call *call)
{
    struct text *line = &told->out->line;
    if (!call->title || !*call->title) {
        phrase_say_call(told->event, told->state, told->out, call->id);
        return;
    }
    ids_add(&told->out->calls, call->id);
    text_addf(line, "call %lld ", (long long) call->id);
    phrase_say(line, call->title, LINE_NAME_MAX);
}

static void name_call911(struct told *told, const struct state_call911 *call)
{
    struct text *line = &told->out->line;
    bool called = call->caller && *call->caller, placed = call->location && *call->location;
    ids_add(&told->out->calls911, call->id);
    text_addf(line, "%s call %lld", call->emergency == 0 ? "civil" : "911", (long long) call->id);
    if (!called && !placed)
        return;
    text_add(line, " (");
    phrase_say(line, call->caller, LINE_NAME_MAX);
    text_add(line, called && placed ? ", " : "");
    phrase_say(line, call->location, LINE_NAME_MAX);
    text_add(line, ")");
}

/* ---- who is in panic ---- */

static bool is_panic(const struct told *told, const struct primed_unit *unit)
{
    const struct state_unit *known = state_find_unit(told->state, told->event->realm, unit->told.id);
    bool newer = known && !primed_is_older(&told->moment, known->changed_id, known->seen_us);
    return unit->told.panic == 1 && !newer && !(known && known->panic == 1);
}

static void say_unit(struct told *told, const cJSON *json, const char *before)
{
    struct primed_unit unit CLEANUP(primed_unit_done);
    if (!primed_read_unit(json, &unit))
        return;
    told->n_units++;
    phrase_count_unit(told->out, unit.told.id);
    if (!is_panic(told, &unit))
        return;
    told->out->level = LOG_WARNING;
    text_add(&told->out->line, told->n_named ? "" : before);
    if (!begin_name(told))
        return;
    text_add(&told->out->line, told->gap_us ? "panic of " : "");
    phrase_say_unit_object(told->event, told->state, told->out, json, unit.told.id);
}

/* ---- what was missed ---- */

/* An event told of it after all, behind the question. */
static bool came_by_event(bool known_told, uint64_t changed_id, const struct told *told)
{
    return known_told && changed_id > told->moment.asked_id;
}

static void say_call911(struct told *told, const cJSON *json, const char *before)
{
    struct primed_call911 call;
    if (!primed_read_call911(json, &call))
        return;
    const struct state_call911 *known = state_find_call911(told->state, told->event->realm, call.told.id);
    ids_add(&told->out->calls911, call.told.id);
    if (known && known->removed && known->changed_id > told->moment.asked_id)
        return; /* while it was asked */
    if (!primed_is_missed(json) || came_by_event(known && known->told, known ? known->changed_id : 0, told)) {
        told->n_calls911++;
        return;
    }
    told->out->level = LOG_WARNING;
    text_add(&told->out->line, told->n_named ? "" : before);
    if (begin_name(told))
        name_call911(told, &call.told);
}

static void say_call(struct told *told, const cJSON *json, const char *before)
{
    struct primed_call call CLEANUP(primed_call_done);
    if (!primed_read_call(json, &call))
        return;
    const struct state_call *known = state_find_call(told->state, told->event->realm, call.told.id);
    ids_add(&told->out->calls, call.told.id);
    if (!primed_is_missed(json) || came_by_event(known && known->told, known ? known->changed_id : 0, told)) {
        told->n_calls++;
        return;
    }
    told->out->level = LOG_WARNING;
    text_add(&told->out->line, told->n_named ? "" : before);
    if (!begin_name(told))
        return;
    name_call(told, &call.told);
    if (call.told.status == STATE_CALL_CLOSED)
        text_add(&told->out->line, ", closed again");
}

/* ---- the rest, counted ---- */

static void say_count(struct told *told, size_t n, const char *one, bool *any)
{
    if (!n)
        return;
    text_addf(&told->out->line, "%s%zu %s%s", *any ? ", " : "", n, one, text_plural(n));
    *any = true;
}

static void say_counts(struct told *told)
{
    bool any = false;
    say_count(told, told->n_units, "unit", &any);
    say_count(told, told->n_calls, "call", &any);
    say_count(told, told->n_calls911, "911 call", &any);
}

/* ---- what is gone ---- */

static size_t count_gone_units(const struct told *told)
{
    const cJSON *list = primed_gone_of(told->event, "units");
    size_t n = 0;
    int64_t id;
    for (const cJSON *item = field_first_of(list); item; item = field_next_of(list, item)) {
        if (!scalar_read_id(item, &id))
            continue;
        phrase_count_unit(told->out, id);
        n++;
    }
    return n;
}

static void name_gone(struct told *told, const char *list_name,
                      void (*name)(const struct event *event, const struct state *state, struct description *out,
                                   int64_t id))
{
    const cJSON *list = primed_gone_of(told->event, list_name);
    int64_t id;
    for (const cJSON *item = field_first_of(list); item; item = field_next_of(list, item)) {
        if (!scalar_read_id(item, &id))
            continue;
        if (begin_name(told)) {
            name(told->event, told->state, told->out, id);
            continue;
        }
        ids_add(name == phrase_say_call ? &told->out->calls : &told->out->calls911, id);
    }
}

static void say_gone(struct told *told, const char *before)
{
    struct text *line = &told->out->line;
    size_t start = line->size, n_units = count_gone_units(told);
    text_add(line, before);
    size_t names = line->size;
    name_gone(told, "calls911", phrase_say_call911);
    name_gone(told, "calls", phrase_say_call);
    end_names(told);
    if (n_units)
        text_addf(line, "%s%zu unit%s off duty", line->size > names ? ", " : "", n_units, text_plural(n_units));
    if (line->size > names || line->failed)
        return;
    line->size = start;
    line->s[start] = '\0';
}

/* ---- the sentence ---- */

static void add_missed(struct told *told, const char *before)
{
    PRIMED_FOR_EACH (unit, told->event, "units")
        say_unit(told, unit, before);
    PRIMED_FOR_EACH (call911, told->event, "calls911")
        say_call911(told, call911, before);
    PRIMED_FOR_EACH (call, told->event, "calls")
        say_call(told, call, before);
    end_names(told);
}

/* "missed during 42 s: 911 call 90417 (Zoë Okonkwo, 118 Lantern St), call 55120 Structure Fire; different besides: 3
 * units; ended: call 55118 Traffic Stop, 2 units off duty" */
static void say_after_gap(struct told *told)
{
    struct text *line = &told->out->line, during CLEANUP(text_free) = TEXT_INIT;
    text_add(&during, "missed during ");
    text_add_lapse(&during, told->gap_us);
    text_add(&during, ": ");
    add_missed(told, during.s);
    bool missed = line->size, counted = told->n_units || told->n_calls || told->n_calls911;
    if (!missed) {
        text_add(line, "after ");
        text_add_lapse(line, told->gap_us);
        text_add(line, " without connection");
    }
    if (counted)
        text_add(line, missed ? "; different besides: " : ", different: ");
    say_counts(told);
    say_gone(told, missed || counted ? "; ended: " : ", ended: ");
}

static void say_known(struct told *told)
{
    struct text *line = &told->out->line, panic CLEANUP(text_free) = TEXT_INIT;
    add_missed(told, "");
    text_add(&panic, line->s);
    text_reset(line);
    bool counted = told->n_units || told->n_calls || told->n_calls911;
    text_add(line, "known from the CAD: ");
    say_counts(told);
    if (panic.size)
        text_addf(line, "; in panic: %s", panic.s);
    say_gone(told, counted ? "; ended: " : "ended: ");
}

void primed_describe(const struct event *event, const struct state *state, struct description *out)
{
    struct told told = { .event = event,
                         .state = state,
                         .out = out,
                         .moment = primed_moment_of(event),
                         .gap_us = primed_count(event->data, "gap_us") };
    if (told.gap_us)
        say_after_gap(&told);
    else
        say_known(&told);
}
