/* sse_client.c - what one client gets next. */
#include <errno.h>

#include <sonoran-pushd/action_type.h>
#include <sonoran-pushd/log.h>

#include "sse_private.h"

#define FAILURE_TOLD_US (60 * USEC_PER_SEC)
#define PASSED_MAX 256 /* events that its filter leaves out, before it is told how far it is */

/* PAUSE: something, and that is enough for now: others want to be served. */
enum next { NEXT_SOME, NEXT_PAUSE, NEXT_NOTHING, NEXT_END };

static enum next end(struct sse_client *client, _Atomic uint64_t *reason)
{
    client->end = reason;
    return NEXT_END;
}

/* Its client comes again, and perhaps fails again: that is told now and then. */
static enum next fail(struct sse_client *client, const struct err *err)
{
    struct sse *sse = client->sse;
    usec_t now = uptime_us();
    if (!sse->failed_us || now >= sse->failed_us + FAILURE_TOLD_US) {
        log_line(LOG_WARNING, NULL, "event streams end early, and come again: %s", err->msg);
        sse->failed_us = now;
    }
    return end(client, &sse->ends_error);
}

static enum next say(struct sse_client *client)
{
    struct err err;
    if (!client->own.failed)
        return NEXT_SOME;
    err_set(&err, -ENOMEM, "no memory");
    return fail(client, &err);
}

static bool wants_type(const struct sse_client *client, const char *type)
{
    return !client->type || glob_matches(span_of(client->type), span_of(type));
}

/* What it has may be of things that are gone, and of which nobody knows that any more. */
static enum next forget(struct sse_client *client, uint64_t as_of)
{
    bool knows = client->place_id >= client->known_id;
    client->known_id = as_of;
    if (knows)
        sse_add_reset(&client->own, client->place_id, "what went in the meantime is not known any more", 0, 0);
    return say(client);
}

/* The place goes on in any case; the frame only where it is wanted. */
static enum next take(struct sse_client *client, struct sse_frame *take_frame, const char *type)
{
    uint64_t id = take_frame->id;
    enum next next = NEXT_SOME;
    if (!sse_frame_is_for(take_frame, &client->view) || !wants_type(client, type)) {
        next = NEXT_NOTHING;
        (void) sse_frame_unref(take_frame);
    } else {
        client->frame = take_frame;
        client->frame_offset = 0;
        if (take_frame->lost)
            next = forget(client, take_frame->as_of);
    }
    client->place_id = id;
    return next;
}

/* Between what was asked for and what is there something was deleted. */
static enum next skip_lost(struct sse_client *client, uint64_t next_id)
{
    sse_add_reset(&client->own, next_id - 1, "older events are not kept any more", client->place_id + 1, next_id - 1);
    client->place_id = client->told_id = next_id - 1;
    return say(client);
}

static enum next fail_missing(struct sse_client *client)
{
    struct err err;
    err_set(&err, -EUCLEAN, "event %llu is not in the event log", (unsigned long long) client->place_id + 1);
    return fail(client, &err);
}

static bool is_for(const struct sse_client *client, const char *community)
{
    return !client->view.community[0] || strcmp(client->view.community, community) == 0;
}

/* What is no JSON any more is passed without a word. Of an event of others only what went with it is of interest: it is
 * not even parsed. */
static enum next take_row(struct sse_client *client, const struct store_row *row)
{
    struct sse *sse = client->sse;
    const struct feed_record *record = NULL;
    struct err err;
    int r = is_for(client, row->realm) ? feed_restore(row, sse->parts.families, &record) : 0;
    struct sse_frame *frame;
    if (r >= 0 || r == -EINVAL)
        r = sse_frame_new(sse, &sse->past_changes, row->id, record, client->view.data, &frame);
    (void) feed_unref(record);
    err_set(&err, -ENOMEM, "no memory");
    return r < 0 ? fail(client, &err) : take(client, frame, row->type);
}

static enum next read_past(struct sse_client *client)
{
    struct store_row row;
    struct err err;
    int r = sse_past_read(client->sse, client->place_id, &row, &err);
    if (r <= 0)
        return r < 0 ? fail(client, &err) : fail_missing(client);
    if (row.id > client->place_id + 1)
        return skip_lost(client, row.id);
    if (wants_type(client, row.type))
        return take_row(client, &row);
    client->place_id = row.id;
    return NEXT_NOTHING;
}

