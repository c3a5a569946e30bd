/* support.c - GET_LOGS: the vendor's support asks a game server for its logs. Here it is told, and nothing is
 * handed out. Source: events.md 4.29. */
#include "fields.h"

/* V5: beside data, which is missing as a rule. */
static const cJSON *ticket_of(const struct event *event)
{
    const cJSON *ticket = field_get(event->data, "logKey");
    return ticket ? ticket : field_get(event->top, "logKey");
}

static int logs_check(const struct event *event, struct err *err)
{
    int64_t id;
    struct text what CLEANUP(text_free) = TEXT_INIT;
    if (scalar_read_whole(ticket_of(event), &id))
        return 0;
    event_say_expected(&what, "a whole number", ticket_of(event));
    return err_set(err, -EINVAL, "logKey: %s", what.s);
}

static void logs_describe(const struct event *event, const struct state *state, struct description *out)
{
    int64_t id = 0;
    (void) state;
    out->level = LOG_NOTICE;
    scalar_read_whole(ticket_of(event), &id);
    text_addf(&out->line, "support asks for logs, ticket %lld; none are sent from here", (long long) id);
}

static const struct event_type types[] = {
    { "GET_LOGS", NULL, logs_check, logs_describe, NULL, &facts_logs },
};

const struct event_family family_support = { "support", "37", types, ARRAY_SIZE(types) };
