/* stream.c - answers that go on, until their end or that of the client.
 *
 * One that has nothing to say is paused (stream_pause.c), and so is asked again only when there may be something. The
 * connection ends with the stream: who has it for an hour is not expected to ask for something else then. */
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http_private.h"

/* Of a client that takes nothing the kernel would hold megabytes, and notice a quarter of an hour later that it is
 * gone: tcp(7). Where it lives, and only takes nothing, the time is that for one request. */
#define SEND_BUFFER_BYTES (64 << 10)
#define UNTAKEN_MAX_MS 30000

/* What libmicrohttpd reads from. It may outlive the connection, and is not asked then. */
struct streaming {
    struct connection *connection;
    ssize_t (*more)(void *stream, char *buffer, size_t size);
    void *stream;
    void (*free_stream)(void *stream);
};

bool stream_enter(struct connection *connection)
{
    struct http *http = connection->http;
    if (http->n_streams >= http->settings.streams || connection->host->n_streams >= http->settings.streams_per_ip)
        return false;
    http->n_streams++;
    connection->host->n_streams++;
    connection->request.streams = true;
    return true;
}

void stream_leave(struct connection *connection)
{
    if (!connection->request.streams)
        return;
    assert(connection->http->n_streams > 0 && connection->host->n_streams > 0);
    connection->http->n_streams--;
    connection->host->n_streams--;
    connection->request.streams = false;
}

/* libmicrohttpd asks when the client has taken all that was written before: one that takes nothing becomes late. */
static ssize_t read_more(void *cls, uint64_t position, char *buffer, size_t size)
{
    struct streaming *streaming = cls;
    struct connection *connection = streaming->connection;
    struct http *http = connection->http;
    (void) position;
    if (connection->ending || connection->peer_done_us)
        return (ssize_t) MHD_CONTENT_READER_END_WITH_ERROR;
    connection->since_us = connection->progress_us = http->now_us;
    ssize_t n = http->stopping ? HTTP_STREAM_END : streaming->more(streaming->stream, buffer, size);
    http->n_steps += n != 0;
    if (n > 0)
        connection->request.silent_since_us = http->now_us;
    else if (n == 0)
        stream_pause(connection);
    return n < 0 ? (ssize_t) MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void free_streaming(void *cls)
{
    struct streaming *streaming = cls;
    if (streaming->free_stream)
        streaming->free_stream(streaming->stream);
    free(streaming);
}

static void limit_socket(const struct connection *connection)
{
    const int bytes = SEND_BUFFER_BYTES;
    const unsigned ms = UNTAKEN_MAX_MS;
    (void) setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    if (!connection->by_unix)
        (void) setsockopt(connection->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

struct MHD_Response *stream_response(struct connection *connection, struct http_answer *answer)
{
    struct request *request = &connection->request;
    struct streaming *streaming = malloc(sizeof(*streaming));
    if (!streaming)
        return NULL;
    *streaming = (struct streaming){ connection, answer->more, answer->stream, answer->free_stream };
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_STREAM_BYTES, read_more, streaming, free_streaming);
    if (!response) {
        free(streaming);
        return NULL;
    }
    if (request->head) /* else 0.9.75 sends the last chunk of a body that is not sent */
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    answer->free_stream = NULL;
    request->streaming = request->close = true;
    request->keeps = false;
    request->idle_us = answer->idle_us;
    request->silent_since_us = connection->http->now_us;
    limit_socket(connection);
    return response;
}
