/* judge.c - what is in a body whose key was right: one event or several, and whether they can be used. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event_private.h"

/* An empty object is no list of events, but one event without data. */
static bool is_list_of_events(const struct event *one)
{
    return one->handler && event_is_list(one->data) && (cJSON_IsArray(one->data) || one->data->child);
}

static int cut_out(struct event *events, size_t n, struct span data, const cJSON *list, struct err *err)
{
    struct json_scan children = json_children_of(data);
    const struct event one = events[0];
    const cJSON *element = list->child;
    for (size_t i = 0; i < n; i++, element = element->next) {
        events[i] = one;
        events[i].index = element->string ? atoi(element->string) : (int) i;
        events[i].data = element;
        if (!json_next_child(&children, NULL, &events[i].data_text))
            return err_set(err, -EINVAL, "data has fewer elements than were counted");
    }
    return 0;
}

static int by_index(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* One event for each element of a list; the whole stays one that is no list, or an empty one. */
static int make_events(struct batch *batch, struct err *err)
{
    struct event *one = &batch->memory->one;
    const cJSON *list = is_list_of_events(one) ? one->data : NULL;
    size_t n = list ? (size_t) cJSON_GetArraySize(list) : 0;
    if (n > EVENT_MAX_BATCH)
        return err_set(&batch->memory->reason, -E2BIG, "data: expected at most %d events", EVENT_MAX_BATCH);
    if (n == 0)
        return 0;

    struct event *events = n == 1 ? one : calloc(n, sizeof(*events));
    if (!events)
        return err_set(err, -ENOMEM, "no memory for %zu event%s", n, text_plural(n));
    batch->events = events;
    batch->n_events = n;
    events[0] = *one;
    int r = cut_out(events, n, one->data_text, list, err);
    if (r >= 0 && cJSON_IsObject(list))
        qsort(events, n, sizeof(*events), by_index);
    return r;
}

/* The outermost thing that is not there. */
static int refuse_nothing(const struct event *event, struct err *reason)
{
    bool list = event->data_text.size && event->data_text.s[0] == '[';
    return event_refuse(event, reason, "", list ? "expected an object, got an empty list" : "missing");
}

int event_check(const struct event *event, struct err *reason)
{
    if (event->data && !cJSON_IsNull(event->data) && !cJSON_IsObject(event->data))
        return event_refuse_value(event, reason, "", event->index < 0 ? "an object or a list of objects" : "an object",
                                  event->data);
    int r = event->handler->check(event, reason);
    bool nothing = !event->data || cJSON_IsNull(event->data);
    return r < 0 && nothing && strncmp(reason->msg, "data", strlen("data")) == 0 ? refuse_nothing(event, reason) : r;
}

void batch_take_whole(struct batch *batch, const struct event *whole, enum event_verdict verdict)
{
    struct batch_memory *memory = batch->memory;
    if (batch->events != &memory->one)
        free(batch->events);
    memory->one = *whole;
    memory->one.verdict = verdict;
    memory->one.reason = memory->reason.msg;
    batch->events = &memory->one;
    batch->n_events = 1;
}

static void refuse_type(const struct event *event, struct err *reason)
{
    struct text what CLEANUP(text_free) = TEXT_INIT;
    if (*event->type) {
        err_set(reason, 0, "type not known");
        return;
    }
    const cJSON *type = json_get(event->top, "type");
    if (json_is(type, cJSON_String) && *type->valuestring)
        text_addf(&what, "longer than %d bytes", EVENT_TYPE_STORED_MAX_BYTES);
    else
        event_say_expected(&what, "a text that is not empty", type);
    err_set(reason, 0, "type: %s", what.s);
}

int batch_judge(struct batch *batch, bool accept_unknown_types, struct err *err)
{
    struct batch_memory *memory = batch->memory;
    const struct event whole = memory->one;

    if (!whole.handler && accept_unknown_types && *whole.type) {
        memory->one.verdict = EVENT_ACCEPTED;
        return 0;
    }
    if (!whole.handler) {
        refuse_type(&whole, &memory->reason);
        batch_take_whole(batch, &whole, EVENT_UNKNOWN);
        return 0;
    }
    memory->one.verdict = EVENT_ACCEPTED;
    int r = make_events(batch, err);
    for (size_t i = 0; i < batch->n_events && r >= 0; i++)
        r = event_check(&batch->events[i], &memory->reason);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        batch_take_whole(batch, &whole, EVENT_INVALID);
    return 0;
}
