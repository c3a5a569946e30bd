/* streams_row.c - the thread of one row: connected as long as it can be, it reads what its streams have. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "streams_private.h"

#define CONNECT_US (10 * USEC_PER_SEC)
#define REPLY_MAX_BYTES ((size_t) 64 << 20)
#define BACKOFF_US (500 * USEC_PER_MSEC)
#define BACKOFF_MAX_US (30 * USEC_PER_SEC)
#define SAME_AGAIN_US (60 * USEC_PER_SEC)
#define AT_ONCE 250

/* ---- what is told ---- */

void streams_tell(const struct streams_row *row, int level, const char *format, ...)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    char words[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    text_addf(&line, "streams %s: ", row->settings.name);
    text_add_safe(&line, words, strlen(words), 0);
    const struct log_field fields[] = { log_text("SONORAN_LISTENER", row->settings.name) };
    log_write(&(struct log_record){ .level = level,
                                    .message_id = LOG_ID_STREAMS,
                                    .line = line.s,
                                    .fields = fields,
                                    .n_fields = ARRAY_SIZE(fields) });
}

/* The same words again after a minute. */
static void tell_trouble(struct streams_row *row, const char *words)
{
    uint64_t hash = hash_bytes(HASH_START, words, strlen(words));
    usec_t now = uptime_us();
    if (hash == row->told_hash && now - row->told_us < SAME_AGAIN_US)
        return;
    row->told_hash = hash;
    row->told_us = now;
    streams_tell(row, LOG_WARNING, "%s", words);
}

static void set_connected(struct streams_row *row, bool connected, const char *words)
{
    struct streams *all = row->all;
    pthread_mutex_lock(&all->lock);
    bool changed = row->connected != connected;
    row->connected = connected;
    if (connected || !row->values.cut_us)
        row->values.cut_us = connected ? 0 : now_us();
    row->values.connects += connected;
    if (*words) {
        text_copy(row->trouble, sizeof(row->trouble), words);
        row->values.last_trouble_us = now_us();
    }
    pthread_mutex_unlock(&all->lock);
    if (changed && all->parts.changed)
        all->parts.changed(all->parts.set);
}

/* ---- waiting ---- */

