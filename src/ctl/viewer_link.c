/* viewer_link.c - what the daemon knows, and what it says from there on: /api/state, then /api/stream. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/net.h>

#include "ctl_daemon.h"
#include "viewer.h"
#include "viewer_sse.h"

#define HEAD_US (10 * USEC_PER_SEC)
#define SILENCE_US (40 * USEC_PER_SEC) /* a comment comes each 15 s */
#define PAUSE_MIN_US (USEC_PER_SEC / 2)
#define PAUSE_MAX_US (10 * USEC_PER_SEC)
#define WANTED_MAX_US (60 * USEC_PER_SEC) /* that a Retry-After can want */
#define ANSWER_MAX_BYTES ((size_t) 4 << 10)

#define LINK_AGAIN (-EAGAIN) /* the stream ended, or has to begin anew */

struct link {
    struct viewer *viewer;
    const struct viewer_source *source;
    struct viewer_sse sse;
};

/* "?community=NAME", which needs no escapes (options_is_name). */
static void write_path(const struct viewer_source *source, const char *path, const char *more, struct text *out)
{
    text_add(out, path);
    if (source->community)
        text_addf(out, "%scommunity=%s", strchr(out->s, '?') ? "&" : "?", source->community);
    if (*more)
        text_addf(out, "%s%s", strchr(out->s, '?') ? "&" : "?", more);
}

static void wake(struct viewer *viewer)
{
    static const uint64_t one = 1;
    if (viewer->changed_fd >= 0)
        (void) !write(viewer->changed_fd, &one, sizeof(one));
}

/* ---- the state ---- */

static int ask(const struct viewer_source *source, const char *path, const char *more, struct daemon_answer *ret,
               struct err *err)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    write_path(source, path, more, &words);
    struct daemon_question question = { .path = words.s, .cancel_fd = &source->stop_fd };
    return words.failed ? err_set(err, -ENOMEM, "no memory") : daemon_ask(source->store, &question, ret, err);
}

/* Up to the state: from there on the stream tells them. Those that are there already stand in front. */
static void take_lines(struct viewer *viewer, const cJSON *events)
{
    const cJSON *record;
    uint64_t last = viewer->line_id <= viewer->newest ? viewer->line_id : 0; /* else it is another log */
    cJSON_ArrayForEach (record, events) {
        uint64_t id = json_get_count(record, "id");
        if (id > last && id <= viewer->newest)
            viewer_take_record(viewer, record);
    }
}

/* Lines of before the state, and of a time without a link, are nice to have, and no more. */
static void load_feed(struct viewer *viewer, const struct viewer_source *source)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct err ignored;
    char limit[32];
    snprintf(limit, sizeof(limit), "limit=%d", VIEWER_FEED_MAX);
    if (ask(source, "/api/events", limit, &answer, &ignored) < 0)
        return;
    pthread_mutex_lock(&viewer->lock);
    take_lines(viewer, viewer_array(answer.json, "events"));
    pthread_mutex_unlock(&viewer->lock);
}

int viewer_load(struct viewer *viewer, const struct viewer_source *source, struct err *err)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    int r = ask(source, "/api/state", "", &answer, err);
    if (r < 0)
        return r;
    pthread_mutex_lock(&viewer->lock);
    r = viewer_take_state(viewer, answer.json, err);
    viewer->heard_us = uptime_us();
    pthread_mutex_unlock(&viewer->lock);
    wake(viewer);
    if (r >= 0)
        load_feed(viewer, source);
    wake(viewer);
    return r;
}

/* ---- the stream ---- */

static void set_clock(struct viewer *viewer, const cJSON *json)
{
    usec_t time_us = daemon_get_time(json, "time");
    if (time_us)
        viewer->clock_us = (int64_t) time_us - (int64_t) now_us();
}

