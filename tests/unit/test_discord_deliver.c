/* test_discord_deliver.c - settings are checked, and one try at posting is made, against an HTTP client that answers
 * what the test laid ready. */
#include <errno.h>
#include <strings.h>

#include "discord.h"
#include "discord_checks.h"

#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/net.h>

struct web {
    int unused;
};

static long next_status;
static int next_error;
static usec_t next_retry_after_us;
static const char *next_body, *next_headers[4][2];
static size_t n_posts;
static char posted_url[256];

/* ---- instead of src/net ---- */

int web_open(struct web **ret, const struct web_settings *settings, struct err *err)
{
    static struct web web;
    (void) settings;
    (void) err;
    *ret = &web;
    return 0;
}

struct web *web_close(struct web *web)
{
    (void) web;
    return NULL;
}

int web_post(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err)
{
    (void) web;
    n_posts++;
    snprintf(posted_url, sizeof(posted_url), "%s", request->url);
    assert_string_equal(request->body.s, "{}");
    assert_true(request->max_answer_bytes > 0);
    if (next_error)
        return err_set(err, next_error, "connection refused");
    *ret = (struct web_answer){ .status = next_status, .body = TEXT_INIT, .retry_after_us = next_retry_after_us };
    text_add(&ret->body, next_body ? next_body : "");
    return 0;
}

const char *web_header(const struct web_answer *answer, const char *name)
{
    (void) answer;
    for (size_t i = 0; i < ARRAY_SIZE(next_headers) && next_headers[i][0]; i++)
        if (strcasecmp(next_headers[i][0], name) == 0)
            return next_headers[i][1];
    return NULL;
}

void web_answer_free(struct web_answer *answer)
{
    text_free(&answer->body);
}

/* ---- tests: each has webhooks of its own, because limits are the process's ---- */

static struct action *open_action(char *url, char *thread_id)
{
    static struct config_action configs[16];
    static struct discord_settings settings[16];
    static size_t n;
    struct config_action *config = &configs[n++];
    struct action *action = NULL;
    struct err err;
    settings[n - 1] = (struct discord_settings){ .url = url, .thread_id = thread_id };
    *config = (struct config_action){ .settings = &settings[n - 1] };
    const struct action_context context = { .config = config, .cancel_fd = -1 };
    assert_int_equal(action_discord.open(&action, &context, &err), 0);
    next_error = 0;
    next_retry_after_us = 0;
    next_body = NULL;
    memset(next_headers, 0, sizeof(next_headers));
    n_posts = 0;
    return action;
}

static struct action_outcome deliver(struct action *action)
{
    struct action_payload payload CLEANUP(action_payload_free) = ACTION_PAYLOAD_INIT;
    struct action_outcome outcome = { .result = ACTION_CANCELLED };
    text_add(&payload.body, "{}");
    action_discord.deliver(action, &payload, 1, &outcome);
    return outcome;
}

static void test_done(void **state)
{
    static char url[] = "https://d.example/done/t", thread_id[] = "42";
    struct action *action = open_action(url, thread_id);
    (void) state;
    next_status = 200;
    assert_int_equal(deliver(action).result, ACTION_DONE);
    assert_string_equal(posted_url, "https://d.example/done/t?wait=true&thread_id=42");
    assert_null(action_discord.close(action));
    assert_null(action_discord.close(NULL));
}

static void test_errors_of_the_connection(void **state)
{
    static char url[] = "https://d.example/errors/t";
    struct action *action = open_action(url, NULL);
    (void) state;
    next_error = -ECONNREFUSED;
    struct action_outcome outcome = deliver(action);
    assert_int_equal(outcome.result, ACTION_RETRY);
    assert_string_equal(outcome.err.msg, "connection refused");
    assert_int_equal(outcome.retry_after_us, 0);
    next_error = -ECANCELED;
    assert_int_equal(deliver(action).result, ACTION_CANCELLED);
    action_discord.close(action);
}

/* Two actions, one webhook: what the first heard keeps the second from sending. */
static void test_limit_is_shared(void **state)
{
    static char url[] = "https://d.example/shared/t", same_url[] = "https://d.example/shared/t?thread_id=5",
                other_url[] = "https://d.example/other/t";
    struct action *one = open_action(url, NULL), *two = open_action(same_url, NULL),
                  *other = open_action(other_url, NULL);
    (void) state;
    next_status = 200;
    next_headers[0][0] = "X-RateLimit-Remaining";
    next_headers[0][1] = "0";
    next_headers[1][0] = "X-RateLimit-Reset-After";
    next_headers[1][1] = "3600.5";
    assert_int_equal(deliver(one).result, ACTION_DONE);

    struct action_outcome outcome = deliver(two);
    assert_int_equal(outcome.result, ACTION_WAIT);
    assert_string_equal(outcome.err.msg, "waits for Discord's rate limit");
    assert_in_range(outcome.retry_after_us, 3500 * USEC_PER_SEC, 3601 * USEC_PER_SEC);
    assert_int_equal(n_posts, 1);
    assert_int_equal(deliver(other).result, ACTION_DONE);
    assert_int_equal(n_posts, 2);
    action_discord.close(one);
    action_discord.close(two);
    action_discord.close(other);
}

