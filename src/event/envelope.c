/* envelope.c - what came: key, type, data, and whatever else it carries; and what is made of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event_private.h"

/* The parsed form, which costs far more than the check of the text: only for who has the key. */
static int parse_members(struct batch_memory *memory)
{
    const struct text *extra = &memory->extra;
    const struct parts *parts = &memory->parts;
    if (parts->data.size && !(memory->data = event_parse_json(parts->data, parts->met)))
        return -ENOMEM;
    if (extra->size && !(memory->top = event_parse_json((struct span){ extra->s, extra->size }, parts->met)))
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

static void wipe(struct batch_memory *memory, struct span *member)
{
    if (member->size)
        explicit_bzero(memory->body + (member->s - memory->body), member->size);
    *member = (struct span){ 0 };
}

/* A key that stands in it is neither stored nor shown. It is put in the wrong field by hand, or both are swapped. */
static int hide_keys(struct batch_memory *memory, const struct envelope_rules *rules)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    if (!event_hide_keys(rules, span_of(memory->type_sent), &shown))
        return shown.failed ? -ENOMEM : 0;
    wipe(memory, &memory->parts.type);
    explicit_bzero(memory->type_sent, strlen(memory->type_sent));
    explicit_bzero(memory->type, strlen(memory->type));
    memory->type_sent = arena_copy(&memory->arena, (struct span){ shown.s, shown.size });
    memory->type = arena_copy(&memory->arena, (struct span){ shown.s, shown.size });
    return shown.failed || !memory->type_sent || !memory->type ? -ENOMEM : 0;
}

static void to_upper(char *s)
{
    for (; *s; s++)
        *s = ascii_upper(*s);
}

static int take_type(struct batch_memory *memory, const struct envelope_rules *rules, struct span type)
{
    struct event *one = &memory->one;
    memory->type_sent = arena_copy(&memory->arena, type);
    memory->type = arena_copy(&memory->arena, type);
    if (!memory->type || !memory->type_sent)
        return -ENOMEM;
    to_upper(memory->type);
    one->handler = event_find_type(rules->families, memory->type, &one->family);
    if (one->handler) /* whatever a key is */
        return 0;
    int r = hide_keys(memory, rules);
    if (r == 0)
        to_upper(memory->type);
    return r;
}

static enum envelope_refusal refuse_memory(struct err *err)
{
    err_set(err, 0, "no memory");
    return ENVELOPE_MEMORY;
}

/* Empty where there is none: what stands in its place is kept among the other members. */
static int read_type(struct batch_memory *memory, const struct envelope_rules *rules)
{
    struct span type = memory->parts.type;
    if (!member_is_type(type))
        return take_type(memory, rules, (struct span){ "", 0 });
    struct span plain = { type.s + 1, type.size - strlen("\"\"") };
    if (!memchr(plain.s, '\\', plain.size))
        return take_type(memory, rules, plain);
    char *decoded = json_string_value(type, &plain.size);
    if (!decoded)
        return -ENOMEM;
    int r = take_type(memory, rules, (struct span){ decoded, plain.size });
    explicit_bzero(decoded, plain.size); /* it may be a key */
    free(decoded);
    return r;
}

static enum envelope_refusal read_members(struct batch_memory *memory, const struct envelope_rules *rules,
                                          struct err *err)
{
    struct parts *parts = &memory->parts;
    struct span body = { memory->body, memory->body_size };
    int r = members_read(body, parts, &memory->extra, err);
    if (r < 0)
        return r == -ENOMEM ? ENVELOPE_MEMORY : ENVELOPE_JSON;
    if (parts->n_key > 1 || parts->n_type > 1) {
        err_set(err, 0, "%s stands twice", parts->n_key > 1 ? "key" : "type");
        return ENVELOPE_JSON;
    }
    return read_type(memory, rules) < 0 ? refuse_memory(err) : ENVELOPE_OK;
}

static enum envelope_refusal open_body(char *take_body, size_t size, const struct envelope_rules *rules,
                                       const struct origin *origin, usec_t time_us, struct envelope *ret,
                                       struct err *err)
{
    struct batch_memory *memory = batch_memory_new(take_body, size, origin, time_us);
    *ret = (struct envelope){ .memory = memory };
    if (!memory) {
        explicit_bzero(take_body, size);
        free(take_body);
        return refuse_memory(err);
    }
    memory->parts = (struct parts){ .body = take_body };
    arena_begin(&memory->arena, rules->max_parsed_bytes);
    return ENVELOPE_OK;
}

