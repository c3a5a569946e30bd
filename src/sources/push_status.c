/* push_status.c - the push source in the status object: where it listens, and what became of what was posted. */
#include <string.h>

#include "push_private.h"

static void add_listeners(struct push *push, struct json_writer *out)
{
    json_begin_array(out, "listeners");
    pthread_mutex_lock(&push->lock);
    for (size_t i = 0; i < push->listeners.n; i++) {
        const struct push_listener *listener = &push->listeners.all[i];
        char address[64];
        http_socket_name(listener->fd, address, sizeof(address));
        json_begin_object(out, NULL);
        json_add_text(out, "name", listener->name);
        json_add_text(out, "address", address);
        json_end(out);
    }
    pthread_mutex_unlock(&push->lock);
    json_end(out);
}

/* "last_not_found":{"at":…,"from":…,"what":…} */
static void add_last(const char *count, const struct gate_last *last, struct json_writer *out)
{
    char name[64];
    if (!last->at_us)
        return;
    snprintf(name, sizeof(name), "last_%s", count);
    json_begin_object(out, name);
    json_add_time(out, "at", last->at_us);
    json_add_text(out, "from", last->peer);
    if (last->what[0])
        json_add_text(out, "what", last->what);
    json_end(out);
}

static void add_requests(const struct push *push, struct json_writer *out)
{
    struct gate_status status;
    const struct report_part counts = { .table = &gate_report, .values = &status };
    gate_get_status(push->door, &status);
    json_begin_object(out, "requests");
    report_add_members(out, &counts, "requests");
    json_end(out);
    for (enum gate_count i = 0; i < GATE_N_COUNTS; i++)
        add_last(gate_report.rows[i].member, &status.last[i], out);
}

void push_add_status(void *self, struct json_writer *out)
{
    struct push *push = self;
    struct http_values http;
    http_get_values(push->http, &http);
    add_listeners(push, out);
    add_requests(push, out);
    report_add_members(out, &(struct report_part){ .table = &http_report, .values = &http }, NULL);
}

void push_add_health(void *self, struct json_writer *out)
{
    struct push *push = self;
    pthread_mutex_lock(&push->lock);
    for (size_t i = 0; i < push->listeners.n; i++) {
        json_begin_object(out, NULL);
        json_add_text(out, "source", "push");
        json_add_text(out, "name", push->listeners.all[i].name);
        json_end(out);
    }
    pthread_mutex_unlock(&push->lock);
}

void push_name_listeners(struct push *push, const struct push_listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        gate_name(push->door, listeners->all[i].name);
}

void push_add_report(void *self, struct report_list *list)
{
    const struct push *push = self;
    http_add_report(push->http, list);
}
