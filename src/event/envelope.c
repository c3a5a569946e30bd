/* envelope.c - a request's body: key, type, data, and whatever else it carries. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

struct batch_memory {
    char *body;
    size_t body_size;
    char *type;
    cJSON *data, *top;
    struct text extra;
    struct err reason;
    struct http_origin origin;
    char community[NAME_MAX_BYTES + 1];
    struct event one;   /* where nearly every batch finds room */
    struct arena arena; /* data and top are in it */
};

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
}

/* The parsed form, which costs far more than the check of the text: only for who has the key. */
static int parse_members(struct batch_memory *memory, const struct parts *parts)
{
    const struct text *extra = &memory->extra;
    if (parts->data.size && !(memory->data = json_parse(parts->data, parts->awkward)))
        return -ENOMEM;
    if (extra->size && !(memory->top = json_parse((struct span){ extra->s, extra->size }, parts->awkward)))
        return -ENOMEM;
    return 0;
}

/* Ignoring ASCII case; how long it takes depends on the length of what was sent alone. */
static bool key_equals(const char *sent, size_t size, const char *key)
{
    size_t key_size = strlen(key);
    unsigned difference = size != key_size;
    for (size_t i = 0; i < size; i++)
        difference |= (unsigned char) upper(sent[i]) ^ (unsigned char) upper(key[key_size ? i % key_size : 0]);
    return difference == 0;
}

