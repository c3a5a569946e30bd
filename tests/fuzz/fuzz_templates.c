/* fuzz_templates.c - any bytes as what a configuration says about events (a condition, a {template}, a content type),
 * together with any bytes as an event: checked as the daemon checks it, and used in each type of action. libFuzzer's
 * target.
 *
 * Between bytes 0x1f: a template, a condition, a glob of types, a content type, a type, what was known, and the data.
 * Looked for besides crashes: sentences that a terminal would obey; an event that is another one for a condition or a
 * template when it is read back from the log; conditions that contradict themselves; JSON that was promised and is
 * none; messages that Discord refuses; arguments and variables that the kernel refuses. */
#include "fuzz_checks.h"

#include <errno.h>
#include <fnmatch.h>
#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#include "discord.h"
#include "discord_checks.h"
#include "exec.h"
#include "filter_private.h"
#include "forward.h"
#include "redis_action.h"

#define SEPARATOR '\x1f'
#define KEY "TEST-API-KEY-0000"
#define TIME_US ((usec_t) 1795449600000000)
#define EXEC_ALL_MAX_BYTES ((size_t) 2 << 20)

struct input {
    char *template, *condition, *glob, *content_type;
    struct span type, known, data;
};

/* ---- what is said about it ---- */

struct said {
    size_t n;
};

static void take_sentence(void *context, const char *option, const char *sentence)
{
    struct said *said = context;
    require(*option && *sentence);
    require_safe(option);
    require_safe(sentence);
    said->n++;
}

/* How much of it the daemon would refuse; doubted: or have doubts about. */
static size_t check(const struct action_type *type, const struct config_action *config, bool doubted)
{
    struct said said = { 0 };
    if (type->check)
        type->check(config, &families_all, take_sentence, &said);
    if (doubted && type->doubt)
        type->doubt(config, &families_all, take_sentence, &said);
    return said.n;
}

/* ---- conditions ---- */

static bool holds(const struct condition *condition, enum comparison comparison, const struct action_record *record)
{
    struct condition other = *condition;
    other.comparison = comparison;
    return condition_holds(&other, record);
}

/* Two of which one holds for any single value that has an order at all. */
static void look_at_order(const struct condition *condition, const struct action_record *record)
{
    bool less = holds(condition, COMPARISON_LESS, record), greater = holds(condition, COMPARISON_GREATER, record);
    bool at_most = holds(condition, COMPARISON_LESS_OR_EQUAL, record);
    bool at_least = holds(condition, COMPARISON_GREATER_OR_EQUAL, record);
    require(!less || at_most);
    require(!greater || at_least);
    if (!condition_is_pointer(condition)) /* may be several values */
        return;
    require(!(less && greater) && !(less && at_least) && !(greater && at_most));
    require((less || at_least) == (greater || at_most));
}

static void look_at_condition(const char *text, const struct action_record *came, const struct action_record *restored)
{
    struct condition condition;
    struct err err = { "" };
    if (condition_read(text, &condition, &err) < 0) {
        require(*err.msg);
        require_safe(err.msg);
        return;
    }
    const char *end = text + strlen(text);
    require(condition.name.size && condition.name.s >= text && condition.name.s + condition.name.size <= end);
    require(!condition.value.size || (condition.value.s >= text && condition.value.s + condition.value.size <= end));
    require(condition_holds(&condition, came) == condition_holds(&condition, restored));
    if (condition.comparison == COMPARISON_EXISTS)
        return;
    require(holds(&condition, COMPARISON_EQUAL, came) != holds(&condition, COMPARISON_NOT_EQUAL, came));
    look_at_order(&condition, came);
    if (!condition_is_pointer(&condition) && !holds(&condition, COMPARISON_EXISTS, came))
        require(!holds(&condition, COMPARISON_EQUAL, came) && !holds(&condition, COMPARISON_GLOB, came) &&
                !holds(&condition, COMPARISON_LESS_OR_EQUAL, came));
}

/* Of letters that both take alike, and so few stars that fnmatch ends. */
static void look_at_glob(const char *glob, const char *text)
{
    size_t stars = 0;
    for (const char *p = glob; *p; p++) {
        stars += *p == '*';
        if ((unsigned char) *p >= 0x7f || strchr("[\\", *p))
            return;
    }
    for (const char *p = text; *p; p++)
        if ((unsigned char) *p >= 0x7f)
            return;
    if (stars <= 3 && strlen(text) <= 64)
        require(glob_matches(span_of(glob), span_of(text)) == (fnmatch(glob, text, FNM_CASEFOLD) == 0));
}

