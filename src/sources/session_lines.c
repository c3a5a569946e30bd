/* session_lines.c - what is told of a session, and how often. */
#include <stdlib.h>

#include "session_private.h"

#define SAME_AGAIN_US (60 * USEC_PER_SEC)
#define LONG_US (300 * USEC_PER_SEC)  /* without a connection: from then on it is an error */
#define OFTEN_US (600 * USEC_PER_SEC) /* so many losses in that are worth a warning */
#define GAP_WORTH_A_WARNING_US (30 * USEC_PER_SEC)
#define WAIT_WORTH_A_WORD_US (5 * USEC_PER_SEC)
#define REFUSAL_CHARS 60

/* ---- the CAD's own words ---- */

static size_t longest_key(const struct envelope_rules *rules)
{
    size_t longest = 0;
    for (size_t i = 0; i < rules->n_communities; i++) {
        size_t size = strlen(rules->communities[i].key);
        longest = size > longest ? size : longest;
    }
    return longest;
}

/* Where it was cut off a key may go on behind it. */
static void add_hidden(struct text *out, const struct envelope_rules *rules, struct span words, bool is_cut,
                       size_t max_chars)
{
    struct text hidden CLEANUP(text_free) = TEXT_INIT;
    size_t dropped = is_cut ? longest_key(rules) : 0;
    (void) event_hide_keys(rules, words, &hidden);
    text_add_prose(out, hidden.s, hidden.size > dropped ? hidden.size - dropped : 0, max_chars);
}

/* Keys are looked for only in what may be shown, since they are many and the words may be megabytes: in so much more of
 * them that a key which is cut off ends behind it. */
void session_add_words(struct text *out, const struct envelope_rules *rules, struct span words, size_t max_chars)
{
    size_t looked_at = UTF8_MAX_BYTES * max_chars + longest_key(rules);
    bool is_cut = words.size > looked_at;
    words.size = is_cut ? looked_at : words.size;
    add_hidden(out, rules, words, is_cut, max_chars);
}

void session_add_said(struct text *out, const struct envelope_rules *rules, struct span json)
{
    size_t size;
    char *value = json.size ? json_string_value(json, &size) : NULL;
    if (!value)
        return;
    session_add_words(out, rules, (struct span){ value, size }, SESSION_FOREIGN_CHARS);
    explicit_bzero(value, size);
    free(value);
}

void session_add_refusal(struct text *out, const struct envelope_rules *rules, const char *word)
{
    struct span words = span_of(word);
    add_hidden(out, rules, words, words.size == WEBSOCKET_REFUSAL_BYTES - 1, REFUSAL_CHARS);
}

/* ---- lines ---- */

/* The CAD may have said a key. */
static void tell(const struct session *session, int level, const char *words)
{
    const struct session_settings *settings = &session->target->settings;
    struct text line CLEANUP(text_free) = TEXT_INIT;
    text_addf(&line, "session %s: ", settings->name);
    (void) event_hide_keys(session->all->rules, span_of(words), &line);
    const struct log_field fields[] = { log_text("SONORAN_LISTENER", settings->name),
                                        log_text("SONORAN_COMMUNITY", settings->community),
                                        log_text("SONORAN_FROM", session->target->host) };
    log_write(&(struct log_record){ .level = level,
                                    .message_id = LOG_ID_SESSION,
                                    .line = line.s,
                                    .fields = fields,
                                    .n_fields = ARRAY_SIZE(fields) });
}

void session_tell(const struct session *session, int level, const char *format, ...)
{
    char words[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    tell(session, level, words);
}

/* "42s"; below a second "300ms". */
static void add_seconds(struct text *out, usec_t us)
{
    usec_t step = us < USEC_PER_SEC ? 100 * USEC_PER_MSEC : USEC_PER_SEC;
    text_add_duration(out, (us + step / 2) / step * step);
}

void session_tell_open(const struct session *session, usec_t gap_us)
{
    struct text gap CLEANUP(text_free) = TEXT_INIT;
    const char *host = session->target->host;
    add_seconds(&gap, gap_us);
    if (gap_us)
        session_tell(session, gap_us > GAP_WORTH_A_WARNING_US ? LOG_WARNING : LOG_NOTICE,
                     "connected to %s again, %s without connection", host, gap.s);
    else
        session_tell(session, LOG_NOTICE, "connected to %s, events of server %llu come here", host,
                     (unsigned long long) session->target->settings.server);
}

int session_level_of_loss(struct session *session)
{
    struct session_trouble *trouble = &session->trouble;
    usec_t now = uptime_us(), *oldest = &trouble->ends_us[trouble->n_ends++ % ARRAY_SIZE(trouble->ends_us)];
    *oldest = now;
    usec_t third_last = trouble->ends_us[trouble->n_ends % ARRAY_SIZE(trouble->ends_us)];
    return third_last && now - third_last < OFTEN_US ? LOG_WARNING : LOG_NOTICE;
}

/* The same words are told again after a minute, with how often it was. One that was logged in has its own line each
 * time: it comes as often as the CAD lets it in. */
void session_tell_trouble(struct session *session, int level, usec_t wait_us, const char *words)
{
    struct session_trouble *trouble = &session->trouble;
    struct text line CLEANUP(text_free) = TEXT_INIT;
    usec_t now = uptime_us();
    uint64_t hash = hash_bytes(HASH_START, words, strlen(words));
    bool same = hash == trouble->hash && !session->login_us;
    trouble->since_us = trouble->since_us ? trouble->since_us : now;
    if (same && now - trouble->told_us < SAME_AGAIN_US) {
        trouble->n_untold++;
        return;
    }
    text_add(&line, words);
    if (same && trouble->n_untold)
        text_addf(&line, " (%u times more)", trouble->n_untold);
    if (wait_us >= WAIT_WORTH_A_WORD_US) {
        text_add(&line, ", next try in ");
        add_seconds(&line, wait_us);
    }
    if (level == LOG_WARNING && now - trouble->since_us >= LONG_US)
        level = LOG_ERR;
    trouble->hash = hash;
    trouble->told_us = now;
    trouble->n_untold = 0;
    tell(session, level, line.s);
}

void session_keep_trouble(struct session *session, enum session_cause cause, const char *words)
{
    struct session_trouble *trouble = &session->trouble;
    struct text safe CLEANUP(text_free) = TEXT_INIT; /* the CAD may have said a key */
    (void) event_hide_keys(session->all->rules, span_of(words), &safe);
    pthread_mutex_lock(&session->all->lock);
    trouble->cause = cause;
    trouble->at_us = now_us();
    text_copy(trouble->words, sizeof(trouble->words), safe.s);
    pthread_mutex_unlock(&session->all->lock);
}