enum envelope_refusal envelope_open(char *take_body, size_t size, const struct envelope_rules *rules,
                                    const struct origin *origin, usec_t time_us, struct envelope *ret, struct err *err)
{
    enum envelope_refusal refusal = open_body(take_body, size, rules, origin, time_us, ret, err);
    arena_end(); /* a stranger's names may be all escapes: what one takes is given back before the next */
    if (refusal == ENVELOPE_OK)
        refusal = read_members(ret->memory, rules, err);
    if (refusal == ENVELOPE_OK)
        ret->has_key = ret->memory->parts.key.size > 0;
    else
        envelope_drop(ret);
    return refusal;
}

const struct event_community *envelope_authenticate(struct envelope *envelope, const struct envelope_rules *rules,
                                                    struct err *err)
{
    struct batch_memory *memory = envelope->memory;
    struct span *key = &memory->parts.key;
    const char *problem = !key->size ? "no key" : key->s[0] != '"' ? "key is not a text" : "wrong key";
    arena_resume(&memory->arena);
    const struct event_community *community = keys_find_community(rules, *key);
    arena_end();
    wipe(memory, key);
    if (!community)
        err_set(err, 0, "%s", problem);
    return community;
}

static void show_claimed(const char *type, char ret[EVENT_TYPE_MAX_BYTES + 1])
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    size_t max_chars = EVENT_TYPE_MAX_BYTES / 4;
    do {
        text_reset(&safe);
        text_add_safe(&safe, type, strlen(type), max_chars--);
    } while (safe.size > EVENT_TYPE_MAX_BYTES && max_chars);
    snprintf(ret, EVENT_TYPE_MAX_BYTES + 1, "%s", safe.size > EVENT_TYPE_MAX_BYTES ? "" : safe.s);
}

void envelope_show_claimed(const struct envelope *envelope, char ret[EVENT_TYPE_MAX_BYTES + 1])
{
    show_claimed(envelope->memory->type, ret);
}

