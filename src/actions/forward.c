/* forward.c - hands an event on to another listener, as the CAD would have sent it or as the event record.
 *
 * original: {"key":…,"type":…,"data":…} and the other members, the sender's bytes where it wrote them. Of an array of
 *           events each is a body of its own, with an object as data; a type is in upper case, and the real one of an
 *           alias. No data where the sender had none.
 * record:   the event record, which has the id in it.
 * Headers:  Content-Type, Sonoran-Event-Id, and with a signing_secret Sonoran-Signature (sign.h). The id stays the same
 *           from try to try: a receiver that has seen it drops the repeat.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sign.h"
#include "web.h"
#include <sonoran-pushd/actions.h>

#define RETRY_AFTER_MAX_US (3600 * USEC_PER_SEC)

struct action {
    const struct config_action *config;
    struct web *web;
};

/* ---- render ---- */

/* The members of an object as they stand in its text, behind what is there. */
static void add_members(struct text *out, struct span object)
{
    const char *first = memchr(object.s, '{', object.size), *last = memrchr(object.s, '}', object.size);
    if (!first || !last)
        return;
    for (first++; first < last && strchr(" \t\r\n", *first); first++)
        continue;
    if (first == last)
        return;
    text_add(out, ",");
    text_add_bytes(out, first, (size_t) (last - first));
}

static int render_original(const struct config_action *config, const struct action_record *record, struct text *out,
                           struct err *err)
{
    const struct event *event = record->event;
    const char *key = config->api_key ? config->api_key : record->community_key;
    if (!key)
        return err_set(err, -ENOKEY, "no key to send: the community is gone, and the action has no api_key");

    text_add(out, "{\"key\":");
    text_add_json(out, key, strlen(key));
    text_add(out, ",\"type\":");
    text_add_json(out, event->type, strlen(event->type));
    if (event->data_text.size) {
        text_add(out, ",\"data\":");
        text_add_bytes(out, event->data_text.s, event->data_text.size);
    }
    if (event->extra_text.size)
        add_members(out, event->extra_text);
    text_add(out, "}");
    return 0;
}

static int add_signature(const struct config_action *config, const struct event *event, struct action_payload *payload,
                         struct err *err)
{
    struct text signature CLEANUP(text_free) = TEXT_INIT;
    const struct span body = { payload->body.s, payload->body.size };
    int r = sign_body(&signature, config->signing_secret, event->time_us / USEC_PER_SEC, body, err);
    if (r >= 0)
        words_addf(&payload->words, "Sonoran-Signature: %s", signature.s);
    return r;
}

static int render_into(const struct config_action *config, const struct action_record *record,
                       struct action_payload *payload, struct err *err)
{
    const struct event *event = record->event;
    int r = 0;
    if (config->body == FORWARD_BODY_RECORD)
        event_write_record(event, record->description, &payload->body);
    else
        r = render_original(config, record, &payload->body, err);
    if (r < 0)
        return r;
    if (payload->body.failed)
        return err_set(err, -ENOMEM, "no memory for a body");

    payload->event_id = event->id;
    words_add(&payload->words, "Content-Type: application/json");
    words_addf(&payload->words, "Sonoran-Event-Id: %llu", (unsigned long long) event->id);
    if (config->signing_secret)
        r = add_signature(config, event, payload, err);
    if (r >= 0 && payload->words.failed)
        r = err_set(err, -ENOMEM, "no memory for headers");
    return r;
}

static int forward_render(const struct config_action *config, const struct action_record *record,
                          struct action_payload *ret, struct err *err)
{
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    int r = render_into(config, record, &payload, err);
    if (r < 0) {
        action_payload_free(&payload);
        return r;
    }
    *ret = payload;
    return 0;
}

/* ---- deliver ---- */

static enum action_result judge_status(long status)
{
    if (status >= 200 && status <= 299)
        return ACTION_DONE;
    bool later = status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599);
    return later ? ACTION_RETRY : ACTION_GIVE_UP;
}

/* No answer: a request that cannot be sent will not be better next time, all else may be. */
static enum action_result judge_failure(int r)
{
    if (r == -ECANCELED)
        return ACTION_CANCELLED;
    return r == -EINVAL ? ACTION_GIVE_UP : ACTION_RETRY;
}

/* Nothing of the answer's body is said: it may repeat the key. */
static void judge_answer(const struct web_answer *answer, struct action_outcome *ret)
{
    ret->result = judge_status(answer->status);
    if (ret->result == ACTION_RETRY)
        ret->retry_after_us = answer->retry_after_us < RETRY_AFTER_MAX_US ? answer->retry_after_us : RETRY_AFTER_MAX_US;
    if (ret->result != ACTION_DONE)
        err_set(&ret->err, 0, "answered %ld%s", answer->status,
                answer->status / 100 == 3 ? ", and redirects are not followed" : "");
}

static void forward_deliver(struct action *action, const struct action_payload *payload, struct action_outcome *ret)
{
    const struct web_request request = { .url = action->config->url,
                                         .headers = &payload->words,
                                         .body = { payload->body.s, payload->body.size } };
    struct web_answer answer;
    *ret = (struct action_outcome){ .result = ACTION_DONE };

    int r = web_post(action->web, &request, &answer, &ret->err);
    if (r < 0) {
        ret->result = judge_failure(r);
        return;
    }
    judge_answer(&answer, ret);
    web_answer_free(&answer);
}

/* ---- check, open, close ---- */

static void forward_check(const struct config_action *config, config_complain *complain, void *context)
{
    struct err err;
    if (config->url && web_check_url(config->url, &err) < 0)
        complain(context, "url", err.msg);
}

static struct action *forward_close(struct action *action)
{
    if (!action)
        return NULL;
    action->web = web_close(action->web);
    free(action);
    return NULL;
}

static int forward_open(struct action **ret, const struct action_context *context, struct err *err)
{
    struct action *action = calloc(1, sizeof(*action));
    if (!action)
        return err_set(err, -ENOMEM, "no memory for an action");

    action->config = context->config;
    int r = web_open(&action->web, context, err);
    if (r < 0) {
        forward_close(action);
        return r;
    }
    *ret = action;
    return 0;
}

const struct action_type action_forward = {
    .type = ACTION_TYPE_FORWARD,
    .check = forward_check,
    .open = forward_open,
    .close = forward_close,
    .render = forward_render,
    .deliver = forward_deliver,
};
