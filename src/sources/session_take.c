/* session_take.c - what came by a session, record by record. */
#include <errno.h>
#include <stdlib.h>

#include "session_private.h"

void session_send(struct session *session, struct span record)
{
    session->deaf |= websocket_send(session->websocket, record, NULL) == -ENOBUFS;
}

static void strange_protocol(struct session *session, enum session_end end, struct span foreign, const char *what)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    session_add_said(&safe, session->all->rules, foreign);
    session_over(session, (struct session_over){ end, 0, LOG_ERR, SESSION_STRANGE },
                 "%s speaks another SignalR protocol: %s", session->target->host, safe.size ? safe.s : what);
}

/* ---- the login ---- */

static void log_in(struct session *session)
{
    const struct session_target *target = session->target;
    struct text record = TEXT_INIT;
    session_send(session, span_of(SESSION_PING)); /* from here on the hub looks whether we live */
    session_record_write_login(&record, target->settings.community_id, target->key, target->settings.server);
    session->due_us = uptime_us() + SESSION_ANSWER_US; /* also where there was no memory for it */
    session_set_state(session, SESSION_LOGS_IN);
    if (!record.failed)
        session_send(session, (struct span){ record.s, record.size });
    text_wipe(&record);
}

static void shake(struct session *session, struct span record)
{
    struct span error;
    struct err err = { "" };
    int r = session_record_read_handshake(record, &error, &err);
    if (r < 0)
        strange_protocol(session, SESSION_END_REFUSED, error, err.msg);
    else
        log_in(session);
}

/* What the CAD knows by now: it sends nothing again. */
static void prime(const struct session *session, usec_t gap_us)
{
    const struct session_settings *settings = &session->target->settings;
    const struct session_prime_ask ask = { .name = settings->name,
                                           .community = settings->community,
                                           .url = settings->url,
                                           .host = session->target->host,
                                           .place = session->target->place,
                                           .key = session->target->key,
                                           .ca_file = settings->ca_file,
                                           .server = (uint32_t) settings->server,
                                           .gap_us = gap_us };
    int r = settings->prime ? session_prime_ask(session->all->prime, &ask) : 0;
    if (r < 0)
        session_tell(session, LOG_ERR, "cannot ask what the CAD knows: %s", strerror(-r));
}

static void opened(struct session *session)
{
    usec_t now = uptime_us(), gap_us = session->lost_us ? now - session->lost_us : 0;
    struct session_values *values = &session->values;
    session->login_us = now;
    session_set_state(session, SESSION_IS_OPEN);
    session_set_cut(session, 0);
    report_count(&values->connects, 1);
    if (gap_us) {
        report_count(&values->gaps, 1);
        report_count(&values->gap_us, gap_us);
        report_set(&values->last_gap_us, gap_us);
    }
    session_tell_open(session, gap_us);
    prime(session, gap_us);
    session->trouble.hash = session->trouble.since_us = 0;
    session_keep_trouble(session, SESSION_NO_CAUSE, "");
}

static bool is_form(const char *error)
{
    return strncmp(error, "Failed to invoke", strlen("Failed to invoke")) == 0 ||
           strncmp(error, "Unknown hub method", strlen("Unknown hub method")) == 0;
}

static void login_answered(struct session *session, const struct session_record *record)
{
    const struct session_settings *settings = &session->target->settings;
    struct session_over over = { SESSION_END_REFUSED, 0, LOG_ERR, SESSION_NO_LOGIN };
    struct text safe CLEANUP(text_free) = TEXT_INIT, community CLEANUP(text_free) = TEXT_INIT;
    struct span error = record->error;
    if (!error.size && session_record_logged_in(record->result, &error)) {
        opened(session);
        return;
    }
    session_add_said(&safe, session->all->rules, error);
    text_add_safe(&community, settings->community_id, strlen(settings->community_id), SESSION_FOREIGN_CHARS);
    if (record->error.size && is_form(safe.s))
        over.cause = SESSION_STRANGE;
    if (over.cause == SESSION_STRANGE)
        session_over(session, over, "%s does not know this form of authenticatev2: sonoran-pushd is too old?",
                     session->target->host);
    else
        session_over(session, over,
                     "the CAD refuses community \"%s\", server %llu: %s; check community_id, key and server id",
                     community.s, (unsigned long long) settings->server, safe.size ? safe.s : "no reason given");
}

/* ---- events ---- */

static void too_much(struct sessions *sessions, struct session *session)
{
    struct text limit CLEANUP(text_free) = TEXT_INIT;
    text_add_size(&limit, sessions->in_flight_bytes);
    session->full = true;
    gate_count(sessions->door, session->target->settings.name, GATE_NOT_STORED);
    session_over(
        session, (struct session_over){ SESSION_END_LOST, 0, LOG_ERR, SESSION_FULL },
        "closed, since more than %slimits.in_flight (%s) waits to be stored: what the CAD sends until there is "
        "room is lost, unless it posts it",
        sessions->list->next ? "its share of " : "", limit.s);
}

