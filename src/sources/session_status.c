/* session_status.c - sessions in the status object, in /health and in the metrics. */
#include <string.h>

#include "session_private.h"

static const char *const states[] = {
    [SESSION_WAITS] = "waiting",
    [SESSION_CONNECTS] = "connecting",
    [SESSION_SHAKES] = "handshake",
    [SESSION_LOGS_IN] = "logging in",
    [SESSION_IS_OPEN] = "open",
    [SESSION_IS_CLOSING] = "closing",
    NULL,
};

static const char *const causes[] = {
    [SESSION_NO_CAUSE] = NULL,
    [SESSION_NO_NAME] = "name",
    [SESSION_NO_CONNECTION] = "connection",
    [SESSION_NO_TLS] = "tls",
    [SESSION_NO_PROXY] = "proxy",
    [SESSION_NO_HUB] = "hub",
    [SESSION_NO_WEBSOCKET] = "websocket",
    [SESSION_TURNED_AWAY] = "turned_away",
    [SESSION_NO_LOGIN] = "login",
    [SESSION_STRANGE] = "protocol",
    [SESSION_SILENT] = "silent",
    [SESSION_LOST] = "lost",
    [SESSION_KICKED] = "kicked",
    [SESSION_FULL] = "full",
};

const char *session_cause_name(enum session_cause cause)
{
    return causes[cause];
}

#define OBJECT "session"

static const struct report_row rows[] = {
    { .name = "session_state",
      .kind = REPORT_STATE,
      .states = states,
      .help = "What a session to the CAD does now.",
      .offset = REPORT_OFFSET(struct session_values, state) },
    { .name = "session_state_since_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "Since when it does that.",
      .object = OBJECT,
      .member = "since",
      .offset = REPORT_OFFSET(struct session_values, since_us) },
    { .name = "session_cut_since_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "Since when nothing can come by it, 0 while it is open.",
      .object = OBJECT,
      .member = "cut_since",
      .offset = REPORT_OFFSET(struct session_values, cut_us) },
    { .name = "session_last_record_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When the CAD last sent a record by it, pings among them.",
      .object = OBJECT,
      .member = "last_record",
      .offset = REPORT_OFFSET(struct session_values, last_record_us) },
    { .name = "session_last_event_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When the CAD last sent an event by it.",
      .object = OBJECT,
      .member = "last_event",
      .offset = REPORT_OFFSET(struct session_values, last_event_us) },
    { .name = "session_events",
      .kind = REPORT_COUNTER,
      .help = "Events that came by it and were handed on to be stored.",
      .object = OBJECT,
      .member = "events",
      .offset = REPORT_OFFSET(struct session_values, events) },
    { .name = "session_refused_records",
      .kind = REPORT_COUNTER,
      .help = "What came in place of an event: with a wrong key, no sound JSON, too large.",
      .object = OBJECT,
      .member = "refused",
      .offset = REPORT_OFFSET(struct session_values, refused) },
    { .name = "session_connects",
      .kind = REPORT_COUNTER,
      .help = "Logins that the CAD took.",
      .object = OBJECT,
      .member = "connects",
      .offset = REPORT_OFFSET(struct session_values, connects) },
    { .name = "session_gaps",
      .kind = REPORT_COUNTER,
      .help = "Times without connection that ended with a login.",
      .object = OBJECT,
      .member = "gaps",
      .offset = REPORT_OFFSET(struct session_values, gaps) },
    { .name = "session_gap_seconds",
      .unit = "seconds",
      .kind = REPORT_COUNTER,
      .help = "How long these were together, from the last byte that came to the login.",
      .offset = REPORT_OFFSET(struct session_values, gap_us) },
    { .name = "session_strange_records",
      .kind = REPORT_COUNTER,
      .help = "Calls of the CAD for what this version does not know.",
      .object = OBJECT,
      .member = "strange",
      .offset = REPORT_OFFSET(struct session_values, strange) },
};

static const struct report_table session_report = { rows, ARRAY_SIZE(rows) };

/* What proves that the connection lives. */
static const char *life_of(const struct session_values *values)
{
    return values->state != SESSION_IS_OPEN ? "none" : values->answers_pings ? "pings" : "silence";
}

