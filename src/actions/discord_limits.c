/* discord_limits.c - the URL of a webhook, and how soon it may be used again, as far as Discord told. The worker waits,
 * not this. Source: Discord's page topics/rate-limits. */
#include <string.h>

#include "discord.h"

/* wait: without it, Discord answers before it knows whether it takes the message. */
void discord_add_url(struct text *out, const char *url, const char *thread_id)
{
    size_t size = strcspn(url, "#");
    const char *query = memchr(url, '?', size);
    text_add_bytes(out, url, size);
    if (!query)
        text_add(out, "?");
    else if (url[size - 1] != '?' && url[size - 1] != '&')
        text_add(out, "&");
    text_add(out, "wait=true");
    if (thread_id)
        text_addf(out, "&thread_id=%s", thread_id);
}

/* Two webhooks with one hash would share a limit, no more. */
uint64_t discord_webhook_key(const char *url)
{
    return hash_bytes(HASH_START, url, strcspn(url, "?#"));
}

static usec_t later(usec_t uptime, usec_t wait_us)
{
    return uptime + (wait_us < DISCORD_WAIT_MAX_US ? wait_us : DISCORD_WAIT_MAX_US);
}

/* Its row, a new one where there is none: of the webhook whose limit ends first. */
static struct discord_webhook *row_of(struct discord_limits *limits, uint64_t key)
{
    struct discord_webhook *free_row = &limits->webhooks[0];
    for (size_t i = 0; i < DISCORD_WEBHOOKS_MAX; i++) {
        struct discord_webhook *row = &limits->webhooks[i];
        if (row->used && row->key == key)
            return row;
        if (free_row->used && (!row->used || row->reset_us < free_row->reset_us))
            free_row = row;
    }
    *free_row = (struct discord_webhook){ .key = key, .used = true, .remaining = -1 };
    return free_row;
}

usec_t discord_limits_take(struct discord_limits *limits, uint64_t key, usec_t uptime)
{
    usec_t wait = 0;
    pthread_mutex_lock(&limits->lock);
    struct discord_webhook *row = row_of(limits, key);
    if (row->reset_us <= uptime)
        row->remaining = -1;
    if (row->remaining == 0)
        wait = row->reset_us - uptime;
    if (limits->blocked_until_us > uptime && limits->blocked_until_us - uptime > wait)
        wait = limits->blocked_until_us - uptime;
    if (!wait && row->remaining > 0)
        row->remaining--;
    pthread_mutex_unlock(&limits->lock);
    return wait;
}

/* Answers to requests that ran side by side come in any order, and one may have gone since: within one window the
 * lower number is the newer one. */
void discord_limits_heard(struct discord_limits *limits, uint64_t key, usec_t uptime, int64_t remaining,
                          usec_t reset_after_us)
{
    pthread_mutex_lock(&limits->lock);
    struct discord_webhook *row = row_of(limits, key);
    bool same_window = row->remaining >= 0 && row->reset_us > uptime;
    if (!same_window || remaining < row->remaining)
        row->remaining = remaining;
    if (!same_window || later(uptime, reset_after_us) > row->reset_us)
        row->reset_us = later(uptime, reset_after_us);
    pthread_mutex_unlock(&limits->lock);
}

void discord_limits_block(struct discord_limits *limits, uint64_t key, usec_t uptime, usec_t wait_us, bool all)
{
    usec_t until = later(uptime, wait_us);
    pthread_mutex_lock(&limits->lock);
    struct discord_webhook *row = row_of(limits, key);
    row->remaining = 0;
    if (row->reset_us < until)
        row->reset_us = until;
    if (all && limits->blocked_until_us < until)
        limits->blocked_until_us = until;
    pthread_mutex_unlock(&limits->lock);
}
