/* test_discord_answer.c - what Discord's answers mean: fixtures/actions/discord-answers.json has sequences of requests
 * and answers, with the clock in each step. */
#include "discord.h"
#include "discord_checks.h"

static cJSON *load(void)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    FILE *file = fopen(FIXTURES "/actions/discord-answers.json", "re");
    char piece[4096];
    for (size_t n; file && (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        text_add_bytes(&text, piece, n);
    if (file)
        fclose(file);
    return cJSON_ParseWithOpts(text.s, NULL, true);
}

static const char *text_at(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(json_get(object, name));
}

static const char *const results[] = { [ACTION_DONE] = "done",
                                       [ACTION_RETRY] = "retry",
                                       [ACTION_GIVE_UP] = "give up",
                                       [ACTION_OFF] = "off",
                                       [ACTION_CANCELLED] = "cancelled" };

static void judge(const cJSON *step, struct discord_limits *limits, uint64_t key, usec_t uptime)
{
    const cJSON *said = json_get(step, "answer"), *body = json_get(said, "body"),
                *retry_after = json_get(said, "Retry-After");
    char *printed = cJSON_IsString(body) ? strdup(body->valuestring) : body ? cJSON_PrintUnformatted(body) : strdup("");
    const struct discord_answer answer = {
        .status = json_get(said, "status")->valueint,
        .body = { printed, strlen(printed) },
        .retry_after_us = retry_after ? (usec_t) retry_after->valueint * USEC_PER_SEC : 0,
        .remaining = text_at(said, "X-RateLimit-Remaining"),
        .reset_after = text_at(said, "X-RateLimit-Reset-After"),
        .global = text_at(said, "X-RateLimit-Global"),
        .scope = text_at(said, "X-RateLimit-Scope"),
        .in_thread = cJSON_IsTrue(json_get(step, "in_thread")),
    };
    struct action_outcome outcome = { 0 };
    discord_judge(&answer, limits, key, uptime, &outcome);
    free(printed);

    const char *sentence = text_at(step, "sentence");
    assert_string_equal(results[outcome.result], text_at(step, "result"));
    assert_string_equal(outcome.err.msg, sentence ? sentence : "");
    const cJSON *wait = json_get(step, "wait_ms");
    assert_int_equal(outcome.retry_after_us / USEC_PER_MSEC, wait ? wait->valueint : 0);
}

/* A step asks whether a request may go, or brings an answer. */
static void test_sequence(void **state)
{
    const cJSON *sequence = *state, *step;
    struct discord_limits limits = DISCORD_LIMITS_INIT;
    const usec_t start = 5 * USEC_PER_SEC;
    cJSON_ArrayForEach (step, json_get(sequence, "steps")) {
        const char *webhook = text_at(step, "webhook");
        uint64_t key = discord_webhook_key(webhook ? webhook : "https://d.example/1/t");
        usec_t uptime = start + (usec_t) json_get(step, "at_ms")->valueint * USEC_PER_MSEC;
        if (json_get(step, "answer")) {
            judge(step, &limits, key, uptime);
            continue;
        }
        usec_t wait = discord_limits_take(&limits, key, uptime);
        if (wait / USEC_PER_MSEC != (usec_t) json_get(step, "may_send_in_ms")->valueint) {
            char *printed = cJSON_PrintUnformatted(step);
            fail_msg("%s: %llu us", printed, (unsigned long long) wait);
        }
    }
}

/* More webhooks than there are rows: none is forgotten whose limit still holds, as long as others do not. */
static void test_many_webhooks(void **state)
{
    struct discord_limits limits = DISCORD_LIMITS_INIT;
    (void) state;
    discord_limits_block(&limits, 7, 1000, 60 * USEC_PER_SEC, false);
    for (uint64_t key = 100; key < 100 + 10 * DISCORD_WEBHOOKS_MAX; key++)
        assert_int_equal(discord_limits_take(&limits, key, 2000), 0);
    assert_int_equal(discord_limits_take(&limits, 7, 1000), 60 * USEC_PER_SEC);
}

/* Sentences hold nothing that a terminal would obey, and end. */
static void test_hostile_answer(void **state)
{
    static const char body[] =
        "{\"message\":\"\\u001b[31m\\nred\",\"errors\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":"
        "{\"g\":{\"h\":1}}}}}}}}}";
    const struct discord_answer answer = { .status = 400, .body = { body, strlen(body) } };
    struct discord_limits limits = DISCORD_LIMITS_INIT;
    struct action_outcome outcome;
    (void) state;
    discord_judge(&answer, &limits, 1, 1, &outcome);
    assert_string_equal(outcome.err.msg, "Discord answered 400 (\\x1b[31m\\nred)");
}

/* What has no room is cut off, but nothing in the middle of a letter. */
static void test_long_words(void **state)
{
    struct discord_limits limits = DISCORD_LIMITS_INIT;
    (void) state;
    for (int before = 0; before < 3; before++) {
        struct text body CLEANUP(text_free) = TEXT_INIT;
        struct action_outcome outcome;
        text_addf(&body, "{\"message\":\"%.*s", before, "...");
        for (int i = 0; i < 90; i++)
            text_add(&body, "\u20ac");
        text_add(&body, "\"}");
        const struct discord_answer answer = { .status = 400, .body = { body.s, body.size } };
        discord_judge(&answer, &limits, 1, 1, &outcome);
        assert_true(is_utf8(outcome.answer));
        assert_in_range(strlen(outcome.answer), ACTION_ANSWER_MAX - 3, ACTION_ANSWER_MAX - 1);
    }
}

int main(void)
{
    static struct CMUnitTest tests[100] = { cmocka_unit_test(test_many_webhooks), cmocka_unit_test(test_hostile_answer),
                                            cmocka_unit_test(test_long_words) };
    size_t n = 3;
    cJSON *sequences = load(), *sequence;
    if (!sequences)
        return 1;
    cJSON_ArrayForEach (sequence, sequences)
        tests[n++] = (struct CMUnitTest){ text_at(sequence, "why"), test_sequence, NULL, NULL, sequence };
    int failed = _cmocka_run_group_tests("discord_answer", tests, n, NULL, NULL);
    cJSON_Delete(sequences);
    return failed;
}
