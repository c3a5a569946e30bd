/* sse.c - who watches. While nobody does there is nothing: no reader of the log, no frame. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "sse_private.h"

int sse_new(struct sse **ret, const struct sse_parts *parts, struct config *config, struct err *err)
{
    struct sse *sse = calloc(1, sizeof(*sse));
    if (!sse)
        return err_set(err, -ENOMEM, "no memory");
    sse->parts = *parts;
    sse->config = config_ref(config);
    LIST_INIT(&sse->clients);
    sse->n_sources = 1;
    *ret = sse;
    return 0;
}

struct sse *sse_free(struct sse *sse)
{
    if (!sse)
        return NULL;
    assert(LIST_EMPTY(&sse->clients));
    config_free(sse->config);
    free(sse);
    return NULL;
}

static bool is_known(const struct config *config, const char *community)
{
    bool known = !community[0] || strchr(community, '@'); /* another node's is in no configuration */
    for (size_t i = 0; i < config->n_communities; i++)
        known |= strcmp(config->communities[i].name, community) == 0;
    return known;
}

void sse_configure(struct sse *sse, struct config *config, bool end_all)
{
    struct sse_client *client;
    sse_changes_drop(&sse->past_changes);
    config_free(sse->config);
    sse->config = config_ref(config);
    LIST_FOREACH(client, &sse->clients, link)
    client->ends |= end_all || !is_known(config, client->view.community);
    sse->parts.wake(sse->parts.userdata);
}

void sse_stop(struct sse *sse)
{
    if (sse)
        sse->stopping = true;
}

static struct sse_client *client_new(struct sse *sse, const struct sse_request *request)
{
    struct sse_client *client = calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    client->sse = sse;
    client->own = (struct text) TEXT_INIT;
    client->view.data = request->data;
    client->wrote_us = uptime_us();
    text_copy(client->view.community, sizeof(client->view.community), request->community ? request->community : "");
    client->type = request->type ? strdup(request->type) : NULL;
    LIST_INSERT_HEAD(&sse->clients, client, link);
    sse->n_clients++;
    sse->n_data += client->view.data;
    if (request->type && !client->type) {
        sse_close(client);
        return NULL;
    }
    return client;
}

/* The ring begins before the place is decided: so the log is read up to it, and no further. */
int sse_open(struct sse *sse, const struct sse_request *request, struct sse_client **ret, struct err *err)
{
    struct sse_client *client = client_new(sse, request);
    int r = client ? sse_ring_begin(sse, err) : err_set(err, -ENOMEM, "no memory");
    if (r >= 0)
        r = sse_start(client, request, err);
    if (r >= 0) {
        *ret = client;
        return 0;
    }
    if (client) {
        client->end = &sse->ends_error;
        sse_close(client);
    }
    return r;
}

void sse_close(void *userdata)
{
    struct sse_client *client = userdata;
    struct sse *sse = client->sse;
    _Atomic uint64_t *reason = client->end ? client->end : sse->stopping ? &sse->ends_stop : &sse->ends_client;
    (*reason)++;
    LIST_REMOVE(client, link);
    sse->n_clients--;
    sse->n_data -= client->view.data;
    (void) sse_frame_unref(client->frame);
    text_free(&client->own);
    free(client->type);
    free(client);
    if (!LIST_EMPTY(&sse->clients))
        return;
    sse_ring_end(sse);
    sse_past_end(sse);
}

void sse_get_values(const struct sse *sse, struct sse_values *ret)
{
    *ret = (struct sse_values){ .clients = sse->n_clients,
                                .events = sse->n_events,
                                .bytes = sse->n_bytes,
                                .starts_now = sse->starts_now,
                                .starts_id = sse->starts_id,
                                .starts_from = sse->starts_from,
                                .starts_reset = sse->starts_reset,
                                .ends_client = sse->ends_client,
                                .ends_slow = sse->ends_slow,
                                .ends_configuration = sse->ends_configuration,
                                .ends_error = sse->ends_error,
                                .ends_stop = sse->ends_stop };
}
