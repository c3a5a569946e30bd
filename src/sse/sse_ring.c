/* sse_ring.c - the newest frames, for all who are near the end of the log. */
#include <assert.h>
#include <errno.h>

#include "sse_private.h"

#define FILL_MAX 64 /* events at one time */

static struct sse_frame **slot_of(struct sse_ring *ring, uint64_t id)
{
    return &ring->frames[id % SSE_RING_FRAMES];
}

static void drop_first(struct sse_ring *ring)
{
    struct sse_frame **slot = slot_of(ring, ring->first_id++);
    assert(ring->bytes >= (*slot)->text.size);
    ring->bytes -= (*slot)->text.size;
    *slot = sse_frame_unref(*slot);
}

static void drop_all(struct sse_ring *ring, uint64_t next_id)
{
    while (ring->first_id < ring->end_id)
        drop_first(ring);
    ring->first_id = ring->end_id = next_id;
}

static void add(struct sse_ring *ring, struct sse_frame *frame)
{
    if (frame->id != ring->end_id) /* the log has a hole */
        drop_all(ring, frame->id);
    while (ring->first_id < ring->end_id &&
           (ring->end_id - ring->first_id == SSE_RING_FRAMES || ring->bytes + frame->text.size > SSE_RING_BYTES))
        drop_first(ring);
    *slot_of(ring, frame->id) = frame;
    ring->bytes += frame->text.size;
    ring->end_id = frame->id + 1;
}

static void grown(void *userdata, uint64_t newest_id)
{
    const struct sse *sse = userdata;
    (void) newest_id;
    sse->parts.wake(sse->parts.userdata);
}

int sse_ring_begin(struct sse *sse, struct err *err)
{
    struct sse_ring *ring = &sse->ring;
    const struct feed_listener listener = { grown, sse };
    if (ring->reader)
        return 0;
    if (feed_reader_open(&ring->reader, sse->parts.feed, &listener) < 0)
        return err_set(err, -ENOMEM, "no memory");
    drop_all(ring, feed_newest_id(sse->parts.feed) + 1);
    feed_seek(ring->reader, ring->end_id - 1, ring->end_id - 1);
    return 0;
}

void sse_ring_end(struct sse *sse)
{
    drop_all(&sse->ring, 0);
    sse->ring.reader = feed_reader_close(sse->ring.reader);
}

static bool is_small(const struct feed_record *record)
{
    return record->event.data_text.size + record->event.extra_text.size <= SSE_FRAME_DATA_BYTES;
}

/* What is no JSON any more has a frame without a word. */
static int render(struct sse *sse, struct sse_changes *changes, uint64_t id, struct err *err)
{
    const struct feed_record *record = NULL;
    int r = feed_take(sse->ring.reader, &record);
    if (r < 0 && r != -EINVAL)
        return err_set(err, r, "no memory");
    struct sse_frame *frame;
    r = sse_frame_new(sse, changes, id, record, sse->n_data && record && is_small(record), &frame);
    (void) feed_unref(record);
    if (r < 0)
        return err_set(err, r, "no memory");
    add(&sse->ring, frame);
    return 1;
}

int sse_ring_fill(struct sse *sse, struct err *err)
{
    struct sse_ring *ring = &sse->ring;
    uint64_t newest_id = feed_newest_id(sse->parts.feed);
    struct sse_changes changes = { 0 };
    struct feed_entry entry;
    unsigned n = 0;
    int r = 0;
    if (ring->end_id > newest_id)
        return 0;
    feed_seek(ring->reader, ring->end_id - 1, newest_id);
    while (n < FILL_MAX && (r = feed_read(ring->reader, &entry, err)) > 0 &&
           (r = render(sse, &changes, entry.id, err)) > 0)
        n++;
    feed_rest(ring->reader);
    sse_changes_drop(&changes);
    if (r < 0)
        feed_close_store(ring->reader);
    return r < 0 ? r : (int) n;
}

struct sse_frame *sse_ring_find(const struct sse *sse, uint64_t id)
{
    const struct sse_ring *ring = &sse->ring;
    return id >= ring->first_id && id < ring->end_id ? ring->frames[id % SSE_RING_FRAMES] : NULL;
}