static void test_gone(void **state)
{
    static char url[] = "https://d.example/gone/secret-token";
    struct action *action = open_action(url, NULL);
    (void) state;
    next_status = 404;
    next_body = "{\"message\":\"Unknown Webhook\",\"code\":10015}";
    struct action_outcome outcome = deliver(action);
    assert_int_equal(outcome.result, ACTION_OFF);
    assert_non_null(strstr(outcome.err.msg, "Discord answered 404 (Unknown Webhook): the webhook is gone"));
    assert_null(strstr(outcome.err.msg, "secret-token"));
    action_discord.close(action);
}

/* The last one, because it stops every webhook. */
static void test_global_limit(void **state)
{
    static char url[] = "https://d.example/global/t", other_url[] = "https://d.example/bystander/t";
    struct action *action = open_action(url, NULL), *other = open_action(other_url, NULL);
    (void) state;
    next_status = 429;
    next_retry_after_us = 3600 * USEC_PER_SEC;
    next_body = "{\"message\":\"You are being rate limited.\",\"retry_after\":0.5,\"global\":true}";
    struct action_outcome outcome = deliver(action);
    assert_int_equal(outcome.result, ACTION_RETRY);
    assert_int_equal(outcome.retry_after_us, 3600 * USEC_PER_SEC);
    assert_int_equal(deliver(other).result, ACTION_WAIT);
    assert_int_equal(n_posts, 1);
    action_discord.close(action);
    action_discord.close(other);
}

/* ---- check ---- */

static void complain(void *context, const char *option, const char *sentence)
{
    struct text *said = context;
    assert_non_null(strstr(sentence, "expected"));
    text_addf(said, "%s%s", said->size ? " " : "", option);
}

static char *copy(const char *s)
{
    return s ? strdup(s) : NULL;
}

static void test_check(void **state)
{
    static const struct {
        const char *message, *username, *avatar_url, *complaints;
    } rows[] = {
        { "{summary}", "CAD", "https://x/y.png", "" },
        { NULL, NULL, NULL, "" },
        { "{summary", NULL, NULL, "message" },
        { NULL, "", NULL, "username" },
        { NULL, " \u3164", NULL, "username" },
        { NULL, "My DisCord bot", NULL, "username" },
        { NULL, "CLYDE", NULL, "username" },
        { NULL, "0123456789012345678901234567890123456789012345678901234567890123456789012345678\U0001f6a8", NULL,
          "username" },
        { NULL, "012345678901234567890123456789012345678901234567890123456789012345678901234567\U0001f6a8", NULL, "" },
        { NULL, NULL, "javascript:alert(1)", "avatar_url" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct text said CLEANUP(text_free) = TEXT_INIT;
        char *texts[] = { copy(rows[i].message), copy(rows[i].username), copy(rows[i].avatar_url) };
        struct discord_settings settings = { .message = texts[0], .username = texts[1], .avatar_url = texts[2] };
        const struct config_action config = { .settings = &settings };
        action_discord.check(&config, &families_all, complain, &said);
        assert_string_equal(said.s, rows[i].complaints);
        for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
            free(texts[k]);
    }
}

static void test_check_mentions(void **state)
{
    static char id[] = "1";
    char *ids[DISCORD_MENTIONS_MAX + 1] = { id };
    struct discord_settings settings = { .mention_roles = ids, .mention_users = ids };
    const struct config_action config = { .settings = &settings };
    struct text said CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    settings.n_mention_roles = DISCORD_MENTIONS_MAX;
    action_discord.check(&config, &families_all, complain, &said);
    assert_string_equal(said.s, "");
    settings.n_mention_roles = DISCORD_MENTIONS_MAX + 1;
    action_discord.check(&config, &families_all, complain, &said);
    assert_string_equal(said.s, "mention_roles");
    text_reset(&said);
    settings.n_mention_roles = settings.n_mention_users = DISCORD_MENTIONS_MAX / 2 + 1;
    action_discord.check(&config, &families_all, complain, &said);
    assert_string_equal(said.s, "mention_users");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_mentions),
        cmocka_unit_test(test_done),
        cmocka_unit_test(test_errors_of_the_connection),
        cmocka_unit_test(test_limit_is_shared),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_global_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
