/* fuzz_answers.c - any bytes as an answer to what we ask or post over HTTP: of the CAD's REST interface, of Discord, of
 * a receiver of events. libFuzzer's target.
 *
 * The first byte says how it came, the first line its status; header lines, an empty line and the body follow, as they
 * leave libcurl. What libcurl itself makes of bytes is not ours.
 * Looked for besides crashes: words that a terminal would obey; a key, a webhook or a header of ours that was repeated
 * in them; waiting without an end; an answer that is told as a change of state anew each time it comes. */
#include "fuzz_checks.h"

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/primed.h>

#include "discord.h"
#include "forward.h"
#include "session_private.h"
#include "session_rest.h"

#define KEY "TEST-API-KEY-0000"
#define URL "https://me:passw0rd9@bot.example/sonorancad/zok3n-of-the-url?token=zyxwvuts98765432"
#define HEADER_SECRET "zok-of_headers"
#define NOW_US ((usec_t) 1795449600000000)

static char url[] = URL, header[] = "Authorization: Bearer " HEADER_SECRET;

/* What web_get is answered with from here. */
static const struct web_answer *served;

int __wrap_web_open(struct web **ret, const struct web_settings *settings, struct err *err);
struct web *__wrap_web_close(struct web *web);
int __wrap_web_get(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err);

int __wrap_web_open(struct web **ret, const struct web_settings *settings, struct err *err)
{
    (void) settings;
    (void) err;
    *ret = NULL;
    return 0;
}

struct web *__wrap_web_close(struct web *web)
{
    return web;
}

static void copy_answer(const struct web_answer *from, size_t max_bytes, struct web_answer *ret)
{
    *ret = *from;
    ret->body = ret->redirect = (struct text) TEXT_INIT;
    text_add_bytes(&ret->body, from->body.s, from->body.size < max_bytes ? from->body.size : max_bytes);
    text_add(&ret->redirect, from->redirect.s);
}

int __wrap_web_get(struct web *web, const struct web_request *request, struct web_answer *ret, struct err *err)
{
    (void) web;
    (void) err;
    copy_answer(served, request->max_answer_bytes, ret);
    return 0;
}

/* ---- who gets one ---- */

/* By people, who may not see the key. */
static void require_readable(const char *words)
{
    require_safe(words);
    require_without(words, KEY);
}

static void require_no_secret(const char *words)
{
    require_readable(words);
    require_without(words, "passw0rd9");
    require_without(words, "zok3n-of-the-url");
    require_without(words, "zyxwvuts98765432");
    require_without(words, HEADER_SECRET);
}

static void look_at_forward(const struct web_answer *whole, unsigned how)
{
    static char *headers[] = { header };
    static uint64_t later[] = { 404, 201 };
    static const char *const expected[] = { NULL, "ok*", "sent", "[[:digit:]]?*" };
    char *expect = expected[how % 4] ? strdup(expected[how % 4]) : NULL;
    struct forward_settings settings = { .url = url, .expect = expect, .headers = headers, .n_headers = 1 };
    const struct config_action config = { .settings = &settings };
    struct action_outcome outcome = { .result = ACTION_CANCELLED };
    struct web_answer answer;
    copy_answer(whole, FORWARD_ANSWER_BYTES, &answer);
    if (how & 8) {
        settings.retry_statuses = later;
        settings.n_retry_statuses = ARRAY_SIZE(later);
    }
    forward_judge(&config, &answer, KEY, &outcome);
    require_no_secret(outcome.err.msg);
    require_no_secret(outcome.answer);
    require(outcome.result == ACTION_DONE || outcome.result == ACTION_RETRY || outcome.result == ACTION_GIVE_UP);
    require(outcome.result != ACTION_DONE || how % 4 == 2 || answer.status / 100 == 2);
    require(outcome.retry_after_us <= 3600 * USEC_PER_SEC);
    require(outcome.result == ACTION_RETRY || outcome.retry_after_us == 0);
    require((outcome.result == ACTION_DONE) == (*outcome.err.msg == '\0'));
    web_answer_free(&answer);
    free(expect);
}

