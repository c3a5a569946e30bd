/* request.c - one request: its head judged, its body collected within the limits, its answer sent.
 *
 * A ticket stands for a request whose answer comes later. The handler has it from handle() until it hands it back
 * (http_answer_later), or gives it up in overdue(). Until then it is not freed, whatever becomes of the request:
 *   the client goes     request_done leaves it without a connection, and it is freed when it comes back
 *   the time is over    request_overdue answers the request by another ticket; this one is freed at once where the
 *                       handler gives it up, else when it comes back, after late() was told */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_private.h"

#define STREAM_RETRY_AFTER_S 5

static void refuse_as(struct request *request, enum http_refusal kind, unsigned status, const char *what)
{
    request->kind = kind;
    request->refusal = status;
    request->what = what;
}

static void refuse(struct request *request, unsigned status, const char *what)
{
    refuse_as(request, HTTP_REFUSAL_OTHER, status, what);
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

/* Others are evicted for it, as long as there are any that hold more. */
static bool grow_body(struct connection *connection, size_t room)
{
    const struct http *http = connection->http;
    struct request *request = &connection->request;
    uint64_t more = counted_bytes(room) - counted_bytes(request->body_room);
    while (request_counts(room) && http->in_flight_bytes + more > http->settings.in_flight_bytes)
        if (!hosts_evict(connection->http, SCARCE_BYTES, connection))
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
    refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "too many bodies in flight");
    request->retry_after_s = 1;
}

static void refuse_too_large(struct request *request)
{
    refuse_as(request, HTTP_REFUSAL_TOO_LARGE, MHD_HTTP_CONTENT_TOO_LARGE, "body too large");
}

static void refuse_path(struct request *request, const char *method)
{
    bool post = strcmp(method, MHD_HTTP_METHOD_POST) == 0; /* others are who look for open doors */
    refuse_as(request, post ? HTTP_REFUSAL_PATH : HTTP_REFUSAL_OTHER, MHD_HTTP_NOT_FOUND, "path not found");
}

/* Whatever there is. */
static void refuse_whom(struct request *request, const struct http_caller *caller)
{
    refuse(request, caller->refused, caller->what);
    request->retry_after_s = caller->retry_after_s;
}

/* What the method allows it to have, it may have. */
static bool has_body(const struct http_route *route)
{
    return strcmp(route->method, MHD_HTTP_METHOD_GET) != 0;
}

static bool has_other_type(struct connection *connection, const struct head *head)
{
    const struct http_route *route = connection->request.route;
    return route->content_type && (head->length || head->transfer_encoding) &&
           !route_takes_type(route, MHD_lookup_connection_value(connection->mhd, MHD_HEADER_KIND,
                                                                MHD_HTTP_HEADER_CONTENT_TYPE));
}

/* Whether it can be a request of the row that it is for. */
static void judge_body(struct connection *connection, const struct head *head)
{
    struct request *request = &connection->request;
    if (head->content_encoding && strcasecmp(head->content_encoding, "identity") != 0)
        refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "unsupported content encoding");
    else if (has_other_type(connection, head))
        refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "unsupported content type");
    else if (head->length > route_body_max(connection))
        refuse_too_large(request);
    else if (!grow_body(connection, head->transfer_encoding ? HTTP_PIECE_BYTES : head->length))
        refuse_busy(request);
}

static bool is_refused(struct connection *connection, const char *method)
{
    struct request *request = &connection->request;
    request->route = route_find(connection->http, request->rows, method);
    route_ask_who(connection);
    return connection->caller.refused;
}

/* Everything that can be decided before the body is read, in the order of design section 3. */
static void judge_head(struct connection *connection, const struct head *head, const char *method)
{
    const struct http *http = connection->http;
    struct request *request = &connection->request;
    bool chunked = head->transfer_encoding != NULL;
    request->n_configured = http->n_configured;
    const char *what;
    unsigned status;
    if (head->malformed || head->n_lengths > 1 ||
        (chunked && (head->n_lengths || strcasecmp(head->transfer_encoding, "chunked") != 0))) {
        refuse(request, MHD_HTTP_BAD_REQUEST, "malformed headers");
        request->close = true;
    } else if (is_refused(connection, method)) {
        refuse_whom(request, &connection->caller);
    } else if (!request->rows) {
        refuse_path(request, method);
    } else if (!request->route) {
        refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed");
    } else if ((status = route_refuses(connection, &what))) {
        refuse(request, status, what);
    } else if (request->route->stream && !stream_enter(connection)) {
        refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams");
        request->retry_after_s = STREAM_RETRY_AFTER_S;
    } else if (has_body(request->route)) {
        judge_body(connection, head);
    }
    bool drop = request->refusal || !has_body(request->route);
    if (drop && (head->expects_continue || head->length > http->settings.body_bytes + HTTP_DRAIN_BYTES))
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
    uint64_t most = route_body_max(connection);
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
    struct http_answer answer = { .status = request->refusal, .retry_after_s = request->retry_after_s };
    connection_tell(connection, request->kind, request->what);
    http->callbacks.refusal(http->callbacks.userdata, request->refusal, request->what, &answer);
    enum MHD_Result result = answer_send(connection, mhd, &answer);
    answer_done(&answer);
    return result;
}

