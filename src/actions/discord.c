/* discord.c - posts events to a webhook of Discord, each as an embed. Source: design section 11; Discord's page
 * resources/webhook, "Execute Webhook". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/actions.h>

#include "discord.h"
#include "web.h"

#define ANSWER_MAX_BYTES ((size_t) 64 << 10) /* the message as Discord has it, or its error */

/* Of the process, because Discord counts for a webhook, whichever action uses it, before and after a reload. */
static struct discord_limits limits = DISCORD_LIMITS_INIT;

struct action {
    struct web *web;
    struct text url; /* secret */
    uint64_t key;
    bool in_thread;
};

static struct action *discord_close(struct action *action)
{
    if (!action)
        return NULL;
    action->web = web_close(action->web);
    text_wipe(&action->url);
    free(action);
    return NULL;
}

static int discord_open(struct action **ret, const struct action_context *context, struct err *err)
{
    const struct config_action *config = context->config;
    struct action *action = calloc(1, sizeof(*action));
    if (!action)
        return err_set(err, -ENOMEM, "no memory for an action");

    action->url = (struct text) TEXT_INIT;
    action->key = discord_webhook_key(config->url);
    action->in_thread = config->thread_id;
    discord_add_url(&action->url, config->url, config->thread_id);
    int r =
        action->url.failed ? err_set(err, -ENOMEM, "no memory for an action") : web_open(&action->web, context, err);
    if (r < 0) {
        discord_close(action);
        return r;
    }
    *ret = action;
    return 0;
}

static void post(struct action *action, const struct action_payload *payload, struct action_outcome *ret)
{
    const struct web_request request = { .url = action->url.s,
                                         .headers = &payload->words,
                                         .body = { payload->body.s, payload->body.size },
                                         .max_answer_bytes = ANSWER_MAX_BYTES };
    struct web_answer answer = { 0 };
    int r = web_post(action->web, &request, &answer, &ret->err);
    if (r < 0) {
        ret->result = r == -ECANCELED ? ACTION_CANCELLED : ACTION_RETRY;
        return;
    }
    const struct discord_answer said = { .status = answer.status,
                                         .body = { answer.body.s, answer.body.size },
                                         .retry_after_us = answer.retry_after_us,
                                         .remaining = web_header(&answer, "X-RateLimit-Remaining"),
                                         .reset_after = web_header(&answer, "X-RateLimit-Reset-After"),
                                         .global = web_header(&answer, "X-RateLimit-Global"),
                                         .scope = web_header(&answer, "X-RateLimit-Scope"),
                                         .in_thread = action->in_thread };
    discord_judge(&said, &limits, action->key, uptime_us(), ret);
    web_answer_free(&answer);
}

static void discord_deliver(struct action *action, const struct action_payload *payload, struct action_outcome *ret)
{
    *ret = (struct action_outcome){ .result = ACTION_RETRY };
    ret->retry_after_us = discord_limits_take(&limits, action->key, uptime_us());
    if (ret->retry_after_us) {
        ret->result = ACTION_WAIT;
        err_set(&ret->err, -EBUSY, "waits for Discord's rate limit");
        return;
    }
    post(action, payload, ret);
}

const struct action_type action_discord = {
    .type = ACTION_TYPE_DISCORD,
    .check = discord_check,
    .doubt = discord_doubt,
    .open = discord_open,
    .close = discord_close,
    .render = discord_render,
    .deliver = discord_deliver,
};
