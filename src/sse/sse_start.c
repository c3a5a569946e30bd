/* sse_start.c - where a client begins, and what it is told first.
 *
 * An id names an event together with the life of the log that it is of (store.h). What a client that followed another
 * life has not seen begins with the life that goes on. */
#include <errno.h>
#include <stdlib.h>

#include "sse_private.h"

struct beginning {
    uint64_t after_id;
    const char *why; /* of a reset; NULL: it goes on where it was */
    uint64_t lost_from, lost_to;
};

static void add_id(struct json_writer *json, const char *name, uint64_t id)
{
    if (id)
        json_add_int(json, name, (int64_t) id);
    else
        json_add_null(json, name);
}

void sse_add_reset(struct text *out, uint64_t id, const char *why, uint64_t lost_from, uint64_t lost_to)
{
    struct text data CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&data);
    json_begin_object(&json, NULL);
    json_add_text(&json, "why", why);
    add_id(&json, "lost_from", lost_from);
    add_id(&json, "lost_to", lost_to);
    json_end(&json);
    sse_add_event(out, &id, "reset", &data);
}

static void add_hello(struct sse *sse, struct text *out, uint64_t newest_id, uint64_t oldest_id)
{
    struct text data CLEANUP(text_free) = TEXT_INIT;
    struct json_writer json = json_writer(&data);
    json_begin_object(&json, NULL);
    json_add_text(&json, "version", PROGRAM_VERSION);
    json_add_text(&json, "log", feed_life(sse->parts.feed)->log);
    json_add_int(&json, "newest", (int64_t) newest_id);
    json_add_int(&json, "oldest", (int64_t) oldest_id);
    json_add_time(&json, "time", now_us());
    json_end(&json);
    text_addf(out, "retry: %d\n", SSE_RETRY_MS);
    sse_add_event(out, NULL, "hello", &data);
}

static bool read_number(const char *word, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(word, &end, 10);
    *ret = number;
    return !errno && !*end && *word >= '0' && *word <= '9' && number <= INT64_MAX;
}

/* Another life than this client's: what came since the one that goes on began is new to whoever followed the one
 * before, log NULL: its id says that it did. Whoever followed a wholly other log begins now. */
static int begin_life(struct sse *sse, const char *log, uint64_t id, uint64_t newest_id, uint64_t *ret, struct err *err)
{
    uint64_t before_id = feed_life(sse->parts.feed)->first_id - 1;
    bool was_before = !log;
    int r = log ? sse_past_is_of(sse, before_id, log, &was_before, err) : 0;
    *ret = !was_before || !before_id ? newest_id : id < before_id ? id : before_id;
    return r;
}

static int find_beginning(struct sse *sse, const struct sse_request *request, uint64_t newest_id, uint64_t oldest_id,
                          struct beginning *ret, struct err *err)
{
    const char *word = request->last_event_id ? request->last_event_id : request->from;
    const char *log = request->log;
    bool same = true;
    int r = 0;
    *ret = (struct beginning){ .after_id = newest_id };
    if (!word)
        return 0;
    if (!read_number(word, &ret->after_id)) {
        *ret = (struct beginning){ newest_id, "the id is no number", 0, 0 };
        return 0;
    }
    uint64_t id = ret->after_id;
    if (id > newest_id)
        *ret = (struct beginning){ newest_id, "the id is above the newest: the log is another one, or was put back", 0,
                                   0 };
    else if (id + 1 < oldest_id)
        *ret = (struct beginning){ oldest_id - 1, "older events are not kept any more", id + 1, oldest_id - 1 };
    else if (log && id)
        r = sse_past_is_of(sse, id, log, &same, err);
    if (r >= 0 && !same && strcmp(log, feed_life(sse->parts.feed)->log) != 0)
        *ret = (struct beginning){ newest_id, "the log has begun another life since", 0, 0 };
    if (r >= 0 && ret->why && !ret->lost_from)
        r = begin_life(sse, log, id, newest_id, &ret->after_id, err);
    return r;
}

static void count(struct sse *sse, const struct sse_request *request, const struct beginning *beginning)
{
    _Atomic uint64_t *counter = beginning->why           ? &sse->starts_reset
                                : request->last_event_id ? &sse->starts_id
                                : request->from          ? &sse->starts_from
                                                         : &sse->starts_now;
    (*counter)++;
}

int sse_start(struct sse_client *client, const struct sse_request *request, struct err *err)
{
    struct sse *sse = client->sse;
    struct beginning beginning;
    uint64_t newest_id = feed_newest_id(sse->parts.feed), oldest_id = 0;
    int r = sse_past_oldest(sse, &oldest_id, err);
    if (r >= 0)
        r = find_beginning(sse, request, newest_id, oldest_id, &beginning, err);
    if (r < 0)
        return r;
    client->place_id = client->told_id = beginning.after_id;
    add_hello(sse, &client->own, newest_id, oldest_id);
    if (beginning.why)
        sse_add_reset(&client->own, beginning.after_id, beginning.why, beginning.lost_from, beginning.lost_to);
    count(sse, request, &beginning);
    return client->own.failed ? err_set(err, -ENOMEM, "no memory") : 0;
}