static void free_ticket(struct http_ticket *ticket)
{
    if (ticket)
        answer_done(&ticket->answer);
    free(ticket);
}

static enum MHD_Result send_ticket(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;
    enum MHD_Result result = answer_send(connection, mhd, &request->ticket->answer);
    host_look_again(connection);
    free_ticket(request->ticket);
    request->ticket = NULL;
    return result;
}

/* An answer that comes later leaves the request without a response, and libmicrohttpd asks again in every round
 * (MHD_CONNECTION_FULL_REQ_RECEIVED in its connection.c). That is cheaper by three system calls a request than
 * suspending and resuming the connection, and leaves nothing suspended to hang at the end. */
static enum MHD_Result handle(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;
    struct http *http = connection->http;
    assert(!request->ticket);
    const char *what;
    unsigned status = route_refuses_now(connection, &what);
    if (status) {
        refuse(request, status, what);
        request_drop_body(connection);
        return send_refusal(connection, mhd);
    }
    struct http_ticket *ticket = malloc(sizeof(*ticket));
    if (!ticket)
        return MHD_NO;

    *ticket = (struct http_ticket){ .connection = connection };
    text_copy(ticket->listener, sizeof(ticket->listener), connection->origin.listener);
    request->ticket = ticket;
    if (request->body)
        request->body[request->body_size] = '\0';
    if (has_body(request->route))
        report_observe(&http->values.body_bytes, &http_body_limits, request->body_size);
    struct http_request asked = route_request(connection);
    struct http_answer at_once = { 0 }; /* not the ticket's, which another thread may have answered by now */
    request->route->handle(http->callbacks.userdata, &asked, &at_once);
    if (at_once.status) {
        ticket->answer = at_once;
        return send_ticket(connection, mhd);
    }
    http->n_waiting++;
    return MHD_YES;
}

void request_answered_all(struct http *http, struct http_ticket *tickets)
{
    for (struct http_ticket *ticket = tickets, *next; ticket; ticket = next) {
        next = ticket->next;
        if (!ticket->connection) {
            if (ticket->overdue)
                http->callbacks.late(http->callbacks.userdata, ticket);
            free_ticket(ticket);
            continue;
        }
        assert(ticket->connection->request.ticket == ticket && !ticket->connection->request.answered);
        ticket->connection->request.answered = true;
        http->n_waiting--;
    }
}

/* libmicrohttpd asks for the answer in its next run. The ticket comes back later, if it was not given up: another one
 * has the answer then. */
void request_overdue(struct connection *connection)
{
    struct request *request = &connection->request;
    struct http *http = connection->http;
    struct http_ticket *ticket = request->ticket, *instead = malloc(sizeof(*instead));
    assert(ticket && !request->answered);
    if (!instead)
        return; /* it is looked at again */

    *instead = (struct http_ticket){ .connection = connection };
    ticket->overdue = true;
    ticket->connection = NULL;
    request->ticket = instead;
    request->answered = true;
    http->n_waiting--;
    if (http->callbacks.overdue(http->callbacks.userdata, ticket, &instead->answer))
        free_ticket(ticket);
}

void *request_first_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct http *http = cls;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info->socket_context;

    struct span path = route_path(uri ? uri : "");

    http->n_steps++;
    connection->had_request = true;
    connection->request.reading = true;
    connection->request.rows = routes_with_path(http, path);
    if (!connection->request.rows)
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
        return MHD_NO; /* evicted */
    if (request->ticket && !request->answered)
        return MHD_YES;
    http->n_steps++;
    if (request->ticket)
        return send_ticket(connection, mhd);
    if (!request->seen) {
        struct head head;
        request->seen = true;
        request->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
        head_read(mhd, method, http->strict_library, &head);
        judge_head(connection, &head, method);
        request->keeps = !request->close && !head.closes && strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
        if (!request->close)
            return MHD_YES;
        return request->refusal ? send_refusal(connection, mhd) : handle(connection, mhd);
    }
    if (*upload_data_size > 0) {
        if (!request->refusal && has_body(request->route))
            take_piece(connection, upload_data, *upload_data_size);
        else
            request->drained_bytes += *upload_data_size;
        *upload_data_size = 0;
        return request->drained_bytes > HTTP_DRAIN_BYTES ? MHD_NO : MHD_YES;
    }
    return request->refusal ? send_refusal(connection, mhd) : handle(connection, mhd);
}

void request_done(struct connection *connection)
{
    struct http *http = connection->http;
    struct request *request = &connection->request;
    if (request->ticket && !request->answered) {
        request->ticket->connection = NULL; /* it comes back and is freed then */
        http->n_waiting--;
    } else {
        free_ticket(request->ticket);
    }
    request_drop_body(connection);
    answer_forget(connection);
    stream_forget_pause(connection);
    stream_leave(connection);
    connection->path[0] = '\0';
    route_forget_caller(&connection->caller);
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
