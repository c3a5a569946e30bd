/* forward_answer.c - what a receiver's answer comes to, and as much of it as people may read: no key, nothing of our
 * URL that could be a secret, no markup, no line breaks. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "forward.h"

#define RETRY_AFTER_MAX_US (3600 * USEC_PER_SEC)
#define SECRET_MIN_BYTES 8 /* a shorter part of a URL is none */

/* ---- what may be read ---- */

/* These letters are the same in a URL, in JSON and in HTML: a key of them is found in whatever way it is repeated. */
static bool consists_of(const char *s, const char *others)
{
    for (; *s; s++)
        if (!isalnum((unsigned char) *s) && !strchr(others, *s))
            return false;
    return true;
}

static bool is_plain(const char *s)
{
    return consists_of(s, "-._~");
}

static bool is_plain_words(const char *s)
{
    return consists_of(s, "-._~ ");
}

/* Over each place where the secret stands, and over its beginning at the very end: the rest was not kept. */
static void black_out(char *s, size_t size, const char *secret, size_t secret_size)
{
    for (size_t i = 0; secret_size && i < size; i++) {
        size_t n = size - i < secret_size ? size - i : secret_size;
        if ((n == secret_size || size == FORWARD_ANSWER_BYTES) && strncasecmp(s + i, secret, n) == 0)
            memset(s + i, '*', n);
    }
}

static void black_out_parts(char *s, size_t size, const char *url, const char *end)
{
    while (url < end) {
        size_t n = strcspn(url, "/?&=#:@");
        bool of_all = strncmp(url, "sonoran", strlen("sonoran")) == 0; /* /sonorancad/event, /sonoranradio/events */
        if (n >= SECRET_MIN_BYTES && url + n <= end && !of_all)
            black_out(s, size, url, n);
        url += n + 1;
    }
}

/* All of a URL that could be a secret: what is not its host. */
static void black_out_url(char *s, size_t size, const char *url)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    const char *path = start + strcspn(start, "/?#"), *at = memrchr(start, '@', (size_t) (path - start));
    black_out_parts(s, size, start, at ? at : start);
    black_out_parts(s, size, path, url + strlen(url));
}

/* To what fits into an outcome, with a status before it; escapes have made it longer. */
static void cut(struct text *text)
{
    enum { MAX = ACTION_ANSWER_MAX - sizeof("200 ") };
    size_t size = utf8_cut(text->s, text->size, MAX);
    if (size < text->size)
        text->s[text->size = size] = '\0';
}

/* "Bearer abc": each word for itself. */
static void black_out_header(char *s, size_t size, const char *header)
{
    const char *value = strchr(header, ':');
    for (size_t n; value && *value; value += n) {
        value += strspn(value, ": ");
        n = strcspn(value, " ");
        if (n >= SECRET_MIN_BYTES)
            black_out(s, size, value, n);
    }
}

static bool may_be_repeated_otherwise(const struct config_action *config)
{
    for (size_t i = 0; i < forward_settings(config)->n_headers; i++) {
        const char *value = strchr(forward_settings(config)->headers[i], ':');
        if (value && config_header_is_private(forward_settings(config)->headers[i]) && !is_plain_words(value + 1))
            return true;
    }
    return false;
}

/* Nothing where it cannot be said for sure that no key is in it. */
static void add_readable(struct text *out, const struct text *from, const struct config_action *config, const char *key)
{
    struct text copy CLEANUP(text_free) = TEXT_INIT, words CLEANUP(text_free) = TEXT_INIT;
    if (!from->size || !is_plain(key) || may_be_repeated_otherwise(config))
        return;
    text_add_bytes(&copy, from->s, from->size);
    if (copy.failed)
        return;
    black_out(copy.s, copy.size, key, strlen(key));
    black_out_url(copy.s, copy.size, forward_settings(config)->url);
    for (size_t i = 0; i < forward_settings(config)->n_headers; i++)
        black_out_header(copy.s, copy.size, forward_settings(config)->headers[i]);
    web_add_words(&words, copy.s, copy.size);
    text_add_safe(out, words.s, words.size < FORWARD_EXPECT_BYTES ? words.size : FORWARD_EXPECT_BYTES, 0);
    cut(out);
}

