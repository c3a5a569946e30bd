/* request.c - one request: its head judged, its body collected within the limits, its answer sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "private.h"

#define PAGE                                                                                                           \
    PROGRAM_NAME " is running and listening for the push events of Sonoran CAD.\n"                                     \
                 "You see this, so the port is open. Enter the address in the CAD's panel.\n"

static void refuse(struct request *request, unsigned status, const char *text, const char *what)
{
    request->refusal = status;
    request->text = text;
    request->what = what;
}

static void refuse_as(struct request *request, enum http_refusal kind, unsigned status, const char *text,
                      const char *what)
{
    request->kind = kind;
    refuse(request, status, text, what);
}

/* Small bodies are not counted: whoever fills in_flight with large ones that never end keeps no event out. */
bool request_counts(size_t body_room)
{
    return body_room > HTTP_SMALL_BYTES;
}

static uint64_t counted_bytes(size_t room)
{
    return request_counts(room) ? room : 0;
}

/* It may hold the key, which shall not outlive it in freed memory. */
static void wipe_body(struct request *request)
{
    if (request->body)
        explicit_bzero(request->body, request->body_size);
    free(request->body);
    request->body = NULL;
}

/* Others give way, as long as there are any that hold more. */
static bool grow_body(struct connection *connection, size_t room)
{
    const struct http *http = connection->http;
    struct request *request = &connection->request;
    uint64_t more = counted_bytes(room) - counted_bytes(request->body_room);
    while (request_counts(room) && http->in_flight_bytes + more > http->settings.in_flight_bytes)
        if (!hosts_give_way(connection->http, SCARCE_BYTES, connection))
            return false;
    char *body = malloc(room + 1);
    if (!body)
        return false;
    if (request->body)
        memcpy(body, request->body, request->body_size);
    wipe_body(request);

    host_hold_bytes(connection, counted_bytes(request->body_room), counted_bytes(room));
    request->body = body;
    request->body_room = room;
    return true;
}

static void refuse_busy(struct request *request)
{
    refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "Busy", "too many bodies in flight");
    request->retry_after_s = 1;
}

static void refuse_too_large(struct request *request)
{
    refuse_as(request, HTTP_REFUSAL_TOO_LARGE, MHD_HTTP_CONTENT_TOO_LARGE, "Body Too Large", "body too large");
}

/* Everything that can be decided before the body is read, in the order of design section 3. */
static void judge_head(struct connection *connection, const struct head *head, const char *method)
{
    const struct http_settings *settings = &connection->http->settings;
    struct request *request = &connection->request;
    bool chunked = head->transfer_encoding != NULL;
    if (head->malformed || head->n_lengths > 1 ||
        (chunked && (head->n_lengths || strcasecmp(head->transfer_encoding, "chunked") != 0))) {
        refuse(request, MHD_HTTP_BAD_REQUEST, "Bad Request", "malformed headers");
        request->close = true;
    } else if (!request->push_path) {
        bool post = strcmp(method, MHD_HTTP_METHOD_POST) == 0; /* others are who look for open doors */
        refuse_as(request, post ? HTTP_REFUSAL_PATH : HTTP_REFUSAL_OTHER, MHD_HTTP_NOT_FOUND, "Not Found",
                  "path not found");
    } else if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0) {
        refuse(request, MHD_HTTP_OK, PAGE, NULL);
    } else if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed", "method not allowed");
    } else if (head->content_encoding && strcasecmp(head->content_encoding, "identity") != 0) {
        refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Unsupported Content-Encoding",
               "unsupported content encoding");
    } else if (head->length > settings->body_bytes) {
        refuse_too_large(request);
    } else if (!grow_body(connection, chunked ? HTTP_PIECE_BYTES : head->length)) {
        refuse_busy(request);
    }
    if (request->refusal && (head->expects_continue || head->length > settings->body_bytes + HTTP_DRAIN_BYTES))
        request->close = true;
}

void request_drop_body(struct connection *connection)
{
    struct request *request = &connection->request;
    wipe_body(request);
    host_hold_bytes(connection, counted_bytes(request->body_room), 0);
    request->body_size = request->body_room = 0;
}

