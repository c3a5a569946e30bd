/* exec_environment.c - the variables that a program gets of an event; which they are says exec.c. */
#include <ctype.h>
#include <string.h>

#include "exec.h"

#define SUMMARY_MAX_BYTES ((size_t) 4096)
#define FACT_MAX_BYTES ((size_t) 2048)

/* Variables with a bound: what finds no room is left out whole, and counted. */
struct variables {
    struct words *out;
    size_t room, n_left_out;
    struct text value; /* of the one that is being written */
};

static void put(struct variables *all, const char *name)
{
    size_t size = strlen(name) + strlen("=") + all->value.size, needed = exec_size(size);
    if (size > EXEC_STRING_MAX_BYTES || needed > all->room) {
        all->n_left_out++;
    } else {
        words_addf(all->out, "%s=%s", name, all->value.s);
        all->room -= needed;
    }
    all->out->failed |= all->value.failed;
    text_reset(&all->value);
}

static void put_text(struct variables *all, const char *name, const char *value)
{
    text_add(&all->value, value);
    put(all, name);
}

static void put_ids(struct variables *all, const char *name, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        text_add(&all->value, i ? "," : "");
        text_add_int(&all->value, ids->v[i]);
    }
    put(all, name);
}

/* Not cut in the middle of a character. */
static void put_cut(struct variables *all, const char *name, size_t max)
{
    struct text *value = &all->value;
    size_t size = utf8_cut(value->s, value->size, max);
    if (size < value->size) {
        value->s[value->size = size] = '\0';
        text_add(value, "…");
    }
    put(all, name);
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

static void put_fact(struct variables *all, const struct fact *fact, const struct action_record *record)
{
    struct text raw CLEANUP(text_free) = TEXT_INIT, name CLEANUP(text_free) = TEXT_INIT;
    if (!fact_write(fact, record->event, record->description, record->known, &raw))
        return;
    text_add_plain(&all->value, raw.s, raw.size);
    write_variable(fact->name, &name);
    put_cut(all, name.s, FACT_MAX_BYTES);
    all->out->failed |= raw.failed || name.failed;
}

static void put_facts(struct variables *all, const struct action_record *record)
{
    const struct fact_list *own = record->event->handler ? record->event->handler->facts : NULL;
    for (size_t i = 0; own && i < own->n; i++)
        put_fact(all, &own->rows[i], record);
    for (size_t i = 0; i < facts_of_every_event.n; i++)
        put_fact(all, &facts_of_every_event.rows[i], record);
}

/* The short ones first: those have room whatever is left. */
static void put_event(struct variables *all, const struct event *event)
{
    text_add_plain(&all->value, event->type,
                   strlen(event->type)); /* the sender's own, where unknown ones are accepted */
    put(all, "SONORAN_EVENT");
    text_addf(&all->value, "%llu", (unsigned long long) event->id);
    put(all, "SONORAN_EVENT_ID");
    text_add_time_utc(&all->value, event->time_us);
    put(all, "SONORAN_TIME");
    put_text(all, "SONORAN_COMMUNITY", event->community);
    if (event->home.node)
        put_text(all, "SONORAN_NODE", event->home.node);
    put_text(all, "SONORAN_LISTENER", event->origin->name);
    put_text(all, "SONORAN_FROM", event->origin->peer);
    put_text(all, "SONORAN_VERDICT", event_verdict_name(event->verdict));
    put_text(all, "SONORAN_FAMILY", event->family ? event->family->name : "");
    put_text(all, "SONORAN_SOURCE", event->origin->source);
    put_text(all, "SONORAN_TEST", event->test ? "1" : "");
}

void exec_environment(const struct config_action *config, const struct action_record *record, size_t room,
                      struct words *out)
{
    const struct description *description = record->description;
    const size_t reserved = exec_size(strlen("SONORAN_LEFT_OUT=999"));
    struct variables all = { .out = out, .room = room > reserved ? room - reserved : 0, .value = TEXT_INIT };

    put_text(&all, "SONORAN_ACTION", config->name);
    put_event(&all, record->event);
    text_add_int(&all.value, description->level);
    put(&all, "SONORAN_LEVEL");
    text_add_unescaped(&all.value, description->line.s, description->line.size); /* as {summary} */
    put_cut(&all, "SONORAN_SUMMARY", SUMMARY_MAX_BYTES);
    put_facts(&all, record);
    put_ids(&all, "SONORAN_CALLS", &description->calls);
    put_ids(&all, "SONORAN_CALLS911", &description->calls911);
    put_ids(&all, "SONORAN_UNITS", &description->units);
    words_addf(out, "SONORAN_LEFT_OUT=%zu", all.n_left_out);
    text_free(&all.value);
}
