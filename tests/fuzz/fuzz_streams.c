/* fuzz_streams.c - any bytes as the record of an entry that another node published: read, applied, stored again as a
 * record, which is read once more. libFuzzer's target.
 *
 * Looked for besides crashes: names and a line that a terminal would obey, a realm that could be one of ours, bytes
 * that are not the node's, a record of ours that cannot be read back. */
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#include "streams_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_plain(const char *s)
{
    for (; *s; s++)
        require((unsigned char) *s >= 0x20 && *s != 0x7f);
}

static int is_ours(void *context, const char *log, struct err *err)
{
    (void) context;
    (void) err;
    return *log == 'b';
}

static void look_at_again(const struct event *event)
{
    struct description again = DESCRIPTION_INIT;
    struct text record = TEXT_INIT;
    struct batch batch;
    struct err err;
    event_write_record(event, event->decided, &record);
    require(strchr(record.s, '\n') == NULL);
    int r = event_read_record((struct span){ record.s, record.size }, &families_all, &batch, &again, &err);
    require(r >= 0);
    require(strcmp(batch.events[0].realm, event->realm) == 0 && batch.events[0].home.id == event->home.id);
    require(batch.events[0].verdict == event->verdict && strcmp(again.line.s, event->decided->line.s) == 0);
    batch_done(&batch);
    description_free(&again);
    text_free(&record);
}

static void look_at(struct event *event, struct state *state, struct span bytes)
{
    static uint64_t id;
    require(event->decided && event->home.node && event_is_node(event->home.node) && event->home.id > 0);
    require(strrchr(event->realm, '@') && strlen(event->realm) <= REALM_MAX_BYTES);
    require_plain(event->realm);
    require_plain(event->origin->name);
    require_plain(event->origin->peer);
    require_plain(event->decided->line.s);
    require(strcmp(event->origin->source, STREAMS_SOURCE) == 0 && !event->log);
    require(!event->data_text.size || memmem(bytes.s, bytes.size, event->data_text.s, event->data_text.size));
    event->id = ++id;
    state_set_event(state, event->id, 1);
    if (!event_verdict_is_refusal(event->verdict) && event->handler && event->handler->apply)
        event->handler->apply(event, state);
    look_at_again(event);
}

/* The first byte says whose it is, and how old. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct state *state;
    const struct streams_wishes wishes = { .families = &families_all, .is_ours = is_ours };
    struct batch batch;
    struct err err;
    if (!state)
        state = state_new();
    char *copy = size ? malloc(size) : NULL; /* with a NUL behind it, as replies have */
    if (!copy || !state) {
        free(copy);
        return 0;
    }
    memcpy(copy, bytes + 1, size - 1);
    copy[size - 1] = '\0';
    const struct streams_entry entry = { .record = { copy, size - 1 },
                                         .node = bytes[0] & 1 ? span_of("edge1") : (struct span){ 0 } };
    usec_t now = bytes[0] & 2 ? (usec_t) 1 << 60 : 0;
    int r = streams_entry_make(&entry, "edge2", &wishes, now, &batch, &err);
    if (r == STREAMS_EVENT) {
        look_at(&batch.events[0], state, entry.record);
        batch_done(&batch);
    }
    free(copy);
    return 0;
}