static void look_at_discord(const struct web_answer *answer, unsigned how)
{
    struct discord_limits limits = DISCORD_LIMITS_INIT;
    const struct discord_answer given = {
        .status = answer->status,
        .body = { answer->body.s, answer->body.size },
        .retry_after_us = answer->retry_after_us,
        .remaining = web_header(answer, "X-RateLimit-Remaining"),
        .reset_after = web_header(answer, "X-RateLimit-Reset-After"),
        .global = web_header(answer, "X-RateLimit-Global"),
        .scope = web_header(answer, "X-RateLimit-Scope"),
        .in_thread = how & 1,
    };
    struct action_outcome outcome;
    usec_t uptime = 5 * USEC_PER_SEC;
    discord_judge(&given, &limits, 1, uptime, &outcome);
    require_safe(outcome.err.msg);
    require_safe(outcome.answer);
    require_without(outcome.err.msg, "/webhooks/");
    require((outcome.result == ACTION_DONE) == (answer->status / 100 == 2));
    require(outcome.result == ACTION_RETRY || outcome.result == ACTION_GIVE_UP || outcome.result == ACTION_OFF ||
            outcome.result == ACTION_DONE);
    require(discord_limits_take(&limits, 1, uptime) <= DISCORD_WAIT_MAX_US);
    require(discord_limits_take(&limits, 1, uptime + DISCORD_WAIT_MAX_US) == 0);
    require(discord_limits_take(&limits, 2, uptime) == 0 || answer->status == 429);
}

/* ---- the CAD ---- */

static bool was_heard(void *context, enum state_kind kind, int64_t id)
{
    (void) context;
    return kind == STATE_KIND_CALL && id % 2;
}

/* As the event that would be stored. */
static void take_primed(struct state *state, uint64_t id, const struct text *data)
{
    static const struct origin origin = { "session", "city", "api.example.net" };
    const struct event stored = { .id = id,
                                  .type = PRIMED_TYPE,
                                  .time_us = NOW_US + id,
                                  .community = "a",
                                  .origin = &origin,
                                  .verdict = EVENT_INTERNAL,
                                  .data_text = { data->s, data->size } };
    struct description description = DESCRIPTION_INIT;
    struct batch batch;
    require(data->size <= PRIMED_MAX_BYTES && batch_restore(&batch, &stored, &families_all) == 0);
    const struct event *event = &batch.events[0];
    require(event->verdict == EVENT_INTERNAL && event->handler);
    event_describe(event, state, &description);
    require(description.line.size > 0);
    require_safe(description.line.s);
    state_set_event(state, id, event->time_us);
    state_set_test(state, false);
    state_set_source(state, origin.source, origin.name);
    require(event->handler->apply(event, state) >= 0);
    (void) primed_count_missed(event, state);
    families_write_known(event, state, &description);
    batch_done(&batch);
    description_free(&description);
}

/* What differs of a state from what the CAD says: 1, and data; 0: nothing. */
static int compare(struct state *state, uint64_t asked_id, const cJSON *calls, const cJSON *page, usec_t gap_us,
                   struct text *ret_data)
{
    const struct primed_question question = { .asked_id = asked_id,
                                              .asked_us = NOW_US + asked_id,
                                              .now_us = NOW_US + asked_id + USEC_PER_SEC,
                                              .server = 1,
                                              .source = primed_source(state, "session", "city"),
                                              .gap_us = gap_us };
    const struct primed_answers answers = {
        .calls = calls, .units = &page, .n_units = page != NULL, .units_whole = page != NULL
    };
    struct state_snapshot *known;
    size_t n_missed = 0;
    require(state_snapshot(state, "a", &known) == 0);
    int r = primed_diff(&question, &answers, known, was_heard, NULL, ret_data, &n_missed);
    state_snapshot_free(known);
    require(r >= 0 && (gap_us || !n_missed));
    return r;
}

