/* primed_diff.c - the answers of the CAD's REST interface beside a snapshot of state: what differs, as the data of an
 * event. */
#include <stdlib.h>
#include <time.h>

#include "primed_merge.h"

#define UPDATED_SLACK_US (60 * USEC_PER_SEC) /* between the CAD's clock and ours */

/* What is being compared. */
struct diff {
    const struct primed_question *question;
    struct primed_moment moment;
    const struct state_snapshot *known;
    primed_heard *heard;
    void *context;
    struct json_writer out;
    struct ids units, calls, calls911; /* that the CAD has, or told the end of */
    size_t n, n_missed;                /* of what differs */
};

static bool has(const struct ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->v[i] == id)
            return true;
    return false;
}

/* False: it was there already, or there are too many. */
static bool take_id(struct ids *ids, int64_t id)
{
    size_t n = ids->n;
    ids_add(ids, id);
    return ids->n > n;
}

static bool has_room(const struct diff *diff)
{
    return diff->out.out->size < PRIMED_MAX_BYTES;
}

/* Of something that no event told as a whole. */
static bool is_missed(const struct diff *diff, enum state_kind kind, int64_t id)
{
    return diff->question->gap_us && !diff->heard(diff->context, kind, id);
}

/* ---- finding; a snapshot is in the order of the ids, which all begin with one ---- */

