/* support.c - GET_LOGS: the vendor's support asks a game server for its logs. Here it is told, and nothing is
 * handed out. Source: events.md 4.29. */
#include "fields.h"

/* V5: beside data, which is missing as a rule. */
static const cJSON *ticket_of(const struct event *event)
{
    const cJSON *ticket = get(event->data, "logKey");
    return ticket ? ticket : get(event->top, "logKey");
}

static int logs_check(const struct event *event, struct err *err)
{
    int64_t id;
    if (!ticket_of(event))
        return err_set(err, -EINVAL, "logKey: missing");
    return read_id(ticket_of(event), &id) ? 0 : err_set(err, -EINVAL, "logKey: expected a whole number");
}

static void logs_describe(const struct event *event, const struct state *state, struct description *out)
{
    int64_t id = 0;
    (void) state;
    read_id(ticket_of(event), &id);
    text_addf(&out->line, "support asks for logs, ticket %lld; none are sent from here", (long long) id);
}

static const struct event_type types[] = {
    { "GET_LOGS", NULL, LOG_INFO, logs_check, logs_describe, NULL },
};

const struct event_family family_support = { "support", "help", 37, types, ARRAY_SIZE(types) };
