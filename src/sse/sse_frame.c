/* sse_frame.c - an event as it is sent, once for all who get it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "sse_private.h"

static void add_id(struct text *out, uint64_t id)
{
    text_add(out, "id: ");
    text_add_int(out, (int64_t) id);
    text_add(out, "\n");
}

void sse_add_event(struct text *out, const uint64_t *id, const char *event, const struct text *data)
{
    if (id)
        add_id(out, *id);
    text_add(out, "event: ");
    text_add(out, event);
    text_add(out, "\ndata: ");
    text_add_bytes(out, data->s, data->size);
    text_add(out, "\n\n");
    out->failed |= data->failed;
}

void sse_add_tick(struct text *out, uint64_t id)
{
    struct text data CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&data);
    json_begin_object(&json, NULL);
    json_add_time(&json, "time", now_us());
    json_end(&json);
    sse_add_event(out, &id, "tick", &data);
}

/* Its record is one line: event.h takes line breaks out. */
static void add_line(struct sse_frame *frame, const struct feed_record *record, bool data)
{
    struct text *text = &frame->text;
    add_id(text, frame->id);
    text_add(text, "event: log\ndata: ");
    event_write_view(&record->event, &record->description, text, &frame->data_at, &frame->data_bytes);
    if (!data && !text->failed) {
        size_t end = frame->data_at + frame->data_bytes;
        memmove(text->s + frame->data_at, text->s + end, text->size - end);
        text->size -= frame->data_bytes;
        frame->data_bytes = 0;
    }
    text_add(text, "\n\n");
    frame->whole = data;
}

int sse_frame_new(struct sse *sse, struct sse_changes *changes, uint64_t id, const struct feed_record *record,
                  bool data, struct sse_frame **ret)
{
    const char *type = record ? record->event.type : "";
    struct sse_frame *frame = calloc(1, sizeof(*frame) + strlen(type) + 1);
    if (!frame)
        return -ENOMEM;
    frame->id = id;
    frame->n_refs = 1;
    frame->text = (struct text) TEXT_INIT;
    frame->whole = true;
    memcpy(frame->type, type, strlen(type) + 1);
    int r = sse_changes_look(sse, changes, id);
    if (r >= 0)
        r = sse_changes_add(sse, changes, frame);
    if (record) {
        text_copy(frame->community, sizeof(frame->community), record->event.realm);
        add_line(frame, record, data);
    }
    if (r < 0 || frame->text.failed) {
        (void) sse_frame_unref(frame);
        return -ENOMEM;
    }
    *ret = frame;
    return 0;
}

struct sse_frame *sse_frame_ref(struct sse_frame *frame)
{
    frame->n_refs++;
    return frame;
}

struct sse_frame *sse_frame_unref(struct sse_frame *frame)
{
    if (!frame)
        return NULL;
    assert(frame->n_refs > 0);
    if (--frame->n_refs == 0) {
        text_free(&frame->text);
        free(frame->rows);
        free(frame);
    }
    return NULL;
}

/* ---- as one client gets it ---- */

static bool fits(const struct sse_view *view, const char *community)
{
    return !view->community[0] || strcmp(view->community, community) == 0;
}

bool sse_frame_has_line(const struct sse_frame *frame, const struct sse_view *view)
{
    return frame->text.size > frame->line_at && fits(view, frame->community);
}

bool sse_frame_is_for(const struct sse_frame *frame, const struct sse_view *view)
{
    bool some = sse_frame_has_line(frame, view);
    for (size_t i = 0; i < frame->n_rows; i++)
        some |= fits(view, frame->rows[i].community);
    return some;
}

/* The end of the part that offset is in, and whether the client gets that part. */
static size_t end_of_part(const struct sse_frame *frame, const struct sse_view *view, size_t offset, bool *ret_wanted)
{
    for (size_t i = 0; i < frame->n_rows; i++)
        if (offset < frame->rows[i].end) {
            *ret_wanted = fits(view, frame->rows[i].community);
            return frame->rows[i].end;
        }
    size_t data_end = frame->data_at + frame->data_bytes;
    bool in_data = offset >= frame->data_at && offset < data_end;
    *ret_wanted = sse_frame_has_line(frame, view) && (!in_data || view->data);
    return offset < frame->data_at ? frame->data_at : in_data ? data_end : frame->text.size;
}

size_t sse_frame_copy(const struct sse_frame *frame, const struct sse_view *view, size_t *offset, char *buffer,
                      size_t size)
{
    size_t n = 0;
    while (*offset < frame->text.size) {
        bool wanted;
        size_t left = end_of_part(frame, view, *offset, &wanted) - *offset;
        size_t part = !wanted || left < size - n ? left : size - n;
        if (wanted && !part)
            break;
        if (wanted)
            memcpy(buffer + n, frame->text.s + *offset, part);
        *offset += part;
        n += wanted ? part : 0;
    }
    return n;
}