static void take_piece(struct connection *connection, const char *piece, size_t size)
{
    struct request *request = &connection->request;
    uint64_t most = connection->http->settings.body_bytes;
    size_t whole = request->body_size + size, room = request->body_room ? request->body_room : HTTP_PIECE_BYTES;
    while (room < whole)
        room *= 2;
    if (room > most)
        room = most;
    if (whole > most)
        refuse_too_large(request);
    else if (whole > request->body_room && !grow_body(connection, room))
        refuse_busy(request);
    if (request->refusal) {
        request_drop_body(connection);
        return;
    }
    memcpy(request->body + request->body_size, piece, size);
    request->body_size = whole;
}

static enum MHD_Result send_refusal(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;
    struct http *http = connection->http;
    struct http_answer answer = { .status = request->refusal,
                                  .text = request->text,
                                  .retry_after_s = request->retry_after_s };
    if (request->what)
        connection_tell(connection, request->kind, request->what);
    return answer_send(http, mhd, request, &answer);
}

static enum MHD_Result send_ticket(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;
    enum MHD_Result result = answer_send(connection->http, mhd, request, &request->ticket->answer);
    host_look_again(connection);
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

    *ticket = (struct http_ticket){ .connection = connection };
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
            if (ticket->overdue)
                http->callbacks.late(http->callbacks.userdata, ticket);
            free(ticket);
            continue;
        }
        ticket->connection->request.answered = true;
        http->n_waiting--;
    }
}

/* libmicrohttpd asks for the answer in its next run. */
void request_overdue(struct http *http, struct request *request)
{
    struct http_ticket *ticket = request->ticket;
    struct http_answer answer = { 0 };
    ticket->overdue = true;
    ticket->connection = NULL;
    request->ticket = NULL;
    http->n_waiting--;
    if (http->callbacks.overdue(http->callbacks.userdata, ticket, &answer))
        free(ticket);
    refuse(request, answer.status, answer.text, NULL);
    request->retry_after_s = answer.retry_after_s;
}

void *request_first_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct http *http = cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info->socket_context;

    struct span path = path_sent(uri ? uri : "");

    http->n_steps++;
    connection->had_request = true;
    connection->request.reading = true;
    connection->request.push_path = path_is_push(http, path);
    if (!connection->request.push_path)
        snprintf(connection->path, sizeof(connection->path), "%.*s", (int) path.size, path.s);
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
    connection->progress_us = http->now_us;

    if (connection->ending)
        return MHD_NO; /* it gave way */
    if (request->ticket && !request->answered)
        return MHD_YES;
    http->n_steps++;
    if (request->ticket)
        return send_ticket(connection, mhd);
    if (!request->seen) {
        struct head head;
        request->seen = true;
        head_read(mhd, method, http->strict_library, &head);
        judge_head(connection, &head, method);
        request->keeps = !request->close && !head.closes && strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
        return request->close ? send_refusal(connection, mhd) : MHD_YES;
    }
    if (*upload_data_size > 0) {
        if (!request->refusal)
            take_piece(connection, upload_data, *upload_data_size);
        if (request->refusal)
            request->drained_bytes += *upload_data_size;
        *upload_data_size = 0;
        return request->drained_bytes > HTTP_DRAIN_BYTES ? MHD_NO : MHD_YES;
    }
    return request->refusal ? send_refusal(connection, mhd) : handle_post(connection, mhd);
}

void request_done(struct connection *connection)
{
    struct http *http = connection->http;
    struct request *request = &connection->request;
    if (request->ticket && !request->answered) {
        request->ticket->connection = NULL; /* it comes back and is freed then */
        http->n_waiting--;
    } else {
        free(request->ticket);
    }
    request_drop_body(connection);
    connection->path[0] = '\0';
    *request = (struct request){ 0 };
}

/* libmicrohttpd may answer by itself, without a word to us. */
static void tell_of_library(const struct connection *connection, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
    if (!info)
        return;
    unsigned status = info->http_status;
    connection_tell(connection, HTTP_REFUSAL_NOT_HTTP,
                    status == MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE ? "its headers are too large"
                    : status == MHD_HTTP_BAD_REQUEST                   ? "it is malformed"
                                                                       : "its form is not supported");
}

void request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode code)
{
    struct connection *connection = *con_cls;
    (void) cls;
    (void) code;
    if (!connection)
        return;
    if (!connection->request.sent)
        tell_of_library(connection, mhd);
    request_done(connection);
    connection->since_us = connection->progress_us = connection->http->now_us;
}
