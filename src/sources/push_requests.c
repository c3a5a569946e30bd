/* push_requests.c - a posted body: whose it is, what it says, and the status it is answered with.
 *
 * What is stored is answered later: post() hands the batch to the writer with the request's ticket. The writer's thread
 * puts the answer into the ticket (push_settled) and hands all tickets of a transaction back to http at once
 * (push_settled_all), so that the HTTP thread is woken once for all of them. */
#include <assert.h>
#include <string.h>

#include "push_private.h"

#define STORAGE_RETRY_AFTER_S 5
#define LARGE_BODY_BYTES 16384 /* takes a millisecond or more of the HTTP thread, which all share */

static void make_origin(const struct http_origin *from, struct origin *ret)
{
    static_assert(sizeof(from->peer) <= sizeof(ret->peer), "a peer fits into an origin");
    text_copy(ret->source, sizeof(ret->source), EVENT_SOURCE_PUSH);
    text_copy(ret->name, sizeof(ret->name), from->listener);
    text_copy(ret->peer, sizeof(from->peer), from->peer);
}

static bool refuse_blocked(struct push *push, const struct http_request *request, const struct origin *origin,
                           usec_t now, struct http_answer *ret)
{
    usec_t wait = gate_wait_us(push->door, request->peer_address, now);
    if (!wait)
        return false;
    push_answer(ret, 429, "Too Many Requests");
    gate_note(push->door, origin->name, GATE_WRONG_KEY, origin->peer, "");
    ret->retry_after_s = (unsigned) ((wait + USEC_PER_SEC - 1) / USEC_PER_SEC);
    gate_refuse(push->door,
                &(struct gate_refusal){ .origin = origin, .reason = "too many wrong keys from one address" });
    return true;
}

static void answer_busy(struct push *push, const struct origin *origin, const char *reason, struct http_answer *ret)
{
    push_answer(ret, 503, "Busy");
    ret->retry_after_s = 1;
    gate_count(push->door, origin->name, GATE_NOT_STORED);
    gate_refuse(push->door, &(struct gate_refusal){ .origin = origin, .reason = reason });
}

static void refuse(struct push *push, const struct http_request *request, const struct gate_refusal *what,
                   enum envelope_refusal refusal, usec_t now, struct http_answer *ret)
{
    struct gate_refusal told = *what;
    switch (refusal) {
    case ENVELOPE_OK:
        return;
    case ENVELOPE_JSON:
        push_answer(ret, 400, "Invalid JSON");
        gate_count(push->door, told.origin->name, GATE_MALFORMED);
        told.detail = what->reason;
        told.reason = "body is not sound JSON";
        break;
    case ENVELOPE_KEY:
        push_answer(ret, 400, "Authentication Key Failed!");
        gate_note(push->door, told.origin->name, GATE_WRONG_KEY, told.origin->peer, "");
        gate_wrong_key(push->door, request->peer_address, now);
        if (gate_knows(push->door, request->peer_address, now))
            told.detail = "this address had a right key within a day";
        break;
    case ENVELOPE_SIZE:
        push_answer_invalid(ret, what->reason);
        gate_count(push->door, told.origin->name, GATE_INVALID);
        break;
    case ENVELOPE_MEMORY:
        answer_busy(push, told.origin, "out of memory", ret);
        return;
    }
    gate_refuse(push->door, &told);
}

static void post(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct push *push = userdata;
    usec_t now = uptime_us();
    char claimed[EVENT_TYPE_MAX_BYTES + 1];
    struct origin origin;
    struct batch batch;
    struct err err = { "" };

    make_origin(request->origin, &origin);
    if (refuse_blocked(push, request, &origin, now, ret))
        return;
    if (request->body_size > LARGE_BODY_BYTES && !pipeline_wants_large(push->way_in)) {
        answer_busy(push, &origin, "too much waits to be stored", ret);
        return;
    }
    char *body = *request->take_body;
    *request->take_body = NULL;
    enum envelope_refusal refusal =
        envelope_parse(body, request->body_size, push->rules, &origin, now_us(), &batch, claimed, &err);
    if (refusal == ENVELOPE_OK || refusal == ENVELOPE_SIZE)
        gate_right_key(push->door, request->peer_address, now);
    if (refusal != ENVELOPE_OK) {
        const struct gate_refusal told = { .origin = &origin, .reason = err.msg, .claimed = claimed };
        refuse(push, request, &told, refusal, now, ret);
        return;
    }
    if (pipeline_submit(push->way_in, &batch, request->ticket) == 0)
        return; /* answered when it is stored */
    batch_done(&batch);
    answer_busy(push, &origin, "too much waits to be stored", ret);
}

static bool is_for_push(void *userdata, struct span path)
{
    const struct push *push = userdata;
    return push_path_is_meant((const char *const *) push->config->paths, push->config->n_paths, path);
}

static bool overdue(void *userdata, struct http_ticket *ticket, struct http_answer *ret)
{
    struct push *push = userdata;
    push_answer(ret, 503, "Storage Unavailable");
    ret->retry_after_s = STORAGE_RETRY_AFTER_S;
    gate_count(push->door, ticket->listener, GATE_NOT_STORED);
    return pipeline_withdraw(push->way_in, ticket, push->config->limits.request_time_us) == 0;
}