static enum envelope_refusal refuse_size(const char *what, struct err *err)
{
    err_set(err, 0, "%s", what);
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

/* What this program alone makes is of no use to anybody else, whatever is taken besides. */
static bool is_internal(const struct batch_memory *memory, const struct envelope_rules *rules)
{
    const struct event_family *family;
    return event_find_stored_type(rules->families, memory->type, EVENT_INTERNAL, &family) != NULL;
}

static enum envelope_refusal make_events(struct batch *batch, const struct envelope_rules *rules, const char *community,
                                         struct err *err)
{
    struct batch_memory *memory = batch->memory;
    memory->one.among_communities = are_several(rules);
    text_copy(memory->community, sizeof(memory->community), community);
    if (parse_members(memory) < 0)
        return memory->arena.full ? refuse_size("data: too many values", err) : refuse_memory(err);
    memory->one.data_text = memory->parts.data;
    memory->one.extra_text = (struct span){ memory->extra.s, memory->extra.size };
    batch_fill(memory, rules->families);
    if (batch_judge(batch, rules->accept_unknown_types && !is_internal(memory, rules), err) < 0)
        return ENVELOPE_MEMORY;
    if (rules->max_stored_bytes && stored_bytes(batch) > rules->max_stored_bytes)
        return refuse_size("data: too many elements beside so much else", err);
    return ENVELOPE_OK;
}

/* The envelope stays where it is refused, for whoever asks what it claimed to be. */
static enum envelope_refusal make(struct envelope *envelope, const struct envelope_rules *rules, const char *community,
                                  struct batch *ret, struct err *err)
{
    struct batch_memory *memory = envelope->memory;
    struct batch batch = { .events = &memory->one, .n_events = 1, .memory = memory };
    wipe(memory, &memory->parts.key);
    arena_resume(&memory->arena);
    enum envelope_refusal refusal = make_events(&batch, rules, community, err);
    arena_end();
    if (refusal == ENVELOPE_OK) {
        *ret = batch;
        *envelope = (struct envelope){ 0 };
    } else if (batch.events != &memory->one) {
        free(batch.events);
    }
    return refusal;
}

enum envelope_refusal envelope_make(struct envelope *envelope, const struct envelope_rules *rules,
                                    const char *community, struct batch *ret, struct err *err)
{
    enum envelope_refusal refusal = make(envelope, rules, community, ret, err);
    envelope_drop(envelope);
    return refusal;
}

void envelope_drop(struct envelope *envelope)
{
    struct batch_memory *memory = envelope->memory;
    if (!memory)
        return;
    struct batch batch = { .events = &memory->one, .n_events = 1, .memory = memory };
    explicit_bzero(memory->body, memory->body_size);
    text_wipe(&memory->extra);
    batch_done(&batch);
    *envelope = (struct envelope){ 0 };
}

enum envelope_refusal envelope_parse(char *take_body, size_t size, const struct envelope_rules *rules,
                                     const struct origin *origin, usec_t time_us, struct batch *ret,
                                     char claimed[EVENT_TYPE_MAX_BYTES + 1], struct err *err)
{
    struct envelope envelope;
    if (claimed)
        claimed[0] = '\0';
    enum envelope_refusal refusal = envelope_open(take_body, size, rules, origin, time_us, &envelope, err);
    if (refusal != ENVELOPE_OK)
        return refusal;
    const struct event_community *community = envelope_authenticate(&envelope, rules, err);
    refusal = community ? make(&envelope, rules, community->name, ret, err) : ENVELOPE_KEY;
    if (claimed && (refusal == ENVELOPE_KEY || refusal == ENVELOPE_SIZE))
        envelope_show_claimed(&envelope, claimed);
    envelope_drop(&envelope);
    return refusal;
}

/* ---- without a body around it ---- */

static bool is_type(struct span type)
{
    uint32_t code = 0;
    if (!type.size || type.size > EVENT_TYPE_STORED_MAX_BYTES || memchr(type.s, '\0', type.size))
        return false;
    for (size_t at = 0, size; at < type.size; at += size)
        if (!(size = utf8_read(type.s + at, type.size - at, &code)))
            return false;
    return true;
}

/* Sound as a member of a body has to be. */
static int scan_data(struct parts *parts, struct span data, struct err *err)
{
    struct json_scan scan = json_scan_of(data);
    scan.depth = 1;
    json_scan_space(&scan);
    const char *first = scan.p;
    if (scan.p == scan.end)
        return 0;
    int r = json_scan_value(&scan, err);
    if (r < 0)
        return r;
    parts->data = (struct span){ first, (size_t) (scan.p - first) };
    parts->met = scan.met;
    json_scan_space(&scan);
    return scan.p == scan.end ? 0 : err_set(err, -EINVAL, "text behind the data");
}

static enum envelope_refusal fill_one(struct batch_memory *memory, struct span type, const struct envelope_rules *rules,
                                      struct err *err)
{
    if (!is_type(type)) {
        err_set(err, 0, "type: expected 1 to %d bytes of UTF-8", EVENT_TYPE_STORED_MAX_BYTES);
        return ENVELOPE_JSON;
    }
    if (scan_data(&memory->parts, (struct span){ memory->body, memory->body_size }, err) < 0)
        return ENVELOPE_JSON;
    return take_type(memory, rules, type) < 0 ? refuse_memory(err) : ENVELOPE_OK;
}

enum envelope_refusal envelope_make_one(struct span type, struct span data, const struct envelope_rules *rules,
                                        const char *community, const struct origin *origin, usec_t time_us,
                                        struct batch *ret, struct err *err)
{
    struct envelope envelope;
    char *body = malloc(data.size + 1);
    if (!body)
        return refuse_memory(err);
    if (data.size)
        memcpy(body, data.s, data.size);
    enum envelope_refusal refusal = open_body(body, data.size, rules, origin, time_us, &envelope, err);
    if (refusal == ENVELOPE_OK)
        refusal = fill_one(envelope.memory, type, rules, err);
    arena_end();
    if (refusal == ENVELOPE_OK)
        refusal = make(&envelope, rules, community, ret, err);
    envelope_drop(&envelope);
    return refusal;
}
