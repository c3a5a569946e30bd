/* session_probe.c - a session tried once by hand, apart from the daemon's. */
#include <errno.h>

#include "session_private.h"

#define CONNECT_US (10 * USEC_PER_SEC)
#define PONG_US (10 * USEC_PER_SEC) /* longer, and the daemon does not count on answers either */
#define LEAVE_US USEC_PER_SEC
#define WAIT_MAX_MS 1000
#define MESSAGE_MAX_BYTES ((size_t) 8 << 20)
#define NAMES_MAX_CHARS 200

struct probe {
    struct session_target *target;
    struct net_pool *pool;
    struct websocket *websocket;
    struct text in; /* what came, from in_at on not looked at yet */
    size_t in_at;
    struct text missed; /* names of events that came meanwhile */
    unsigned n_missed;
    bool wants_pong; /* more than a record */
    usec_t begun_us; /* of the step under way */
    session_probe_tell *tell;
    void *context;
};

/* ---- steps ---- */

static void begin_step(struct probe *probe)
{
    probe->begun_us = uptime_us();
}

static void tell(struct probe *probe, const char *name, enum session_probe_result result, usec_t took_us,
                 const char *words)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT; /* the CAD may have said the key */
    (void) event_hide_keys(&probe->target->rules, span_of(words), &safe);
    const struct session_probe_step step = { name, result, took_us, safe.s };
    probe->tell(probe->context, &step);
}

static void tell_took(struct probe *probe, const char *name, enum session_probe_result result, const char *words)
{
    tell(probe, name, result, uptime_us() - probe->begun_us, words);
}

/* Returns 1: what follows is not tried. */
PRINTF_LIKE(3, 4) static int fail(struct probe *probe, const char *name, const char *format, ...)
{
    char words[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    tell_took(probe, name, SESSION_PROBE_FAILED, words);
    return 1;
}

/* Until something may have come, or the time is over. */
static int wait_for_net(struct probe *probe, usec_t end_us, struct err *err)
{
    usec_t now = uptime_us(), ms = now < end_us ? (end_us - now) / USEC_PER_MSEC + 1 : 0;
    return net_pool_wait(probe->pool, -1, ms < WAIT_MAX_MS ? (int) ms : WAIT_MAX_MS, err);
}

/* False: the time is over. */
static bool go_on_until(struct probe *probe, usec_t end_us)
{
    return uptime_us() < end_us && (websocket_has_more(probe->websocket) || wait_for_net(probe, end_us, NULL) >= 0);
}

/* ---- the connection ---- */

/* Of those that were passed. The name of the first that was not. libcurl has no time of a connection without TLS. */
static const char *tell_connection(struct probe *probe, int r)
{
    struct net_times times;
    websocket_get_times(probe->websocket, &times);
    bool tls = strncasecmp(probe->target->settings.url, "https:", strlen("https:")) == 0;
    if (!times.name_us)
        return "name";
    tell(probe, "name", SESSION_PROBE_OK, times.name_us, probe->target->host);
    if (!times.tcp_us && r != -EPROTO)
        return "TCP";
    tell(probe, "TCP", SESSION_PROBE_OK, times.tcp_us, times.address);
    if (tls && !times.tls_us)
        return "TLS";
    if (tls)
        tell(probe, "TLS", SESSION_PROBE_OK, times.tls_us, "the certificate is right");
    probe->begun_us += times.name_us + times.tcp_us + times.tls_us;
    return "upgrade";
}

static int refused(struct probe *probe, const char *step, int r, const struct websocket_refusal *refusal,
                   const struct err *err)
{
    const struct envelope_rules *rules = &probe->target->rules;
    struct text by CLEANUP(text_free) = TEXT_INIT, reason CLEANUP(text_free) = TEXT_INIT;
    session_add_refusal(&reason, rules, refusal->reason);
    if (*refusal->server) {
        text_add(&by, " (it calls itself ");
        session_add_refusal(&by, rules, refusal->server);
        text_add(&by, ")");
    }
    if (r == -EACCES && (refusal->status == 404 || refusal->status == 400))
        return fail(probe, step, "%d %s%s: no websocket hub there, is the url right?", refusal->status, reason.s, by.s);
    if (r == -EACCES)
        return fail(probe, step, "%s refuses the connection: %d %s%s", probe->target->host, refusal->status, reason.s,
                    by.s);
    bool is_told = r == -EBADMSG && refusal->status != 101 && reason.size;
    if (r == -EBADMSG)
        return fail(probe, step, "%s%s%s: no websocket, a proxy in between?%s", err->msg, is_told ? " " : "",
                    is_told ? reason.s : "", by.s);
    return fail(probe, step, "%s", err->msg);
}

static int connect_to_hub(struct probe *probe)
{
    const struct session_settings *settings = &probe->target->settings;
    const struct websocket_settings wanted = {
        .net = { .url = settings->url,
                 .ca_file = settings->ca_file,
                 .use_proxy = session_may_use_proxy(settings->url),
                 .connect_us = CONNECT_US },
        .max_message_bytes = MESSAGE_MAX_BYTES,
    };
    struct websocket_refusal refusal = { 0 };
    struct err err = { "" };
    begin_step(probe);
    int r = websocket_open(&probe->websocket, probe->pool, &wanted, &err);
    if (r < 0)
        return fail(probe, "connection", "%s", err.msg);
    while ((r = websocket_result(probe->websocket, &refusal, &err)) == -EINPROGRESS)
        if (wait_for_net(probe, websocket_due_us(probe->websocket), &err) < 0)
            return fail(probe, "connection", "%s", err.msg);
    const char *step = tell_connection(probe, r);
    if (r < 0)
        return refused(probe, step, r, &refusal, &err);
    tell_took(probe, "upgrade", SESSION_PROBE_OK, "it speaks websocket");
    return 0;
}

/* ---- records ---- */

static int closed(const struct probe *probe, struct span words, struct err *err)
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    if (words.size && words.s[0] == '"') /* of a record, else of a close frame */
        session_add_said(&said, &probe->target->rules, words);
    else
        session_add_words(&said, &probe->target->rules, words, SESSION_FOREIGN_CHARS);
    return err_set(err, -ECONNRESET, "the CAD closed the session: %s", said.size ? said.s : "without reason");
}

