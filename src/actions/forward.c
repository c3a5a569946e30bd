/* forward.c - hands an event on to another listener, as the CAD would have sent it or as the event record.
 *
 * original: {"key":…,"type":…,"data":…} and the other members, the sender's bytes where it wrote them. Of an array of
 *           events each is a body of its own, with an object as data. No data where the sender had none.
 * record:   the event record, which has the id in it.
 * template: a text of the configuration (forward_template.c).
 * Headers:  Content-Type, Sonoran-Event-Id, and with a signing_secret Sonoran-Signature (sign.h), of the time of the
 *           try. The id stays the same from try to try: a receiver that has seen it drops the repeat. And what
 *           "headers" says; it is not in the payload, so that no secret is kept beside the configuration's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "sign.h"
#include <sonoran-pushd/actions.h>

#define ESCAPE_MAX_BYTES 6 /* of a byte in JSON: \u001b */

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

static int render_original(const struct config_action *config, const struct action_record *record,
                           struct action_payload *payload, struct err *err)
{
    struct text *out = &payload->body;
    const struct event *event = record->event;
    const char *key = config->api_key ? config->api_key : record->community_key;
    if (!key)
        return err_set(err, -ENOKEY, "no key to send: the community is gone, and the action has no api_key");

    const char *type = event->type_sent ? event->type_sent : event->type;
    text_add(&payload->secret, key);
    /* At once: growing would leave copies behind. */
    size_t words = ESCAPE_MAX_BYTES * (strlen(key) + strlen(type)) + sizeof("{'key':'','type':'','data':,}");
    (void) text_reserve(out, words + event->data_text.size + event->extra_text.size);
    text_add(out, "{\"key\":");
    text_add_json(out, key, strlen(key));
    text_add(out, ",\"type\":");
    text_add_json(out, type, strlen(type));
    if (event->data_text.size) {
        text_add(out, ",\"data\":");
        text_add_bytes(out, event->data_text.s, event->data_text.size);
    }
    if (event->extra_text.size)
        add_members(out, event->extra_text);
    text_add(out, "}");
    return 0;
}

static int render_into(const struct config_action *config, const struct action_record *record,
                       struct action_payload *payload, struct err *err)
{
    const struct event *event = record->event;
    int r = 0;
    if (config->body == FORWARD_BODY_RECORD)
        event_write_record(event, record->description, &payload->body);
    else if (config->body == FORWARD_BODY_TEMPLATE)
        forward_render_template(config, record, &payload->body);
    else
        r = render_original(config, record, payload, err);
    if (r < 0)
        return r;
    if (payload->body.failed || payload->secret.failed)
        return err_set(err, -ENOMEM, "no memory for a body");

    payload->event_id = event->id;
    words_addf(&payload->words, "Content-Type: %s",
               config->body == FORWARD_BODY_TEMPLATE ? config->content_type : "application/json");
    words_addf(&payload->words, "Sonoran-Event-Id: %llu", (unsigned long long) event->id);
    return payload->words.failed ? err_set(err, -ENOMEM, "no memory for headers") : 0;
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

/* No answer: a request that cannot be sent will not be better next time, all else may be. */
static enum action_result judge_failure(int r)
{
    if (r == -ECANCELED)
        return ACTION_CANCELLED;
    return r == -EINVAL ? ACTION_GIVE_UP : ACTION_RETRY;
}

/* The headers of the payload, and the signature of this try. */
static int sign(const struct config_action *config, const struct action_payload *payload, struct words *ret,
                struct err *err)
{
    const struct span body = { payload->body.s, payload->body.size };
    struct text signature CLEANUP(text_free) = TEXT_INIT;
    int r = sign_body(&signature, config->signing_secret, now_us() / USEC_PER_SEC, body, err);
    for (size_t i = 0; i < payload->words.n; i++)
        words_add(ret, payload->words.v[i]);
    words_addf(ret, "Sonoran-Signature: %s", signature.s);
    return r >= 0 && ret->failed ? err_set(err, -ENOMEM, "no memory for headers") : r;
}

static void post(struct action *action, const struct action_payload *payload, const struct words *headers,
                 struct action_outcome *ret)
{
    const struct config_action *config = action->config;
    const struct web_request request = { .url = config->url,
                                         .headers = headers,
                                         .more_headers = config->headers,
                                         .n_more_headers = config->n_headers,
                                         .body = { payload->body.s, payload->body.size },
                                         .max_answer_bytes = FORWARD_ANSWER_BYTES,
                                         .wait = forward_wait(config) };
    struct web_answer answer;
    struct err err;
    int r = web_post(action->web, &request, &answer, &err);
    if (r < 0) {
        const char *help = r == -ETIME ? "; with expect = \"sent\" none is waited for" : "";
        ret->result = judge_failure(r);
        err_set(&ret->err, r, "%s%s", err.msg, help);
        return;
    }
    forward_judge(config, &answer, payload->secret.s, ret);
    web_answer_free(&answer);
}

static void forward_deliver(struct action *action, const struct action_payload *payload, struct action_outcome *ret)
{
    struct words signed_headers CLEANUP(words_free) = { 0 };
    *ret = (struct action_outcome){ .result = ACTION_RETRY };
    if (!action->config->signing_secret)
        post(action, payload, &payload->words, ret);
    else if (sign(action->config, payload, &signed_headers, &ret->err) >= 0)
        post(action, payload, &signed_headers, ret);
}

/* ---- check, open, close ---- */

static void forward_check(const struct config_action *config, const struct event_families *families,
                          config_complain *complain, void *context)
{
    struct err err;
    if (config->url && web_check_url(config->url, &err) < 0)
        complain(context, "url", err.msg);
    if (config->ca_file && config->ca_file[0] != '/')
        complain(context, "ca_file", "expected the absolute path of a file, such as /etc/ssl/bot.pem");
    forward_check_template(config, families, complain, context);
}

static void forward_check_present(const struct config_action *config, config_complain *complain, void *context)
{
    struct err err;
    if (config->ca_file && config->ca_file[0] == '/' && web_check_ca_file(config->ca_file, &err) < 0)
        complain(context, "ca_file", err.msg);
}

static void forward_doubt(const struct config_action *config, const struct event_families *families,
                          config_complain *warn, void *context)
{
    if (config->ca_file && config->url && strncmp(config->url, "https://", strlen("https://")) != 0)
        warn(context, "ca_file", "without effect, because the URL is not one of https");
    forward_doubt_template(config, families, warn, context);
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
    .check_present = forward_check_present,
    .doubt = forward_doubt,
    .open = forward_open,
    .close = forward_close,
    .render = forward_render,
    .deliver = forward_deliver,
};
