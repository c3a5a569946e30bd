/* envelope.c - a request's body: key, type, data, and whatever else it carries. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* The parsed form, which costs far more than the check of the text: only for who has the key. */
static int parse_members(struct batch_memory *memory, const struct parts *parts)
{
    const struct text *extra = &memory->extra;
    if (parts->data.size && !(memory->data = json_parse(parts->data, parts->met)))
        return -ENOMEM;
    if (extra->size && !(memory->top = json_parse((struct span){ extra->s, extra->size }, parts->met)))
        return -ENOMEM;
    return 0;
}

/* One may have several keys. */
static bool are_several(const struct envelope_rules *rules)
{
    for (size_t i = 1; i < rules->n_communities; i++)
        if (strcmp(rules->communities[i].name, rules->communities[0].name) != 0)
            return true;
    return false;
}

static void show_claimed(char *claimed, const char *type)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    size_t max_chars = EVENT_TYPE_MAX_BYTES / 4;
    do {
        text_reset(&safe);
        text_add_safe(&safe, type, strlen(type), max_chars--);
    } while (safe.size > EVENT_TYPE_MAX_BYTES && max_chars);
    snprintf(claimed, EVENT_TYPE_MAX_BYTES + 1, "%s", safe.size > EVENT_TYPE_MAX_BYTES ? "" : safe.s);
}

/* A key that stands in it is neither stored nor shown. It is put in the wrong field by hand, or both are swapped. */
static int hide_keys(struct batch_memory *memory, const struct envelope_rules *rules, struct span type)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    if (!event_hide_keys(rules, (struct span){ memory->type_sent, strlen(memory->type_sent) }, &shown))
        return shown.failed ? -ENOMEM : 0;
    explicit_bzero(memory->body + (type.s - memory->body), type.size);
    explicit_bzero(memory->type_sent, strlen(memory->type_sent));
    explicit_bzero(memory->type, strlen(memory->type));
    free(memory->type_sent);
    free(memory->type);
    memory->type_sent = strdup(shown.s);
    memory->type = strdup(shown.s);
    return shown.failed || !memory->type_sent || !memory->type ? -ENOMEM : 0;
}

static void to_upper(char *s)
{
    for (; *s; s++)
        *s = ascii_upper(*s);
}

/* Empty where there is none: what stands in its place is kept among the other members. */
static int read_type(struct batch_memory *memory, const struct envelope_rules *rules, struct span type)
{
    const struct event_family *family;
    size_t size;
    memory->type_sent = member_is_type(type) ? string_value(type, &size) : strdup("");
    memory->type = memory->type_sent ? strdup(memory->type_sent) : NULL;
    if (!memory->type)
        return -ENOMEM;
    to_upper(memory->type);
    if (event_find_type(rules->families, memory->type, &family)) /* whatever a key is */
        return 0;
    int r = hide_keys(memory, rules, type);
    if (r == 0)
        to_upper(memory->type);
    return r;
}

static enum envelope_refusal refuse_memory(struct err *err)
{
    err_set(err, 0, "no memory");
    return ENVELOPE_MEMORY;
}

static enum envelope_refusal refuse_size(const struct batch_memory *memory, char *claimed, const char *what,
                                         struct err *err)
{
    err_set(err, 0, "%s", what);
    if (claimed)
        show_claimed(claimed, memory->type);
    return ENVELOPE_SIZE;
}

/* Each element of a list is an event of its own, and has all that stands beside the list. */
static uint64_t stored_bytes(const struct batch *batch)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < batch->n_events; i++)
        bytes += batch->events[i].data_text.size + batch->events[i].extra_text.size;
    return bytes;
}

static enum envelope_refusal read_envelope(struct batch *batch, struct span body, const struct envelope_rules *rules,
                                           char *claimed, struct err *err)
{
    struct batch_memory *memory = batch->memory;
    struct parts parts = { .body = memory->body };
    int r = read_members(body, &parts, &memory->extra, err);
    if (r < 0)
        return r == -ENOMEM ? ENVELOPE_MEMORY : ENVELOPE_JSON;
    if (parts.n_key > 1 || parts.n_type > 1) {
        err_set(err, 0, "%s stands twice", parts.n_key > 1 ? "key" : "type");
        return ENVELOPE_JSON;
    }

    if (read_type(memory, rules, parts.type) < 0)
        return refuse_memory(err);
    const char *key_problem = !parts.key.size ? "no key" : parts.key.s[0] != '"' ? "key is not a text" : "wrong key";
    const struct event_community *community = find_community(rules, parts.key);
    if (parts.key.size) {
        size_t at = (size_t) (parts.key.s - memory->body);
        explicit_bzero(memory->body + at, parts.key.size);
    }
    if (!community) {
        err_set(err, 0, "%s", key_problem);
        if (claimed)
            show_claimed(claimed, memory->type);
        return ENVELOPE_KEY;
    }
    memory->one.among_communities = are_several(rules);
    memccpy(memory->community, community->name, '\0', sizeof(memory->community) - 1);

    if (parse_members(memory, &parts) < 0)
        return memory->arena.full ? refuse_size(memory, claimed, "data: too many values", err) : refuse_memory(err);
    memory->one.data_text = parts.data;
    memory->one.extra_text = (struct span){ memory->extra.s, memory->extra.size };
    batch_fill(memory, rules->families);
    if (batch_judge(batch, rules->accept_unknown_types, err) < 0)
        return ENVELOPE_MEMORY;
    if (rules->max_stored_bytes && stored_bytes(batch) > rules->max_stored_bytes)
        return refuse_size(memory, claimed, "data: too many elements beside so much else", err);
    return ENVELOPE_OK;
}

enum envelope_refusal envelope_parse(char *body, size_t size, const struct envelope_rules *rules,
                                     const struct http_origin *origin, usec_t time_us, struct batch *ret,
                                     char claimed[EVENT_TYPE_MAX_BYTES + 1], struct err *err)
{
    struct batch_memory *memory = batch_memory_new(body, size, origin, time_us);
    if (claimed)
        claimed[0] = '\0';
    if (!memory) {
        explicit_bzero(body, size);
        free(body);
        return refuse_memory(err);
    }
    *ret = (struct batch){ .events = &memory->one, .n_events = 1, .memory = memory };

    arena_begin(&memory->arena, rules->max_parsed_bytes);
    enum envelope_refusal refusal = read_envelope(ret, (struct span){ body, size }, rules, claimed, err);
    arena_end();
    if (refusal != ENVELOPE_OK) {
        explicit_bzero(body, size); /* somewhere in it may be a key that was not found, or not looked for */
        batch_done(ret);
    }
    return refusal;
}
