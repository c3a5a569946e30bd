/* session_steps.c - one session goes on: connect, handshake, login, open, and the end of each. */
#include <errno.h>
#include <sys/random.h>

#include "session_private.h"

#define CONNECT_US (10 * USEC_PER_SEC) /* name, TCP and TLS; and as long again the upgrade */
#define CLOSING_US USEC_PER_SEC        /* for the CAD to close it too */
#define UNREAD_US (60 * USEC_PER_SEC)  /* beyond a patience, for what has come and is not read yet */
#define ROUND_MESSAGES 512             /* of one session, before the others get their turn */
#define MESSAGE_BESIDE ((size_t) 64 << 10)
#define KEEP_HEARD_US (3 * 60 * USEC_PER_SEC) /* after a crash a gap is at most so much too long */

void session_set_state(struct session *session, enum session_state state)
{
    session->state = state;
    report_set(&session->values.state, state);
    report_set(&session->values.since_us, now_us());
    report_set(&session->values.next_us, 0);
}

void session_set_cut(struct session *session, usec_t since_us)
{
    report_set(&session->values.cut_us, since_us);
    if (session->all->changed)
        session->all->changed(session->all->set);
}

/* ---- the end ---- */

static void keep_heard(struct session *session, usec_t now)
{
    const struct session_target *target = session->target;
    usec_t ago_us = now - websocket_heard_us(session->websocket);
    session->kept_us = now;
    session_prime_heard(session->all->prime, target->settings.name, target->place, now_us() - ago_us);
}

static void close_connection(struct session *session)
{
    if (session->login_us) {
        usec_t now = uptime_us();
        session->lost_us = websocket_heard_us(session->websocket);
        session_set_cut(session, now_us() - (now - session->lost_us));
        keep_heard(session, now);
    }
    websocket_finish(session->websocket, WEBSOCKET_NORMAL);
    session->websocket = websocket_close(session->websocket);
    text_wipe(&session->half);
    session->login_us = 0;
    session->deaf = false;
}

static usec_t wait_after(struct session *session, struct session_over over, usec_t now)
{
    uint32_t lot = 0;
    usec_t live_us = session->login_us ? now - session->login_us + 1 : 0;
    (void) !getrandom(&lot, sizeof(lot), GRND_NONBLOCK);
    return session_backoff_next(&session->backoff, over.end, live_us, over.asked_us, lot);
}

void session_over(struct session *session, struct session_over over, const char *format, ...)
{
    usec_t now = uptime_us(), wait = wait_after(session, over, now);
    char words[1024] = "";
    va_list args;
    va_start(args, format);
    if (format)
        vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    if (format) {
        session_tell_trouble(session, over.level, wait, words);
        session_keep_trouble(session, over.cause, words);
    }
    if (session->websocket)
        close_connection(session);
    session->due_us = now + wait;
    session_set_state(session, SESSION_WAITS);
    report_set(&session->values.next_us, now_us() + wait);
}

void session_leave(struct session *session)
{
    bool open = session->websocket && session->state != SESSION_CONNECTS && session->state != SESSION_IS_CLOSING;
    if (open) {
        if (session->state != SESSION_SHAKES)
            session_send(session, span_of(SESSION_CLOSE));
        websocket_finish(session->websocket, WEBSOCKET_NORMAL);
        session->due_us = uptime_us() + CLOSING_US;
        session_set_state(session, SESSION_IS_CLOSING);
    } else if (session->state == SESSION_CONNECTS) {
        session_over(session, (struct session_over){ .end = SESSION_END_LOST }, NULL);
    }
}

/* ---- connect ---- */

/* Text inside text has more escapes. */
static size_t max_message_bytes(const struct sessions *sessions)
{
    return 2 * sessions->body_bytes + MESSAGE_BESIDE;
}

void session_take_limits(const struct sessions *sessions, struct session *session)
{
    if (session->websocket)
        websocket_set_max_message(session->websocket, max_message_bytes(sessions));
}

