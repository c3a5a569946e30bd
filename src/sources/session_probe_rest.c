/* session_probe_rest.c - of a session that is tried by hand: what the CAD's REST interface says of the account, which
 * priming asks, and whether the server is there. */
#include "session_private.h"
#include "session_rest.h"

#define TIMEOUT_US (15 * USEC_PER_SEC)
#define NAME_MAX_CHARS 60

struct asking {
    const struct session_target *target;
    struct session_rest rest;
    void (*tell)(void *context, const char *name, enum session_probe_result result, usec_t took_us, const char *words);
    void *context;
};

/* NULL: there is no answer, which is told. A session works without one, but knows less. */
static cJSON *ask(const struct asking *asking, const char *step, const char *page, usec_t *ret_took_us)
{
    struct session_rest_problem problem;
    struct err err = { "" };
    cJSON *answer = NULL;
    usec_t begun_us = uptime_us();
    int r = session_rest_get(&asking->rest, page, &answer, &problem, &err);
    *ret_took_us = uptime_us() - begun_us;
    if (r >= 0)
        return answer;
    struct text words CLEANUP(text_free) = TEXT_INIT;
    text_addf(&words, "%s: what is missed in a gap may stay unknown", err.msg);
    asking->tell(asking->context, step, SESSION_PROBE_DOUBT, *ret_took_us, words.s);
    return NULL;
}

static void add_name(const struct asking *asking, struct text *out, const cJSON *object, const char *member)
{
    const char *name = json_get_text(object, member);
    session_add_words(out, &asking->target->rules, span_of(*name ? name : "?"), NAME_MAX_CHARS);
}

static void ask_plan(const struct asking *asking)
{
    usec_t took_us;
    struct text words CLEANUP(text_free) = TEXT_INIT;
    cJSON *answer = ask(asking, "plan", "general/version", &took_us);
    if (!answer)
        return;
    add_name(asking, &words, answer, "name");
    asking->tell(asking->context, "plan", SESSION_PROBE_OK, took_us, words.s);
    cJSON_Delete(answer);
}

/* False: the key is of another community than the id, which the login may not mind. */
static bool ask_community(const struct asking *asking)
{
    const char *wanted = asking->target->settings.community_id;
    usec_t took_us;
    struct text words CLEANUP(text_free) = TEXT_INIT;
    cJSON *answer = ask(asking, "community", "general/info", &took_us);
    if (!answer)
        return true;
    const char *id = json_get_text(answer, "comId");
    bool same = !*id || strcasecmp(id, wanted) == 0;
    add_name(asking, &words, answer, "name");
    if (!same) {
        text_add(&words, ": the key is of community ");
        session_add_words(&words, &asking->target->rules, span_of(id), NAME_MAX_CHARS);
        text_add(&words, ", not of ");
        text_add_safe(&words, wanted, strlen(wanted), NAME_MAX_CHARS);
    }
    asking->tell(asking->context, "community", same ? SESSION_PROBE_OK : SESSION_PROBE_FAILED, took_us, words.s);
    cJSON_Delete(answer);
    return same;
}

/* False: the list has not got it. */
static bool find_server(const struct asking *asking, const cJSON *servers, struct text *words)
{
    uint64_t wanted = asking->target->settings.server;
    const cJSON *server;
    text_add(words, "the CAD has");
    cJSON_ArrayForEach (server, servers) {
        const cJSON *id = json_get(server, "id");
        if (json_is(id, cJSON_Number) && id->valuedouble == (double) wanted) {
            text_reset(words);
            text_addf(words, "%llu is ", (unsigned long long) wanted);
            add_name(asking, words, server, "name");
            return true;
        }
        if (words->size < 200)
            text_addf(words, " %.0f", json_is(id, cJSON_Number) ? id->valuedouble : -1.0);
    }
    text_addf(words, ", and no server %llu: Admin, Customization, Servers shows the numbers",
              (unsigned long long) wanted);
    return false;
}

static bool ask_servers(const struct asking *asking)
{
    usec_t took_us;
    struct text words CLEANUP(text_free) = TEXT_INIT;
    cJSON *answer = ask(asking, "server", "general/servers", &took_us);
    if (!answer)
        return true;
    bool found = find_server(asking, json_get(answer, "servers"), &words);
    asking->tell(asking->context, "server", found ? SESSION_PROBE_OK : SESSION_PROBE_FAILED, took_us, words.s);
    cJSON_Delete(answer);
    return found;
}

bool session_probe_ask_rest(const struct session_target *target,
                            void (*tell)(void *context, const char *name, enum session_probe_result result,
                                         usec_t took_us, const char *words),
                            void *context)
{
    const struct session_settings *settings = &target->settings;
    const struct web_settings wanted = { .timeout_us = TIMEOUT_US,
                                         .cancel_fd = -1,
                                         .ca_file = settings->ca_file,
                                         .use_proxy = session_may_use_proxy(settings->url) };
    struct text base CLEANUP(text_free) = TEXT_INIT;
    struct err err = { "" };
    struct web *web = NULL;
    if (session_rest_base(settings->url, &base) < 0 || web_open(&web, &wanted, &err) < 0)
        return true;
    const struct asking asking = {
        .target = target,
        .rest = { .web = web, .base = base.s, .key = target->key, .server = (uint32_t) settings->server },
        .tell = tell,
        .context = context
    };
    ask_plan(&asking);
    bool right = ask_community(&asking);
    right &= ask_servers(&asking);
    web_close(web);
    return right;
}