/* ---- judging ---- */

static bool waits_for_sent(const struct config_action *config)
{
    return forward_settings(config)->expect && strcasecmp(forward_settings(config)->expect, "sent") == 0;
}

enum web_wait forward_wait(const struct config_action *config)
{
    if (waits_for_sent(config))
        return WEB_WAIT_SENT;
    return forward_settings(config)->expect ? WEB_WAIT_BODY : WEB_WAIT_HEAD;
}

static bool is_expected(const struct config_action *config, const struct web_answer *answer)
{
    struct span body = { answer->body.s, answer->body.size };
    if (!forward_settings(config)->expect)
        return true;
    while (body.size && isspace((unsigned char) *body.s))
        body = (struct span){ body.s + 1, body.size - 1 };
    if (body.size > FORWARD_EXPECT_BYTES)
        body.size = FORWARD_EXPECT_BYTES;
    while (body.size && isspace((unsigned char) body.s[body.size - 1]))
        body.size--;
    return glob_matches(span_of(forward_settings(config)->expect), body);
}

static bool is_later(const struct config_action *config, long status)
{
    for (size_t i = 0; i < forward_settings(config)->n_retry_statuses; i++)
        if (forward_settings(config)->retry_statuses[i] == (uint64_t) status)
            return true;
    return status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599);
}

static bool is_success(const struct web_answer *answer)
{
    return answer->status >= 200 && answer->status <= 299;
}

/* What came of a 2xx was not what was expected: never will be, unless it broke off before that could be seen. */
static enum action_result judge(const struct config_action *config, const struct web_answer *answer)
{
    if (waits_for_sent(config) || (is_success(answer) && is_expected(config, answer)))
        return ACTION_DONE;
    bool broken = is_success(answer) && !answer->whole && answer->body.size < FORWARD_EXPECT_BYTES;
    return broken || is_later(config, answer->status) ? ACTION_RETRY : ACTION_GIVE_UP;
}

static void set_sentence(const struct config_action *config, const struct web_answer *answer, const char *words,
                         const char *key, struct err *err)
{
    struct text where CLEANUP(text_free) = TEXT_INIT;
    add_readable(&where, &answer->redirect, config, key);
    const char *unexpected = is_success(answer) ? ", but not what is expected" : "";
    if (answer->status / 100 == 3)
        err_set(err, 0, "answered %ld%s%s, and redirects are not followed", answer->status, where.size ? " to " : "",
                where.s);
    else
        err_set(err, 0, "answered %ld%s%s%s", answer->status, unexpected, *words ? ": " : "", words);
}

/* Many a page begins with its status: "404 Not Found". */
static const char *skip_status(const char *words, long status)
{
    char number[32];
    int size = snprintf(number, sizeof(number), "%ld ", status);
    return strncmp(words, number, (size_t) size) == 0 ? words + size : words;
}

void forward_judge(const struct config_action *config, const struct web_answer *answer, const char *key,
                   struct action_outcome *ret)
{
    struct text body CLEANUP(text_free) = TEXT_INIT;
    add_readable(&body, &answer->body, config, key);
    const char *words = skip_status(body.s, answer->status);
    if (answer->status)
        snprintf(ret->answer, sizeof(ret->answer), "%ld%s%s", answer->status, *words ? " " : "", words);

    ret->result = judge(config, answer);
    if (ret->result == ACTION_RETRY)
        ret->retry_after_us = answer->retry_after_us < RETRY_AFTER_MAX_US ? answer->retry_after_us : RETRY_AFTER_MAX_US;
    if (ret->result != ACTION_DONE)
        set_sentence(config, answer, words, key, &ret->err);
}
