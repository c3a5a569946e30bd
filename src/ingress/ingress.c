/* ingress.c - a posted body: whose it is, what it says, and the status it is answered with. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <stdatomic.h>

#include "private.h"

#define STORAGE_RETRY_AFTER_S 5
#define STORED_PER_BODY 4 /* of limits.body: so much of one request is stored at most */
/* Parsed, a body takes three times its size as a rule, and one that is nothing but "[1,1,…" 32 times: a few of those
 * would fill a small machine, once in the HTTP thread and again for each action. */
#define PARSED_PER_BODY 8

struct ingress {
    const struct config *config;
    struct event_community *communities;
    struct envelope_rules rules;
    struct pipeline *pipeline;
    struct http *http;
    struct http_ticket *answered, **answered_end; /* of the writer: a transaction's answers */
    unsigned n_late;                              /* of the HTTP thread, in this round of its loop */
    uint64_t first_late_id;
    struct known known;
    struct limiter limiter;
    struct refusals refusals;
    _Atomic uint64_t counts[INGRESS_N_COUNTS];
    pthread_mutex_t lock; /* what follows */
    struct ingress_last last[INGRESS_N_COUNTS];
};

/* what: made safe */
static void note(struct ingress *ingress, enum ingress_count count, const struct http_origin *origin, const char *what)
{
    struct ingress_last last = { .at_us = now_us() };
    snprintf(last.what, sizeof(last.what), "%s", what);
    memcpy(last.peer, origin->peer, sizeof(last.peer));

    ingress->counts[count]++;
    pthread_mutex_lock(&ingress->lock);
    ingress->last[count] = last;
    pthread_mutex_unlock(&ingress->lock);
}

static void answer(struct http_answer *ret, unsigned status, const char *text)
{
    ret->status = status;
    ret->text = text;
}

static bool is_known(const struct ingress *ingress, const struct http_origin *origin)
{
    struct in6_addr host;
    return hosts_read(origin->peer, &host) && known_has(&ingress->known, &host, uptime_us());
}

/* Loud where it may be the CAD: an address that had a right key, a type that exists. The rest is the noise of
 * strangers, which every open port has. */
static void tell(struct ingress *ingress, struct refusal refusal)
{
    const struct event_family *family;
    const char *claimed = refusal.claimed && *refusal.claimed ? refusal.claimed : NULL;
    bool real = claimed && event_find_type(ingress->rules.families, claimed, &family);
    refusal.known = is_known(ingress, refusal.origin);
    refusal.level = refusal.known || real ? LOG_WARNING : LOG_INFO;
    refusals_tell(&ingress->refusals, &refusal);
}

/* An address with too many wrong keys is not listened to, but where a right one came from there too: behind one address
 * may be many, and nobody may silence another one's CAD. */
static bool refuse_blocked(struct ingress *ingress, const struct http_request *request, usec_t now,
                           struct http_answer *ret)
{
    const struct config *config = ingress->config;
    usec_t wait = limiter_wait_us(&ingress->limiter, request->peer_address, config->limits.failed_keys,
                                  config->limits.failed_keys_window_us, now);
    if (!wait || is_known(ingress, request->origin))
        return false;

    answer(ret, 429, "Too Many Requests");
    note(ingress, INGRESS_WRONG_KEY, request->origin, "");
    ret->retry_after_s = (unsigned) ((wait + USEC_PER_SEC - 1) / USEC_PER_SEC);
    tell(ingress, (struct refusal){ .origin = request->origin, .reason = "too many wrong keys from one address" });
    return true;
}

static void refuse(struct ingress *ingress, const struct http_request *request, enum envelope_refusal refusal,
                   const char *claimed, const struct err *err, usec_t now, struct http_answer *ret)
{
    struct refusal told = { .origin = request->origin, .reason = err->msg, .claimed = claimed };
    switch (refusal) {
    case ENVELOPE_OK:
        return;
    case ENVELOPE_JSON:
        answer(ret, 400, "Invalid JSON");
        ingress->counts[INGRESS_MALFORMED]++;
        told.reason = "body is not sound JSON";
        told.detail = err->msg;
        break;
    case ENVELOPE_KEY:
        answer(ret, 400, "Authentication Key Failed!");
        note(ingress, INGRESS_WRONG_KEY, request->origin, "");
        limiter_failed(&ingress->limiter, request->peer_address, ingress->config->limits.failed_keys_window_us, now);
        if (is_known(ingress, request->origin))
            told.detail = "this address had a right key within a day";
        break;
    case ENVELOPE_SIZE:
        snprintf(ret->text_buffer, sizeof(ret->text_buffer), "Invalid Data: %s", err->msg);
        answer(ret, 400, ret->text_buffer);
        ingress->counts[INGRESS_INVALID]++;
        break;
    case ENVELOPE_MEMORY:
        answer(ret, 503, "Busy");
        ret->retry_after_s = 1;
        ingress->counts[INGRESS_NOT_STORED]++;
        told.reason = "out of memory";
    }
    tell(ingress, told);
}