#define FIND(KIND, LIST, N)                                                                                            \
    static int by_id_of_##KIND(const void *key, const void *element)                                                   \
    {                                                                                                                  \
        int64_t id = *(const int64_t *) key, other = ((const struct state_##KIND *) element)->id;                      \
        return (id > other) - (id < other);                                                                            \
    }                                                                                                                  \
    static const struct state_##KIND *find_##KIND(const struct diff *diff, int64_t id)                                 \
    {                                                                                                                  \
        const struct state_snapshot *known = diff->known;                                                              \
        return known->N ? bsearch(&id, known->LIST, known->N, sizeof(known->LIST[0]), by_id_of_##KIND) : NULL;         \
    }

FIND(unit, units, n_units)
FIND(call, calls, n_calls)
FIND(call911, calls911, n_calls911)

/* ---- units ---- */

static void compare_with_unit(struct diff *diff, const cJSON *json)
{
    struct primed_unit unit CLEANUP(primed_unit_done);
    if (!primed_read_unit(json, &unit) || !take_id(&diff->units, unit.told.id) || !has_room(diff))
        return;
    const struct state_unit *known = find_unit(diff, unit.told.id);
    if (known && !primed_is_older(&diff->moment, known->changed_id, known->seen_us))
        primed_spare_unit(&unit.told, known);
    if ((known && !primed_is_other_unit(&unit.told, known)) || (!known && !unit.told.online))
        return;
    primed_write_unit(&diff->out, &unit.told);
    diff->n++;
}

static void compare_units(struct diff *diff, const struct primed_answers *answers)
{
    json_begin_array(&diff->out, "units");
    for (size_t i = 0; i < answers->n_units; i++)
        for (const cJSON *json = field_first_of(answers->units[i]); json; json = field_next_of(answers->units[i], json))
            compare_with_unit(diff, json);
    json_end(&diff->out);
}

/* ---- dispatch calls ---- */

static void compare_call(struct diff *diff, struct primed_call *call, bool missed)
{
    const struct state_call *known = find_call(diff, call->told.id);
    const int64_t *units = known ? diff->known->attached[known - diff->known->calls] : NULL;
    size_t n_units = known ? diff->known->n_attached[known - diff->known->calls] : 0;
    if (known && !primed_is_older(&diff->moment, known->changed_id, known->seen_us))
        primed_spare_call(call, known);
    if (known && !primed_is_other_call(call, known, units, n_units))
        return;
    primed_write_call(&diff->out, call, missed);
    diff->n++;
    diff->n_missed += missed;
}

static void compare_with_active(struct diff *diff, const cJSON *json)
{
    struct primed_call call CLEANUP(primed_call_done);
    if (!primed_read_call(json, &call) || !take_id(&diff->calls, call.told.id) || !has_room(diff))
        return;
    const struct state_call *known = find_call(diff, call.told.id);
    bool told = known && known->told;
    compare_call(diff, &call, !told && is_missed(diff, STATE_KIND_CALL, call.told.id));
}

/* "2026-04-08T21:30:00Z"; 0: none that can be read. */
static usec_t updated_us(const cJSON *json)
{
    struct tm tm = { 0 };
    const char *text = field_get_text(json, "updated");
    if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
        return 0;
    time_t seconds = timegm(&tm);
    return seconds > 0 ? (usec_t) seconds * USEC_PER_SEC : 0;
}

/* Those that were closed last go back to before the log: of what nobody heard only what was spoken of in the gap. */
static void compare_with_closed(struct diff *diff, const cJSON *json)
{
    struct primed_call call CLEANUP(primed_call_done);
    if (!primed_read_call(json, &call) || !take_id(&diff->calls, call.told.id) || !has_room(diff))
        return;
    const struct state_call *known = find_call(diff, call.told.id);
    bool told = known && known->told;
    bool recent = updated_us(json) + diff->question->gap_us + UPDATED_SLACK_US >= diff->question->asked_us;
    bool missed = !told && recent && is_missed(diff, STATE_KIND_CALL, call.told.id);
    bool ended = known && known->status != STATE_CALL_CLOSED;
    call.told.status = STATE_CALL_CLOSED;
    if (missed || ended)
        compare_call(diff, &call, missed);
}

/* ---- 911 calls ---- */

static void compare_with_call911(struct diff *diff, const cJSON *json)
{
    struct primed_call911 call;
    if (!primed_read_call911(json, &call) || !take_id(&diff->calls911, call.told.id) || !has_room(diff))
        return;
    const struct state_call911 *known = find_call911(diff, call.told.id);
    if (known && !primed_is_older(&diff->moment, known->changed_id, known->seen_us))
        primed_spare_call911(&call.told, known);
    if (known && !primed_is_other_call911(&call.told, known))
        return;
    bool missed = !known && is_missed(diff, STATE_KIND_CALL911, call.told.id);
    primed_write_call911(&diff->out, &call.told, missed);
    diff->n++;
    diff->n_missed += missed;
}

/* ---- lists, whatever the first letter's case ---- */

static const cJSON *list_of(const cJSON *answer, const char *name, const char *also)
{
    const cJSON *list = field_get(answer, name);
    list = list ? list : field_get(answer, also);
    return list && event_is_list(list) ? list : NULL;
}

static void for_each(struct diff *diff, const cJSON *list, void (*compare)(struct diff *diff, const cJSON *json))
{
    for (const cJSON *json = list ? field_first_of(list) : NULL; json; json = field_next_of(list, json))
        compare(diff, json);
}

static void compare_calls(struct diff *diff, const cJSON *active, const cJSON *closed)
{
    json_begin_array(&diff->out, "calls");
    for_each(diff, active, compare_with_active);
    for_each(diff, closed, compare_with_closed);
    json_end(&diff->out);
}

static void compare_calls911(struct diff *diff, const cJSON *emergency)
{
    json_begin_array(&diff->out, "calls911");
    for_each(diff, emergency, compare_with_call911);
    json_end(&diff->out);
}

/* ---- what is gone ---- */

static bool may_end(const struct diff *diff, uint8_t source, uint64_t changed_id, usec_t seen_us)
{
    return source && source == diff->question->source && primed_is_older(&diff->moment, changed_id, seen_us);
}

static void add_gone(struct diff *diff, int64_t id)
{
    json_add_int(&diff->out, NULL, id);
    diff->n++;
}

static void end_units(struct diff *diff)
{
    json_begin_array(&diff->out, "units");
    for (size_t i = 0; i < diff->known->n_units; i++) {
        const struct state_unit *unit = &diff->known->units[i];
        if (unit->told && unit->online && may_end(diff, unit->changed_source, unit->changed_id, unit->seen_us) &&
            !has(&diff->units, unit->id))
            add_gone(diff, unit->id);
    }
    json_end(&diff->out);
}

static void end_calls(struct diff *diff)
{
    json_begin_array(&diff->out, "calls");
    for (size_t i = 0; i < diff->known->n_calls; i++) {
        const struct state_call *call = &diff->known->calls[i];
        if (call->status != STATE_CALL_CLOSED && may_end(diff, call->changed_source, call->changed_id, call->seen_us) &&
            !has(&diff->calls, call->id))
            add_gone(diff, call->id);
    }
    json_end(&diff->out);
}

static void end_calls911(struct diff *diff)
{
    json_begin_array(&diff->out, "calls911");
    for (size_t i = 0; i < diff->known->n_calls911; i++) {
        const struct state_call911 *call = &diff->known->calls911[i];
        if (may_end(diff, call->changed_source, call->changed_id, call->seen_us) && !has(&diff->calls911, call->id))
            add_gone(diff, call->id);
    }
    json_end(&diff->out);
}

/* Of a list that has as many as are taken nobody knows whether it is whole. */
static bool is_whole(const struct ids *ids)
{
    return ids->n < IDS_MAX;
}

static void compare_gone(struct diff *diff, const struct primed_answers *answers, bool active, bool emergency)
{
    json_begin_object(&diff->out, "gone");
    if (answers->units_whole && is_whole(&diff->units))
        end_units(diff);
    if (active && is_whole(&diff->calls))
        end_calls(diff);
    if (emergency && is_whole(&diff->calls911))
        end_calls911(diff);
    json_end(&diff->out);
}

static void begin(struct diff *diff)
{
    const struct primed_question *question = diff->question;
    json_begin_object(&diff->out, NULL);
    json_add_int(&diff->out, "asked_id", (int64_t) question->asked_id);
    json_add_int(&diff->out, "asked_us", (int64_t) question->asked_us);
    json_add_int(&diff->out, "server", question->server);
    if (question->gap_us)
        json_add_int(&diff->out, "gap_us", (int64_t) question->gap_us);
}

int primed_diff(const struct primed_question *question, const struct primed_answers *answers,
                const struct state_snapshot *known, primed_heard *heard, void *context, struct text *ret,
                size_t *ret_n_missed)
{
    struct diff diff = { .question = question,
                         .moment = { question->asked_id, question->asked_us, question->now_us },
                         .known = known,
                         .heard = heard,
                         .context = context,
                         .out = json_writer(ret) };
    const cJSON *active = list_of(answers->calls, "activeCalls", "ActiveCalls"),
                *emergency = list_of(answers->calls, "emergencyCalls", "EmergencyCalls"),
                *closed = list_of(answers->calls, "closedCalls", "ClosedCalls");
    begin(&diff);
    compare_units(&diff, answers);
    compare_calls(&diff, active, closed);
    compare_calls911(&diff, emergency);
    compare_gone(&diff, answers, active, emergency);
    json_end(&diff.out);
    ids_free(&diff.units);
    ids_free(&diff.calls);
    ids_free(&diff.calls911);
    *ret_n_missed = diff.n_missed;
    return ret->failed ? -ENOMEM : diff.n > 0;
}

uint8_t primed_source(const struct state *state, const char *source, const char *name)
{
    struct text whole CLEANUP(text_free) = TEXT_INIT;
    text_addf(&whole, "%s/%s", source, name);
    for (unsigned n = 1; n <= STATE_MAX_SOURCES && *state_source(state, (uint8_t) n); n++)
        if (strcmp(state_source(state, (uint8_t) n), whole.s) == 0)
            return (uint8_t) n;
    return 0;
}
