/* discord_answer.c - what Discord's answer means. Source: Discord's pages topics/opcodes-and-status-codes ("HTTP",
 * "JSON"), topics/rate-limits, reference ("Error Messages"). */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/net.h>

#include "discord.h"

#define MESSAGE_MAX 100 /* characters of Discord's own words in a sentence */
#define PATH_MAX_PARTS 6
#define REMAINING_MAX 1e9
#define BAN_MIN_US (600 * USEC_PER_SEC)
#define REFUSED_REST_US (300 * USEC_PER_SEC) /* of what may pass, but not in seconds */

/* Rounded up, because too early is a mistake that Discord counts. */
static usec_t wait_of(double seconds)
{
    if (!(seconds >= 0))
        return 0;
    bool bounded = seconds < (double) (DISCORD_WAIT_MAX_US / USEC_PER_SEC);
    return bounded ? (usec_t) (seconds * (double) USEC_PER_SEC) + 1 : DISCORD_WAIT_MAX_US;
}

/* "1.25"; not what else strtod knows. */
static bool read_number(const char *s, double *ret)
{
    char *end;
    if (!s || !isdigit((unsigned char) *s) || strspn(s, "0123456789.") != strlen(s))
        return false;
    *ret = strtod(s, &end);
    return !*end;
}

static usec_t retry_after(const cJSON *body)
{
    const cJSON *item = json_get(body, "retry_after");
    return json_is(item, cJSON_Number) && item->valuedouble > 0 ? wait_of(item->valuedouble) : 0;
}

static bool is_global(const struct discord_answer *answer, const cJSON *body)
{
    return json_get_flag(body, "global") || (answer->global && strcasecmp(answer->global, "true") == 0) ||
           (answer->scope && strcasecmp(answer->scope, "global") == 0);
}

/* What Discord says has a time in it. Without one it is Cloudflare, which has shut out the address of this machine,
 * and does so for longer the more goes on coming from it. */
static bool is_ban(const struct discord_answer *answer, usec_t wait)
{
    bool said = strcasestr(answer->body.s ? answer->body.s : "", "error code: 1015") ||
                strcasestr(answer->body.s ? answer->body.s : "", "you are being blocked");
    return said || (!wait && !answer->remaining && !answer->reset_after && !answer->global && !answer->scope);
}

static void judge_limit(const struct discord_answer *answer, const cJSON *body, struct discord_limits *limits,
                        uint64_t key, usec_t uptime, struct action_outcome *ret)
{
    usec_t wait = retry_after(body);
    if (wait < answer->retry_after_us)
        wait = answer->retry_after_us;
    bool ban = is_ban(answer, wait);
    if (ban && wait < BAN_MIN_US)
        wait = BAN_MIN_US;
    if (wait > DISCORD_WAIT_MAX_US)
        wait = DISCORD_WAIT_MAX_US;
    if (wait)
        discord_limits_block(limits, key, uptime, wait, ban || is_global(answer, body));
    ret->result = ACTION_RETRY;
    ret->retry_after_us = wait;
    err_set(&ret->err, -EBUSY, "Discord answered 429: %s",
            ban ? "it blocks the address of this machine for a while; all webhooks rest" : "too many messages");
}

/* {"errors":{"embeds":{"0":{"title":{"_errors":[{"message":"…"}]}}}}}: what is wrong, and where. */
static const cJSON *first_error(const cJSON *body, struct text *path)
{
    const cJSON *at = json_get(body, "errors");
    at = json_is(at, cJSON_Object) ? at->child : NULL;
    for (int i = 0; at && i < PATH_MAX_PARTS; i++) {
        if (strcmp(at->string ? at->string : "", "_errors") == 0)
            return json_get(cJSON_GetArrayItem(at, 0), "message");
        text_addf(path, "%s%s", path->size ? "." : "", at->string ? at->string : "");
        at = at->child;
    }
    return NULL;
}

/* " (…)", made safe. Nothing where it could hold an address, because that of a webhook is a secret. */
static void add_in_brackets(const struct text *raw, struct text *out)
{
    if (!raw->size || strstr(raw->s, "://") || strcasestr(raw->s, "/webhooks/"))
        return;
    text_add(out, " (");
    text_add_safe(out, raw->s, raw->size, MESSAGE_MAX);
    text_add(out, ")");
}

static void add_page(const struct discord_answer *answer, struct text *out)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    web_add_words(&words, answer->body.s, answer->body.size);
    add_in_brackets(&words, out);
}

