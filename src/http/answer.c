/* answer.c - an answer as libmicrohttpd sends it. */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "http_private.h"

static void add_number(struct MHD_Response *response, const char *name, const char *in_front, uint64_t number)
{
    char value[32];
    snprintf(value, sizeof(value), "%s%llu", in_front, (unsigned long long) number);
    MHD_add_response_header(response, name, value);
}

void answer_done(struct http_answer *answer)
{
    if (answer->free_body)
        answer->free_body((void *) (uintptr_t) answer->body);
    if (answer->free_stream)
        answer->free_stream(answer->stream);
    *answer = (struct http_answer){ 0 };
}

/* Takes the body. */
static struct MHD_Response *take_body(struct http_answer *answer)
{
    void *body = (void *) (uintptr_t) (answer->body ? answer->body : "");
    size_t size = answer->body_size ? answer->body_size : strlen(body);
    struct MHD_Response *response =
        answer->free_body ? MHD_create_response_from_buffer_with_free_callback(size, body, answer->free_body)
                          : MHD_create_response_from_buffer(size, body, MHD_RESPMEM_PERSISTENT);
    if (response)
        answer->free_body = NULL;
    return response;
}

static bool has_header(const struct http_header *headers, const char *name)
{
    for (size_t i = 0; i < HTTP_ANSWER_HEADERS && headers[i].name; i++)
        if (strcasecmp(headers[i].name, name) == 0)
            return true;
    return false;
}

static void add_headers(const struct connection *connection, struct MHD_Response *response,
                        const struct http_header *headers)
{
    const struct http_header *always = connection->http->routes.answer_headers;
    for (size_t i = 0; i < HTTP_ANSWER_HEADERS && headers[i].name; i++)
        MHD_add_response_header(response, headers[i].name, headers[i].value);
    for (; always && always->name; always++)
        if (!has_header(headers, always->name))
            MHD_add_response_header(response, always->name, always->value);
    if (connection->caller.set_cookie)
        MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, connection->caller.set_cookie);
}

static struct MHD_Response *new_response(struct connection *connection, struct http_answer *answer)
{
    const struct http *http = connection->http;
    const struct request *request = &connection->request;
    struct http_header headers[HTTP_ANSWER_HEADERS];
    const char *type = answer->type ? answer->type : HTTP_TEXT;
    memcpy(headers, answer->headers, sizeof(headers));
    struct MHD_Response *response = answer->more ? stream_response(connection, answer) : take_body(answer);
    if (!response)
        return NULL;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    add_headers(connection, response, headers);
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        route_add_methods(http, request->rows, response);
    if (answer->retry_after_s)
        add_number(response, MHD_HTTP_HEADER_RETRY_AFTER, "", answer->retry_after_s);
    if (request->close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (request->keeps)
        add_number(response, "Keep-Alive", "timeout=", http->settings.request_time_us / USEC_PER_SEC);
    return response;
}

/* The same for whoever gets it. */
static bool can_be_kept(const struct connection *connection, const struct http_answer *answer)
{
    const struct request *request = &connection->request;
    return !connection->caller.set_cookie && !answer->free_body && !answer->body_size && !answer->more &&
           !answer->headers[0].name && !answer->retry_after_s && !request->close &&
           answer->status != MHD_HTTP_METHOD_NOT_ALLOWED;
}

/* The few answers that are always the same are made once. */
static struct MHD_Response *find_response(struct connection *connection, struct http_answer *answer, bool *ret_cached)
{
    const struct request *request = &connection->request;
    *ret_cached = can_be_kept(connection, answer);
    for (size_t i = 0; i < HTTP_CACHED_ANSWERS && *ret_cached; i++) {
        struct cached_answer *cached = &connection->http->cached[i];
        if (!cached->response)
            *cached = (struct cached_answer){ answer->status, answer->body, answer->type, request->keeps,
                                              new_response(connection, answer) };
        if (cached->response && cached->status == answer->status && cached->body == answer->body &&
            cached->type == answer->type && cached->keeps == request->keeps)
            return cached->response;
    }
    *ret_cached = false;
    return new_response(connection, answer);
}

static bool has_room(const struct http *http, size_t bytes)
{
    uint64_t most = http->settings.answers_bytes;
    return !most || !bytes || !http->answers_bytes || http->answers_bytes + bytes <= most;
}

/* Whoever asks for much and takes nothing of it makes the next one wait, and not the memory full. */
static void hold(struct connection *connection, struct http_answer *answer)
{
    struct http *http = connection->http;
    size_t bytes = answer->free_body && answer->body_size > HTTP_SMALL_BYTES ? answer->body_size : 0;
    if (!has_room(http, bytes)) {
        answer_done(answer);
        answer->retry_after_s = 1;
        http->callbacks.refusal(http->callbacks.userdata, MHD_HTTP_SERVICE_UNAVAILABLE,
                                "too many answers that nobody has taken yet", answer);
        bytes = 0;
    }
    connection->request.answer_bytes = bytes;
    http->answers_bytes += bytes;
}

void answer_forget(struct connection *connection)
{
    assert(connection->http->answers_bytes >= connection->request.answer_bytes);
    connection->http->answers_bytes -= connection->request.answer_bytes;
    connection->request.answer_bytes = 0;
}

enum MHD_Result answer_send(struct connection *connection, struct MHD_Connection *mhd, struct http_answer *answer)
{
    bool cached;
    hold(connection, answer);
    struct MHD_Response *response = find_response(connection, answer, &cached);
    if (!response)
        return MHD_NO;

    struct http *http = connection->http;
    usec_t since_us = connection->since_us; /* times of rounds of the loop: no clock is looked at for it */
    lane_answered(connection, http->now_us > since_us ? http->now_us - since_us : 0);
    connection->request.sent = true;
    enum MHD_Result result = MHD_queue_response(mhd, answer->status, response);
    if (!cached)
        MHD_destroy_response(response);
    return result;
}

void answers_drop(struct http *http)
{
    for (size_t i = 0; i < HTTP_CACHED_ANSWERS; i++) {
        if (http->cached[i].response)
            MHD_destroy_response(http->cached[i].response);
        http->cached[i] = (struct cached_answer){ 0 };
    }
}