/* Others may come with a later version. */
static bool is_known(const char *name)
{
    static const char *const names[] = { "call911", "call", "unit", "log", "hello", "tick", "sources" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void take_data(struct viewer *viewer, const char *name, cJSON *take_json)
{
    static const char *const items[VIEWER_N_KINDS] = { "call911", "call", "unit" };
    for (enum viewer_kind kind = 0; kind < VIEWER_N_KINDS; kind++)
        if (strcmp(name, items[kind]) == 0) {
            viewer_take_item(viewer, kind, take_json);
            return;
        }
    if (strcmp(name, "log") == 0)
        viewer_take_record(viewer, take_json);
    else if (strcmp(name, "sources") == 0)
        viewer_take_sources(viewer, cJSON_Duplicate(viewer_array(take_json, "sources"), true));
    else
        set_clock(viewer, take_json);
    cJSON_Delete(take_json);
}

static int take_event(void *context, const struct viewer_sse_event *event, struct err *err)
{
    struct link *link = context;
    if (strcmp(event->name, "reset") == 0)
        return err_set(err, LINK_AGAIN, "the daemon begins anew");
    if (!is_known(event->name))
        return 0;
    cJSON *json = cJSON_ParseWithLength(event->data.s, event->data.size);
    if (!json)
        return err_set(err, -EPROTO, "the daemon said what is no JSON");
    take_data(link->viewer, event->name, json);
    return 0;
}

static int take_piece(void *context, struct span piece, struct err *err)
{
    struct link *link = context;
    struct viewer *viewer = link->viewer;
    pthread_mutex_lock(&viewer->lock);
    viewer->heard_us = uptime_us();
    viewer->live = true;
    text_reset(&viewer->trouble);
    int r = viewer_sse_read(&link->sse, piece, err);
    pthread_mutex_unlock(&viewer->lock);
    wake(viewer);
    return r;
}

static int explain_answer(const struct web_answer *answer, struct err *err)
{
    cJSON *json = cJSON_ParseWithLength(answer->body.s, answer->body.size);
    const char *sentence = json_get_text(json, "error");
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_prose(&shown, sentence, strlen(sentence), 200);
    int r = err_set(err, -EPROTO, "the daemon answered %ld%s%s", answer->status, shown.size ? ": " : "", shown.s);
    cJSON_Delete(json);
    return r;
}

static void cleanup_web(struct web **web)
{
    web_close(*web);
}

static int follow_at(struct link *link, const char *socket, const char *url, usec_t *ret_pause_us, struct err *err)
{
    const struct web_settings settings = { .timeout_us = HEAD_US,
                                           .cancel_fd = link->source->stop_fd,
                                           .unix_path = socket,
                                           .user_agent = CTL_NAME "/" PROGRAM_VERSION };
    const struct web_request request = { .url = url, .max_answer_bytes = ANSWER_MAX_BYTES };
    const struct web_stream stream = { .take = take_piece, .context = link, .silence_us = SILENCE_US };
    struct web_answer answer CLEANUP(web_answer_free) = { .body = TEXT_INIT, .redirect = TEXT_INIT };
    struct web *web CLEANUP(cleanup_web) = NULL;
    int r = web_open(&web, &settings, err);
    if (r >= 0)
        r = web_stream(web, &request, &stream, &answer, err);
    if (r >= 0 && answer.status != 200) {
        *ret_pause_us = answer.retry_after_us < WANTED_MAX_US ? answer.retry_after_us : WANTED_MAX_US;
        return explain_answer(&answer, err);
    }
    if (r == -ETIME)
        return err_set(err, r, "nothing was heard of the daemon for %d s", (int) (SILENCE_US / USEC_PER_SEC));
    if (r == LINK_AGAIN || r == -ECANCELED || r == -EPROTO || r == -EMSGSIZE)
        return r;
    return r < 0 ? daemon_explain(r, socket, err) : err_set(err, LINK_AGAIN, "the daemon ended the stream");
}

static int follow_once(struct link *link, usec_t *ret_pause_us, struct err *err)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    char from[48], *socket CLEANUP(cleanup_free) = daemon_socket(link->source->store);
    snprintf(from, sizeof(from), "from=%llu", (unsigned long long) link->viewer->newest);
    write_path(link->source, "http://localhost/api/stream", from, &url);
    if (!socket || url.failed)
        return err_set(err, -ENOMEM, "no memory");
    link->sse = (struct viewer_sse) VIEWER_SSE_INIT(take_event, link);
    int r = follow_at(link, socket, url.s, ret_pause_us, err);
    viewer_sse_done(&link->sse);
    return r;
}

/* ---- again and again ---- */

static bool wait_unless_stopped(int stop_fd, usec_t pause_us)
{
    struct pollfd poll_fd = { .fd = stop_fd, .events = POLLIN };
    return poll(&poll_fd, 1, (int) (pause_us / USEC_PER_MSEC)) == 0;
}

static void lose(struct viewer *viewer, const struct err *err)
{
    pthread_mutex_lock(&viewer->lock);
    viewer->live = false;
    text_reset(&viewer->trouble);
    text_add(&viewer->trouble, err->msg);
    pthread_mutex_unlock(&viewer->lock);
    wake(viewer);
}

/* The first try after a stream that was good comes soon; then the pauses double. */
void viewer_follow(struct viewer *viewer, const struct viewer_source *source)
{
    struct link link = { .viewer = viewer, .source = source };
    usec_t pause_us = 0;
    for (bool loaded = viewer->loaded;; loaded = false) {
        struct err err = { "" };
        usec_t wanted_us = 0;
        int r = loaded ? 0 : viewer_load(viewer, source, &err);
        if (r >= 0)
            r = follow_once(&link, &wanted_us, &err);
        pause_us = viewer->live || pause_us < PAUSE_MIN_US ? PAUSE_MIN_US : 2 * pause_us;
        pause_us = pause_us > PAUSE_MAX_US ? PAUSE_MAX_US : pause_us;
        lose(viewer, &err);
        if (!wait_unless_stopped(source->stop_fd, wanted_us > pause_us ? wanted_us : pause_us))
            return;
    }
}