/* " (Invalid Form Body; embeds.0.title: Must be 256 or fewer in length.)" */
static void add_message(const cJSON *body, struct text *out)
{
    struct text raw CLEANUP(text_free) = TEXT_INIT, path CLEANUP(text_free) = TEXT_INIT;
    const char *error = cJSON_GetStringValue(first_error(body, &path));

    text_add(&raw, json_get_text(body, "message"));
    if (error)
        text_addf(&raw, "%s%s: %s", raw.size ? "; " : "", path.s, error);
    add_in_brackets(&raw, out);
}

/* What Discord itself says, and what helps. All else with these statuses is said by something in between, or passes. */
static const struct {
    int code;
    enum action_result result;
    const char *advice;
} verdicts[] = {
    { 10003, ACTION_OFF, "its channel is gone" },
    { 10015, ACTION_OFF, "the webhook is gone, a new one has another url" },
    { 50001, ACTION_OFF, "it does not let this webhook post" },
    { 50013, ACTION_OFF, "it does not let this webhook post" },
    { 50027, ACTION_OFF, "the webhook's token is wrong, set the right url" },
    { 220001, ACTION_GIVE_UP, "the channel is a forum, set thread_name or thread_id" },
    { 220002, ACTION_GIVE_UP, "set thread_name or thread_id, but not both" },
    { 220003, ACTION_GIVE_UP, "the channel is no forum, leave thread_name out" },
};

static const char *advice(const cJSON *body, bool in_thread, enum action_result *result)
{
    const cJSON *code = json_get(body, "code");
    for (size_t i = 0; json_is(code, cJSON_Number) && i < ARRAY_SIZE(verdicts); i++)
        if (verdicts[i].code == code->valueint) {
            *result = verdicts[i].result;
            return verdicts[i].code == 10003 && in_thread ? "the thread of thread_id is gone" : verdicts[i].advice;
        }
    return NULL;
}

static bool is_refusal(long status)
{
    return status == 401 || status == 403 || status == 404;
}

/* Its servers failing, or a request that took too long, say nothing against the event. */
static enum action_result result_of(long status)
{
    if (status >= 200 && status < 300)
        return ACTION_DONE;
    bool later = is_refusal(status) || status == 408 || status == 425 || status >= 500;
    return later ? ACTION_RETRY : ACTION_GIVE_UP;
}

static void judge_refusal(const struct discord_answer *answer, const cJSON *body, struct action_outcome *ret)
{
    struct text message CLEANUP(text_free) = TEXT_INIT;
    bool is_discord = cJSON_IsObject(body);
    if (is_discord)
        add_message(body, &message);
    else
        add_page(answer, &message);
    ret->retry_after_us = answer->retry_after_us;
    const char *help = advice(body, answer->in_thread, &ret->result);
    if (!help && is_refusal(answer->status)) {
        help = is_discord ? "this may pass" : "not Discord itself, but something before it; this may pass";
        ret->retry_after_us = answer->retry_after_us > REFUSED_REST_US ? answer->retry_after_us : REFUSED_REST_US;
    }
    if (ret->result != ACTION_RETRY)
        ret->retry_after_us = 0;
    err_set(&ret->err, -EIO, "Discord answered %ld%s%s%s", answer->status, message.s, help ? ": " : "",
            help ? help : "");
}

static void hear_limit(const struct discord_answer *answer, struct discord_limits *limits, uint64_t key, usec_t uptime)
{
    double remaining, reset_after;
    if (read_number(answer->remaining, &remaining) && remaining < REMAINING_MAX &&
        read_number(answer->reset_after, &reset_after))
        discord_limits_heard(limits, key, uptime, (int64_t) remaining, wait_of(reset_after));
}

void discord_judge(const struct discord_answer *answer, struct discord_limits *limits, uint64_t key, usec_t uptime,
                   struct action_outcome *ret)
{
    *ret = (struct action_outcome){ .result = result_of(answer->status) };
    snprintf(ret->answer, sizeof(ret->answer), "%ld", answer->status);
    hear_limit(answer, limits, key, uptime);
    if (ret->result == ACTION_DONE)
        return;

    cJSON *body = answer->body.size ? cJSON_ParseWithLength(answer->body.s, answer->body.size) : NULL;
    if (answer->status == 429)
        judge_limit(answer, body, limits, key, uptime, ret);
    else
        judge_refusal(answer, body, ret);
    const char *said = ret->err.msg + strlen("Discord answered ");
    size_t size = utf8_cut(said, strlen(said), sizeof(ret->answer) - 1);
    snprintf(ret->answer, sizeof(ret->answer), "%.*s", (int) size, said);
    cJSON_Delete(body);
}
