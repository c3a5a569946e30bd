/* request.c - one request: its head judged, its body collected within the limits, its answer sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "private.h"

#define PAGE                                                                                                           \
    PROGRAM_NAME " is running and listening for the push events of Sonoran CAD.\n"                                     \
                 "You see this, so the port is open. Enter the address in the CAD's panel.\n"

/* What the head of a request tells, beside method and path. */
struct head {
    unsigned n_lengths;
    uint64_t length;
    const char *transfer_encoding;
    const char *content_encoding;
    bool expects_continue;
    bool malformed; /* a name with a blank behind it, which others take for that name */
};

static enum MHD_Result read_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct head *head = cls;
    size_t size = strlen(name);
    (void) kind;
    if (size && (name[size - 1] == ' ' || name[size - 1] == '\t'))
        head->malformed = true;
    if (!value)
        return MHD_YES;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        head->n_lengths++;
        head->length = strtoull(value, NULL, 10); /* libmicrohttpd refused what is not a number */
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        head->transfer_encoding = head->transfer_encoding ? "several" : value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_ENCODING) == 0) {
        head->content_encoding = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0) {
        head->expects_continue = true;
    }
    return MHD_YES;
}

static void refuse(struct request *request, unsigned status, const char *text, const char *what)
{
    request->refusal = status;
    request->text = text;
    request->what = what;
}

/* The path of a request line, as it was sent: without query, and without http://HOST in front. */
static struct span path_of(const char *uri)
{
    static const char scheme[] = "http://";
    if (strncasecmp(uri, scheme, strlen(scheme)) == 0) {
        uri += strlen(scheme);
        uri += strcspn(uri, "/?");
    }
    return (struct span){ uri, strcspn(uri, "?") };
}

static bool is_push_path(const struct http *http, const char *uri)
{
    struct span path = path_of(uri);
    for (size_t i = 0; i < http->settings.n_paths; i++)
        if (strlen(http->paths[i]) == path.size && memcmp(http->paths[i], path.s, path.size) == 0)
            return true;
    return false;
}

/* Small bodies are not counted: whoever fills in_flight with large ones that never end keeps no event out. */
static uint64_t counted_bytes(size_t room)
{
    return room > HTTP_SMALL_BYTES ? room : 0;
}

static bool grow_body(struct http *http, struct request *request, size_t room)
{
    uint64_t in_flight = http->in_flight_bytes - counted_bytes(request->body_room) + counted_bytes(room);
    if (in_flight > http->settings.in_flight_bytes && room > HTTP_SMALL_BYTES)
        return false;
    char *body = realloc(request->body, room + 1);
    if (!body)
        return false;

    request->body = body;
    request->body_room = room;
    http->in_flight_bytes = in_flight;
    return true;
}

static void refuse_busy(struct request *request)
{
    refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "Busy", "too many bodies in flight");
    request->retry_after_s = 1;
}

/* Everything that can be decided before the body is read, in the order of design section 3. */
static void judge_head(struct http *http, struct request *request, const struct head *head, const char *method)
{
    bool chunked = head->transfer_encoding != NULL;
    if (head->malformed || head->n_lengths > 1 ||
        (chunked && (head->n_lengths || strcasecmp(head->transfer_encoding, "chunked") != 0))) {
        refuse(request, MHD_HTTP_BAD_REQUEST, "Bad Request", "malformed headers");
        request->close = true;
    } else if (!request->push_path) {
        refuse(request, MHD_HTTP_NOT_FOUND, "Not Found", "path not found");
    } else if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
        refuse(request, MHD_HTTP_OK, PAGE, NULL);
    } else if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed", "method not allowed");
    } else if (head->content_encoding && strcasecmp(head->content_encoding, "identity") != 0) {
        refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Unsupported Content-Encoding",
               "unsupported content encoding");
    } else if (head->length > http->settings.body_bytes) {
        refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "Body Too Large", "body too large");
    } else if (!grow_body(http, request, chunked ? HTTP_POOL_BYTES : head->length)) {
        refuse_busy(request);
    }
    if (request->refusal && (head->expects_continue || head->length > http->settings.body_bytes + HTTP_DRAIN_BYTES))
        request->close = true;
}

static void drop_body(struct http *http, struct request *request)
{
    free(request->body);
    request->body = NULL;
    http->in_flight_bytes -= counted_bytes(request->body_room);
    request->body_size = request->body_room = 0;
}

static void take_piece(struct http *http, struct request *request, const char *piece, size_t size)
{
    size_t whole = request->body_size + size, room = request->body_room ? request->body_room : HTTP_POOL_BYTES;
    while (room < whole)
        room *= 2;
    if (room > http->settings.body_bytes)
        room = http->settings.body_bytes;
    if (whole > http->settings.body_bytes)
        refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "Body Too Large", "body too large");
    else if (whole > request->body_room && !grow_body(http, request, room))
        refuse_busy(request);
    if (request->refusal) {
        drop_body(http, request);
        return;
    }
    memcpy(request->body + request->body_size, piece, size);
    request->body_size = whole;
}

