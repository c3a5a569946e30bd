/* session_rest.c - the CAD's REST interface: one GET, and what its answer is. */
#include "session_rest.h"

#include <errno.h>
#include <sonoran-pushd/event.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX_CHARS 120

int session_rest_base(const char *hub_url, struct text *ret)
{
    const char *scheme_end = strstr(hub_url, "://");
    if (!scheme_end)
        return -EINVAL;
    const char *host = scheme_end + strlen("://");
    size_t size = (size_t) (host - hub_url) + strcspn(host, "/?#");
    text_add_bytes(ret, hub_url, size);
    return ret->failed ? -ENOMEM : hub_url[size - 1] == '/' ? -EINVAL : 0;
}

/* ---- what is wrong, in words ---- */

/* Of a problem+json, or of a gateway's JSON; else those of the page. */
static void add_words(struct text *out, struct span body)
{
    static const char *const names[] = { "detail", "title", "message", "error" };
    cJSON *json = json_parse_all(body);
    const char *said = "";
    for (size_t i = 0; i < ARRAY_SIZE(names) && !*said; i++)
        said = json_get_text(json, names[i]);
    if (*said)
        text_add(out, said);
    else if (!json)
        web_add_words(out, body.s, body.size);
    cJSON_Delete(json);
}

static const char *reason_of(long status)
{
    static const struct {
        long status;
        const char *words;
    } reasons[] = {
        { 401, ", it does not take the API key" },
        { 402, ", the community's plan does not have it" },
        { 403, ", it is forbidden" },
        { 404, ", there is no such server" },
        { 429, ", too many requests with this API key" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].words;
    return "";
}

/* "api.sonorancad.com answered 404, there is no such server: Not Found" */
static int say_status(const struct session_rest *rest, const struct web_answer *answer, struct err *err)
{
    const struct event_community community = { "", rest->key };
    const struct envelope_rules rules = { .communities = &community, .n_communities = 1 };
    struct text words CLEANUP(text_free) = TEXT_INIT, hidden CLEANUP(text_free) = TEXT_INIT;
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    add_words(&words, (struct span){ answer->body.s, answer->body.size });
    bool found = event_hide_keys(&rules, (struct span){ words.s, words.size }, &hidden);
    const struct text *shown = found ? &hidden : &words;
    text_add_safe(&safe, shown->s, shown->size, WORDS_MAX_CHARS);
    const char *host = strstr(rest->base, "://") + strlen("://");
    return err_set(err, -EREMOTEIO, "%s answered %ld%s%s%s", host, answer->status, reason_of(answer->status),
                   safe.size ? ": " : "", safe.s);
}

static enum session_rest_failure failure_of(long status)
{
    switch (status) {
    case 429:
        return SESSION_REST_LIMITED;
    case 400:
    case 401:
    case 402:
    case 403:
    case 404:
    case 405:
    case 410:
        return SESSION_REST_REFUSED;
    default:
        return status >= 500 || status == 408 || status == 425 ? SESSION_REST_DOWN : SESSION_REST_STRANGE;
    }
}

/* ---- asking ---- */

/* An event with a NUL is refused alone. Here it would be all calls, for one letter in a note of one of them. */
static void replace_nuls(struct text *json)
{
    static const char nul[] = "\\u0000", replacement[] = "\\ufffd";
    const size_t size = strlen(nul);
    for (size_t i = 0; i + size <= json->size; i++) {
        if (json->s[i] != '\\')
            continue;
        if (memcmp(json->s + i, nul, size) == 0)
            memcpy(json->s + i, replacement, size);
        i++; /* a backslash may be what is escaped */
    }
}

/* Of sound JSON; about, and never fewer than there are. */
static size_t count_values(struct span json)
{
    size_t n = 1;
    bool text = false;
    for (size_t i = 0; i < json.size; i++) {
        char c = json.s[i];
        if (c == '"')
            text = !text;
        else if (text)
            i += c == '\\';
        else
            n += c == ',' || c == '[' || c == '{';
    }
    return n;
}

static int read_json(const struct session_rest *rest, const struct web_answer *answer, cJSON **ret, struct err *err)
{
    const char *host = strstr(rest->base, "://") + strlen("://");
    struct span body = { answer->body.s, answer->body.size };
    struct json_scan scan = json_scan_of(body);
    struct err why = { "" };
    if (body.size > SESSION_REST_MAX_BYTES)
        return err_set(err, -EFBIG, "%s answered more than %zu bytes", host, SESSION_REST_MAX_BYTES);
    json_scan_space(&scan);
    const char *first = scan.p;
    if (json_scan_value(&scan, &why) < 0)
        return err_set(err, -EBADMSG, "%s answered what is no JSON: %s", host, why.msg);
    struct span json = { first, (size_t) (scan.p - first) };
    if (count_values(json) > SESSION_REST_MAX_VALUES)
        return err_set(err, -EFBIG, "%s answered more than %d values", host, SESSION_REST_MAX_VALUES);
    *ret = json_parse(json, scan.met);
    return *ret ? 0 : err_set(err, -ENOMEM, "no memory");
}

/* The head came, and then too little. */
static int say_cut(const struct session_rest *rest, const struct web_answer *answer, struct err *err)
{
    const char *host = strstr(rest->base, "://") + strlen("://");
    if (answer->late)
        return err_set(err, -ETIME, "%s answered too slowly: in the time for it came %zu bytes, not all", host,
                       answer->body.size);
    return err_set(err, -ECONNRESET, "%s closed the connection in the middle of the answer, after %zu bytes", host,
                   answer->body.size);
}

static int take_answer(const struct session_rest *rest, const struct web_answer *answer, cJSON **ret,
                       struct session_rest_problem *problem, struct err *err)
{
    problem->status = answer->status;
    problem->retry_after_us = answer->retry_after_us;
    problem->failure = failure_of(answer->status);
    if (answer->status != 200)
        return say_status(rest, answer, err);
    if (!answer->whole && answer->body.size <= SESSION_REST_MAX_BYTES) {
        problem->failure = SESSION_REST_DOWN;
        return say_cut(rest, answer, err);
    }
    problem->failure = SESSION_REST_STRANGE;
    return read_json(rest, answer, ret, err);
}

static int get(const struct session_rest *rest, const char *url, cJSON **ret, struct session_rest_problem *problem,
               struct err *err)
{
    struct text key CLEANUP(text_free) = TEXT_INIT;
    struct web_answer answer = { 0 };
    char accept[] = "Accept: application/json";
    *ret = NULL;
    *problem = (struct session_rest_problem){ .failure = SESSION_REST_DOWN };
    text_addf(&key, "Authorization: Bearer %s", rest->key);
    if (key.failed)
        return err_set(err, -ENOMEM, "no memory");
    char *const headers[] = { key.s, accept };
    const struct web_request request = { .url = url,
                                         .more_headers = headers,
                                         .n_more_headers = ARRAY_SIZE(headers),
                                         .max_answer_bytes = SESSION_REST_MAX_BYTES + 1,
                                         .wait = WEB_WAIT_BODY };
    int r = web_get(rest->web, &request, &answer, err);
    text_wipe(&key);
    if (r >= 0) {
        replace_nuls(&answer.body);
        r = take_answer(rest, &answer, ret, problem, err);
        web_answer_free(&answer);
    }
    return r;
}

int session_rest_get_calls(const struct session_rest *rest, cJSON **ret, struct session_rest_problem *ret_problem,
                           struct err *err)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    text_addf(&url, "%s/v2/emergency/servers/%u/calls?closedLimit=10&closedOffset=0&type=100", rest->base,
              rest->server);
    int r = url.failed ? err_set(err, -ENOMEM, "no memory") : get(rest, url.s, ret, ret_problem, err);
    if (r < 0 || cJSON_IsObject(*ret))
        return r;
    cJSON_Delete(*ret);
    *ret = NULL;
    return err_set(err, -EBADMSG, "%s answered no list of calls", strstr(rest->base, "://") + strlen("://"));
}