/* 1: the next one; it stays until the next call. 0: the ping was answered. -ETIMEDOUT, or why it is over. */
static int next_record(struct probe *probe, usec_t end_us, struct span *ret, struct err *err)
{
    struct websocket_message message;
    struct session_record record;
    while (!probe->wants_pong || !websocket_answered_us(probe->websocket, NULL)) {
        struct span left = { probe->in.s + probe->in_at, probe->in.size - probe->in_at };
        if (left.size && session_records_next(&left, ret)) {
            probe->in_at = probe->in.size - left.size;
            bool sound = session_record_read(*ret, &record, NULL) == 0;
            return sound && record.kind == SESSION_CLOSES ? closed(probe, record.error, err) : 1;
        }
        int r = websocket_receive(probe->websocket, &message, err);
        if (r == -EAGAIN && !go_on_until(probe, end_us))
            return err_set(err, -ETIMEDOUT, "no answer within %us", (unsigned) (SESSION_ANSWER_US / USEC_PER_SEC));
        if (r == 0)
            return closed(probe, message.bytes, err);
        if (r == 1)
            text_add_secret(&probe->in, message.bytes.s, message.bytes.size);
        else if (r != -EAGAIN)
            return r;
        if (probe->in.failed || probe->in.size > 2 * MESSAGE_MAX_BYTES)
            return err_set(err, -ENOMEM, "the CAD says too much");
    }
    return 0;
}

/* An event that is not stored: which one it was. */
static void note_event(struct probe *probe, const struct session_record *record)
{
    size_t size;
    char *body CLEANUP(cleanup_free) = session_record_body(session_record_argument(record), &size);
    cJSON *json = json_parse_all((struct span){ body, body ? size : 0 });
    const char *type = json_get_text(json, "type");
    text_add(&probe->missed, probe->n_missed++ ? ", " : "");
    session_add_words(&probe->missed, &probe->target->rules, span_of(*type ? type : "one without type"),
                      EVENT_TYPE_MAX_BYTES);
    if (body)
        explicit_bzero(body, size);
    cJSON_Delete(json);
}

