/* discord_answer.c - what Discord's answer means. Source: Discord's pages topics/opcodes-and-status-codes ("HTTP",
 * "JSON"), topics/rate-limits, reference ("Error Messages"). */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "discord.h"

#define MESSAGE_MAX 100 /* characters of Discord's own words in a sentence */
#define PATH_MAX_PARTS 6

/* "1.25" seconds; rounded up, because too early is a mistake that Discord counts. false: not such a number. */
static bool read_seconds(const char *s, usec_t *ret)
{
    usec_t us = 0, unit = USEC_PER_SEC;
    if (!isdigit((unsigned char) *s))
        return false;
    for (; isdigit((unsigned char) *s); s++)
        us = us < DISCORD_WAIT_MAX_US ? us * 10 + (usec_t) (*s - '0') * USEC_PER_SEC : us;
    if (*s == '.')
        for (s++; isdigit((unsigned char) *s); s++)
            us += (usec_t) (*s - '0') * (unit /= 10);
    if (*s)
        return false;
    *ret = (us < DISCORD_WAIT_MAX_US ? us : DISCORD_WAIT_MAX_US - 1) + 1;
    return true;
}

static bool read_count(const char *s, int64_t *ret)
{
    size_t digits = strspn(s, "0123456789");
    if (!digits || digits > 9 || s[digits])
        return false;
    *ret = 0;
    for (; *s; s++)
        *ret = *ret * 10 + (*s - '0');
    return true;
}

static usec_t retry_after(const cJSON *body)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, "retry_after");
    if (!cJSON_IsNumber(item) || !(item->valuedouble > 0))
        return 0;
    if (item->valuedouble >= (double) (DISCORD_WAIT_MAX_US / USEC_PER_SEC))
        return DISCORD_WAIT_MAX_US;
    return (usec_t) (item->valuedouble * (double) USEC_PER_SEC) + 1;
}

static bool is_global(const struct discord_answer *answer, const cJSON *body)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(body, "global")) ||
           (answer->global && strcasecmp(answer->global, "true") == 0) ||
           (answer->scope && strcasecmp(answer->scope, "global") == 0);
}

static void judge_limit(const struct discord_answer *answer, const cJSON *body, struct discord_limits *limits,
                        uint64_t key, usec_t uptime, struct action_outcome *ret)
{
    usec_t wait = retry_after(body);
    if (wait < answer->retry_after_us)
        wait = answer->retry_after_us;
    if (wait > DISCORD_WAIT_MAX_US)
        wait = DISCORD_WAIT_MAX_US;
    if (wait)
        discord_limits_block(limits, key, uptime, wait, is_global(answer, body));
    ret->result = ACTION_RETRY;
    ret->retry_after_us = wait;
    err_set(&ret->err, -EBUSY, "Discord answered 429: too many messages");
}

/* {"errors":{"embeds":{"0":{"title":{"_errors":[{"message":"…"}]}}}}}: what is wrong, and where. */
static const cJSON *first_error(const cJSON *body, struct text *path)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(body, "errors");
    at = cJSON_IsObject(at) ? at->child : NULL;
    for (int i = 0; at && i < PATH_MAX_PARTS; i++) {
        if (strcmp(at->string ? at->string : "", "_errors") == 0)
            return cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(at, 0), "message");
        text_addf(path, "%s%s", path->size ? "." : "", at->string ? at->string : "");
        at = at->child;
    }
    return NULL;
}

/* " (Invalid Form Body; embeds.0.title: Must be 256 or fewer in length.)", made safe. Nothing where it could hold an
 * address, because that of a webhook is a secret. */
static void add_message(const cJSON *body, struct text *out)
{
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "message"));
    struct text raw CLEANUP(text_free) = TEXT_INIT, path CLEANUP(text_free) = TEXT_INIT;
    const char *error = cJSON_GetStringValue(first_error(body, &path));

    text_add(&raw, message ? message : "");
    if (error)
        text_addf(&raw, "%s%s: %s", raw.size ? "; " : "", path.s, error);
    if (!raw.size || strstr(raw.s, "://") || strcasestr(raw.s, "/webhooks/"))
        return;
    text_add(out, " (");
    text_add_safe(out, raw.s, raw.size, MESSAGE_MAX);
    text_add(out, ")");
}

static const char *advice(long status)
{
    switch (status) {
    case 401:
        return ": the webhook's token is wrong; nothing more is sent until a reload with the right url";
    case 403:
        return ": it does not let this webhook post; nothing more is sent until a reload";
    case 404:
        return ": the webhook is gone; nothing more is sent until a reload with a new url";
    default:
        return "";
    }
}

/* Its servers failing, or a request that took too long, say nothing against the event. */
static enum action_result result_of(long status)
{
    if (status >= 200 && status < 300)
        return ACTION_DONE;
    if (status == 401 || status == 403 || status == 404)
        return ACTION_OFF;
    return status == 408 || status == 425 || status >= 500 ? ACTION_RETRY : ACTION_GIVE_UP;
}

static void hear_limit(const struct discord_answer *answer, struct discord_limits *limits, uint64_t key, usec_t uptime)
{
    int64_t remaining;
    usec_t reset_after_us;
    if (answer->remaining && answer->reset_after && read_count(answer->remaining, &remaining) &&
        read_seconds(answer->reset_after, &reset_after_us))
        discord_limits_heard(limits, key, uptime, remaining, reset_after_us);
}

void discord_judge(const struct discord_answer *answer, struct discord_limits *limits, uint64_t key, usec_t uptime,
                   struct action_outcome *ret)
{
    *ret = (struct action_outcome){ .result = result_of(answer->status) };
    hear_limit(answer, limits, key, uptime);
    if (ret->result == ACTION_DONE)
        return;

    cJSON *body = answer->body.size ? cJSON_ParseWithLength(answer->body.s, answer->body.size) : NULL;
    if (answer->status == 429) {
        judge_limit(answer, body, limits, key, uptime, ret);
    } else {
        struct text message CLEANUP(text_free) = TEXT_INIT;
        add_message(body, &message);
        err_set(&ret->err, -EIO, "Discord answered %ld%s%s", answer->status, message.s, advice(answer->status));
        if (ret->result == ACTION_RETRY)
            ret->retry_after_us = answer->retry_after_us;
    }
    cJSON_Delete(body);
}