int session_rest_get_units(const struct session_rest *rest, size_t offset, cJSON **ret,
                           struct session_rest_problem *ret_problem, struct err *err)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    text_addf(&url, "%s/v2/emergency/servers/%u/units?includeOffline=false&onlyUnits=false&limit=%d&offset=%zu",
              rest->base, rest->server, SESSION_REST_PAGE, offset);
    const char *host = strstr(rest->base, "://") + strlen("://");
    int r = url.failed ? err_set(err, -ENOMEM, "no memory") : get(rest, url.s, ret, ret_problem, err);
    int n = r < 0 ? 0 : cJSON_GetArraySize(*ret);
    if (r < 0 || (cJSON_IsArray(*ret) && n <= SESSION_REST_PAGE))
        return r;
    bool list = cJSON_IsArray(*ret);
    cJSON_Delete(*ret);
    *ret = NULL;
    return list ? err_set(err, -EBADMSG, "%s was asked for %d units and answered %d", host, SESSION_REST_PAGE, n)
                : err_set(err, -EBADMSG, "%s answered no list of units", host);
}

int session_rest_get(const struct session_rest *rest, const char *page, cJSON **ret,
                     struct session_rest_problem *ret_problem, struct err *err)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    text_addf(&url, "%s/v2/%s", rest->base, page);
    return url.failed ? err_set(err, -ENOMEM, "no memory") : get(rest, url.s, ret, ret_problem, err);
}