void streams_row_wake(const struct streams_row *row)
{
    (void) !write(row->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

/* Whoever woke it wants it to end, or to see that it gets on. */
static bool woken(struct streams_row *row)
{
    uint64_t n;
    (void) !read(row->wake_fd, &n, sizeof(n));
    row->n_rounds++;
    return row->stopping;
}

static void rest(struct streams_row *row, usec_t pause_us)
{
    usec_t until_us = uptime_us() + pause_us, now;
    while (!row->stopping && (now = uptime_us()) < until_us) {
        struct pollfd waits = { .fd = row->wake_fd, .events = POLLIN };
        if (poll(&waits, 1, (int) ((until_us - now) / USEC_PER_MSEC) + 1) > 0)
            (void) woken(row);
    }
}

int streams_await(struct streams_row *row, const struct redis_reply **ret, struct err *err)
{
    usec_t until_us = uptime_us() + STREAMS_ANSWER_US;
    int r;
    do
        r = redis_await(row->redis, row->wake_fd, until_us, ret, err);
    while (r == -ECANCELED && !woken(row));
    return r;
}

int streams_ask(struct streams_row *row, const struct span *words, size_t n_words, const struct redis_reply **ret,
                struct err *err)
{
    int r = redis_send(row->redis, words, n_words, err);
    return r < 0 ? r : streams_await(row, ret, err);
}

/* ---- a connection ---- */

static int await_open(struct streams_row *row, struct err *err)
{
    int r;
    do
        r = redis_await_open(row->redis, row->wake_fd, NULL, err);
    while (r == -ECANCELED && !woken(row));
    return r;
}

static int connect_to(struct streams_row *row, struct err *err)
{
    const struct streams_settings *settings = &row->settings;
    const struct redis_settings redis = { .url = settings->urls[row->url],
                                          .username = settings->username,
                                          .password = settings->password,
                                          .database = settings->database,
                                          .ca_file = settings->ca_file,
                                          .connect_us = CONNECT_US,
                                          .max_reply_bytes = REPLY_MAX_BYTES };
    int r = row->pool ? 0 : net_pool_open(&row->pool, err);
    if (r >= 0)
        r = redis_open(&row->redis, row->pool, &redis, err);
    pthread_mutex_lock(&row->all->lock);
    redis_name_url(redis.url, row->host, sizeof(row->host));
    pthread_mutex_unlock(&row->all->lock);
    return r < 0 ? r : await_open(row, err);
}

static size_t count_streams(const struct streams_row *row)
{
    size_t n = 0;
    for (const struct streams_stream *stream = row->list; stream; stream = stream->next)
        n += streams_is_read(stream);
    return n;
}

static void say_connected(struct streams_row *row)
{
    size_t n = count_streams(row);
    row->n_failed = 0;
    row->told_hash = 0;
    set_connected(row, true, "");
    streams_tell(row, LOG_NOTICE, "connected to %s, reads %zu stream%s", row->host, n, text_plural(n));
}

static int look(struct streams_row *row, struct err *err)
{
    int r = streams_look_for_keys(row, err);
    if (r >= 0)
        r = streams_ask_for_ends(row, err);
    row->look_us = uptime_us() + STREAMS_LOOK_US;
    row->looked |= r >= 0;
    streams_look_for_lag(row);
    return r;
}

static int begin(struct streams_row *row, struct err *err)
{
    for (struct streams_stream *stream = row->list; stream; stream = stream->next)
        stream->asked = false;
    int r = connect_to(row, err);
    if (r >= 0)
        r = look(row, err);
    if (r >= 0)
        say_connected(row);
    return r;
}

static int go_round(struct streams_row *row, struct err *err)
{
    int r = streams_has_failed(row) ? streams_begin_again(row, err) : 0;
    if (r >= 0 && uptime_us() >= row->look_us)
        r = look(row, err);
    if (r >= 0 && count_streams(row) == 0) {
        rest(row, row->look_us - uptime_us());
        return 0;
    }
    if (r >= 0)
        r = streams_read(row, err);
    streams_keep_passed(row);
    row->n_rounds++;
    return r == -EAGAIN ? 0 : r;
}

static int serve(struct streams_row *row, struct err *err)
{
    int r = begin(row, err);
    while (r >= 0 && !row->stopping)
        r = go_round(row, err);
    return r;
}

/* Another address may do better; behind the last of them it waits, longer each time. */
static void take_failure(struct streams_row *row, const struct err *err)
{
    size_t n = row->settings.n_urls;
    usec_t pause_us = BACKOFF_US << (row->n_failed / n < 6 ? row->n_failed / n : 6);
    row->url = (row->url + 1) % n;
    row->n_failed++;
    set_connected(row, false, err->msg);
    tell_trouble(row, err->msg);
    if (row->url == 0)
        rest(row, pause_us < BACKOFF_MAX_US ? pause_us : BACKOFF_MAX_US);
}

/* What it had read and not handed in comes again. */
static void let_go(struct streams_row *row)
{
    row->redis = redis_close(row->redis);
    pthread_mutex_lock(&row->all->lock);
    for (struct streams_stream *stream = row->list; stream; stream = stream->next) {
        stream->place = streams_known_last(&stream->known);
        stream->told_end = STREAMS_END_GOES_ON;
    }
    pthread_mutex_unlock(&row->all->lock);
}

/* With fewer entries of each stream, and in the end with one of one stream, the answer may be small enough. */
static void take_too_large(struct streams_row *row)
{
    row->one_by_one = row->n_at_once == 1;
    if (row->n_at_once > 1)
        row->n_at_once /= 2;
}

void *streams_row_thread(void *argument)
{
    struct streams_row *row = argument;
    struct err err = { "" };
    pthread_setname_np(pthread_self(), "streams");
    row->n_at_once = AT_ONCE;
    while (!row->stopping) {
        int r = serve(row, &err);
        let_go(row);
        if (r == -EMSGSIZE && (row->n_at_once > 1 || !row->one_by_one))
            take_too_large(row);
        else if (r < 0 && !row->stopping)
            take_failure(row, &err);
    }
    row->pool = net_pool_close(row->pool);
    row->lives = store_reader_close(row->lives);
    free(row->question);
    return NULL;
}