/* Why it is not open, and when it is tried again. */
static void add_trouble(const struct session *session, const struct session_values *values, struct json_writer *out)
{
    const struct session_trouble *trouble = &session->trouble;
    if (values->next_us && values->cut_us)
        json_add_time(out, "next_try", values->next_us);
    if (!trouble->cause)
        return;
    json_begin_object(out, "trouble");
    json_add_time(out, "at", trouble->at_us);
    json_add_text(out, "cause", session_cause_name(trouble->cause));
    json_add_text(out, "words", trouble->words);
    json_end(out);
}

/* Under the lock. */
static void add_one(const struct session *session, struct json_writer *out)
{
    const struct session_settings *settings = &session->target->settings;
    struct session_values values;
    report_copy(&values, &session->values, sizeof(values));
    const struct report_part part = { .table = &session_report, .values = &values };
    json_begin_object(out, NULL);
    json_add_text(out, "name", settings->name);
    json_add_text(out, "community", settings->community);
    json_add_text(out, "host", session->target->host);
    json_add_int(out, "server", (int64_t) settings->server);
    json_add_text(out, "state", states[values.state]);
    json_add_text(out, "life", life_of(&values));
    report_add_members(out, &part, OBJECT);
    json_add_int(out, "last_gap_ms", (int64_t) (values.last_gap_us / USEC_PER_MSEC));
    add_trouble(session, &values, out);
    if (session->all->prime)
        session_prime_add_status(session->all->prime, settings->name, out);
    json_end(out);
}

void session_add_status(void *self, struct json_writer *out)
{
    struct sessions *sessions = self;
    json_begin_array(out, "sessions");
    pthread_mutex_lock(&sessions->lock);
    for (const struct session *session = sessions->list; session; session = session->next)
        add_one(session, out);
    pthread_mutex_unlock(&sessions->lock);
    json_end(out);
}

void session_add_health(void *self, struct json_writer *out)
{
    struct sessions *sessions = self;
    pthread_mutex_lock(&sessions->lock);
    for (const struct session *session = sessions->list; session; session = session->next) {
        json_begin_object(out, NULL);
        json_add_text(out, "source", SESSION_SOURCE);
        json_add_text(out, "name", session->target->settings.name);
        json_add_text(out, "state", states[report_value(&rows[0], &session->values)]);
        json_end(out);
    }
    pthread_mutex_unlock(&sessions->lock);
}

void session_add_report(void *self, struct report_list *list)
{
    struct sessions *sessions = self;
    pthread_mutex_lock(&sessions->lock);
    for (const struct session *session = sessions->list; session; session = session->next) {
        struct session_values values;
        report_copy(&values, &session->values, sizeof(values));
        report_list_add(list,
                        &(struct report_part){ .table = &session_report,
                                               .values = &values,
                                               .labels = { { "session", session->target->settings.name } } },
                        sizeof(values));
    }
    if (sessions->prime)
        session_prime_add_report(sessions->prime, list);
    pthread_mutex_unlock(&sessions->lock);
}

/* Why it is cut is for who looks after the daemon; that something may be missing, for everybody. */
static void add_to_board(const struct session *session, struct json_writer *out)
{
    const struct session_settings *settings = &session->target->settings;
    struct session_values values;
    struct text words CLEANUP(text_free) = TEXT_INIT;
    report_copy(&values, &session->values, sizeof(values));
    json_begin_object(out, NULL);
    json_add_text(out, "source", SESSION_SOURCE);
    json_add_text(out, "name", settings->name);
    json_add_text(out, "community", settings->community);
    json_add_known_time(out, "cut_since", values.cut_us);
    if (values.cut_us)
        text_addf(&words, "session %s: no connection to the CAD, events may be missing", settings->name);
    json_add_text(out, "words", words.s);
    out->out->failed |= words.failed;
    json_end(out);
}

void session_add_board(void *self, const char *community, struct json_writer *out)
{
    struct sessions *sessions = self;
    pthread_mutex_lock(&sessions->lock);
    for (const struct session *session = sessions->list; session; session = session->next)
        if (!community || strcmp(session->target->settings.community, community) == 0)
            add_to_board(session, out);
    pthread_mutex_unlock(&sessions->lock);
}
