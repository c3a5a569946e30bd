/* ingress.c - a posted body: whose it is, what it says, and the status it is answered with. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <stdatomic.h>

#include "private.h"

#define STORAGE_RETRY_AFTER_S 5

struct ingress {
    const struct config *config;
    struct event_community *communities;
    struct envelope_rules rules;
    struct pipeline *pipeline;
    struct http *http;
    struct http_ticket *answered, **answered_end; /* of the writer: a transaction's answers */
    struct limiter limiter;
    struct refusals refusals;
    _Atomic uint64_t counts[INGRESS_N_COUNTS];
    pthread_mutex_t lock; /* what follows */
    usec_t wrong_key_us;
    char wrong_key_peer[INET6_ADDRSTRLEN];
};

static void note_wrong_key(struct ingress *ingress, const struct http_origin *origin)
{
    ingress->counts[INGRESS_WRONG_KEY]++;
    pthread_mutex_lock(&ingress->lock);
    ingress->wrong_key_us = now_us();
    memcpy(ingress->wrong_key_peer, origin->peer, sizeof(ingress->wrong_key_peer));
    pthread_mutex_unlock(&ingress->lock);
}

static void answer(struct http_answer *ret, unsigned status, const char *text)
{
    ret->status = status;
    ret->text = text;
}

/* An address with too many wrong keys is not listened to. */
static bool refuse_blocked(struct ingress *ingress, const struct http_request *request, usec_t now,
                           struct http_answer *ret)
{
    const struct config *config = ingress->config;
    usec_t wait = limiter_wait_us(&ingress->limiter, request->peer_address, config->limits.failed_keys,
                                  config->limits.failed_keys_window_us, now);
    if (!wait)
        return false;

    answer(ret, 429, "Too Many Requests");
    note_wrong_key(ingress, request->origin);
    ret->retry_after_s = (unsigned) ((wait + USEC_PER_SEC - 1) / USEC_PER_SEC);
    refusals_tell(&ingress->refusals, request->origin, "too many wrong keys from one address", NULL, NULL);
    return true;
}

static void refuse(struct ingress *ingress, const struct http_request *request, enum envelope_refusal refusal,
                   const char *claimed, const struct err *err, usec_t now, struct http_answer *ret)
{
    switch (refusal) {
    case ENVELOPE_OK:
        return;
    case ENVELOPE_JSON:
        answer(ret, 400, "Invalid JSON");
        ingress->counts[INGRESS_MALFORMED]++;
        refusals_tell(&ingress->refusals, request->origin, "body is not sound JSON", err->msg, NULL);
        return;
    case ENVELOPE_KEY:
        answer(ret, 400, "Authentication Key Failed!");
        note_wrong_key(ingress, request->origin);
        limiter_failed(&ingress->limiter, request->peer_address, ingress->config->limits.failed_keys_window_us, now);
        refusals_tell(&ingress->refusals, request->origin, err->msg, NULL, claimed);
        return;
    case ENVELOPE_TYPE:
        answer(ret, 400, "Invalid Type");
        ingress->counts[INGRESS_MALFORMED]++;
        refusals_tell(&ingress->refusals, request->origin, err->msg, NULL, NULL);
        return;
    case ENVELOPE_MEMORY:
        answer(ret, 503, "Busy");
        ret->retry_after_s = 1;
        ingress->counts[INGRESS_NOT_STORED]++;
        refusals_tell(&ingress->refusals, request->origin, "out of memory", NULL, claimed);
    }
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
    refusals_tell(&ingress->refusals, request->origin, "too much waits to be stored", NULL, NULL);
}

static void round_done(void *userdata)
{
    struct ingress *ingress = userdata;
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

static void refused(void *userdata, const struct http_origin *origin, const char *what)
{
    struct ingress *ingress = userdata;
    refusals_tell(&ingress->refusals, origin, what, NULL, NULL);
}

int ingress_configure(struct ingress *ingress, const struct config *config)
{
    struct event_community *communities = calloc(config->n_communities, sizeof(*communities));
    if (!communities)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_communities; i++)
        communities[i] = (struct event_community){ config->communities[i].name, config->communities[i].api_key };

    free(ingress->communities);
    ingress->communities = communities;
    ingress->config = config;
    ingress->rules.communities = communities;
    ingress->rules.n_communities = config->n_communities;
    ingress->rules.accept_unknown_types = config->unknown_types == UNKNOWN_TYPES_ACCEPT;
    pipeline_configure(ingress->pipeline,
                       &(struct pipeline_settings){ config->log.payload_bytes, config->limits.in_flight_bytes });
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
    limiter_init(&ingress->limiter);
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
    return (struct http_callbacks){ .userdata = ingress, .post = post, .round = round_done, .refused = refused };
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
    };
    return names[count];
}

void ingress_get_status(struct ingress *ingress, struct ingress_status *ret)
{
    for (size_t i = 0; i < INGRESS_N_COUNTS; i++)
        ret->counts[i] = ingress->counts[i];
    pthread_mutex_lock(&ingress->lock);
    ret->wrong_key_us = ingress->wrong_key_us;
    memcpy(ret->wrong_key_peer, ingress->wrong_key_peer, sizeof(ret->wrong_key_peer));
    pthread_mutex_unlock(&ingress->lock);
}

void ingress_tick(struct ingress *ingress)
{
    refusals_sum_up(&ingress->refusals);
}