static void late(void *userdata, const struct http_ticket *ticket)
{
    struct push *push = userdata;
    if (!ticket->event_id)
        return;
    if (!push->n_late++)
        push->first_late_id = ticket->event_id;
}

/* Those of one transaction come back together. */
void push_tell_late(struct push *push)
{
    unsigned long long id = push->first_late_id;
    if (push->n_late == 1)
        log_line(LOG_WARNING, LOG_ID_STORED_LATE,
                 "event %llu was stored late, after its sender was answered 503: the disk took too long", id);
    else if (push->n_late)
        log_line(LOG_WARNING, LOG_ID_STORED_LATE,
                 "%u events, the first is %llu, were stored late, after their senders were answered 503: the disk took "
                 "too long",
                 push->n_late, id);
    push->n_late = 0;
}

static void round_done(void *userdata)
{
    struct push *push = userdata;
    push_tell_late(push);
    pipeline_flush(push->way_in);
}

static void refused(void *userdata, const struct http_origin *from, enum http_refusal kind, const char *what,
                    const char *path)
{
    static const enum gate_count counts[] = {
        [HTTP_REFUSAL_OTHER] = GATE_N_COUNTS,          [HTTP_REFUSAL_PATH] = GATE_NOT_FOUND,
        [HTTP_REFUSAL_TOO_LARGE] = GATE_TOO_LARGE,     [HTTP_REFUSAL_ADDRESS] = GATE_NOT_ALLOWED,
        [HTTP_REFUSAL_CONNECTIONS] = GATE_CONNECTIONS, [HTTP_REFUSAL_NOT_HTTP] = GATE_NOT_HTTP
    };
    struct push *push = userdata;
    struct origin origin;
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    make_origin(from, &origin);
    push_shown_path_add(push->rules, path, &safe);
    if (counts[kind] < GATE_N_COUNTS)
        gate_note(push->door, origin.name, counts[kind], origin.peer, kind == HTTP_REFUSAL_NOT_HTTP ? what : safe.s);
    const char *shown = safe.size ? safe.s : NULL;
    struct gate_refusal told = { .origin = &origin, .reason = what, .detail = shown, .path = shown };
    struct text limit CLEANUP(text_free) = TEXT_INIT;
    if (kind == HTTP_REFUSAL_TOO_LARGE) {
        text_add(&limit, "limit ");
        text_add_size(&limit, push->config->limits.body_bytes);
        told.detail = limit.s;
    }
    gate_refuse(push->door, &told);
}

static bool known(void *userdata, const struct in6_addr *host)
{
    const struct push *push = userdata;
    return gate_knows(push->door, host, uptime_us());
}

static bool allowed(void *userdata, const char *name, const struct in6_addr *address)
{
    const struct push *push = userdata;
    const struct config *config = push->config;
    const struct config_listener *listener = NULL;
    for (size_t i = 0; i < config->n_listeners && !listener; i++)
        if (strcmp(config->listeners[i].name, name) == 0)
            listener = &config->listeners[i];
    bool is_in = !listener || !listener->n_allow;
    for (size_t i = 0; !is_in && i < listener->n_allow; i++)
        is_in = network_has(&listener->networks[i], address);
    return is_in;
}

static const struct http_route rows[] = {
    { .method = "POST", .matches = is_for_push, .handle = post },
    { .method = "GET", .matches = is_for_push, .handle = push_show_page },
};
const struct http_routes push_routes = { .rows = rows, .n = ARRAY_SIZE(rows) };

struct http_callbacks push_callbacks(struct push *push)
{
    return (struct http_callbacks){ .userdata = push,
                                    .refusal = push_answer_refusal,
                                    .round = round_done,
                                    .refused = refused,
                                    .overdue = overdue,
                                    .late = late,
                                    .known = known,
                                    .allowed = allowed };
}

/* ---- in the writer's thread ---- */

void push_settled(void *userdata, void *handed_back, const struct event *first, int r)
{
    struct push *push = userdata;
    struct http_ticket *ticket = handed_back;
    assert(!ticket->answer.status);
    if (r < 0) {
        push_answer(&ticket->answer, 503, "Storage Unavailable");
        gate_count(push->door, ticket->listener, GATE_NOT_STORED);
        ticket->answer.retry_after_s = STORAGE_RETRY_AFTER_S;
    } else {
        push_answer_verdict(first, &ticket->answer);
        ticket->event_id = first->id;
        gate_count(push->door, ticket->listener,
                   (enum gate_count) first->verdict); /* the first three are the verdicts */
    }
    ticket->next = NULL;
    *(push->answered ? push->answered_end : &push->answered) = ticket;
    push->answered_end = &ticket->next;
}

void push_settled_all(void *userdata)
{
    struct push *push = userdata;
    struct http_ticket *answered = push->answered;
    push->answered = NULL;
    http_answer_later(push->http, answered);
}
