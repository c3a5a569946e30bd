/* redis_connection.c - one connection to a server: logged in, then commands out and replies in. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/text_secret.h>

#include "redis_replies.h"
#include "redis_url.h"

#define READ_BYTES ((size_t) 16 << 10)
#define COMMAND_WORDS_MAX 8192

enum step { CONNECTING, GREETING, OPEN, FAILED };

struct redis {
    struct net_pool *pool;
    struct net_connection *connection;
    struct redis_replies replies;
    struct text out; /* what is to be sent: the login first, which is why it is wiped */
    size_t out_at;
    struct text name; /* of the server, in sentences */
    size_t n_greetings;
    bool is_tls; /* or by a socket, where nobody speaks it */
    usec_t connect_us, due_us, heard_us;
    enum step step;
    int failure; /* of FAILED, */
    enum redis_verdict verdict;
    struct err err;
};

/* ---- bytes ---- */

static void flush(struct redis *redis)
{
    while (redis->out_at < redis->out.size) {
        ssize_t n =
            net_connection_send(redis->connection, redis->out.s + redis->out_at, redis->out.size - redis->out_at, NULL);
        if (n < 0)
            return; /* why, the receiving says too, behind what may still be read */
        redis->out_at += (size_t) n;
    }
    if (redis->out_at && redis->step == GREETING) /* the password */
        text_wipe(&redis->out);
    else if (redis->out_at)
        text_reset(&redis->out);
    redis->out_at = 0;
}

/* A server that wants TLS closes at the first word, without one. */
static int explain_close(const struct redis *redis, struct err *err)
{
    bool may_want_tls = !redis->heard_us && !redis->is_tls;
    return err_set(err, -ECONNRESET, "%s closed the connection%s", redis->name.s,
                   may_want_tls ? " before it said anything: does it want TLS (rediss://)?" : "");
}

/* As redis_replies_next, whatever step it is in. */
static int read_reply(struct redis *redis, const struct redis_reply **ret, struct err *err)
{
    char bytes[READ_BYTES];
    int r;
    while ((r = redis_replies_next(&redis->replies, ret, err)) == -EAGAIN) {
        ssize_t n = net_connection_receive(redis->connection, bytes, sizeof(bytes), err);
        if (n < 0)
            return (int) n;
        if (n == 0)
            return explain_close(redis, err);
        redis->heard_us = uptime_us();
        r = redis_replies_feed(&redis->replies, bytes, (size_t) n, err);
        if (r < 0)
            return r;
    }
    return r < 0 ? err_wrap(err, r, "%s", redis->name.s) : r;
}

/* ---- until it is open ---- */

static int fail(struct redis *redis, int r)
{
    redis->step = FAILED;
    redis->due_us = UINT64_MAX;
    redis->failure = r;
    return r;
}

static int explain_silence(struct redis *redis)
{
    struct text time CLEANUP(text_free) = TEXT_INIT;
    text_add_duration(&time, redis->connect_us);
    return err_set(&redis->err, -ETIMEDOUT, "%s has not answered the login within %s", redis->name.s, time.s);
}

/* The answers to login and database. */
static int read_greetings(struct redis *redis)
{
    const struct redis_reply *reply;
    while (redis->n_greetings) {
        int r = read_reply(redis, &reply, &redis->err);
        if (r == -EAGAIN)
            return uptime_us() < redis->due_us ? -EINPROGRESS : explain_silence(redis);
        if (r < 0)
            return r;
        redis->verdict = redis_judge(reply, &redis->err);
        if (redis->verdict != REDIS_DONE)
            return err_wrap(&redis->err, -EACCES, "%s", redis->name.s);
        redis->n_greetings--;
    }
    return 0;
}

