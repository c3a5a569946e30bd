/* describe.c - the line of an event, whatever its verdict is. */
#include <string.h>
#include <syslog.h>

#include <sonoran-pushd/event.h>
#include <sonoran-pushd/state.h>

#define MEMBERS_MAX_CHARS 120
#define MEMBERS_MAX_BYTES 2048 /* of what is gathered before it is cut */

static void add_type(const struct event *event, struct text *line)
{
    text_add_prose(line, event->type, strlen(event->type), EVENT_TYPE_MAX_BYTES / 4);
}

/* Those that can be read, from each element of a refused list. */
static void add_refused_ids(const struct event *event, struct description *out)
{
    struct event element = *event;
    const cJSON *first = event_is_list(event->data) ? event->data->child : NULL;
    if (!event->handler)
        return;
    if (!first)
        event->handler->describe(event, NULL, out);
    for (element.data = first; element.data; element.data = element.data->next) {
        text_reset(&out->line);
        event->handler->describe(&element, NULL, out);
    }
}

static void describe_refused(const struct event *event, struct description *out)
{
    size_t n = event_is_list(event->data) ? (size_t) cJSON_GetArraySize(event->data) : 0;
    add_refused_ids(event, out);
    text_reset(&out->line);
    out->level = LOG_WARNING;
    text_add(&out->line, "refused ");
    add_type(event, &out->line);
    text_addf(&out->line, "%s from %s: %s", *event->type ? "" : "an event without a type", event->origin->peer,
              event->reason);
    if (event->handler && n > 1)
        text_addf(&out->line, " (%zu in one request)", n);
}

static void add_member(struct text *out, const cJSON *member)
{
    char number[32] = "";
    const char *value = cJSON_IsBool(member) ? (cJSON_IsTrue(member) ? "true" : "false") : member->valuestring;
    if (cJSON_IsNumber(member)) {
        snprintf(number, sizeof(number), "%.15g", member->valuedouble);
        value = number;
    }
    if (!value || !*value || out->size > MEMBERS_MAX_BYTES)
        return;
    text_addf(out, "%s%s ", out->size ? ", " : "", member->string);
    text_add_bytes(out, value, strnlen(value, MEMBERS_MAX_BYTES));
}

/* What a type that is not known says in plain members: "callId 5, text hello". */
static void describe_unknown(const struct event *event, struct description *out)
{
    struct text members CLEANUP(text_free) = TEXT_INIT;
    const cJSON *member = cJSON_IsObject(event->data) ? event->data->child : NULL;
    for (; member; member = member->next)
        add_member(&members, member);
    add_type(event, &out->line);
    text_add(&out->line, ", a type not known here");
    if (!members.size)
        return;
    text_add(&out->line, ": ");
    text_add_prose(&out->line, members.s, members.size, MEMBERS_MAX_CHARS);
}

static void describe(const struct event *event, const struct state *state, struct description *out)
{
    if (event_verdict_is_refusal(event->verdict))
        describe_refused(event, out);
    else if (event->handler)
        event->handler->describe(event, state, out);
    else
        describe_unknown(event, out);
}

static bool begins(const struct text *line, const char *words)
{
    return strncmp(line->s, words, strlen(words)) == 0;
}

/* No name can pretend to be our words: of a unit that is called so it stands behind "unit". A log-out has the level of
 * a panic, but its line begins with the unit. */
static bool is_pretended(const struct event *event, const struct description *out)
{
    bool name_first = strcmp(event->type, "EVENT_UNIT_LOGOUT") == 0;
    bool panic = ((name_first || out->level != LOG_WARNING) && begins(&out->line, "PANIC")) ||
                 ((name_first || out->level > LOG_NOTICE) && begins(&out->line, "panic "));
    return (panic && strcmp(event->type, "EVENT_UNIT_PANIC") != 0) ||
           (!event->test && (begins(&out->line, "TEST ") || begins(&out->line, "test: ")));
}

/* "county: ", "test: ", "TEST " where a panic follows. */
static void add_prefix(const struct event *event, struct description *out)
{
    struct text whole = TEXT_INIT, *line = &out->line;
    bool pretended = is_pretended(event, out);
    if (event->among_communities)
        text_addf(&whole, "%s: ", event->community);
    if (event->test)
        text_add(&whole, begins(line, "PANIC") && !pretended ? "TEST " : "test: ");
    if (pretended)
        text_add(&whole, "unit ");
    if (!whole.size)
        return;
    text_add_bytes(&whole, line->s, line->size);
    whole.failed |= line->failed;
    text_free(line);
    *line = whole;
}

/* As they were before it: one that becomes another is found by both. */
static void add_numbers(const struct event *event, const struct state *state, struct description *out)
{
    for (size_t i = 0; i < out->units.n; i++) {
        const struct state_unit *unit = state_find_unit(state, event->realm, out->units.v[i]);
        description_add_number(out, unit ? unit->number : NULL);
    }
}

void event_describe(const struct event *event, const struct state *state, struct description *out)
{
    description_reset(out);
    describe(event, state, out);
    add_numbers(event, state, out);
    add_prefix(event, out);
}
