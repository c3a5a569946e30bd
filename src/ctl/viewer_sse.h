/* viewer_sse.h - inside src/ctl: server-sent events out of the bytes of a stream, however they are cut.
 *
 * Owner:   the reader keeps what is not whole yet; viewer_sse_done frees it.
 * Errors:  -EMSGSIZE: an event larger than VIEWER_SSE_MAX_BYTES; what take returned; -ENOMEM.
 * Source:  HTML, "Server-sent events", 9.2.6.
 */
#pragma once

#include <sonoran-pushd/text.h>

#define VIEWER_SSE_MAX_BYTES ((size_t) 4 << 20)
#define VIEWER_SSE_NAME_MAX_BYTES 31

/* name: "" is "message". id: of the newest one that had one, 0: none had. */
struct viewer_sse_event {
    const char *name;
    uint64_t id;
    struct span data;
};

struct viewer_sse {
    int (*take)(void *context, const struct viewer_sse_event *event, struct err *err); /* below 0: no more */
    void *context;
    struct text line, data;
    char name[VIEWER_SSE_NAME_MAX_BYTES + 1];
    uint64_t id;
    bool has_data, after_cr;
};

#define VIEWER_SSE_INIT(take_, context_)                                                                               \
    {                                                                                                                  \
        .take = (take_), .context = (context_), .line = TEXT_INIT, .data = TEXT_INIT                                   \
    }

int viewer_sse_read(struct viewer_sse *sse, struct span piece, struct err *err) MUST_CHECK;
void viewer_sse_done(struct viewer_sse *sse);