static int take_further(struct redis *redis)
{
    if (redis->step == CONNECTING) {
        int r = net_connection_result(redis->connection, &redis->err);
        if (r == -EINPROGRESS)
            return r;
        if (r < 0)
            return fail(redis, r);
        redis->step = GREETING;
        redis->due_us = uptime_us() + redis->connect_us;
    }
    if (redis->step != GREETING)
        return redis->step == OPEN ? 0 : redis->failure;
    flush(redis);
    int r = read_greetings(redis);
    if (r == -EINPROGRESS)
        return r;
    if (r < 0)
        return fail(redis, r);
    redis->step = OPEN;
    redis->due_us = UINT64_MAX;
    return 0;
}

int redis_result(struct redis *redis, enum redis_verdict *ret_verdict, struct err *err)
{
    int r = take_further(redis);
    if (ret_verdict)
        *ret_verdict = r == 0 ? REDIS_DONE : r == -EACCES ? redis->verdict : REDIS_LATER;
    return r < 0 && r != -EINPROGRESS ? err_set(err, r, "%s", redis->err.msg) : r;
}

/* ---- commands ---- */

int redis_send(struct redis *redis, const struct span *words, size_t n_words, struct err *err)
{
    CLEANUP(cleanup_free) const char **texts = calloc(n_words, sizeof(*texts));
    CLEANUP(cleanup_free) size_t *sizes = calloc(n_words, sizeof(*sizes));
    char *command = NULL;
    if (!texts || !sizes || n_words > COMMAND_WORDS_MAX)
        return err_set(err, -ENOMEM, "no memory for a command");
    for (size_t i = 0; i < n_words; i++) {
        texts[i] = words[i].s;
        sizes[i] = words[i].size;
    }
    int size = redisFormatCommandArgv(&command, (int) n_words, texts, sizes);
    if (size < 0)
        return err_set(err, -ENOMEM, "no memory for a command");
    text_add_secret(&redis->out, command, (size_t) size);
    explicit_bzero(command, (size_t) size);
    redisFreeCommand(command);
    if (redis->out.failed) {
        redis->out.failed = false; /* nothing of it was taken */
        return err_set(err, -ENOMEM, "no memory for a command");
    }
    if (redis->step == OPEN)
        flush(redis);
    return 0;
}

int redis_receive(struct redis *redis, const struct redis_reply **ret, struct err *err)
{
    int r = redis_result(redis, NULL, err);
    if (r < 0)
        return r == -EINPROGRESS ? -EAGAIN : r;
    flush(redis);
    r = read_reply(redis, ret, &redis->err);
    if (r == 1 || r == -EAGAIN)
        return r;
    return err_set(err, fail(redis, r), "%s", redis->err.msg);
}

usec_t redis_due_us(const struct redis *redis)
{
    return redis->due_us;
}

usec_t redis_heard_us(const struct redis *redis)
{
    return redis->heard_us;
}

/* ---- waiting ---- */