static void answer_verdict(const struct event *event, struct http_answer *ret)
{
    switch (event->verdict) {
    case EVENT_ACCEPTED:
        answer(ret, 200, "ok");
        return;
    case EVENT_UNKNOWN:
        answer(ret, 400, "Invalid Type");
        return;
    case EVENT_INVALID:
        snprintf(ret->text_buffer, sizeof(ret->text_buffer), "Invalid Data: %s", event->reason);
        answer(ret, 400, ret->text_buffer);
    }
}

static void post(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct ingress *ingress = userdata;
    usec_t now = uptime_us();
    char claimed[EVENT_TYPE_MAX_BYTES + 1];
    struct batch batch;
    struct err err = { "" };

    if (refuse_blocked(ingress, request, now, ret))
        return;
    char *body = *request->take_body;
    *request->take_body = NULL;
    enum envelope_refusal refusal =
        envelope_parse(body, request->body_size, &ingress->rules, request->origin, now_us(), &batch, claimed, &err);
    if (refusal == ENVELOPE_OK || refusal == ENVELOPE_SIZE) {
        struct in6_addr host = http_host_of(request->peer_address);
        known_add(&ingress->known, &host, now + KNOWN_US);
    }
    if (refusal != ENVELOPE_OK) {
        refuse(ingress, request, refusal, claimed, &err, now, ret);
        return;
    }
    if (pipeline_submit(ingress->pipeline, &batch, request->ticket) == 0)
        return; /* answered when it is stored */
    batch_done(&batch);
    answer(ret, 503, "Busy");
    ret->retry_after_s = 1;
    ingress->counts[INGRESS_NOT_STORED]++;
    tell(ingress, (struct refusal){ .origin = request->origin, .reason = "too much waits to be stored" });
}

static bool overdue(void *userdata, struct http_ticket *ticket, struct http_answer *ret)
{
    struct ingress *ingress = userdata;
    answer(ret, 503, "Storage Unavailable");
    ret->retry_after_s = STORAGE_RETRY_AFTER_S;
    ingress->counts[INGRESS_NOT_STORED]++;
    return pipeline_withdraw(ingress->pipeline, ticket, ingress->config->limits.request_time_us) == 0;
}

static void late(void *userdata, const struct http_ticket *ticket)
{
    struct ingress *ingress = userdata;
    if (!ticket->event_id)
        return;
    if (!ingress->n_late++)
        ingress->first_late_id = ticket->event_id;
}

/* Those of one transaction come back together. */
static void tell_late(struct ingress *ingress)
{
    unsigned long long id = ingress->first_late_id;
    if (ingress->n_late == 1)
        log_line(LOG_WARNING, LOG_ID_STORED_LATE,
                 "event %llu was stored late, after its sender was answered 503: the disk took too long", id);
    else if (ingress->n_late)
        log_line(LOG_WARNING, LOG_ID_STORED_LATE,
                 "%u events, the first is %llu, were stored late, after their senders were answered 503: the disk took "
                 "too long",
                 ingress->n_late, id);
    ingress->n_late = 0;
}

static void round_done(void *userdata)
{
    struct ingress *ingress = userdata;
    tell_late(ingress);
    pipeline_flush(ingress->pipeline);
}

/* ---- in the writer's thread ---- */

static void stored(void *userdata, void *handed_back, const struct event *first, int r)
{
    struct ingress *ingress = userdata;
    struct http_ticket *ticket = handed_back;
    if (r < 0) {
        answer(&ticket->answer, 503, "Storage Unavailable");
        ingress->counts[INGRESS_NOT_STORED]++;
        ticket->answer.retry_after_s = STORAGE_RETRY_AFTER_S;
    } else {
        answer_verdict(first, &ticket->answer);
        ticket->event_id = first->id;
        ingress->counts[first->verdict]++; /* the first three are the verdicts */
    }
    ticket->next = NULL;
    *(ingress->answered ? ingress->answered_end : &ingress->answered) = ticket;
    ingress->answered_end = &ticket->next;
}

static void all_stored(void *userdata)
{
    struct ingress *ingress = userdata;
    struct http_ticket *answered = ingress->answered;
    ingress->answered = NULL;
    http_answer_later(ingress->http, answered);
}

static void refused(void *userdata, const struct http_origin *origin, enum http_refusal kind, const char *what,
                    const char *path)
{
    static const enum ingress_count counts[] = { [HTTP_REFUSAL_OTHER] = INGRESS_N_COUNTS,
                                                 [HTTP_REFUSAL_PATH] = INGRESS_NOT_FOUND,
                                                 [HTTP_REFUSAL_TOO_LARGE] = INGRESS_TOO_LARGE,
                                                 [HTTP_REFUSAL_CONNECTIONS] = INGRESS_CONNECTIONS,
                                                 [HTTP_REFUSAL_NOT_HTTP] = INGRESS_NOT_HTTP };
    struct ingress *ingress = userdata;
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    path_show(&ingress->rules, path, &safe);
    if (counts[kind] < INGRESS_N_COUNTS)
        note(ingress, counts[kind], origin, kind == HTTP_REFUSAL_NOT_HTTP ? what : safe.s);
    const char *shown = safe.size ? safe.s : NULL;
    struct refusal told = { .origin = origin, .reason = what, .detail = shown, .path = shown };
    struct text limit CLEANUP(text_free) = TEXT_INIT;
    if (kind == HTTP_REFUSAL_TOO_LARGE) {
        text_add(&limit, "limit ");
        text_add_size(&limit, ingress->config->limits.body_bytes);
        told.detail = limit.s;
    }
    tell(ingress, told);
}