/* The answer to the login. 1: it is there; below 0: as next_record, or it is over. */
static int wait_for_login(struct probe *probe, struct session_record *ret, struct err *err)
{
    usec_t end_us = uptime_us() + SESSION_ANSWER_US;
    struct span text;
    int r;
    while ((r = next_record(probe, end_us, &text, err)) == 1) {
        if (session_record_read(text, ret, err) < 0)
            return -EPROTO;
        if (ret->kind == SESSION_COMPLETION && session_record_is(ret->invocation, SESSION_LOGIN_ID))
            return 1;
        if (ret->kind == SESSION_INVOCATION && session_record_is(ret->target, "pushEvent"))
            note_event(probe, ret);
    }
    return r;
}

static int shake(struct probe *probe)
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    struct span record, error = { 0 };
    struct err err = { "" };
    begin_step(probe);
    int r = websocket_send(probe->websocket, span_of(SESSION_HANDSHAKE), &err);
    if (r >= 0)
        r = next_record(probe, uptime_us() + SESSION_ANSWER_US, &record, &err);
    if (r < 0)
        return fail(probe, "handshake", "%s", err.msg);
    if (session_record_read_handshake(record, &error, &err) < 0) {
        session_add_said(&said, &probe->target->rules, error);
        return fail(probe, "handshake", "it speaks another SignalR protocol: %s", said.size ? said.s : err.msg);
    }
    tell_took(probe, "handshake", SESSION_PROBE_OK, "it speaks SignalR's JSON");
    return 0;
}

static int log_in(struct probe *probe)
{
    const struct session_settings *settings = &probe->target->settings;
    struct text login CLEANUP(text_wipe) = TEXT_INIT, said CLEANUP(text_free) = TEXT_INIT;
    struct text id CLEANUP(text_free) = TEXT_INIT;
    struct session_record record;
    struct err err = { "" };
    begin_step(probe);
    session_record_write_login(&login, settings->community_id, probe->target->key, settings->server);
    int r = login.failed ? err_set(&err, -ENOMEM, "no memory")
                         : websocket_send(probe->websocket, span_of(SESSION_PING), &err);
    if (r >= 0)
        r = websocket_send(probe->websocket, (struct span){ login.s, login.size }, &err);
    if (r >= 0)
        r = wait_for_login(probe, &record, &err);
    if (r < 0)
        return fail(probe, "login", "%s", err.msg);
    struct span error = record.error;
    text_add_safe(&id, settings->community_id, strlen(settings->community_id), SESSION_FOREIGN_CHARS);
    if (!error.size && session_record_logged_in(record.result, &error)) {
        text_addf(&said, "the CAD knows community \"%s\" and server %llu", id.s, (unsigned long long) settings->server);
        tell_took(probe, "login", SESSION_PROBE_OK, said.s);
        return 0;
    }
    session_add_said(&said, &probe->target->rules, error);
    return fail(probe, "login",
                "the CAD refuses community \"%s\", server %llu: %s; check community_id, key and server id", id.s,
                (unsigned long long) settings->server, said.size ? said.s : "no reason given");
}

/* ---- a sign of life ---- */

/* 0: the ping was answered; what comes meanwhile is noted. */
static int wait_for_pong(struct probe *probe, struct err *err)
{
    usec_t end_us = uptime_us() + PONG_US;
    struct session_record record;
    struct span text;
    int r;
    probe->wants_pong = true;
    while ((r = next_record(probe, end_us, &text, err)) == 1)
        if (session_record_read(text, &record, NULL) == 0 && record.kind == SESSION_INVOCATION)
            note_event(probe, &record);
    return r;
}

