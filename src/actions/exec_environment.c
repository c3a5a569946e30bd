/* exec_environment.c - the variables that a program gets of an event; which they are says exec.c. */
#include <ctype.h>
#include <string.h>

#include "exec.h"

#define SUMMARY_MAX_BYTES ((size_t) 4096)
#define FACT_MAX_BYTES ((size_t) 2048)

static void add_ids(struct words *out, const char *name, const struct ids *ids)
{
    struct text list CLEANUP(text_free) = TEXT_INIT;
    for (size_t i = 0; i < ids->n; i++) {
        if (i)
            text_add(&list, ",");
        text_add_int(&list, ids->v[i]);
    }
    words_addf(out, "%s=%s", name, list.s);
    out->failed |= list.failed;
}

/* Not cut in the middle of a character. */
static void add_cut(struct words *out, const char *name, const struct text *value, size_t max)
{
    size_t size = value->size;
    if (size > max) {
        size = max;
        while (size > 0 && (value->s[size] & 0xc0) == 0x80)
            size--;
    }
    words_addf(out, "%s=%.*s%s", name, (int) size, value->s, size < value->size ? "…" : "");
    out->failed |= value->failed;
}

/* "SONORAN_UNIT_NAME" */
static void write_variable(const char *fact, struct text *out)
{
    text_add(out, "SONORAN_");
    for (; *fact; fact++) {
        char letter = *fact == '.' ? '_' : (char) toupper((unsigned char) *fact);
        text_add_bytes(out, &letter, 1);
    }
}

static void add_fact(struct words *out, const struct fact *fact, const struct action_record *record)
{
    struct text raw CLEANUP(text_free) = TEXT_INIT, plain CLEANUP(text_free) = TEXT_INIT;
    struct text name CLEANUP(text_free) = TEXT_INIT;
    if (!fact_write(fact, record->event, record->known, &raw))
        return;
    text_add_plain(&plain, raw.s, raw.size);
    write_variable(fact->name, &name);
    add_cut(out, name.s, &plain, FACT_MAX_BYTES);
    out->failed |= raw.failed || name.failed;
}

static void add_facts(struct words *out, const struct action_record *record)
{
    const struct fact_list *own = record->event->handler ? record->event->handler->facts : NULL;
    for (size_t i = 0; own && i < own->n; i++)
        add_fact(out, &own->rows[i], record);
    for (size_t i = 0; i < facts_of_every_event.n; i++)
        add_fact(out, &facts_of_every_event.rows[i], record);
}

void exec_environment(const struct config_action *config, const struct action_record *record, struct words *out)
{
    struct text time CLEANUP(text_free) = TEXT_INIT, type CLEANUP(text_free) = TEXT_INIT;
    const struct event *event = record->event;
    const struct description *description = record->description;

    text_add_time_utc(&time, event->time_us);
    words_addf(out, "SONORAN_ACTION=%s", config->name);
    text_add_plain(&type, event->type, strlen(event->type)); /* the sender's own, where unknown ones are accepted */
    words_addf(out, "SONORAN_EVENT=%s", type.s);
    words_addf(out, "SONORAN_EVENT_ID=%llu", (unsigned long long) event->id);
    words_addf(out, "SONORAN_TIME=%s", time.s);
    words_addf(out, "SONORAN_COMMUNITY=%s", event->community);
    words_addf(out, "SONORAN_LISTENER=%s", event->origin->listener);
    words_addf(out, "SONORAN_FROM=%s", event->origin->peer);
    words_addf(out, "SONORAN_VERDICT=%s", event_verdict_name(event->verdict));
    add_cut(out, "SONORAN_SUMMARY", &description->line, SUMMARY_MAX_BYTES);
    add_ids(out, "SONORAN_CALLS", &description->calls);
    add_ids(out, "SONORAN_CALLS911", &description->calls911);
    add_ids(out, "SONORAN_UNITS", &description->units);
    words_addf(out, "SONORAN_FAMILY=%s", event->family ? event->family->name : "");
    words_addf(out, "SONORAN_LEVEL=%d", description->level);
    words_addf(out, "SONORAN_SOURCE=%s", event->source ? event->source : "");
    words_addf(out, "SONORAN_TEST=%s", event->test ? "1" : "");
    add_facts(out, record);
    out->failed |= time.failed;
}
