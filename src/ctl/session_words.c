/* session_words.c - how a session is. */
#include "session_words.h"
#include "ctl_daemon.h"

static void add_number(struct text *out, const cJSON *object, const char *name, const char *noun)
{
    uint64_t n = json_get_count(object, name);
    text_addf(out, ", %llu %s%s", (unsigned long long) n, noun, text_plural(n));
}

static void write_open(struct text *out, const cJSON *session, usec_t now)
{
    usec_t last_us = daemon_get_time(session, "last_event");
    uint64_t n_refused = json_get_count(session, "refused");
    table_write_safe(out, json_get_text(session, "state"), STATUS_WORDS_MAX_CHARS);
    text_add(out, " since ");
    table_write_ago(out, daemon_get_time(session, "since"), now);
    add_number(out, session, "events", "event");
    if (last_us) {
        text_add(out, ", the last ");
        table_write_ago(out, last_us, now);
    }
    if (n_refused)
        text_addf(out, ", %llu refused", (unsigned long long) n_refused);
    add_number(out, session, "gaps", "gap");
    const cJSON *priming = json_get(session, "priming"); /* of a large community, in minutes */
    if (priming)
        add_number(out, priming, "units", "unit");
    text_add(out, priming ? " so far of those that the CAD knows" : "");
}

void session_words_write(struct text *out, const cJSON *session, usec_t now)
{
    usec_t cut_us = daemon_get_time(session, "cut_since"), next_us = daemon_get_time(session, "next_try");
    const char *words = json_get_text(json_get(session, "trouble"), "words");
    if (!cut_us) { /* also of a daemon that does not tell it */
        write_open(out, session, now);
        return;
    }
    text_add(out, "no connection since ");
    table_write_ago(out, cut_us, now);
    text_add(out, next_us ? ", next try " : ", trying now");
    if (next_us > now + USEC_PER_SEC)
        table_write_ago(out, next_us, now);
    else if (next_us)
        text_add(out, "now");
    text_add(out, *words ? ": " : "");
    table_write_safe(out, words, 0);
}