static void take_event(struct sessions *sessions, struct session *session, const struct session_record *record)
{
    struct span argument = session_record_argument(record);
    uint64_t load = session_queue_load(sessions, session);
    size_t size = 0;
    if (load && load + argument.size > sessions->in_flight_bytes) {
        too_much(sessions, session);
        return;
    }
    char *body = session_record_body(argument, &size);
    struct session_item *item = body ? session_item_new(session, body, size, record->invocation) : NULL;
    if (!item) {
        gate_count(sessions->door, session->target->settings.name, GATE_NOT_STORED);
        session_tell(session, LOG_ERR, "no memory for an event, which is lost");
        return;
    }
    if (session->state == SESSION_IS_CLOSING) { /* it may have been sent with a key that is another one by now */
        struct envelope_rules rules = *sessions->rules;
        rules.communities = &session->target->its;
        rules.n_communities = 1;
        session_item_accept(item, &rules, sessions->body_bytes);
    }
    session_queue_add(sessions, item);
}

/* Who calls for something that we do not know, and wants to hear of it, gets the answer of the CAD's own clients. */
static void take_strange(struct session *session, const struct session_record *record)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT, answer CLEANUP(text_free) = TEXT_INIT;
    report_count(&session->values.strange, 1);
    if (record->invocation.size) {
        session_record_write_answer(&answer, record->invocation, "Client didn't provide a result.");
        session_send(session, (struct span){ answer.s, answer.size });
    }
    if (session->told_strange)
        return;
    session->told_strange = true;
    session_add_said(&safe, session->all->rules, record->target);
    session_tell(session, LOG_NOTICE, "the CAD calls for %s, which this version does not know", safe.s);
}

/* ---- the end ---- */

static void take_close(struct session *session, const struct session_record *record)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    struct session_over over = { record->allow_reconnect ? SESSION_END_LOST : SESSION_END_KICKED, 0, LOG_NOTICE,
                                 SESSION_LOST };
    over.level = session_level_of_loss(session);
    session_add_said(&safe, session->all->rules, record->error);
    if (safe.size || record->allow_reconnect) {
        session_over(session, over, "the CAD closed the session%s%s", safe.size ? ": " : "", safe.s);
        return;
    }
    session_over(session, over, NULL);
    bool kicked = session_backoff_is_kicked(&session->backoff);
    text_add(&safe, "closed by the CAD without reason");
    if (kicked)
        text_addf(&safe, ", twice: another program with server %llu?",
                  (unsigned long long) session->target->settings.server);
    session_tell(session, kicked ? LOG_WARNING : over.level, "%s", safe.s);
    session_keep_trouble(session, kicked ? SESSION_KICKED : SESSION_LOST, safe.s);
}

/* ---- all of it ---- */

static void take_record(struct sessions *sessions, struct session *session, struct span text)
{
    bool closing = session->state == SESSION_IS_CLOSING;
    struct session_record record;
    struct err err = { "" };
    report_set(&session->values.last_record_us, now_us());
    if (session->state == SESSION_SHAKES) {
        shake(session, text);
        return;
    }
    int r = session_record_read(text, &record, &err);
    if (r == -ENOTSUP && session->login_us) { /* whoever writes into a field of the CAD cuts no session */
        session_refuse_record(sessions, session, err.msg);
        return;
    }
    if (r < 0) {
        if (!closing) /* before: it may be the answer to the handshake */
            strange_protocol(session, SESSION_END_LOST, (struct span){ 0 }, err.msg);
        return;
    }
    if (record.kind == SESSION_INVOCATION && session_record_is(record.target, "pushEvent"))
        take_event(sessions, session, &record);
    else if (record.kind == SESSION_INVOCATION && !closing)
        take_strange(session, &record);
    else if (record.kind == SESSION_COMPLETION && session->state == SESSION_LOGS_IN &&
             session_record_is(record.invocation, SESSION_LOGIN_ID))
        login_answered(session, &record);
    else if (record.kind == SESSION_CLOSES && !closing)
        take_close(session, &record);
}

static void check_half(struct sessions *sessions, struct session *session)
{
    const struct text half = session->half;
    if (half.failed || half.size > 2 * sessions->body_bytes + SESSION_HALF_MORE)
        strange_protocol(session, SESSION_END_LOST, (struct span){ 0 }, "a record without an end");
}

/* The rest of a message is the begin of a record that goes on in the next one. */
static void keep(struct sessions *sessions, struct session *session, struct span rest)
{
    struct text half = TEXT_INIT;
    text_add_bytes(&half, rest.s, rest.size);
    text_wipe(&session->half);
    session->half = half;
    check_half(sessions, session);
}

/* A half has no end in it, so where the message has none either nothing is looked for in all that came before. */
void session_take_message(struct sessions *sessions, struct session *session, struct span message)
{
    struct span left = message, record;
    if (session->half.size) {
        text_add_secret(&session->half, message.s, message.size);
        left = (struct span){ session->half.s, session->half.size };
    }
    bool has_end = message.size && memchr(message.s, SESSION_RECORD_END, message.size);
    if (session->half.failed || (session->half.size && !has_end)) {
        check_half(sessions, session);
        return;
    }
    while (session->websocket && session_records_next(&left, &record))
        take_record(sessions, session, record);
    if (session->websocket && (left.size || session->half.size))
        keep(sessions, session, left);
}
