/* viewer_sse.c - lines, fields, events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viewer_sse.h"

void viewer_sse_done(struct viewer_sse *sse)
{
    text_free(&sse->line);
    text_free(&sse->data);
}

static int end_event(struct viewer_sse *sse, struct err *err)
{
    struct viewer_sse_event event = { sse->name, sse->id, { sse->data.s, sse->data.size } };
    bool has_data = sse->has_data;
    int r = 0;
    if (has_data)
        r = sse->take(sse->context, &event, err);
    text_reset(&sse->data);
    sse->has_data = false;
    sse->name[0] = '\0';
    return r;
}

static void take_id(struct viewer_sse *sse, const char *value)
{
    char *end;
    unsigned long long id = strtoull(value, &end, 10);
    if (*value >= '0' && *value <= '9' && !*end)
        sse->id = id;
}

static void take_field(struct viewer_sse *sse, const char *name, const char *value)
{
    if (strcmp(name, "data") == 0) {
        text_add(&sse->data, sse->has_data ? "\n" : "");
        text_add(&sse->data, value);
        sse->has_data = true;
    } else if (strcmp(name, "event") == 0) {
        text_copy(sse->name, sizeof(sse->name), value);
    } else if (strcmp(name, "id") == 0) {
        take_id(sse, value);
    }
}

static int end_line(struct viewer_sse *sse, struct err *err)
{
    char *colon = strchr(sse->line.s, ':');
    if (sse->line.size == 0)
        return end_event(sse, err);
    if (colon == sse->line.s) { /* a comment: it only shows that somebody is there */
        text_reset(&sse->line);
        return 0;
    }
    const char *value = colon ? colon + 1 + (colon[1] == ' ') : "";
    if (colon)
        *colon = '\0';
    take_field(sse, sse->line.s, value);
    text_reset(&sse->line);
    return 0;
}

/* A line ends with LF, CR or both, which may come in two pieces. */
int viewer_sse_read(struct viewer_sse *sse, struct span piece, struct err *err)
{
    const char *p = piece.s, *end = piece.s + piece.size;
    while (p < end) {
        if (sse->after_cr && *p == '\n') {
            sse->after_cr = false;
            p++;
            continue;
        }
        const char *stop = p;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        text_add_bytes(&sse->line, p, (size_t) (stop - p));
        sse->after_cr = stop < end && *stop == '\r';
        if (sse->line.failed || sse->data.failed)
            return err_set(err, -ENOMEM, "no memory");
        if (sse->line.size + sse->data.size > VIEWER_SSE_MAX_BYTES)
            return err_set(err, -EMSGSIZE, "an event of the stream is larger than %zu bytes", VIEWER_SSE_MAX_BYTES);
        if (stop == end)
            break;
        int r = end_line(sse, err);
        if (r < 0)
            return r;
        p = stop + 1;
    }
    return 0;
}
