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
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "sign.h"
#include <sonoran-pushd/actions.h>

#define ESCAPE_MAX_BYTES 6 /* of a byte in JSON: \u001b */
#define SPARE_BYTES 64     /* a text is asked for some more room than a value needs */

struct action {
    const struct config_action *config;
    struct web *web;
};

/* ---- render ---- */

static int render_original(const struct config_action *config, const struct action_record *record,
                           struct action_payload *payload, struct err *err)
{
    struct text *out = &payload->body;
    const struct event *event = record->event;
    const char *key = forward_settings(config)->api_key ? forward_settings(config)->api_key : record->community_key;
    if (!key)
        return err_set(err, -ENOKEY, "no key to send: the community is gone, and the action has no api_key");

    const char *type = event->type_sent ? event->type_sent : event->type;
    text_add(&payload->secret, key);
    /* At once: growing would leave copies behind. */
    size_t words =
        ESCAPE_MAX_BYTES * (strlen(key) + strlen(type)) + sizeof("{'key':'','type':'','data':,}") + SPARE_BYTES;
    (void) text_reserve(out, words + event->data_text.size + event->extra_text.size);
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    json_add_text(&json, "key", key);
    json_add_text(&json, "type", type);
    if (event->data_text.size)
        json_add_raw(&json, "data", event->data_text);
    if (event->extra_text.size)
        json_add_members(&json, json_members(event->extra_text));
    json_end(&json);
    return 0;
}

static int render_into(const struct config_action *config, const struct action_record *record,
                       struct action_payload *payload, struct err *err)
{
    const struct event *event = record->event;
    int r = 0;
    if (forward_settings(config)->body == FORWARD_BODY_RECORD)
        event_write_record(event, record->description, &payload->body);
    else if (forward_settings(config)->body == FORWARD_BODY_TEMPLATE)
        forward_render_template(config, record, &payload->body);
    else
        r = render_original(config, record, payload, err);
    if (r < 0)
        return r;
    if (payload->body.failed || payload->secret.failed)
        return err_set(err, -ENOMEM, "no memory for a body");

    payload->event_id = event->id;
    words_addf(&payload->words, "Content-Type: %s",
               forward_settings(config)->body == FORWARD_BODY_TEMPLATE ? forward_settings(config)->content_type
                                                                       : "application/json");
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
    int r = sign_body(&signature, forward_settings(config)->signing_secret, now_us() / USEC_PER_SEC, body, err);
    for (size_t i = 0; i < payload->words.n; i++)
        words_add(ret, payload->words.v[i]);
    words_addf(ret, "Sonoran-Signature: %s", signature.s);
    return r >= 0 && ret->failed ? err_set(err, -ENOMEM, "no memory for headers") : r;
}

static void post(struct action *action, const struct action_payload *payload, const struct words *headers,
                 struct action_outcome *ret)
{
    const struct config_action *config = action->config;
    const struct web_request request = { .url = forward_settings(config)->url,
                                         .headers = headers,
                                         .more_headers = forward_settings(config)->headers,
                                         .n_more_headers = forward_settings(config)->n_headers,
                                         .body = { payload->body.s, payload->body.size },
                                         .max_answer_bytes = FORWARD_ANSWER_BYTES,
                                         .wait = forward_wait(config) };
    struct web_answer answer;
    struct err err;
    int r = web_post(action->web, &request, &answer, &err);
    if (r < 0) {
        const char *help = r == -ETIME ? "; with expect: sent none is waited for" : "";
        ret->result = judge_failure(r);
        err_set(&ret->err, r, "%s%s", err.msg, help);
        return;
    }
    forward_judge(config, &answer, payload->secret.s, ret);
    web_answer_free(&answer);
}

static void forward_deliver(struct action *action, const struct action_payload *payload, size_t n,
                            struct action_outcome *ret)
{
    (void) n; /* one at a time */
    struct words signed_headers CLEANUP(words_free) = { 0 };
    *ret = (struct action_outcome){ .result = ACTION_RETRY };
    if (!forward_settings(action->config)->signing_secret)
        post(action, payload, &payload->words, ret);
    else if (sign(action->config, payload, &signed_headers, &ret->err) >= 0)
        post(action, payload, &signed_headers, ret);
}

/* ---- check, open, close ---- */

static void forward_check(const struct config_action *config, const struct event_families *families,
                          config_complain *complain, void *context)
{
    struct err err;
    if (forward_settings(config)->url && web_check_url(forward_settings(config)->url, &err) < 0)
        complain(context, "url", err.msg);
    if (forward_settings(config)->ca_file && forward_settings(config)->ca_file[0] != '/')
        complain(context, "ca_file", "expected the absolute path of a file, such as /etc/ssl/bot.pem");
    forward_check_template(config, families, complain, context);
}

