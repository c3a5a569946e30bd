/* phrases_call.c - how lines name calls and 911 calls, and speak of what is at them. */
#include <math.h>
#include <stdlib.h>

#include "call.h"

static void name_call(const struct event *event, const struct state *state, struct text *out, int64_t id)
{
    const struct state_call *call = state_find_call(state, event->realm, id);
    text_add_int(out, id);
    phrase_say_after(out, " ", call ? call->title : NULL, LINE_NAME_MAX);
}

void phrase_say_call(const struct event *event, const struct state *state, struct description *out, int64_t id)
{
    ids_add(&out->calls, id);
    text_add(&out->line, "call ");
    name_call(event, state, &out->line, id);
}

void phrase_say_calls(const struct event *event, const struct state *state, struct description *out,
                      const struct ids *ids)
{
    phrase_count_ids(&out->calls, ids);
    text_add(&out->line, ids->n == 1 ? "call " : "calls ");
    phrase_say_list(event, state, &out->line, ids, name_call);
}

void phrase_say_call911_kind(const struct event *event, const struct state *state, struct text *line, int64_t id)
{
    const struct state_call911 *call = state_find_call911(state, event->realm, id);
    text_add(line, call && call->emergency == 0 ? "civil call " : "911 call ");
}

void phrase_say_call911(const struct event *event, const struct state *state, struct description *out, int64_t id)
{
    const struct state_call911 *call = state_find_call911(state, event->realm, id);
    const char *caller = call ? call->caller : NULL, *location = call ? call->location : NULL;
    bool called = caller && *caller, placed = location && *location;

    ids_add(&out->calls911, id);
    phrase_say_call911_kind(event, state, &out->line, id);
    text_add_int(&out->line, id);
    if (!called && !placed)
        return;
    text_add(&out->line, " (");
    phrase_say(&out->line, caller, LINE_NAME_MAX);
    text_add(&out->line, called && placed ? ", " : "");
    phrase_say(&out->line, location, LINE_NAME_MAX);
    text_add(&out->line, ")");
}

int64_t phrase_originator_of(const struct event *event)
{
    int64_t id;
    return field_get_id(event->data, "eventOriginIdent", &id) ? id : 0;
}

void phrase_say_originator(const struct event *event, const struct state *state, struct description *out)
{
    int64_t id = phrase_originator_of(event);
    if (id == 0)
        return;
    out->by = id;
    text_add(&out->line, " by ");
    state_name_unit(state, event->realm, id, &out->line);
}

const struct state_call *phrase_call_known(const struct event *event, const struct state *state, int64_t id)
{
    const struct state_call *call = state_find_call(state, event->realm, id);
    return call && call->told ? call : NULL;
}

bool phrase_is_closed(const struct state_call *call)
{
    return call && call->status == STATE_CALL_CLOSED;
}

void phrase_say_left(const struct event *event, const struct state *state, struct text *line, int64_t call,
                     const struct ids *gone)
{
    const struct state_call *known = phrase_call_known(event, state, call);
    const int64_t *units;
    size_t n = state_call_units(state, event->realm, call, &units), left = n;
    if (!known || phrase_is_closed(known))
        return;
    for (size_t i = 0; i < n; i++)
        left -= call_has_id(gone, units[i]);
    if (left)
        text_addf(line, ", %zu unit%s left", left, text_plural(left));
    else
        text_add(line, ", no unit left");
}

/* Nobody wrote what the CAD itself notes. */
static void say_author(const struct event *event, const struct state *state, struct description *out,
                       const char *author)
{
    int64_t id = author ? state_unit_by_number(state, event->realm, author) : STATE_UNSET_ID;
    if (id == STATE_UNSET_ID) {
        phrase_say_after(&out->line, " from ", author, LINE_NAME_MAX);
        return;
    }
    text_add(&out->line, " from ");
    phrase_say_unit(event, state, out, id);
}

void phrase_say_note(const struct event *event, const struct state *state, struct description *out, const cJSON *note)
{
    const char *author, *kind, *text = field_read_note(note, &author, &kind);
    bool system = author && strcasecmp(author, "Sonoran CAD") == 0, is_link = kind && strcasecmp(kind, "link") == 0;

    text_add(&out->line, text && *text ? ", " : ", empty ");
    text_add(&out->line, system ? "system " : "");
    if (!kind || !*kind || strcasecmp(kind, "text") == 0)
        text_add(&out->line, "note");
    else
        phrase_say(&out->line, kind, LINE_NAME_MAX);
    say_author(event, state, out, system ? NULL : author);
    phrase_say_originator(event, state, out);
    if (is_link)
        phrase_say_file(&out->line, ": ", text);
    else
        phrase_say_after(&out->line, ": ", text, LINE_TEXT_MAX);
}

#define PLACE_MAX 1e9 /* farther away is nowhere in any game */

/* "-1042.31" without an exponent; what strtod says of it, since both the digits and the power of ten are exact.
 * false: something else, or longer. */
static bool read_plain_decimal(const char *s, double *ret)
{
    enum { EXACT_DIGITS = 15 };
    const char *p = *s == '-' ? s + 1 : s;
    int64_t whole = 0;
    double scale = 1;
    int n = 0;
    bool point = false;
    for (; n <= EXACT_DIGITS && ((*p >= '0' && *p <= '9') || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        whole = whole * 10 + (*p - '0');
        scale *= point ? 10 : 1;
        n++;
    }
    if (*p || n == 0 || n > EXACT_DIGITS || p[-1] == '.')
        return false;
    *ret = (*s == '-' ? -(double) whole : (double) whole) / scale;
    return true;
}

static bool read_decimal(const cJSON *item, double *ret)
{
    const char *text = cJSON_GetStringValue(item);
    char *end = NULL;
    if (cJSON_IsNumber(item))
        *ret = item->valuedouble;
    else if (!text || !*text)
        return false;
    else if (!read_plain_decimal(text, ret))
        *ret = strtod(text, &end);
    return (!end || *end == '\0') && fabs(*ret) <= PLACE_MAX;
}

/* As "%.1f", which costs more than all else that is done with a call. */
static char *put_tenths(char *at, double number)
{
    char digits[24], *p = digits + sizeof(digits);
    int64_t tenths = llrint(number * 10);
    uint64_t rest = (uint64_t) (tenths < 0 ? -tenths : tenths);
    *--p = (char) ('0' + rest % 10);
    *--p = '.';
    do
        *--p = (char) ('0' + (rest /= 10) % 10);
    while (rest >= 10);
    if (tenths < 0)
        *--p = '-';
    size_t size = (size_t) (digits + sizeof(digits) - p);
    memcpy(at, p, size);
    return at + size;
}

_Static_assert(POSITION_MAX_BYTES >= sizeof("(-1000000000.0, -1000000000.0)"), "as far away as PLACE_MAX");

bool phrase_position_of(const cJSON *place, char ret[POSITION_MAX_BYTES])
{
    const cJSON *x = field_get(place, "x"), *y = field_get(place, "y");
    double east, north;
    char *at = ret;
    *ret = '\0';
    if (!read_decimal(x ? x : field_get(place, "X"), &east) || !read_decimal(y ? y : field_get(place, "Y"), &north))
        return false;
    *at++ = '(';
    at = put_tenths(at, east);
    *at++ = ',';
    *at++ = ' ';
    at = put_tenths(at, north);
    *at++ = ')';
    *at = '\0';
    return true;
}

void phrase_say_position(struct text *line, const cJSON *place)
{
    char position[POSITION_MAX_BYTES];
    if (phrase_position_of(place, position))
        text_addf(line, " at %s", position);
}
