/* batch.c - the events of one request, and one event read back from the log: their memory. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "event_private.h"

/* What the last batches left, for the next ones: malloc takes long where one thread gives back what another one took.
 * None where a sanitizer looks for uses after that. */
#ifdef SANITIZED
#define SPARE_MAX 0
#else
#define SPARE_MAX 64
#endif

static struct {
    pthread_mutex_t lock;
    struct batch_memory *v[SPARE_MAX + 1];
    size_t n;
} spare = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct batch_memory *take_spare(void)
{
    pthread_mutex_lock(&spare.lock);
    struct batch_memory *memory = spare.n ? spare.v[--spare.n] : NULL;
    pthread_mutex_unlock(&spare.lock);
    return memory ? memory : malloc(sizeof(*memory));
}

static void leave(struct batch_memory *memory)
{
    pthread_mutex_lock(&spare.lock);
    bool room = spare.n < SPARE_MAX;
    if (room)
        spare.v[spare.n++] = memory;
    pthread_mutex_unlock(&spare.lock);
    if (!room)
        free(memory);
}

struct batch_memory *batch_memory_new(char *body, size_t size, const struct origin *origin, usec_t time_us)
{
    struct batch_memory *memory = take_spare();
    if (!memory)
        return NULL;

    memory->body = body;
    memory->body_size = size;
    memory->type = memory->type_sent = NULL;
    memory->data = memory->top = NULL;
    memory->decided = NULL;
    memory->extra = (struct text) TEXT_INIT;
    memory->reason.msg[0] = memory->community[NAME_MAX_BYTES] = '\0';
    memory->origin = *origin;
    memory->one = (struct event){
        .time_us = time_us,
        .order_us = time_us,
        .origin = &memory->origin,
        .community = memory->community,
        .realm = memory->community,
        .index = -1,
    };
    return memory;
}

void batch_set_home(struct batch_memory *memory, const struct event_home *home)
{
    struct event *one = &memory->one;
    text_copy(memory->node, sizeof(memory->node), home->node);
    text_copy(memory->home_log, sizeof(memory->home_log), home->log);
    snprintf(memory->realm, sizeof(memory->realm), "%s@%s", memory->community, memory->node);
    one->home = (struct event_home){ memory->node, memory->home_log, home->id };
    one->realm = memory->realm;
}

int batch_take_home(struct batch *batch, const char *source, const struct event_home *home,
                    struct description *take_decided)
{
    struct batch_memory *memory = batch->memory;
    assert(batch->events == &memory->one && !memory->decided);
    memory->decided = malloc(sizeof(*memory->decided));
    if (!memory->decided)
        return -ENOMEM;
    *memory->decided = *take_decided;
    *take_decided = (struct description) DESCRIPTION_INIT;
    batch_set_home(memory, home);
    text_copy(memory->origin.source, sizeof(memory->origin.source), source);
    memory->one.log = NULL;
    memory->one.decided = memory->decided;
    return 0;
}

static bool is_empty_list(const cJSON *data)
{
    return cJSON_IsArray(data) && !data->child;
}

void batch_fill(struct batch_memory *memory, const struct event_families *families)
{
    struct event *one = &memory->one;
    if (!one->handler)
        one->handler = event_find_stored_type(families, memory->type, one->verdict, &one->family);
    one->type = one->handler ? one->handler->name : memory->type;
    one->type_sent = memory->type_sent && strcmp(memory->type_sent, one->type) != 0 ? memory->type_sent : NULL;
    one->test = json_get_flag(memory->top, "test");
    one->data = one->handler && is_empty_list(memory->data) ? NULL : memory->data;
    one->top = memory->top;
}

/* -EINVAL: not JSON, which only somebody else can have put there. */
static int parse_again(struct span text, cJSON **ret)
{
    struct json_scan scan = json_scan_of(text);
    struct err err;
    if (json_scan_value(&scan, &err) < 0 || scan.p != scan.end)
        return -EINVAL;
    *ret = event_parse_json(text, scan.met);
    return *ret ? 0 : -ENOMEM;
}

static int parse_stored(struct batch_memory *memory, const struct event *stored)
{
    struct event *one = &memory->one;
    char *at = memory->body;
    const char *sent = stored->type_sent;
    memory->type = arena_copy(&memory->arena, span_of(stored->type));
    memory->type_sent = sent ? arena_copy(&memory->arena, span_of(sent)) : NULL;
    if (!memory->type || (stored->type_sent && !memory->type_sent))
        return -ENOMEM;
    if (stored->data_text.size)
        memcpy(at, stored->data_text.s, stored->data_text.size);
    one->data_text = (struct span){ at, stored->data_text.size };
    at += stored->data_text.size;
    if (stored->extra_text.size)
        memcpy(at, stored->extra_text.s, stored->extra_text.size);
    one->extra_text = (struct span){ at, stored->extra_text.size };

    int r = one->data_text.size ? parse_again(one->data_text, &memory->data) : 0;
    return r == 0 && one->extra_text.size ? parse_again(one->extra_text, &memory->top) : r;
}

/* The log has the verdict; the reason is found again as it was found when the event came. */
static int judge_restored(struct batch *batch)
{
    const struct event stored = batch->memory->one;
    struct err err;
    if (stored.verdict == EVENT_INTERNAL)
        return 0;
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
    if (stored->log)
        memory->one.log = text_copy(memory->log, sizeof(memory->log), stored->log);
    if (stored->home.node)
        batch_set_home(memory, &stored->home);
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
           batch->n_events * sizeof(*batch->events) + (memory->decided ? sizeof(*memory->decided) : 0);
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
    free(memory->body);
    if (memory->decided)
        description_free(memory->decided);
    free(memory->decided);
    leave(memory);
    *batch = (struct batch){ 0 };
}
