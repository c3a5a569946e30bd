/* batch.c - the events of one request, and one event read back from the log: their memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

struct batch_memory *batch_memory_new(char *body, size_t size, const struct http_origin *origin, usec_t time_us)
{
    struct batch_memory *memory = malloc(sizeof(*memory));
    if (!memory)
        return NULL;

    memory->body = body;
    memory->body_size = size;
    memory->type = memory->type_sent = NULL;
    memory->data = memory->top = NULL;
    memory->extra = (struct text) TEXT_INIT;
    memory->reason.msg[0] = memory->community[NAME_MAX_BYTES] = '\0';
    memory->origin = *origin;
    memory->one = (struct event){
        .time_us = time_us,
        .source = EVENT_SOURCE_PUSH,
        .origin = &memory->origin,
        .community = memory->community,
        .index = -1,
    };
    return memory;
}

static bool is_empty_list(const cJSON *data)
{
    return cJSON_IsArray(data) && !data->child;
}

void batch_fill(struct batch_memory *memory, const struct event_families *families)
{
    struct event *one = &memory->one;
    one->handler = event_find_type(families, memory->type, &one->family);
    one->type = one->handler ? one->handler->name : memory->type;
    one->type_sent = memory->type_sent && strcmp(memory->type_sent, one->type) != 0 ? memory->type_sent : NULL;
    one->test = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(memory->top, "test"));
    one->data = one->handler && is_empty_list(memory->data) ? NULL : memory->data;
    one->top = memory->top;
}

/* NULL: not JSON, which only somebody else can have put there, or no memory. */
static cJSON *parse_again(struct span text)
{
    struct scan scan = { .start = text.s, .p = text.s, .end = text.s + text.size };
    struct err err;
    return scan_value(&scan, &err) < 0 || scan.p != scan.end ? NULL : json_parse(text, scan.met);
}

static int parse_stored(struct batch_memory *memory, const struct event *stored)
{
    struct event *one = &memory->one;
    char *at = memory->body;
    memory->type = strdup(stored->type);
    memory->type_sent = stored->type_sent ? strdup(stored->type_sent) : NULL;
    if (!memory->type || (stored->type_sent && !memory->type_sent))
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
    return 0;
}

/* The log has the verdict; the reason is found again as it was found when the event came. */
static int judge_restored(struct batch *batch)
{
    const struct event stored = batch->memory->one;
    struct err err;
    if (stored.verdict == EVENT_ACCEPTED) {
        if (stored.handler && event_check(&batch->memory->one, &batch->memory->reason) < 0)
            batch_take_whole(batch, &stored, EVENT_INVALID);
        return 0;
    }
    if (batch_judge(batch, false, &err) < 0)
        return -ENOMEM;
    if (batch->events[0].verdict == EVENT_ACCEPTED)
        err_set(&batch->memory->reason, 0, "refused when it came"); /* by a version that knew less */
    batch_take_whole(batch, &stored, stored.verdict);
    return 0;
}

int batch_restore(struct batch *ret, const struct event *stored, const struct event_families *families)
{
    size_t size = stored->data_text.size + stored->extra_text.size;
    char *body = malloc(size + 1);
    struct batch_memory *memory = body ? batch_memory_new(body, size, stored->origin, stored->time_us) : NULL;
    if (!memory) {
        free(body);
        return -ENOMEM;
    }
    *ret = (struct batch){ .events = &memory->one, .n_events = 1, .memory = memory };
    text_copy(memory->community, sizeof(memory->community), stored->community);

    arena_begin(&memory->arena, 0);
    int r = parse_stored(memory, stored);
    arena_end();
    if (r < 0) {
        batch_done(ret);
        return r;
    }
    if (stored->source)
        memory->one.source = text_copy(memory->source, sizeof(memory->source), stored->source);
    if (stored->log)
        memory->one.log = text_copy(memory->log, sizeof(memory->log), stored->log);
    memory->one.id = stored->id;
    memory->one.verdict = stored->verdict;
    batch_fill(memory, families);
    r = judge_restored(ret);
    if (r < 0)
        batch_done(ret);
    return r;
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
    free(memory->type_sent);
    free(memory->body);
    free(memory);
    *batch = (struct batch){ 0 };
}