static struct MHD_Response *new_response(const struct request *request, const struct http_answer *answer)
{
    bool constant = answer->text != answer->text_buffer;
    union {
        const char *from;
        void *buffer;
    } text = { .from = answer->text };
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(answer->text), text.buffer,
                                        constant ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    if (!response)
        return NULL;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST");
    if (answer->retry_after_s) {
        char seconds[16];
        snprintf(seconds, sizeof(seconds), "%u", answer->retry_after_s);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    if (request->close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return response;
}

/* The few answers that are always the same are made once. */
static struct MHD_Response *find_response(struct http *http, const struct request *request,
                                          const struct http_answer *answer, bool *ret_cached)
{
    *ret_cached = answer->text != answer->text_buffer && !answer->retry_after_s && !request->close;
    if (!*ret_cached)
        return new_response(request, answer);

    for (size_t i = 0; i < HTTP_CACHED_ANSWERS; i++) {
        struct cached_answer *cached = &http->cached[i];
        if (!cached->response)
            *cached = (struct cached_answer){ answer->status, answer->text, new_response(request, answer) };
        if (cached->response && cached->status == answer->status && cached->text == answer->text)
            return cached->response;
    }
    *ret_cached = false;
    return new_response(request, answer);
}

static enum MHD_Result send_answer(struct http *http, struct MHD_Connection *mhd, const struct request *request,
                                   const struct http_answer *answer)
{
    bool cached;
    struct MHD_Response *response = find_response(http, request, answer, &cached);
    if (!response)
        return MHD_NO;

    enum MHD_Result result = MHD_queue_response(mhd, answer->status, response);
    if (!cached)
        MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_refusal(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;
    struct http *http = connection->http;
    struct http_answer answer = { .status = request->refusal,
                                  .text = request->text,
                                  .retry_after_s = request->retry_after_s };
    if (request->what)
        http->callbacks.refused(http->callbacks.userdata, &connection->origin, request->what);
    return send_answer(http, mhd, request, &answer);
}

static enum MHD_Result send_ticket(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;
    enum MHD_Result result = send_answer(connection->http, mhd, request, &request->ticket->answer);
    free(request->ticket);
    request->ticket = NULL;
    return result;
}

/* An answer that comes later leaves the request without a response, and libmicrohttpd asks again in every round
 * (MHD_CONNECTION_FULL_REQ_RECEIVED in its connection.c). That is cheaper by three system calls a request than
 * suspending and resuming the connection, and leaves nothing suspended to hang at the end. */
static enum MHD_Result handle_post(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;
    struct http *http = connection->http;
    struct http_ticket *ticket = malloc(sizeof(*ticket));
    if (!ticket)
        return MHD_NO;

    ticket->answer = (struct http_answer){ 0 };
    ticket->connection = connection;
    request->ticket = ticket;
    request->body[request->body_size] = '\0';
    http->callbacks.post(http->callbacks.userdata,
                         &(struct http_request){ .origin = &connection->origin,
                                                 .peer_address = &connection->address,
                                                 .take_body = &request->body,
                                                 .body_size = request->body_size,
                                                 .ticket = ticket },
                         &ticket->answer);
    if (ticket->answer.status)
        return send_ticket(connection, mhd);
    http->n_waiting++;
    return MHD_YES;
}

void requests_answered(struct http *http, struct http_ticket *tickets)
{
    for (struct http_ticket *ticket = tickets, *next; ticket; ticket = next) {
        next = ticket->next;
        if (!ticket->connection) {
            free(ticket);
            continue;
        }
        ticket->connection->request.answered = true;
        http->n_waiting--;
    }
}

void *request_first_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct http *http = cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info->socket_context;

    http->n_steps++;
    connection->request.reading = true;
    connection->request.push_path = is_push_path(http, uri);
    connection->since_us = connection->progress_us = http->now_us;
    return connection;
}

enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
    struct http *http = cls;
    struct connection *connection = *con_cls;
    struct request *request = &connection->request;
    (void) url; /* with its %XX decoded; request_first_line saw what was sent */
    (void) version;
    connection->progress_us = http->now_us;

    if (request->ticket && !request->answered)
        return MHD_YES;
    http->n_steps++;
    if (request->ticket)
        return send_ticket(connection, mhd);
    if (!request->seen) {
        struct head head = { 0 };
        request->seen = true;
        MHD_get_connection_values(mhd, MHD_HEADER_KIND, read_header, &head);
        judge_head(http, request, &head, method);
        return request->close ? send_refusal(connection, mhd) : MHD_YES;
    }
    if (*upload_data_size > 0) {
        if (!request->refusal)
            take_piece(http, request, upload_data, *upload_data_size);
        if (request->refusal)
            request->drained_bytes += *upload_data_size;
        *upload_data_size = 0;
        return request->drained_bytes > HTTP_DRAIN_BYTES ? MHD_NO : MHD_YES;
    }
    return request->refusal ? send_refusal(connection, mhd) : handle_post(connection, mhd);
}

void request_done(struct http *http, struct request *request)
{
    if (request->ticket && !request->answered) {
        request->ticket->connection = NULL; /* it comes back and is freed then */
        http->n_waiting--;
    } else {
        free(request->ticket);
    }
    drop_body(http, request);
    *request = (struct request){ 0 };
}

void request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode code)
{
    struct connection *connection = *con_cls;
    (void) mhd;
    (void) code;
    if (!connection)
        return;
    request_done(cls, &connection->request);
    connection->since_us = connection->progress_us = connection->http->now_us;
}