/* Of a connection that never was. A proxy that says no is told as one that closes it. */
enum session_cause session_cause_of(int r)
{
    switch (r) {
    case -EHOSTUNREACH:
        return SESSION_NO_NAME;
    case -EPROTO:
        return SESSION_NO_TLS;
    case -ECONNRESET:
        return SESSION_NO_PROXY;
    default:
        return SESSION_NO_CONNECTION;
    }
}

void session_begin(struct sessions *sessions, struct session *session)
{
    const struct session_settings *settings = &session->target->settings;
    const struct websocket_settings wanted = {
        .net = { .url = settings->url,
                 .ca_file = settings->ca_file,
                 .use_proxy = session_may_use_proxy(settings->url),
                 .connect_us = CONNECT_US },
        .max_message_bytes = max_message_bytes(sessions),
    };
    struct err err = { "" };
    session->connection = ++sessions->n_connections;
    session->life = (struct session_life){ 0 };
    int r = websocket_open(&session->websocket, sessions->pool, &wanted, &err);
    if (r < 0) {
        session->websocket = NULL;
        session_over(session, (struct session_over){ SESSION_END_LOST, 0, LOG_WARNING, session_cause_of(r) }, "%s",
                     err.msg);
        return;
    }
    session_set_state(session, SESSION_CONNECTS);
}

static void refused(struct session *session, const struct websocket_refusal *refusal)
{
    const char *host = session->target->host, *url = session->target->settings.url;
    struct text safe CLEANUP(text_free) = TEXT_INIT, reason CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&safe, url, strcspn(url, "?"), 0);
    session_add_refusal(&reason, session->all->rules, refusal->reason);
    switch (refusal->status) {
    case 400:
    case 404:
        session_over(session, (struct session_over){ SESSION_END_REFUSED, 0, LOG_ERR, SESSION_NO_HUB },
                     "no websocket hub at %s: is the url right?", safe.s);
        return;
    case 401:
    case 403:
    case 429:
    case 503:
        session_over(session,
                     (struct session_over){ refusal->status < 429 ? SESSION_END_REFUSED : SESSION_END_BUSY,
                                            refusal->retry_after_us, LOG_WARNING, SESSION_TURNED_AWAY },
                     "%s refuses the connection: %d %s", host, refusal->status, reason.s);
        return;
    default:
        session_over(session, (struct session_over){ SESSION_END_LOST, 0, LOG_WARNING, SESSION_TURNED_AWAY },
                     "%s refuses the connection: %d %s", host, refusal->status, reason.s);
    }
}

/* False: it is not open. */
static bool connect_on(struct session *session, usec_t now)
{
    struct websocket_refusal refusal;
    struct err err = { "" };
    int r = websocket_result(session->websocket, &refusal, &err);
    if (r == -EINPROGRESS)
        return false;
    if (r == 0) {
        session->life.record_us = now;
        session->due_us = now + SESSION_ANSWER_US;
        session_set_state(session, SESSION_SHAKES);
        session_send(session, span_of(SESSION_HANDSHAKE));
        return true;
    }
    struct session_over lost = { SESSION_END_LOST, 0, LOG_WARNING, session_cause_of(r) };
    if (r == -EBADMSG)
        lost.cause = SESSION_NO_WEBSOCKET;
    if (r == -EACCES)
        refused(session, &refusal);
    else if (r == -EBADMSG)
        session_over(session, lost, "%s does not speak websocket: a proxy in between?", session->target->host);
    else
        session_over(session, lost, "%s", err.msg);
    return false;
}

/* ---- it is open ---- */

static void ended(struct session *session, int r, const struct websocket_message *message, const struct err *err)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    if (session->state == SESSION_IS_CLOSING) {
        session_over(session, (struct session_over){ .end = SESSION_END_LOST }, NULL);
        return;
    }
    const struct session_over lost = { SESSION_END_LOST, 0, session_level_of_loss(session), SESSION_LOST };
    if (r == 0)
        session_add_words(&safe, session->all->rules, message->bytes, SESSION_FOREIGN_CHARS);
    if (r == 0)
        session_over(session, lost, "the CAD closed the session%s%s", safe.size ? ": " : "", safe.s);
    else if (r == -ECONNRESET)
        session_over(session, lost, "connection lost");
    else
        session_over(session, (struct session_over){ SESSION_END_LOST, 0, LOG_WARNING, SESSION_STRANGE }, "%s",
                     err->msg);
}