static int ask_for_life(struct probe *probe)
{
    struct err err = { "" };
    usec_t took_us = 0;
    begin_step(probe);
    int r = websocket_ping(probe->websocket, &err);
    r = r < 0 ? r : wait_for_pong(probe, &err);
    if (r == -ETIMEDOUT) {
        tell_took(probe, "ping", SESSION_PROBE_DOUBT,
                  "not answered within 10s: that a connection is dead is noticed after 30s of silence");
        return 0;
    }
    if (r < 0)
        return fail(probe, "ping", "%s", err.msg);
    (void) websocket_answered_us(probe->websocket, &took_us);
    tell(probe, "ping", SESSION_PROBE_OK, took_us, "answered: that a connection is dead is noticed within 20s");
    return 0;
}

static void leave(struct probe *probe)
{
    usec_t end_us = uptime_us() + LEAVE_US;
    struct websocket_message message;
    int r = -EAGAIN;
    if (!probe->websocket)
        return;
    (void) !websocket_send(probe->websocket, span_of(SESSION_CLOSE), NULL);
    websocket_finish(probe->websocket, WEBSOCKET_NORMAL);
    while ((r == 1 && uptime_us() < end_us) || (r == -EAGAIN && go_on_until(probe, end_us)))
        r = websocket_receive(probe->websocket, &message, NULL);
    probe->websocket = websocket_close(probe->websocket);
}

static void tell_missed(struct probe *probe)
{
    struct text words CLEANUP(text_free) = TEXT_INIT, names CLEANUP(text_free) = TEXT_INIT;
    if (!probe->n_missed)
        return;
    text_add_safe(&names, probe->missed.s, probe->missed.size, NAMES_MAX_CHARS);
    text_addf(&words, "%u came meanwhile and %s not kept: %s", probe->n_missed, probe->n_missed == 1 ? "is" : "are",
              names.s);
    tell(probe, "events", SESSION_PROBE_DOUBT, 0, words.s);
}

/* ---- all of it ---- */

const struct session_settings *session_settings_find(const struct config *config, const char *name)
{
    const struct config_settings all = config_section_get(config, &source_session.section);
    const struct session_settings *elements = all.elements;
    for (size_t i = 0; i < all.n_elements; i++)
        if (!name || strcmp(elements[i].name, name) == 0)
            return &elements[i];
    return NULL;
}

static struct session_probe probe_of(const struct session_settings *settings)
{
    return (struct session_probe){ settings->name, settings->community, settings->community_id, settings->url,
                                   settings->server };
}

int session_probe_find(const struct config *config, const char *name, struct session_probe *ret, struct err *err)
{
    const struct session_settings *settings = session_settings_find(config, name);
    if (!session_probe_count(config))
        return err_set(err, -ENOENT, "the configuration has no sessions");
    if (!settings)
        return err_set(err, -ENOENT, "no session of the configuration is called so; the first is %s",
                       session_settings_find(config, NULL)->name);
    *ret = probe_of(settings);
    return 0;
}

size_t session_probe_count(const struct config *config)
{
    return config_section_get(config, &source_session.section).n_elements;
}

void session_probe_get(const struct config *config, size_t i, struct session_probe *ret)
{
    const struct session_settings *elements = config_section_get(config, &source_session.section).elements;
    *ret = probe_of(&elements[i]);
}

static void tell_page(void *probe, const char *name, enum session_probe_result result, usec_t took_us,
                      const char *words)
{
    tell(probe, name, result, took_us, words);
}

static int run(struct probe *probe)
{
    int r = connect_to_hub(probe);
    r = r ? r : shake(probe);
    r = r ? r : log_in(probe);
    r = r ? r : ask_for_life(probe);
    leave(probe);
    tell_missed(probe);
    if (r == 0 && !session_probe_ask_rest(probe->target, tell_page, probe))
        r = 1;
    return r;
}

int session_probe_run(const struct config *config, const struct session_probe *what, session_probe_tell *to,
                      void *context, struct err *err)
{
    struct probe probe = { .in = TEXT_INIT, .missed = TEXT_INIT, .tell = to, .context = context };
    int r = session_target_new(&probe.target, session_settings_find(config, what->name), config, err);
    if (r >= 0)
        r = net_pool_open(&probe.pool, err);
    if (r >= 0)
        r = run(&probe);
    net_pool_close(probe.pool);
    session_target_free(probe.target);
    text_wipe(&probe.in);
    text_free(&probe.missed);
    return r;
}
