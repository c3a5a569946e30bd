/* session_events.c - what pushEvent brought, as the envelope that a posted body is: its key has to be the community's
 * own; one without a key is taken, since the session has logged in. */
#include <stdlib.h>

#include "session_private.h"

#define NOT_SOUND "body is not sound JSON"

static void set_origin(struct origin *ret, const struct session_target *target)
{
    text_copy(ret->source, sizeof(ret->source), SESSION_SOURCE);
    text_copy(ret->name, sizeof(ret->name), target->settings.name);
    text_copy(ret->peer, sizeof(ret->peer), target->host);
}

struct session_item *session_item_new(struct session *session, char *take_body, size_t size, struct span invocation)
{
    const struct session_target *target = session->target;
    struct session_item *item = calloc(1, sizeof(*item));
    char *id = invocation.size ? strndup(invocation.s, invocation.size) : NULL;
    if (!item || (invocation.size && !id)) {
        explicit_bzero(take_body, size);
        free(take_body);
        free(item);
        return NULL;
    }
    item->session = session;
    item->body = take_body;
    item->size = size;
    set_origin(&item->origin, target);
    text_copy(item->community, sizeof(item->community), target->settings.community);
    item->vouched = session->login_us > 0;
    item->time_us = now_us();
    item->connection = session->connection;
    item->invocation = id;
    return item;
}

void session_item_free(struct session_item *item)
{
    if (item->body)
        explicit_bzero(item->body, item->size);
    if (item->batch.n_events)
        batch_done(&item->batch);
    free(item->body);
    free(item->invocation);
    free(item);
}

/* ---- into a batch ---- */

static void count(struct session_item *item, bool is_event)
{
    struct session *session = item->session;
    if (!session || item->counted)
        return;
    item->counted = true;
    report_count(is_event ? &session->values.events : &session->values.refused, 1);
    if (is_event)
        report_set(&session->values.last_event_us, item->time_us);
}

void session_refuse_record(const struct sessions *sessions, struct session *session, const char *why)
{
    struct origin origin = { 0 };
    set_origin(&origin, session->target);
    report_count(&session->values.refused, 1);
    gate_count(sessions->door, origin.name, GATE_MALFORMED);
    gate_refuse(sessions->door, &(struct gate_refusal){ .origin = &origin, .reason = NOT_SOUND, .detail = why });
}

/* Nobody sends it again: that is more than a refusal, of which only the first is told. */
void session_item_lose(struct sessions *sessions, struct session_item *item)
{
    gate_count(sessions->door, item->origin.name, GATE_NOT_STORED);
    log_line(LOG_ERR, LOG_ID_SESSION_LOST, "session %s: no memory for an event, which is lost", item->origin.name);
    item->refused = "Busy";
}

static void refuse(struct sessions *sessions, struct session_item *item, enum envelope_refusal refusal,
                   const char *claimed, const char *why)
{
    struct gate_refusal told = { .origin = &item->origin, .reason = why, .claimed = claimed };
    switch (refusal) {
    case ENVELOPE_OK:
        return;
    case ENVELOPE_JSON:
        item->refused = "Invalid JSON";
        gate_count(sessions->door, item->origin.name, GATE_MALFORMED);
        told.detail = why;
        told.reason = NOT_SOUND;
        break;
    case ENVELOPE_KEY:
        item->refused = "Authentication Key Failed!";
        gate_note(sessions->door, item->origin.name, GATE_WRONG_KEY, item->origin.peer, "");
        break;
    case ENVELOPE_SIZE:
        item->refused = "Invalid Data";
        gate_count(sessions->door, item->origin.name, GATE_INVALID);
        break;
    case ENVELOPE_MEMORY:
        session_item_lose(sessions, item);
        return;
    }
    gate_refuse(sessions->door, &told);
}

static enum envelope_refusal check_key(const struct envelope_rules *rules, const struct session_item *item,
                                       struct envelope *envelope, struct err *err)
{
    if (!envelope->has_key && !item->vouched) {
        err_set(err, 0, "no key, before the login");
        return ENVELOPE_KEY;
    }
    if (!envelope->has_key)
        return ENVELOPE_OK;
    const struct event_community *community = envelope_authenticate(envelope, rules, err);
    if (!community)
        return ENVELOPE_KEY;
    if (strcmp(community->name, item->community) == 0)
        return ENVELOPE_OK;
    err_set(err, 0, "the key of another community than the session's");
    return ENVELOPE_KEY;
}

static enum envelope_refusal open_body(const struct session_item *item, const struct envelope_rules *rules,
                                       struct envelope *ret, struct err *err)
{
    char *body = malloc(item->size + 1); /* it may have to be made again */
    if (!body) {
        err_set(err, 0, "no memory");
        return ENVELOPE_MEMORY;
    }
    memcpy(body, item->body, item->size + 1);
    return envelope_open(body, item->size, rules, &item->origin, item->time_us, ret, err);
}

void session_item_accept(struct session_item *item, const struct envelope_rules *rules, uint64_t body_bytes)
{
    struct envelope envelope;
    struct err err;
    if (!item->body || item->accepted || item->size > body_bytes)
        return;
    if (open_body(item, rules, &envelope, &err) != ENVELOPE_OK)
        return;
    item->accepted = check_key(rules, item, &envelope, &err) == ENVELOPE_OK;
    envelope_drop(&envelope);
}

static enum envelope_refusal make(const struct sessions *sessions, struct session_item *item, struct batch *ret,
                                  char claimed[EVENT_TYPE_MAX_BYTES + 1], struct err *err)
{
    struct envelope envelope;
    enum envelope_refusal refusal = open_body(item, sessions->rules, &envelope, err);
    if (refusal != ENVELOPE_OK)
        return refusal;
    refusal = item->accepted ? ENVELOPE_OK : check_key(sessions->rules, item, &envelope, err);
    envelope_show_claimed(&envelope, claimed);
    if (refusal != ENVELOPE_OK) {
        envelope_drop(&envelope);
        return refusal;
    }
    item->accepted = true;
    return envelope_make(&envelope, sessions->rules, item->community, ret, err);
}

static bool make_or_refuse(struct sessions *sessions, struct session_item *item, struct batch *ret)
{
    char claimed[EVENT_TYPE_MAX_BYTES + 1] = "";
    struct err err = { "" };
    if (!item->accepted && item->size > sessions->body_bytes) {
        struct text limit CLEANUP(text_free) = TEXT_INIT;
        text_add(&limit, "limit ");
        text_add_size(&limit, sessions->body_bytes);
        item->refused = "Body Too Large";
        gate_note(sessions->door, item->origin.name, GATE_TOO_LARGE, item->origin.peer, "");
        gate_refuse(sessions->door,
                    &(struct gate_refusal){ .origin = &item->origin, .reason = "body too large", .detail = limit.s });
        return false;
    }
    enum envelope_refusal refusal = make(sessions, item, ret, claimed, &err);
    refuse(sessions, item, refusal, claimed, err.msg);
    return refusal == ENVELOPE_OK;
}

bool session_item_make(struct sessions *sessions, struct session_item *item, struct batch *ret)
{
    bool made = make_or_refuse(sessions, item, ret);
    count(item, made);
    return made;
}