/* False: it is over. */
static bool read_on(struct sessions *sessions, struct session *session)
{
    struct websocket_message message;
    struct err err = { "" };
    session->has_more = true;
    for (int i = 0; i < ROUND_MESSAGES; i++) {
        int r = websocket_receive(session->websocket, &message, &err);
        if (r == -EAGAIN) {
            session->has_more = websocket_has_more(session->websocket);
            sessions->more |= session->has_more;
            return true;
        }
        if (r != 1) {
            ended(session, r, &message, &err);
            return false;
        }
        session_take_message(sessions, session, message.bytes);
        if (!session->websocket)
            return false;
    }
    sessions->more = true;
    return true;
}

static bool answers(const struct session *session)
{
    return websocket_answered_us(session->websocket, NULL) > 0;
}

static void dead(struct session *session, usec_t now)
{
    usec_t silent_us = now - websocket_heard_us(session->websocket);
    session_over(session, (struct session_over){ SESSION_END_LOST, 0, session_level_of_loss(session), SESSION_SILENT },
                 "nothing heard for %us, connecting again", (unsigned) (silent_us / USEC_PER_SEC));
}

static void live_on(struct session *session, usec_t now)
{
    struct session_life *life = &session->life;
    enum session_life_step step;
    report_set(&session->values.answers_pings, answers(session));
    if (session->state == SESSION_IS_OPEN && now - session->kept_us >= KEEP_HEARD_US)
        keep_heard(session, now);
    while ((step = session_life_next(life, websocket_heard_us(session->websocket), answers(session), now)) !=
           SESSION_LIFE_QUIET) {
        if (step == SESSION_LIFE_DEAD) {
            dead(session, now);
            return;
        }
        if (step == SESSION_LIFE_PING)
            session->deaf |= websocket_ping(session->websocket, NULL) == -ENOBUFS;
        else if (session->state != SESSION_SHAKES)
            session_send(session, span_of(SESSION_PING));
    }
}

/* With it; whoever sends without end has none. What our system has acknowledged is read: nobody sends it again. */
static bool is_out_of_patience(const struct session *session, usec_t now)
{
    return now >= session->due_us + (session->has_more ? UNREAD_US : 0);
}

/* What has its time. */
static void look_at_clock(struct session *session, usec_t now)
{
    const struct session_over lost = { SESSION_END_LOST, 0, LOG_WARNING, SESSION_SILENT };
    if (session->state == SESSION_IS_CLOSING && is_out_of_patience(session, now))
        session_over(session, (struct session_over){ .end = SESSION_END_LOST }, NULL);
    else if (session->state == SESSION_IS_CLOSING)
        return;
    else if (session->deaf)
        session_over(session, lost, "the CAD does not read what it is sent, connecting again");
    else if (session->state != SESSION_IS_OPEN && is_out_of_patience(session, now))
        session_over(session, lost, "no answer to the %s within 15s",
                     session->state == SESSION_SHAKES ? "handshake" : "login");
    else
        live_on(session, now);
}

/* One of many, with which nothing is to be done. */
static bool is_quiet(const struct session *session, usec_t now)
{
    return session->websocket && !session->deaf && websocket_is_quiet(session->websocket) &&
           now < session_due_us(session);
}

void session_step(struct sessions *sessions, struct session *session, usec_t now)
{
    if (is_quiet(session, now))
        return;
    if (session->state == SESSION_WAITS || (session->state == SESSION_CONNECTS && !connect_on(session, now)))
        return;
    if (read_on(sessions, session))
        look_at_clock(session, now);
}

usec_t session_due_us(const struct session *session)
{
    if (session->state == SESSION_WAITS || session->state == SESSION_IS_CLOSING)
        return session->due_us;
    if (session->state == SESSION_CONNECTS)
        return websocket_due_us(session->websocket);
    usec_t life = session_life_due_us(&session->life, websocket_heard_us(session->websocket), answers(session));
    return session->state == SESSION_IS_OPEN || life < session->due_us ? life : session->due_us;
}