static void look_at_filter(struct input *input, const struct action_record *came, const struct action_record *restored)
{
    struct said said = { 0 };
    char *communities[] = { input->glob };
    const struct config_action config = { .events = &input->glob,
                                          .n_events = *input->glob != '\0',
                                          .when = &input->condition,
                                          .n_when = 1,
                                          .communities = communities,
                                          .n_communities = strchr(input->glob, '@') != NULL };
    filter_check(&config, &families_all, came->event->time_us % 2, take_sentence, &said);
    filter_doubt(&config, &families_all, take_sentence, &said);
    filter_advise(&config, &families_all, take_sentence, &said);
    require(filter_look(&config, came) == filter_look(&config, restored));
    look_at_condition(input->condition, came, restored);
    look_at_glob(input->glob, input->condition);
}

/* ---- templates ---- */

static void require_same(const struct action_payload *a, const struct action_payload *b)
{
    require(a->body.size == b->body.size && memcmp(a->body.s, b->body.s, a->body.size) == 0);
    require(a->words.n == b->words.n && a->environment.n == b->environment.n);
    for (size_t i = 0; i < a->words.n; i++)
        require(strcmp(a->words.v[i], b->words.v[i]) == 0);
    for (size_t i = 0; i < a->environment.n; i++)
        require(strcmp(a->environment.v[i], b->environment.v[i]) == 0);
}

/* False: it cannot be, and says why. The same each time, and for the event that is read back. */
static bool render(const struct action_type *type, const struct config_action *config, const struct action_record *came,
                   const struct action_record *restored, struct action_payload *ret)
{
    struct action_payload again = ACTION_PAYLOAD_INIT;
    struct err err = { "" };
    *ret = (struct action_payload) ACTION_PAYLOAD_INIT;
    int r = type->render(config, came, ret, &err);
    require(type->render(config, restored, &again, &err) == r);
    require((r < 0) == (*err.msg != '\0'));
    require_safe(err.msg);
    if (r >= 0)
        require_same(ret, &again);
    action_payload_free(&again);
    return r >= 0;
}

static bool is_json(const struct text *text)
{
    cJSON *json = cJSON_ParseWithOpts(text->s, NULL, true);
    cJSON_Delete(json);
    return json;
}

static bool promises_json(const struct input *input)
{
    return strncasecmp(input->content_type, "application/json", strlen("application/json")) == 0 &&
           !strchr(input->template, '\\'); /* "\u{id}" is one or none with the digits of the id */
}

static void look_at_forward(const struct input *input, const struct action_record *came,
                            const struct action_record *restored)
{
    char url[] = "http://host/";
    struct forward_settings settings = {
        .url = url, .body = FORWARD_BODY_TEMPLATE, .template = input->template, .content_type = input->content_type
    };
    const struct config_action config = { .settings = &settings };
    struct action_payload payload;
    size_t refused = check(&action_forward, &config, false), doubted = check(&action_forward, &config, true);
    if (!render(&action_forward, &config, came, restored, &payload))
        return;
    require(refused || doubted || !promises_json(input) || is_json(&payload.body));
    require(payload.words.n == 2);
    action_payload_free(&payload);
}

