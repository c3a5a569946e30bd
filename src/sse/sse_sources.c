/* sse_sources.c - how events come in, and whether some may be missing: no part of the log, so that it has no id. */
#include "sse_private.h"

void sse_note_sources(struct sse *sse)
{
    sse->n_sources++;
    sse->parts.wake(sse->parts.userdata);
}

uint64_t sse_n_sources(const struct sse *sse)
{
    return sse->n_sources;
}

void sse_add_sources(struct sse_client *client)
{
    const struct sse *sse = client->sse;
    const char *community = client->view.community;
    struct text list CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&list);
    json_begin_object(&json, NULL);
    json_begin_array(&json, "sources");
    size_t empty = list.size;
    if (sse->parts.add_sources)
        sse->parts.add_sources(sse->parts.userdata, community[0] ? community : NULL, &json);
    bool has_sources = list.size > empty;
    json_end(&json);
    json_end(&json);
    if (has_sources || client->has_sources)
        sse_add_event(&client->own, NULL, "sources", &list);
    client->has_sources = has_sources;
}
