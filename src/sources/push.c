/* push.c - the push source: HTTP on the listeners of the configuration. Opened, given another configuration, taken
 * down. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "push_private.h"

/* Scripts wait for this line, so it comes at every log.level. */
static void tell_ready(const struct push_listener *listener)
{
    char name[64], line[128];
    http_socket_name(listener->fd, name, sizeof(name));
    snprintf(line, sizeof(line), "ready on %s, listener %.*s", name, NAME_MAX_BYTES, listener->name);
    const struct log_field field = log_text("SONORAN_LISTENER", listener->name);
    log_write(&(struct log_record){ .level = LOG_NOTICE,
                                    .message_id = LOG_ID_READY,
                                    .line = line,
                                    .fields = &field,
                                    .n_fields = 1,
                                    .always = true });
}

static int push_open(void *self, const struct source_parts *parts, struct err *err)
{
    struct push *push = self;
    pthread_mutex_init(&push->lock, NULL);
    push->config = parts->config;
    push->families = parts->families;
    push->way_in = parts->way_in;
    push->door = parts->door;
    push->rules = source_rules_new(parts->config, parts->families);
    push_limits_tell_few_descriptors(parts->config);
    int r = push_listeners_open(&push->listeners, parts->config, err);
    if (r < 0)
        return r;
    push_name_listeners(push, &push->listeners);
    struct http_listener *listeners CLEANUP(cleanup_free) = push_listeners_for_http(&push->listeners);
    if (!listeners || !push->rules)
        return err_set(err, -ENOMEM, "no memory");
    struct http_settings settings = push_limits_for_http(parts->config);
    struct http_callbacks callbacks = push_callbacks(push);
    return http_start(&push->http, listeners, push->listeners.n, &settings, &push_routes, &callbacks, err);
}

static void push_ready(void *self)
{
    const struct push *push = self;
    for (size_t i = 0; i < push->listeners.n; i++)
        tell_ready(&push->listeners.all[i]);
}

static int push_stop(void *self, usec_t timeout_us)
{
    struct push *push = self;
    return http_stop(push->http, timeout_us, HTTP_NO_LIMIT); /* no handler of it waits for anything */
}

static void push_close(void *self)
{
    struct push *push = self;
    push_listeners_close(&push->listeners);
    http_free(push->http);
    push_tell_late(push); /* what was stored after the last round of its loop */
    free((void *) (uintptr_t) push->rules);
    pthread_mutex_destroy(&push->lock);
}

static bool push_alive(void *self)
{
    const struct push *push = self;
    return http_alive(push->http);
}

/* ---- another configuration ---- */

struct change {
    struct push *push;
    const struct config *config;
    struct envelope_rules *rules;
    struct push_listeners next;
    struct http_listener *listeners;
};

static void push_drop(void *self, void *take_change)
{
    const struct push *push = self;
    struct change *change = take_change;
    if (change->next.all)
        push_listeners_go_back(&push->listeners, &change->next);
    free(change->listeners);
    free(change->rules);
    free(change);
}

/* What can fail of a configuration without mistakes: its ports, and memory. */
static int push_prepare(void *self, const struct config *config, void **ret_change, struct err *err)
{
    struct push *push = self;
    struct change *change = calloc(1, sizeof(*change));
    if (!change)
        return err_set(err, -ENOMEM, "no memory for the new configuration");
    *change = (struct change){ .push = push, .config = config, .rules = source_rules_new(config, push->families) };
    int r = push_listeners_arrange(&push->listeners, config, &change->next, err);
    if (r >= 0)
        change->listeners = push_listeners_for_http(&change->next);
    if (r >= 0 && (!change->listeners || !change->rules))
        r = err_set(err, -ENOMEM, "no memory for the new configuration");
    if (r < 0) {
        push_drop(push, change);
        return r;
    }
    *ret_change = change;
    return 0;
}

static void apply_in_http(void *argument)
{
    struct change *change = argument;
    struct push *push = change->push;
    struct http_settings settings = push_limits_for_http(change->config);
    free((void *) (uintptr_t) push->rules);
    push->rules = change->rules;
    push->config = change->config;
    http_configure(push->http, &settings);
    http_set_listeners(push->http, change->listeners, change->next.n);
}

static bool has_listener(const struct push_listeners *listeners, const struct push_listener *listener)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listeners->all[i].fd == listener->fd && strcmp(listeners->all[i].name, listener->name) == 0)
            return true;
    return false;
}

static void take_listeners(struct push *push, struct push_listeners *next)
{
    struct push_listeners *have = &push->listeners;
    for (size_t i = 0; i < have->n; i++)
        if (!has_listener(next, &have->all[i]))
            log_line(LOG_NOTICE, LOG_ID_RELOADED, "listener %s is closed", have->all[i].name);
    for (size_t i = 0; i < next->n; i++)
        if (!has_listener(have, &next->all[i]))
            tell_ready(&next->all[i]);
    pthread_mutex_lock(&push->lock);
    push_listeners_replace(have, next);
    pthread_mutex_unlock(&push->lock);
}

static void push_apply(void *self, void *take_change)
{
    struct push *push = self;
    struct change *change = take_change;
    push_name_listeners(push, &change->next);
    (void) !http_call(push->http, apply_in_http, change, HTTP_NO_LIMIT);
    take_listeners(push, &change->next);
    push_limits_tell_few_descriptors(change->config);
    free(change);
}

const struct source_type source_push = {
    .name = EVENT_SOURCE_PUSH,
    .instance_size = sizeof(struct push),
    .open = push_open,
    .ready = push_ready,
    .prepare = push_prepare,
    .apply = push_apply,
    .drop = push_drop,
    .stop = push_stop,
    .close = push_close,
    .settled = push_settled,
    .settled_all = push_settled_all,
    .unstored = "posted ones are answered 503",
    .thread = "the HTTP thread",
    .alive = push_alive,
    .add_status = push_add_status,
    .add_health = push_add_health,
    .add_report = push_add_report,
};