/* Nothing of its own that Discord would read as more than letters. */
static bool is_plain(const char *template)
{
    return template[strspn(template, "{} .,:;!?=+'/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] ==
           '\0';
}

static void look_at_discord(const struct input *input, const struct action_record *came,
                            const struct action_record *restored)
{
    char url[] = "https://discord.example/api/webhooks/1/x";
    struct discord_settings settings = { .url = url, .message = input->template, .thread_name = input->template };
    const struct config_action config = { .settings = &settings };
    struct action_payload payload;
    size_t refused = check(&action_discord, &config, true);
    if (!render(&action_discord, &config, came, restored, &payload))
        return;
    cJSON *message = cJSON_Parse(payload.body.s);
    const char *content = cJSON_GetStringValue(json_get(message, "content"));
    const char *thread = cJSON_GetStringValue(json_get(message, "thread_name"));
    require(message && thread && units_of(thread) <= DISCORD_THREAD_NAME_MAX);
    require(!content || units_of(content) <= DISCORD_CONTENT_MAX);
    const cJSON *embed = cJSON_GetArrayItem(json_get(message, "embeds"), 0);
    bool has_title = came->event->handler || json_get(embed, "title"); /* a type that nobody knows may be blank */
    require(has_title || json_get(embed, "description"));
    if (has_title && !refused && is_plain(input->template))
        check_message(payload.body.s, &settings);
    else if (has_title)
        check_embed(embed);
    cJSON_Delete(message);
    action_payload_free(&payload);
}

static void look_at_variable(const char *variable)
{
    size_t name = strspn(variable, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    require(strncmp(variable, "SONORAN_", strlen("SONORAN_")) == 0 && variable[name] == '=');
    for (const char *p = variable + name; *p; p++)
        require((unsigned char) *p >= 0x20 && *p != 0x7f);
}

static void look_at_exec(const struct input *input, const struct action_record *came,
                         const struct action_record *restored)
{
    char program[] = "/bin/true", name[] = "siren";
    char *command[] = { program, input->template, input->condition };
    struct exec_settings settings = { .command = command, .n_command = ARRAY_SIZE(command) };
    const struct config_action config = { .name = name, .settings = &settings };
    struct action_payload payload;
    size_t total = 0;
    (void) check(&action_exec, &config, true);
    if (!render(&action_exec, &config, came, restored, &payload))
        return;
    require(payload.words.n == ARRAY_SIZE(command) && strcmp(payload.words.v[0], program) == 0);
    for (size_t i = 0; i < payload.words.n; i++)
        total += exec_size(strlen(payload.words.v[i]));
    for (size_t i = 0; i < payload.environment.n; i++) {
        look_at_variable(payload.environment.v[i]);
        require(strlen(payload.environment.v[i]) <= EXEC_STRING_MAX_BYTES);
        total += exec_size(strlen(payload.environment.v[i]));
    }
    require(total <= EXEC_ALL_MAX_BYTES);
    action_payload_free(&payload);
}

static void look_at_redis(const struct input *input, const struct action_record *came,
                          const struct action_record *restored)
{
    char url[] = "redis://host", *urls[] = { url }, name[] = "stream";
    struct redis_options settings = { .urls = urls, .n_urls = 1, .stream = input->template };
    const struct config_action config = { .name = name, .settings = &settings, .parallel = 1 };
    struct action_payload payload;
    (void) check(&action_redis, &config, true);
    if (!render(&action_redis, &config, came, restored, &payload))
        return;
    require(payload.words.n == REDIS_N_WORDS && *payload.words.v[REDIS_WORD_KEY]);
    action_payload_free(&payload);
}

static void count_value(struct text *out, const char *s, size_t size)
{
    require(size == 0 || s);
    text_add(out, "\x01");
}

/* What is a placeholder does not depend on the event. */
static void look_at_template(const struct input *input, const struct action_record *came)
{
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    static const struct event none = { .id = 1, .type = "", .community = "", .origin = &origin, .index = -1 };
    struct description description = DESCRIPTION_INIT;
    const struct action_record empty = { .event = &none, .description = &description };
    struct text ours CLEANUP(text_free) = TEXT_INIT, others CLEANUP(text_free) = TEXT_INIT;
    struct err err = { "" };
    int r = template_check(input->template, NULL, &families_all, &err);
    require((r < 0) == (*err.msg != '\0'));
    require_safe(err.msg);
    template_expand(input->template, came, count_value, &ours);
    template_expand(input->template, &empty, count_value, &others);
    require(strcmp(ours.s, others.s) == 0);
    require(!template_begins_with_quote(input->template, &families_all) ||
            template_quotes(input->template, &families_all));
    description_free(&description);
}

/* ---- the event ---- */

static void look_at(struct input *input, const struct event *event, const struct event *restored)
{
    struct description description = DESCRIPTION_INIT;
    static struct state *state;
    if (!state)
        state = state_new();
    event_describe(event, state, &description);
    require_safe(description.line.s);
    description_take_known(&description, input->known);
    const struct action_record one = {
        .event = event, .description = &description, .known = description.known_json, .node = "edge1"
    };
    struct action_record again = one;
    again.event = restored;
    look_at_filter(input, &one, &again);
    look_at_template(input, &one);
    look_at_forward(input, &one, &again);
    look_at_discord(input, &one, &again);
    look_at_exec(input, &one, &again);
    look_at_redis(input, &one, &again);
    description_free(&description);
}

static struct input take_apart(char *bytes, size_t size)
{
    struct input input;
    char *rest = bytes;
    input.template = next_part(&rest, SEPARATOR);
    input.condition = next_part(&rest, SEPARATOR);
    input.glob = next_part(&rest, SEPARATOR);
    input.content_type = next_part(&rest, SEPARATOR);
    input.type = span_of(next_part(&rest, SEPARATOR));
    input.known = span_of(next_part(&rest, SEPARATOR));
    input.data = (struct span){ rest, (size_t) (bytes + size - rest) };
    return input;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    static const struct envelope_rules rules = {
        .communities = communities, .n_communities = 1, .families = &families_all, .accept_unknown_types = true
    };
    struct batch batch, restored;
    struct err err;
    char *copy = malloc(size + 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    struct input input = take_apart(copy, size);
    if (envelope_make_one(input.type, input.data, &rules, "default", &origin, TIME_US + size % 2, &batch, &err) ==
        ENVELOPE_OK) {
        batch.events[0].id = 1 + size;
        require(batch_restore(&restored, &batch.events[0], &families_all) == 0);
        look_at(&input, &batch.events[0], &restored.events[0]);
        batch_done(&restored);
        batch_done(&batch);
    }
    free(copy);
    return 0;
}
