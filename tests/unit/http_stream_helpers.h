/* http_stream_helpers.h - an http whose answers go on, and what they say. */
#pragma once

#include "http_helpers.h"

#include <pthread.h>
#include <stdatomic.h>

#define GET_STREAM "GET /stream HTTP/1.1\r\nHost: test\r\n\r\n"
#define GET_FLOOD "GET /flood HTTP/1.1\r\nHost: test\r\n\r\n"
#define GET_BEATS "GET /beats HTTP/1.1\r\nHost: test\r\n\r\n"
#define BEAT_US (20 * USEC_PER_MSEC)

/* What the streams have to say: each says what is behind its place, and then, if it is over, ends. */
static struct {
    pthread_mutex_t lock;
    char words[256];
    bool over;
} said = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Atomic int n_streams, n_flooded_bytes, n_asked;
static _Atomic unsigned n_rounds;
static _Atomic int most_asked; /* in a round */

static inline void say(const char *words, bool over)
{
    pthread_mutex_lock(&said.lock);
    snprintf(said.words, sizeof(said.words), "%s", words);
    said.over = over;
    pthread_mutex_unlock(&said.lock);
    http_wake(http);
}

static inline ssize_t more(void *stream, char *buffer, size_t size)
{
    size_t *place = stream;
    n_asked++;
    pthread_mutex_lock(&said.lock);
    size_t n = strlen(said.words + *place);
    ssize_t result = n ? (ssize_t) (n < size ? n : size) : said.over ? HTTP_STREAM_END : 0;
    if (n)
        memcpy(buffer, said.words + *place, (size_t) result);
    pthread_mutex_unlock(&said.lock);
    *place += result > 0 ? (size_t) result : 0;
    return result;
}

static inline ssize_t flood(void *stream, char *buffer, size_t size)
{
    (void) stream;
    memset(buffer, 'x', size);
    n_flooded_bytes += (int) size;
    return (ssize_t) size;
}

static inline void free_stream(void *stream)
{
    free(stream);
    n_streams--;
}

/* Has something to say whenever it was silent before. */
static inline ssize_t beat(void *stream, char *buffer, size_t size)
{
    size_t *n = stream;
    n_asked++;
    if ((*n)++ % 2)
        return 0;
    assert_true(size >= 2);
    memcpy(buffer, ":\n", 2);
    return 2;
}

static inline void begin(struct http_answer *ret, ssize_t (*function)(void *, char *, size_t), usec_t idle_us)
{
    *ret = (struct http_answer){ .status = 200,
                                 .type = "text/event-stream",
                                 .more = function,
                                 .idle_us = idle_us,
                                 .stream = calloc(1, sizeof(size_t)),
                                 .free_stream = free_stream };
    n_streams++;
}

static inline void begin_stream(void *userdata, struct http_request *request, struct http_answer *ret)
{
    (void) userdata;
    (void) request;
    begin(ret, more, 0);
}

static inline void begin_flood(void *userdata, struct http_request *request, struct http_answer *ret)
{
    (void) userdata;
    (void) request;
    begin(ret, flood, 0);
}

static inline void begin_beats(void *userdata, struct http_request *request, struct http_answer *ret)
{
    (void) userdata;
    (void) request;
    begin(ret, beat, BEAT_US);
}

static inline void count_round(void *userdata)
{
    static int n_asked_before;
    (void) userdata;
    int n = n_asked;
    if (n - n_asked_before > most_asked)
        most_asked = n - n_asked_before;
    n_asked_before = n;
    n_rounds++;
}

static inline struct http_routes stream_routes(void)
{
    static const struct http_route rows[] = {
        { .method = "GET", .path = "/stream", .stream = true, .handle = begin_stream },
        { .method = "GET", .path = "/flood", .stream = true, .handle = begin_flood },
        { .method = "GET", .path = "/beats", .stream = true, .handle = begin_beats },
        { .method = "GET", .path = "/", .handle = answer_ok },
    };
    return (struct http_routes){ .rows = rows, .n = ARRAY_SIZE(rows) };
}

static inline int set_up_with(const struct http_settings *settings)
{
    const struct http_routes routes = stream_routes();
    memset(said.words, 0, sizeof(said.words));
    said.over = false;
    n_flooded_bytes = n_asked = 0;
    return http_begin(settings, &routes, (struct http_callbacks){ .round = count_round });
}

static inline uint64_t n_connections(void)
{
    struct http_values values;
    http_get_values(http, &values);
    return values.connections;
}

static inline bool all_gone(void)
{
    return n_streams == 0 && n_connections() == 0;
}

/* Reads on until part has come. */
static inline void read_until(int fd, const char *part)
{
    char answer[4096];
    size_t n = 0, more_bytes = 1;
    answer[0] = '\0';
    while (more_bytes && !strstr(answer, part)) {
        more_bytes = http_receive(fd, answer + n, sizeof(answer) - n);
        n += more_bytes;
    }
    if (!strstr(answer, part))
        fail_msg("no \"%s\" in:\n%s", part, answer);
}

static inline unsigned ask(const char *path)
{
    char request[128], answer[2048];
    unsigned status = 0;
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", path);
    http_ask(request, answer, sizeof(answer));
    assert_int_equal(sscanf(answer, "HTTP/1.1 %u ", &status), 1);
    return status;
}