static const struct event_community *find_community(const struct envelope_rules *rules, struct span key_json)
{
    size_t size;
    char *sent = string_value(key_json, &size);
    if (!sent)
        return NULL;

    const struct event_community *found = NULL;
    for (size_t i = 0; i < rules->n_communities; i++)
        if (key_equals(sent, size, rules->communities[i].key))
            found = &rules->communities[i];
    explicit_bzero(sent, size);
    free(sent);
    return found;
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

/* One event for each element of data, or one for all of it. */
static int make_events(struct batch *batch, struct span data, struct err *err)
{
    struct batch_memory *memory = batch->memory;
    const cJSON *array = memory->one.handler && cJSON_IsArray(memory->data) ? memory->data : NULL;
    size_t n = array ? (size_t) cJSON_GetArraySize(array) : 0;

    batch->events = &memory->one;
    batch->n_events = 1;
    if (n > EVENT_MAX_BATCH) {
        memory->one.verdict = EVENT_INVALID;
        memory->one.reason = memory->reason.msg;
        err_set(&memory->reason, 0, "data: expected at most %d events", EVENT_MAX_BATCH);
        return 0;
    }
    if (n == 0) {
        memory->one.data = array ? NULL : memory->data;
        return 0;
    }

    struct event *events = n == 1 ? &memory->one : calloc(n, sizeof(*events));
    if (!events)
        return err_set(err, -ENOMEM, "no memory for %zu events", n);
    batch->events = events;
    batch->n_events = n;
    struct scan scan = { .start = data.s, .p = data.s + 1, .end = data.s + data.size };
    const cJSON *element = array->child;
    for (size_t i = 0; i < n; i++, element = element->next, scan.p++) {
        scan_space(&scan);
        const char *first = scan.p;
        if (scan_value(&scan, err) < 0)
            return -EINVAL;
        events[i] = memory->one;
        events[i].index = (int) i;
        events[i].data = element;
        events[i].data_text = (struct span){ first, (size_t) (scan.p - first) };
        scan_space(&scan);
    }
    return 0;
}

static int check_event(const struct event *event, struct err *reason)
{
    if (event->data && !cJSON_IsNull(event->data) && !cJSON_IsObject(event->data))
        return event_refuse(event, reason, "",
                            event->index < 0 ? "expected an object or an array of objects" : "expected an object");
    return event->handler->check(event, reason);
}

/* The verdict of the batch is that of its worst event: the request is taken as a whole or not at all. */
static void judge(struct batch *batch, bool accept_unknown_types)
{
    struct event *events = batch->events;
    struct err *reason = &batch->memory->reason;
    enum event_verdict verdict = events[0].verdict;

    if (!events[0].handler) {
        verdict = accept_unknown_types ? EVENT_ACCEPTED : EVENT_UNKNOWN;
        err_set(reason, 0, "type not known");
    }
    for (size_t i = 0; i < batch->n_events && events[i].handler && verdict == EVENT_ACCEPTED; i++)
        if (check_event(&events[i], reason) < 0)
            verdict = EVENT_INVALID;
    for (size_t i = 0; i < batch->n_events; i++) {
        events[i].verdict = verdict;
        events[i].reason = verdict == EVENT_ACCEPTED ? NULL : reason->msg;
    }
}

static enum envelope_refusal read_type(struct batch_memory *memory, struct span type)
{
    size_t size = 0;
    if (!type.size || type.s[0] != '"' || !(memory->type = string_value(type, &size)) || size == 0)
        return ENVELOPE_TYPE;

    for (char *p = memory->type; *p; p++)
        *p = upper(*p);
    return ENVELOPE_OK;
}

static enum envelope_refusal read_envelope(struct batch *batch, struct span body, const struct envelope_rules *rules,
                                           char *claimed, struct err *err)
{
    struct batch_memory *memory = batch->memory;
    struct parts parts = { 0 };
    int r = read_members(body, &parts, &memory->extra, err);
    if (r < 0)
        return r == -ENOMEM ? ENVELOPE_MEMORY : ENVELOPE_JSON;
    if (parts.n_key > 1 || parts.n_type > 1) {
        err_set(err, 0, "%s stands twice", parts.n_key > 1 ? "key" : "type");
        return ENVELOPE_JSON;
    }

    enum envelope_refusal type = read_type(memory, parts.type);
    const struct event_community *community = find_community(rules, parts.key);
    if (parts.key.size) {
        size_t at = (size_t) (parts.key.s - memory->body);
        explicit_bzero(memory->body + at, parts.key.size);
    }
    if (!community) {
        err_set(err, 0, parts.key.size ? "wrong key" : "no key");
        if (claimed && type == ENVELOPE_OK)
            show_claimed(claimed, memory->type);
        return ENVELOPE_KEY;
    }
    if (type != ENVELOPE_OK) {
        err_set(err, 0, parts.type.size ? "type is not a text, or empty" : "no type");
        return type;
    }
    memccpy(memory->community, community->name, '\0', sizeof(memory->community) - 1);

    if (parse_members(memory, &parts) < 0) {
        err_set(err, 0, "no memory");
        return ENVELOPE_MEMORY;
    }

    struct event *one = &memory->one;
    one->handler = event_find_type(rules->families, memory->type, &one->family);
    one->type = one->handler ? one->handler->name : memory->type;
    one->data = memory->data;
    one->top = memory->top;
    one->data_text = parts.data;
    one->extra_text = (struct span){ memory->extra.s, memory->extra.size };
    if (make_events(batch, parts.data, err) < 0)
        return ENVELOPE_MEMORY;
    judge(batch, rules->accept_unknown_types);
    return ENVELOPE_OK;
}

static struct batch_memory *new_memory(char *body, size_t size, const struct http_origin *origin, usec_t time_us)
{
    struct batch_memory *memory = malloc(sizeof(*memory));
    if (!memory)
        return NULL;

    memory->body = body;
    memory->body_size = size;
    memory->type = NULL;
    memory->data = memory->top = NULL;
    memory->extra = (struct text) TEXT_INIT;
    memory->reason.msg[0] = memory->community[NAME_MAX_BYTES] = '\0';
    memory->origin = *origin;
    memory->one =
        (struct event){ .time_us = time_us, .origin = &memory->origin, .community = memory->community, .index = -1 };
    return memory;
}

enum envelope_refusal envelope_parse(char *body, size_t size, const struct envelope_rules *rules,
                                     const struct http_origin *origin, usec_t time_us, struct batch *ret,
                                     char claimed[EVENT_TYPE_MAX_BYTES + 1], struct err *err)
{
    struct batch_memory *memory = new_memory(body, size, origin, time_us);
    if (claimed)
        claimed[0] = '\0';
    if (!memory) {
        free(body);
        err_set(err, 0, "no memory");
        return ENVELOPE_MEMORY;
    }
    *ret = (struct batch){ .memory = memory };

    arena_begin(&memory->arena);
    enum envelope_refusal refusal = read_envelope(ret, (struct span){ body, size }, rules, claimed, err);
    arena_end();
    if (refusal != ENVELOPE_OK)
        batch_done(ret);
    return refusal;
}

/* NULL: not JSON, which only somebody else can have put there, or no memory. */
static cJSON *parse_again(struct span text)
{
    struct scan scan = { .start = text.s, .p = text.s, .end = text.s + text.size };
    struct err err;
    return scan_value(&scan, &err) < 0 || scan.p != scan.end ? NULL : json_parse(text, scan.awkward);
}

static int parse_stored(struct batch_memory *memory, const struct event *stored)
{
    struct event *one = &memory->one;
    char *at = memory->body;
    memory->type = strdup(stored->type);
    if (!memory->type)
        return -ENOMEM;
    if (stored->data_text.size)
        memcpy(at, stored->data_text.s, stored->data_text.size);
    one->data_text = (struct span){ at, stored->data_text.size };
    at += stored->data_text.size;
    if (stored->extra_text.size)
        memcpy(at, stored->extra_text.s, stored->extra_text.size);
    one->extra_text = (struct span){ at, stored->extra_text.size };

    if (one->data_text.size && !(memory->data = parse_again(one->data_text)))
        return -EINVAL;
    if (one->extra_text.size && !(memory->top = parse_again(one->extra_text)))
        return -EINVAL;
    one->type = memory->type;
    one->data = memory->data;
    one->top = memory->top;
    return 0;
}

int batch_restore(struct batch *ret, const struct event *stored, const struct event_families *families)
{
    size_t size = stored->data_text.size + stored->extra_text.size;
    char *body = malloc(size + 1);
    struct batch_memory *memory = body ? new_memory(body, size, stored->origin, stored->time_us) : NULL;
    if (!memory) {
        free(body);
        return -ENOMEM;
    }
    *ret = (struct batch){ .events = &memory->one, .n_events = 1, .memory = memory };
    snprintf(memory->community, sizeof(memory->community), "%s", stored->community);

    arena_begin(&memory->arena);
    int r = parse_stored(memory, stored);
    arena_end();
    if (r < 0) {
        batch_done(ret);
        return r;
    }
    struct event *one = &memory->one;
    one->id = stored->id;
    one->handler = event_find_type(families, memory->type, &one->family);
    one->verdict = stored->verdict;
    if (one->verdict == EVENT_ACCEPTED && one->handler && check_event(one, &memory->reason) < 0)
        one->verdict = EVENT_INVALID;
    if (one->verdict != EVENT_ACCEPTED)
        one->reason = memory->reason.msg[0] ? memory->reason.msg : "refused when it came";
    return 0;
}

size_t batch_bytes(const struct batch *batch)
{
    const struct batch_memory *memory = batch->memory;
    return sizeof(*memory) + memory->body_size + memory->arena.taken + memory->extra.room +
           batch->n_events * sizeof(*batch->events);
}

void batch_done(struct batch *batch)
{
    struct batch_memory *memory = batch->memory;
    if (!memory)
        return;
    if (batch->events != &memory->one)
        free(batch->events);
    arena_free(&memory->arena);
    text_free(&memory->extra);
    free(memory->type);
    free(memory->body);
    free(memory);
    *batch = (struct batch){ 0 };
}