/* The event behind its place, which there is. NEXT_NOTHING: it is not for this client. */
static enum next go_on(struct sse_client *client)
{
    struct sse *sse = client->sse;
    bool at_end = client->place_id + 1 == sse->ring.end_id;
    struct err err;
    int r = at_end ? sse_ring_fill(sse, &err) : 1;
    if (r <= 0)
        return r < 0 ? fail(client, &err) : fail_missing(client);
    client->was_live |= at_end;
    struct sse_frame *frame = sse_ring_find(sse, client->place_id + 1);
    return frame && (frame->whole || !client->view.data) ? take(client, sse_frame_ref(frame), frame->type)
                                                         : read_past(client);
}

static bool is_slow(const struct sse_client *client)
{
    return client->was_live && feed_newest_id(client->sse->parts.feed) - client->place_id > SSE_BEHIND_MAX;
}

static enum next tick(struct sse_client *client)
{
    client->told_id = client->place_id;
    sse_add_tick(&client->own, client->place_id);
    return say(client) == NEXT_SOME ? NEXT_PAUSE : NEXT_END;
}

void sse_end_round(struct sse *sse)
{
    if (sse)
        sse->round_since_us = 0;
}

static bool is_over_time(struct sse *sse)
{
    usec_t now = uptime_us();
    if (!sse->round_since_us)
        sse->round_since_us = now;
    return sse->parts.round_us && now - sse->round_since_us >= sse->parts.round_us;
}

static bool has_passed_enough(const struct sse_client *client)
{
    uint64_t n = client->place_id - client->told_id;
    return n >= PASSED_MAX || (n > 0 && is_over_time(client->sse));
}

/* Something to write: in own, or a frame. */
static enum next find(struct sse_client *client)
{
    struct sse *sse = client->sse;
    if (client->ends)
        return end(client, &sse->ends_configuration);
    if (is_slow(client))
        return end(client, &sse->ends_slow);
    uint64_t n_sources = sse->n_sources;
    if (client->n_sources != n_sources) {
        client->n_sources = n_sources;
        sse_add_sources(client);
        return say(client);
    }
    enum next next = NEXT_NOTHING;
    while (next == NEXT_NOTHING && client->place_id < feed_newest_id(sse->parts.feed)) {
        if (has_passed_enough(client))
            return tick(client);
        next = go_on(client);
    }
    client->was_live |= next == NEXT_NOTHING;
    return next;
}

static size_t write_frame(struct sse_client *client, char *buffer, size_t size)
{
    const struct sse_frame *frame = client->frame;
    size_t n = sse_frame_copy(frame, &client->view, &client->frame_offset, buffer, size);
    if (client->frame_offset < frame->text.size)
        return n;
    if (sse_frame_has_line(frame, &client->view)) {
        client->told_id = frame->id;
        client->sse->n_events++;
    }
    client->frame = sse_frame_unref(client->frame);
    return n;
}

static size_t write_own(struct sse_client *client, char *buffer, size_t size)
{
    size_t left = client->own.size - client->own_offset, n = left < size ? left : size;
    memcpy(buffer, client->own.s + client->own_offset, n);
    client->own_offset += n;
    if (n == left) {
        text_free(&client->own);
        client->own_offset = 0;
    }
    return n;
}

/* After a while of silence, which whoever asks measures too, and not to the microsecond. */
static enum next breathe(struct sse_client *client)
{
    usec_t heartbeat_us = client->sse->parts.heartbeat_us;
    if (uptime_us() < client->wrote_us + heartbeat_us - heartbeat_us / 8)
        return NEXT_NOTHING;
    if (client->told_id != client->place_id)
        return tick(client);
    text_add(&client->own, ":\n\n");
    return say(client);
}

static enum next fill(struct sse_client *client, char *buffer, size_t size, size_t *n)
{
    enum next next = NEXT_SOME;
    while (*n < size && (next == NEXT_SOME || (next == NEXT_PAUSE && client->own.size))) {
        if (client->own.size)
            *n += write_own(client, buffer + *n, size - *n);
        else if (client->frame)
            *n += write_frame(client, buffer + *n, size - *n);
        else
            next = find(client);
        if (next == NEXT_NOTHING && *n == 0)
            next = breathe(client);
    }
    return next;
}

ssize_t sse_more(void *userdata, char *buffer, size_t size)
{
    struct sse_client *client = userdata;
    size_t n = 0;
    if (client->end)
        return HTTP_STREAM_END;
    enum next next = fill(client, buffer, size, &n);
    sse_past_rest(client->sse);
    if (n) {
        client->wrote_us = uptime_us();
        client->sse->n_bytes += n;
        return (ssize_t) n;
    }
    return next == NEXT_END ? HTTP_STREAM_END : 0;
}
