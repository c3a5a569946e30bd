/* feed_record.c - records, and the memory of the request that they are of. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "feed_private.h"

/* Besides what is in its text: ids, and room that malloc takes. */
#define DESCRIPTION_BYTES 256

static cJSON nothing;

static struct feed_request *request_new(size_t n)
{
    struct feed_request *request = calloc(1, sizeof(*request) + n * (sizeof(struct feed_record) + sizeof(feed_tree)));
    if (!request)
        return NULL;
    request->n = n;
    request->n_refs = n;
    request->known = (feed_tree *) &request->records[n];
    return request;
}

/* In the log each event stands for itself: an element of a list has no neighbours and no name. */
static void stand_alone(struct feed_record *record)
{
    struct event *event = &record->event;
    if (event->index < 0)
        return;
    event->index = -1;
    if (!event->data)
        return;
    record->data = *event->data;
    record->data.next = record->data.prev = NULL;
    record->data.string = NULL;
    event->data = &record->data;
}

static void add_record(struct feed_request *request, size_t i, struct description *take_description)
{
    struct feed_record *record = &request->records[i];
    record->request = request;
    record->event = request->batch.events[i];
    record->description = *take_description;
    *take_description = (struct description) DESCRIPTION_INIT;
    record->bytes = batch_bytes(&request->batch) / request->n + sizeof(*record) + DESCRIPTION_BYTES +
                    record->description.line.room + record->description.known.room;
    request->known[i] = record->description.known_json;
    record->description.known_json = NULL;
}

/* All of it goes with the last one that is let go of, which in the feed is the last in order: it alone counts. */
static void count_with_last(struct feed_request *request)
{
    struct feed_record *last = &request->records[request->n - 1];
    for (struct feed_record *record = request->records; record < last; record++) {
        last->bytes += record->bytes;
        record->bytes = 0;
    }
}

int feed_request_new(struct feed_request **ret, struct batch *take_batch, struct description *take_descriptions,
                     const char *log)
{
    bool whole = true;
    for (size_t i = 0; i < take_batch->n_events; i++)
        whole = whole && !take_descriptions[i].line.failed && !take_descriptions[i].known.failed;
    struct feed_request *request = whole ? request_new(take_batch->n_events) : NULL;
    if (!request)
        return -ENOMEM;
    request->batch = *take_batch;
    *take_batch = (struct batch){ 0 };
    text_copy(request->log, sizeof(request->log), log);
    for (size_t i = 0; i < request->n; i++) {
        add_record(request, i, &take_descriptions[i]);
        request->records[i].event.log = request->log;
        request->records[i].event.among_communities = false; /* its line says so already */
        stand_alone(&request->records[i]);
    }
    count_with_last(request);
    *ret = request;
    return 0;
}

int feed_restore(const struct store_row *row, const struct event_families *families, const struct feed_record **ret)
{
    struct feed_request *request = request_new(1);
    struct description description = DESCRIPTION_INIT;
    if (!request)
        return -ENOMEM;
    int r = store_row_restore(row, families, &request->batch);
    if (r < 0) {
        free(request);
        return r;
    }
    store_row_describe(row, &request->batch.events[0], &description);
    add_record(request, 0, &description);
    struct feed_record *record = &request->records[0];
    *ret = record;
    if (!request->known[0])
        request->known[0] = &nothing;
    bool failed = record->description.line.failed || record->description.known.failed;
    if (failed)
        *ret = feed_unref(record);
    return failed ? -ENOMEM : 0;
}

size_t feed_held_bytes(const struct feed_record *record)
{
    return batch_bytes(&record->request->batch);
}

const struct feed_record *feed_ref(const struct feed_record *record)
{
    atomic_fetch_add_explicit(&record->request->n_refs, 1, memory_order_relaxed);
    return record;
}

static void request_free(struct feed_request *request)
{
    for (size_t i = 0; i < request->n; i++) {
        if (request->known[i] != &nothing)
            cJSON_Delete(request->known[i]);
        description_free(&request->records[i].description);
    }
    batch_done(&request->batch);
    free(request);
}

const struct feed_record *feed_unref(const struct feed_record *record)
{
    if (!record)
        return NULL;
    size_t n_refs = atomic_fetch_sub_explicit(&record->request->n_refs, 1, memory_order_acq_rel);
    assert(n_refs > 0);
    if (n_refs == 1)
        request_free(record->request);
    return NULL;
}

/* Two that ask at once both parse it, and one of them in vain: rarer, and cheaper, than a lock for everybody. */
static cJSON *parse_known(const struct feed_record *record, feed_tree *known)
{
    struct description parsed CLEANUP(description_free) = DESCRIPTION_INIT;
    cJSON *expected = NULL;
    const struct text *text = &record->description.known;
    description_take_known(&parsed, (struct span){ text->s, text->size });
    cJSON *own = parsed.known_json ? parsed.known_json : &nothing;
    parsed.known_json = NULL;
    if (atomic_compare_exchange_strong(known, &expected, own))
        return own;
    if (own != &nothing)
        cJSON_Delete(own);
    return expected;
}

const cJSON *feed_known(const struct feed_record *record)
{
    feed_tree *known = &record->request->known[record - record->request->records];
    cJSON *found = *known;
    if (!found)
        found = parse_known(record, known);
    return found == &nothing ? NULL : found;
}
