/* redis_link.c - one connection to one of several addresses, made ready for the script. */
#include <errno.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "redis_action.h"

#define REPLY_MAX_BYTES ((size_t) 256 << 20) /* an entry, at most, as it was added */
#define POLICY "maxmemory_policy:"

static const char *url_of(const struct redis_link *link)
{
    return redis_options(link->config)->urls[link->at];
}

void redis_link_begin(struct redis_link *link, usec_t until_us)
{
    link->until_us = until_us;
    link->n_left = 0;
    link->is_used = link->redis;
}

void redis_link_close(struct redis_link *link)
{
    link->redis = redis_close(link->redis);
}

bool redis_link_was_old(const struct redis_link *link)
{
    return !link->redis && link->is_used && uptime_us() < link->until_us;
}

/* The next one's turn. Whether it has not had one in this delivery. */
static bool leave(struct redis_link *link)
{
    size_t n = redis_options(link->config)->n_urls;
    redis_link_close(link);
    link->at = (link->at + 1) % n;
    return ++link->n_left < n;
}

/* An old connection may have been closed for its age alone. */
static bool lose(struct redis_link *link, int r, struct action_outcome *ret)
{
    link->is_used &= r == -ECONNRESET;
    ret->result = r == -ECANCELED ? ACTION_CANCELLED : ACTION_RETRY;
    redis_link_close(link);
    return false;
}

/* ---- one question ---- */

bool redis_link_send(struct redis_link *link, const struct span *words, size_t n, struct action_outcome *ret)
{
    int r = redis_send(link->redis, words, n, &ret->err);
    return r < 0 ? lose(link, r, ret) : true;
}

bool redis_link_await(struct redis_link *link, const struct redis_reply **ret_reply, struct action_outcome *ret)
{
    int r = redis_await(link->redis, link->cancel_fd, link->until_us, ret_reply, &ret->err);
    return r < 0 ? lose(link, r, ret) : true;
}

static enum action_result result_of(enum redis_verdict verdict)
{
    switch (verdict) {
    case REDIS_DONE:
        return ACTION_DONE;
    case REDIS_TOO_LARGE:
        return ACTION_GIVE_UP;
    case REDIS_NOT_THIS_KEY:
    case REDIS_NEVER:
        return ACTION_OFF;
    case REDIS_LATER:
    case REDIS_ELSEWHERE:
    case REDIS_NO_SCRIPT:
        return ACTION_RETRY;
    }
    return ACTION_RETRY;
}

static void name_server(const struct redis_link *link, struct err *err)
{
    char name[128];
    redis_name_url(url_of(link), name, sizeof(name));
    err_wrap(err, 0, "%s", name);
}

/* Without the script the next connection, which loads it, does. */
enum redis_verdict redis_link_judge(struct redis_link *link, const struct redis_reply *reply,
                                    struct action_outcome *ret, bool *ret_again)
{
    enum redis_verdict verdict = redis_judge(reply, &ret->err);
    ret->result = result_of(verdict);
    if (verdict != REDIS_DONE)
        name_server(link, &ret->err);
    if (verdict == REDIS_ELSEWHERE)
        *ret_again |= leave(link);
    else if (verdict == REDIS_NO_SCRIPT)
        redis_link_close(link);
    return verdict;
}

/* ---- a new connection ---- */

/* What could take the stream away, told once. */
static void look_at_policy(struct redis_link *link, const struct redis_reply *reply)
{
    const char *at = reply->type == REDIS_TEXT ? strstr(reply->text.s, POLICY) : NULL;
    const char *value = at ? at + strlen(POLICY) : "noeviction"; /* it may not be asked for */
    char policy[sizeof(link->told_policy)];
    size_t size = strspn(value, "abcdefghijklmnopqrstuvwxyz-");
    text_copy(policy, size < sizeof(policy) ? size + 1 : sizeof(policy), value);
    if (strcmp(policy, "noeviction") != 0 && strcmp(policy, link->told_policy) != 0)
        redis_tell(
            link->config, LOG_WARNING, LOG_ID_ACTION_CHANGED,
            "the server's maxmemory-policy is %s: short of memory it may take the whole stream away, which is then "
            "published again; noeviction refuses what is new instead",
            policy);
    text_copy(link->told_policy, sizeof(link->told_policy), policy);
}

/* Loads the script, and looks at the server. */
static bool prepare(struct redis_link *link, struct action_outcome *ret, bool *ret_again)
{
    const struct span load[] = { span_of("SCRIPT"), span_of("LOAD"), span_of(redis_batch_script) };
    const struct span info[] = { span_of("INFO"), span_of("memory") };
    const struct redis_reply *reply;
    if (!redis_link_send(link, load, ARRAY_SIZE(load), ret) || !redis_link_send(link, info, ARRAY_SIZE(info), ret) ||
        !redis_link_await(link, &reply, ret))
        return false;
    if (redis_link_judge(link, reply, ret, ret_again) != REDIS_DONE) {
        redis_link_close(link);
        return false;
    }
    text_copy(link->script, sizeof(link->script), reply->type == REDIS_TEXT ? reply->text.s : "");
    if (!redis_link_await(link, &reply, ret))
        return false;
    look_at_policy(link, reply);
    return true;
}

/* The address that is next. *ret_again: another one may do. */
static bool connect_once(struct redis_link *link, struct action_outcome *ret, bool *ret_again)
{
    const struct redis_options *options = redis_options(link->config);
    const struct redis_settings settings = { .url = url_of(link),
                                             .username = options->username,
                                             .password = options->password,
                                             .database = options->database,
                                             .ca_file = options->ca_file,
                                             .connect_us = link->config->timeout_us / 2 / options->n_urls,
                                             .max_reply_bytes = REPLY_MAX_BYTES };
    enum redis_verdict verdict = REDIS_LATER;
    link->is_used = false;
    int r = redis_open(&link->redis, link->pool, &settings, &ret->err);
    if (r >= 0)
        r = redis_await_open(link->redis, link->cancel_fd, &verdict, &ret->err);
    if (r >= 0)
        return prepare(link, ret, ret_again);
    (void) lose(link, r, ret);
    if (r == -EACCES)
        ret->result = result_of(verdict);
    if (ret->result == ACTION_RETRY)
        *ret_again |= leave(link);
    return false;
}

bool redis_link_open(struct redis_link *link, struct action_outcome *ret)
{
    bool is_open = link->redis, again = true;
    while (!is_open && again) {
        again = false;
        is_open = connect_once(link, ret, &again);
        again = again && uptime_us() < link->until_us;
    }
    return is_open;
}
