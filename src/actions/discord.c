/* discord.c - posts events to a webhook of Discord, each as an embed. Source: design section 11; Discord's page
 * resources/webhook, "Execute Webhook". */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/net.h>

#include "discord.h"

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
    const struct web_settings settings = { .timeout_us = config->timeout_us, .cancel_fd = context->cancel_fd };
    struct action *action = calloc(1, sizeof(*action));
    if (!action)
        return err_set(err, -ENOMEM, "no memory for an action");

    action->url = (struct text) TEXT_INIT;
    action->key = discord_webhook_key(discord_settings(config)->url);
    action->in_thread = discord_settings(config)->thread_id;
    discord_add_url(&action->url, discord_settings(config)->url, discord_settings(config)->thread_id);
    int r =
        action->url.failed ? err_set(err, -ENOMEM, "no memory for an action") : web_open(&action->web, &settings, err);
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

static void discord_deliver(struct action *action, const struct action_payload *payload, size_t n,
                            struct action_outcome *ret)
{
    (void) n; /* one at a time */
    *ret = (struct action_outcome){ .result = ACTION_RETRY };
    ret->retry_after_us = discord_limits_take(&limits, action->key, uptime_us());
    if (ret->retry_after_us) {
        ret->result = ACTION_WAIT;
        err_set(&ret->err, -EBUSY, "waits for Discord's rate limit");
        return;
    }
    post(action, payload, ret);
}

/* ---- its row ---- */

#define OPTION(member) .group = CONFIG_ACTION, CONFIG_MEMBER(struct discord_settings, member)
#define OPTION_LIST(member) .group = CONFIG_ACTION, CONFIG_MEMBERS(struct discord_settings, member)

CONFIG_ASSERT_LIST(struct discord_settings, mention_roles);
CONFIG_ASSERT_LIST(struct discord_settings, mention_users);

static const char *const mentions[] = { "none", "here", NULL };
static_assert(ARRAY_SIZE(mentions) == DISCORD_MENTION_HERE + 2, "every mention needs a word");

static const struct config_option options[] = {
    { OPTION(url), .name = "url", .type = CONFIG_URL, .required = true,
      .help = "Where to POST to; url_file keeps it out of this file." },
    { OPTION(url), .name = "url_file", .type = CONFIG_FILE,
      .help = "A file with the URL: in secrets/ beside this one, else beside it." },
    { OPTION(message), .name = "message", .type = CONFIG_TEXT, .prose = true,
      .help = "The text above the embed, with {placeholders}." },
    { OPTION(username), .name = "username", .type = CONFIG_TEXT, .prose = true,
      .help = "The name to post under, in place of the webhook's." },
    { OPTION(avatar_url), .name = "avatar_url", .type = CONFIG_TEXT,
      .help = "The picture to post with, in place of the webhook's." },
    { OPTION(thread_id), .name = "thread_id", .type = CONFIG_ID, .help = "The thread of the channel to post in." },
    { OPTION(thread_name), .name = "thread_name", .type = CONFIG_TEXT, .prose = true,
      .help = "The thread to begin for each message, in a forum; with {placeholders}." },
    { OPTION(mention), .name = "mention", .type = CONFIG_WORD, .fallback = "none", .words = mentions,
      .help = "here mentions whoever is online and can read the channel." },
    { OPTION_LIST(mention_roles), .name = "mention_roles", .type = CONFIG_ID, .unique = true,
      .help = "The roles to mention, by their ids." },
    { OPTION_LIST(mention_users), .name = "mention_users", .type = CONFIG_ID, .unique = true,
      .help = "The users to mention, by their ids." },
};

const struct action_type action_discord = {
    .kind = { .name = "discord",
              .options = options,
              .n_options = ARRAY_SIZE(options),
              .settings_size = sizeof(struct discord_settings) },
    .check = discord_check,
    .doubt = discord_doubt,
    .open = discord_open,
    .close = discord_close,
    .render = discord_render,
    .deliver = discord_deliver,
    .max_batch = 1,
};