static void forward_check_present(const struct config_action *config, config_complain *complain, void *context)
{
    struct err err;
    if (forward_settings(config)->ca_file && forward_settings(config)->ca_file[0] == '/' &&
        web_check_ca_file(forward_settings(config)->ca_file, &err) < 0)
        complain(context, "ca_file", err.msg);
}

static void forward_doubt(const struct config_action *config, const struct event_families *families,
                          config_complain *warn, void *context)
{
    if (forward_settings(config)->ca_file && forward_settings(config)->url &&
        strncmp(forward_settings(config)->url, "https://", strlen("https://")) != 0)
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
    const struct web_settings settings = { .timeout_us = action->config->timeout_us,
                                           .cancel_fd = context->cancel_fd,
                                           .ca_file = forward_settings(action->config)->ca_file };
    int r = web_open(&action->web, &settings, err);
    if (r < 0) {
        forward_close(action);
        return r;
    }
    *ret = action;
    return 0;
}

/* ---- its row ---- */

#define OPTION(member) .group = CONFIG_ACTION, CONFIG_MEMBER(struct forward_settings, member)
#define OPTION_LIST(member) .group = CONFIG_ACTION, CONFIG_MEMBERS(struct forward_settings, member)

CONFIG_ASSERT_LIST(struct forward_settings, headers);
CONFIG_ASSERT_LIST(struct forward_settings, retry_statuses);

static const char *const bodies[] = { "original", "record", "template", NULL };
static_assert(ARRAY_SIZE(bodies) == FORWARD_BODY_TEMPLATE + 2, "every body needs a word");

static const struct config_option options[] = {
    { OPTION(url), .name = "url", .type = CONFIG_URL, .required = true,
      .help = "Where to POST to; url_file keeps it out of this file." },
    { OPTION(url), .name = "url_file", .type = CONFIG_FILE,
      .help = "A file with the URL: in secrets/ beside this one, else beside it." },
    { OPTION(body), .name = "body", .type = CONFIG_WORD, .fallback = "original", .words = bodies,
      .help = "What to POST: what the CAD sent, the event record, or template." },
    { OPTION(template), .name = "template", .type = CONFIG_TEXT, .prose = true,
      .help = "The text to POST, with {placeholders}." },
    { OPTION(content_type), .name = "content_type", .type = CONFIG_TEXT, .fallback = "application/json",
      .help = "What template is; in JSON, what an event says is escaped." },
    { OPTION(api_key), .name = "api_key", .type = CONFIG_SECRET,
      .help = "A key in place of the community's; api_key_file keeps it out of this file." },
    { OPTION(api_key), .name = "api_key_file", .type = CONFIG_FILE,
      .help = "A file with that key: in secrets/ beside this one, else beside it." },
    { OPTION(signing_secret), .name = "signing_secret", .type = CONFIG_SECRET,
      .help = "What posts are signed with; signing_secret_file keeps it out of this file." },
    { OPTION(signing_secret), .name = "signing_secret_file", .type = CONFIG_FILE,
      .help = "A file with that secret: in secrets/ beside this one, else beside it." },
    { OPTION_LIST(headers), .name = "headers", .type = CONFIG_HEADER,
      .help = "More headers; headers_file keeps them out of this file." },
    { OPTION_LIST(headers), .name = "headers_file", .type = CONFIG_FILE,
      .help = "A file with headers, one a line: in secrets/ beside this one, else beside it." },
    { OPTION(ca_file), .name = "ca_file", .type = CONFIG_TEXT,
      .help = "Certificates in PEM that alone vouch for an https URL; a path." },
    { OPTION(expect), .name = "expect", .type = CONFIG_TEXT,
      .help = "How an answer has to begin: ok*; or sent: no answer is waited for." },
    { OPTION_LIST(retry_statuses), .name = "retry_statuses", .type = CONFIG_COUNT, .min = 200, .max = 599,
      .help = "More answers that are tried again: 404 of a tunnel while the bot restarts." },
};

static void forward_check_settings(const struct config_action *action, config_complain *complain, void *context)
{
    (void) complain;
    if (forward_settings(action)->body != FORWARD_BODY_ORIGINAL && forward_settings(action)->api_key)
        config_warn(context, "api_key", "without effect, because only body: original has a key in it");
}

/* Only who takes events as the CAD sends them can send them back to us. */
static bool forward_may_return(const struct config_action *action)
{
    return forward_settings(action)->body == FORWARD_BODY_ORIGINAL;
}

const struct action_type action_forward = {
    .kind = { .name = "forward",
              .options = options,
              .n_options = ARRAY_SIZE(options),
              .settings_size = sizeof(struct forward_settings),
              .check = forward_check_settings },
    .check = forward_check,
    .check_present = forward_check_present,
    .doubt = forward_doubt,
    .may_return = forward_may_return,
    .open = forward_open,
    .close = forward_close,
    .render = forward_render,
    .deliver = forward_deliver,
    .max_batch = 1,
};