static void prime(const cJSON *calls, const cJSON *units, unsigned how)
{
    struct text data CLEANUP(text_free) = TEXT_INIT, again CLEANUP(text_free) = TEXT_INIT;
    struct state *state = state_new();
    cJSON *page = units ? primed_reduce_units(units) : NULL;
    require(state && (!units || page));
    if (compare(state, 0, calls, page, how & 4 ? 42 * USEC_PER_SEC : 0, &data) == 1) {
        take_primed(state, 1, &data);
        if (compare(state, 1, calls, page, 0, &again) == 1)
            take_primed(state, 2, &again);
        text_reset(&data);
        require(compare(state, 2, calls, page, 0, &data) == 0);
    }
    cJSON_Delete(page);
    state_free(state);
}

static void look_at_problem(int r, const struct session_rest_problem *problem, const cJSON *json, const struct err *err)
{
    require(r >= 0 ? json != NULL : json == NULL);
    require(r >= 0 || problem->failure < SESSION_REST_N_FAILURES);
    require((r < 0) == (*err->msg != '\0'));
    require_readable(err->msg);
}

static void look_at_rest(unsigned how)
{
    const struct session_rest rest = { .base = "https://api.example.net", .key = KEY, .server = 1 };
    struct session_rest_problem problem;
    struct err err = { "" }, err_of_units = { "" };
    cJSON *calls, *units;
    int r = session_rest_get_calls(&rest, &calls, &problem, &err);
    look_at_problem(r, &problem, calls, &err);
    r = session_rest_get_units(&rest, 0, &units, &problem, &err_of_units);
    look_at_problem(r, &problem, units, &err_of_units);
    require(!units || cJSON_GetArraySize(units) <= SESSION_REST_PAGE);
    if (calls || units)
        prime(calls, units, how);
    cJSON_Delete(calls);
    cJSON_Delete(units);
}

static void tell_probe(void *context, const char *name, enum session_probe_result result, usec_t took_us,
                       const char *words)
{
    (void) context;
    (void) result;
    (void) took_us;
    require(*name && *words);
    require_readable(words);
}

static void look_at_probe(void)
{
    static char hub[] = "https://api.example.net/apiWsHub", id[] = "my-community", key[] = KEY, name[] = "city";
    struct session_target target = { .settings = { .name = name, .url = hub, .community_id = id, .server = 1 },
                                     .key = key,
                                     .its = { "a", KEY } };
    target.rules = (struct envelope_rules){ .communities = &target.its, .n_communities = 1 };
    (void) session_probe_ask_rest(&target, tell_probe, NULL);
}

/* ---- the answer ---- */

static void read_head(char **rest, struct web_answer *ret)
{
    char *line = next_part(rest, '\n');
    ret->status = strtol(line, NULL, 10) % 1000;
    ret->status = ret->status < 0 ? 0 : ret->status;
    while (*(line = next_part(rest, '\n')) && strcmp(line, "\r") != 0) {
        web_answer_keep(ret, line, strlen(line));
        if (strncasecmp(line, "Location:", strlen("Location:")) == 0) {
            text_reset(&ret->redirect);
            text_add(&ret->redirect, line + strlen("Location:"));
        }
    }
    for (size_t i = 0; i < WEB_N_HEADERS; i++)
        require(memchr(ret->headers[i], '\0', sizeof(ret->headers[i])) != NULL);
    const char *retry_after = web_header(ret, "Retry-After");
    ret->retry_after_us = retry_after ? web_read_retry_after(retry_after, NOW_US) : 0;
    require(ret->retry_after_us <= 366 * 24 * 3600 * USEC_PER_SEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct web_answer answer = { .body = TEXT_INIT, .redirect = TEXT_INIT };
    char *copy = size ? malloc(size) : NULL;
    if (!copy)
        return 0;
    unsigned how = bytes[0];
    memcpy(copy, bytes + 1, size - 1);
    copy[size - 1] = '\0';
    answer.whole = !(how & 16);
    answer.late = (how & 48) == 48;
    char *rest = copy;
    read_head(&rest, &answer);
    text_add_bytes(&answer.body, rest, (size_t) (copy + size - 1 - rest)); /* with NULs, where there are some */
    served = &answer;
    look_at_forward(&answer, how);
    look_at_discord(&answer, how);
    look_at_rest(how);
    look_at_probe();
    web_answer_free(&answer);
    free(copy);
    return 0;
}