static bool known(void *userdata, const struct in6_addr *host)
{
    const struct ingress *ingress = userdata;
    return known_has(&ingress->known, host, uptime_us());
}

void ingress_heard(void *userdata, const char *peer, usec_t time_us)
{
    struct ingress *ingress = userdata;
    struct in6_addr host;
    usec_t now = now_us(), age = now > time_us ? now - time_us : 0;
    if (age < KNOWN_US && hosts_read(peer, &host))
        known_add(&ingress->known, &host, uptime_us() + KNOWN_US - age);
}

static size_t count_keys(const struct config *config)
{
    size_t n = 0;
    for (size_t i = 0; i < config->n_communities; i++)
        n += config->communities[i].n_api_keys;
    return n;
}

int ingress_configure(struct ingress *ingress, const struct config *config)
{
    size_t n_keys = count_keys(config), n = 0;
    struct event_community *communities = calloc(n_keys, sizeof(*communities));
    if (!communities)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_communities; i++)
        for (size_t k = 0; k < config->communities[i].n_api_keys; k++)
            communities[n++] =
                (struct event_community){ config->communities[i].name, config->communities[i].api_keys[k] };

    free(ingress->communities);
    ingress->communities = communities;
    ingress->config = config;
    ingress->rules.communities = communities;
    ingress->rules.n_communities = n_keys;
    ingress->rules.max_stored_bytes = STORED_PER_BODY * config->limits.body_bytes;
    ingress->rules.max_parsed_bytes = PARSED_PER_BODY * config->limits.body_bytes;
    ingress->rules.accept_unknown_types = config->unknown_types == UNKNOWN_TYPES_ACCEPT;
    pipeline_configure(ingress->pipeline,
                       &(struct pipeline_settings){ config->log.payload_bytes, config->limits.in_flight_bytes,
                                                    config->n_communities > 1 });
    return 0;
}

int ingress_new(struct ingress **ret, const struct config *config, const struct event_families *families,
                struct pipeline *pipeline)
{
    struct ingress *ingress = calloc(1, sizeof(*ingress));
    if (!ingress)
        return -ENOMEM;
    pthread_mutex_init(&ingress->refusals.lock, NULL);
    pthread_mutex_init(&ingress->lock, NULL);
    ingress->known.seed = ingress->limiter.seed = hosts_seed();
    ingress->pipeline = pipeline;
    ingress->rules.families = families;
    int r = ingress_configure(ingress, config);
    if (r < 0) {
        ingress_free(ingress);
        return r;
    }
    *ret = ingress;
    return 0;
}

struct ingress *ingress_free(struct ingress *ingress)
{
    if (!ingress)
        return NULL;
    pthread_mutex_destroy(&ingress->refusals.lock);
    pthread_mutex_destroy(&ingress->lock);
    free(ingress->communities);
    free(ingress);
    return NULL;
}

struct http_callbacks ingress_callbacks(struct ingress *ingress)
{
    return (struct http_callbacks){ .userdata = ingress,
                                    .post = post,
                                    .round = round_done,
                                    .refused = refused,
                                    .overdue = overdue,
                                    .late = late,
                                    .known = known };
}

struct pipeline_callbacks ingress_answers(struct ingress *ingress, struct http *http)
{
    ingress->http = http;
    return (struct pipeline_callbacks){ .userdata = ingress, .answer = stored, .done = all_stored };
}

const char *ingress_count_name(enum ingress_count count)
{
    static const char *const names[INGRESS_N_COUNTS] = {
        [INGRESS_ACCEPTED] = "accepted",   [INGRESS_UNKNOWN] = "unknown",     [INGRESS_INVALID] = "invalid",
        [INGRESS_MALFORMED] = "malformed", [INGRESS_WRONG_KEY] = "wrong_key", [INGRESS_NOT_STORED] = "busy",
        [INGRESS_NOT_FOUND] = "not_found", [INGRESS_TOO_LARGE] = "too_large", [INGRESS_CONNECTIONS] = "connections",
        [INGRESS_NOT_HTTP] = "not_http",
    };
    return names[count];
}

void ingress_get_status(struct ingress *ingress, struct ingress_status *ret)
{
    for (size_t i = 0; i < INGRESS_N_COUNTS; i++)
        ret->counts[i] = ingress->counts[i];
    pthread_mutex_lock(&ingress->lock);
    memcpy(ret->last, ingress->last, sizeof(ret->last));
    pthread_mutex_unlock(&ingress->lock);
}

void ingress_tick(struct ingress *ingress)
{
    refusals_sum_up(&ingress->refusals);
}