/* Milliseconds until until_us, so that it has come afterwards. */
static int lapse_ms(usec_t until_us)
{
    usec_t now = uptime_us(), left = until_us > now ? until_us - now : 0;
    usec_t ms = (left + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return ms < 3600 * 1000 ? (int) ms : 3600 * 1000;
}

/* 0: look again. */
static int wait_more(struct redis *redis, int cancel_fd, usec_t until_us, struct err *err)
{
    int r = net_pool_wait(redis->pool, cancel_fd, lapse_ms(until_us), err);
    return r > 0 ? err_set(err, -ECANCELED, "cancelled") : r;
}

int redis_await(struct redis *redis, int cancel_fd, usec_t until_us, const struct redis_reply **ret, struct err *err)
{
    int r;
    while ((r = redis_receive(redis, ret, err)) == -EAGAIN) {
        if (uptime_us() >= until_us)
            return err_set(err, -ETIMEDOUT, "%s does not answer", redis->name.s);
        r = wait_more(redis, cancel_fd, redis->due_us < until_us ? redis->due_us : until_us, err);
        if (r < 0)
            return r;
    }
    return r;
}

int redis_await_open(struct redis *redis, int cancel_fd, enum redis_verdict *ret_verdict, struct err *err)
{
    usec_t begun_us = uptime_us();
    int r;
    while ((r = redis_result(redis, ret_verdict, err)) == -EINPROGRESS) {
        usec_t until_us = redis->due_us < UINT64_MAX ? redis->due_us : begun_us + 2 * redis->connect_us;
        r = wait_more(redis, cancel_fd, until_us, err);
        if (r < 0)
            return r;
    }
    return r;
}

/* ---- a life ---- */

/* What the login says goes first, whatever is sent before it is open. */
static int add_greetings(struct redis *redis, const struct redis_settings *settings, const struct redis_url *url,
                         struct err *err)
{
    const char *user = settings->username ? settings->username : url->user;
    const char *password = settings->password ? settings->password : url->password;
    uint64_t database = settings->database ? settings->database : url->database;
    struct span words[3] = { span_of("AUTH") };
    char number[24];
    size_t n = 1;
    int r = 0;
    if (password && user)
        words[n++] = span_of(user);
    if (password) {
        words[n++] = span_of(password);
        r = redis_send(redis, words, n, err);
        redis->n_greetings++;
    }
    if (r == 0 && database) {
        snprintf(number, sizeof(number), "%llu", (unsigned long long) database);
        r = redis_send(redis, (struct span[]){ span_of("SELECT"), span_of(number) }, 2, err);
        redis->n_greetings++;
    }
    return r;
}

static int connect_to(struct redis *redis, const struct redis_settings *settings, const struct redis_url *url,
                      struct err *err)
{
    struct text http CLEANUP(text_free) = TEXT_INIT; /* as libcurl is told whom to connect to */
    text_addf(&http, "%s://%s:%u", url->is_tls ? "https" : "http", url->unix_path ? "localhost" : url->host,
              url->unix_path ? 6379 : url->port);
    if (url->unix_path)
        text_add(&redis->name, url->unix_path);
    else
        text_addf(&redis->name, "%s:%u", url->host, url->port);
    if (http.failed || redis->name.failed)
        return err_set(err, -ENOMEM, "no memory for a connection");
    redis->is_tls = url->is_tls || url->unix_path;
    const struct net_settings net = { .url = http.s,
                                      .unix_path = url->unix_path,
                                      .ca_file = url->is_tls ? settings->ca_file : NULL,
                                      .connect_us = settings->connect_us };
    return net_connection_open(&redis->connection, redis->pool, &net, err);
}

static int open_parts(struct redis *redis, const struct redis_settings *settings, struct err *err)
{
    struct redis_url url CLEANUP(redis_url_free);
    int r = redis_url_read(&url, settings->url, err);
    if (r == 0)
        r = redis_replies_open(&redis->replies, settings->max_reply_bytes, err);
    if (r == 0)
        r = add_greetings(redis, settings, &url, err);
    return r < 0 ? r : connect_to(redis, settings, &url, err);
}

int redis_open(struct redis **ret, struct net_pool *pool, const struct redis_settings *settings, struct err *err)
{
    struct redis *redis = calloc(1, sizeof(*redis));
    if (!redis)
        return err_set(err, -ENOMEM, "no memory for a connection");
    redis->pool = pool;
    redis->out = redis->name = (struct text) TEXT_INIT;
    redis->connect_us = settings->connect_us;
    redis->due_us = UINT64_MAX;
    int r = open_parts(redis, settings, err);
    if (r < 0) {
        redis_close(redis);
        return r;
    }
    *ret = redis;
    return 0;
}

struct redis *redis_close(struct redis *redis)
{
    if (!redis)
        return NULL;
    net_connection_close(redis->connection);
    redis_replies_close(&redis->replies);
    text_wipe(&redis->out);
    text_free(&redis->name);
    free(redis);
    return NULL;
}
