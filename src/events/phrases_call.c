/* phrases_call.c - how lines name calls and 911 calls, and speak of what is at them. */
#include <math.h>
#include <stdlib.h>

#include "call.h"

static void name_call(const struct event *event, const struct state *state, struct text *out, int64_t id)
{
    const struct state_call *call = state_find_call(state, event->community, id);
    text_add_int(out, id);
    say_after(out, " ", call ? call->title : NULL, LINE_NAME_MAX);
}

void say_call(const struct event *event, const struct state *state, struct description *out, int64_t id)
{
    ids_add(&out->calls, id);
    text_add(&out->line, "call ");
    name_call(event, state, &out->line, id);
}

void say_calls(const struct event *event, const struct state *state, struct description *out, const struct ids *ids)
{
    count_ids(&out->calls, ids);
    text_add(&out->line, ids->n == 1 ? "call " : "calls ");
    say_list(event, state, &out->line, ids, name_call);
}

void say_call911_kind(const struct event *event, const struct state *state, struct text *line, int64_t id)
{
    const struct state_call911 *call = state_find_call911(state, event->community, id);
    text_add(line, call && call->emergency == 0 ? "civil call " : "911 call ");
}

void say_call911(const struct event *event, const struct state *state, struct description *out, int64_t id)
{
    const struct state_call911 *call = state_find_call911(state, event->community, id);
    const char *caller = call ? call->caller : NULL, *location = call ? call->location : NULL;
    bool called = caller && *caller, placed = location && *location;

    ids_add(&out->calls911, id);
    say_call911_kind(event, state, &out->line, id);
    text_add_int(&out->line, id);
    if (!called && !placed)
        return;
    text_add(&out->line, " (");
    say(&out->line, caller, LINE_NAME_MAX);
    text_add(&out->line, called && placed ? ", " : "");
    say(&out->line, location, LINE_NAME_MAX);
    text_add(&out->line, ")");
}

int64_t originator_of(const struct event *event)
{
    int64_t id;
    return get_id(event->data, "eventOriginIdent", &id) ? id : 0;
}

void say_originator(const struct event *event, const struct state *state, struct description *out)
{
    int64_t id = originator_of(event);
    if (id == 0)
        return;
    out->by = id;
    text_add(&out->line, " by ");
    state_name_unit(state, event->community, id, &out->line);
}

const struct state_call *call_known(const struct event *event, const struct state *state, int64_t id)
{
    const struct state_call *call = state_find_call(state, event->community, id);
    return call && call->told ? call : NULL;
}

bool is_closed(const struct state_call *call)
{
    return call && call->status == STATE_CALL_CLOSED;
}

void say_left(const struct event *event, const struct state *state, struct text *line, int64_t call,
              const struct ids *gone)
{
    const struct state_call *known = call_known(event, state, call);
    const int64_t *units;
    size_t n = state_call_units(state, event->community, call, &units), left = n;
    if (!known || is_closed(known))
        return;
    for (size_t i = 0; i < n; i++)
        left -= has_id(gone, units[i]);
    if (left)
        text_addf(line, ", %zu unit%s left", left, text_plural(left));
    else
        text_add(line, ", no unit left");
}

/* Nobody wrote what the CAD itself notes. */
static void say_author(const struct event *event, const struct state *state, struct description *out,
                       const char *author)
{
    int64_t id = author ? state_unit_by_number(state, event->community, author) : STATE_UNSET_ID;
    if (id == STATE_UNSET_ID) {
        say_after(&out->line, " from ", author, LINE_NAME_MAX);
        return;
    }
    text_add(&out->line, " from ");
    say_unit(event, state, out, id);
}

void say_note(const struct event *event, const struct state *state, struct description *out, const cJSON *note)
{
    const char *author, *kind, *text = read_note(note, &author, &kind);
    bool system = author && strcasecmp(author, "Sonoran CAD") == 0, is_link = kind && strcasecmp(kind, "link") == 0;

    text_add(&out->line, text && *text ? ", " : ", empty ");
    text_add(&out->line, system ? "system " : "");
    if (!kind || !*kind || strcasecmp(kind, "text") == 0)
        text_add(&out->line, "note");
    else
        say(&out->line, kind, LINE_NAME_MAX);
    say_author(event, state, out, system ? NULL : author);
    say_originator(event, state, out);
    if (is_link)
        say_file(&out->line, ": ", text);
    else
        say_after(&out->line, ": ", text, LINE_TEXT_MAX);
}

#define PLACE_MAX 1e9 /* farther away is nowhere in any game */

static bool read_decimal(const cJSON *item, double *ret)
{
    const char *text = cJSON_GetStringValue(item);
    char *end = NULL;
    if (cJSON_IsNumber(item))
        *ret = item->valuedouble;
    else if (text && *text)
        *ret = strtod(text, &end);
    else
        return false;
    return (!end || *end == '\0') && fabs(*ret) <= PLACE_MAX;
}

bool position_of(const cJSON *place, char ret[POSITION_MAX_BYTES])
{
    const cJSON *x = get(place, "x"), *y = get(place, "y");
    double east, north;
    *ret = '\0';
    if (!read_decimal(x ? x : get(place, "X"), &east) || !read_decimal(y ? y : get(place, "Y"), &north))
        return false;
    snprintf(ret, POSITION_MAX_BYTES, "(%.1f, %.1f)", east, north);
    return true;
}

void say_position(struct text *line, const cJSON *place)
{
    char position[POSITION_MAX_BYTES];
    if (position_of(place, position))
        text_addf(line, " at %s", position);
}
