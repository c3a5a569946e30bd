/* redis.c - publishes each event of the log as an entry of a stream of Redis: all of them, in order, nothing twice,
 * whatever the server loses. Entries: type, community, time, node (whose event it is), prev (the id of the entry before
 * it in this stream) and record (the event record).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/net.h>

#include "redis_action.h"

#define ROUNDS_MAX 8 /* of one delivery: streams that were not as believed, addresses that take nothing */

struct action {
    const struct config_action *config;
    const struct action_log *log;
    struct redis_link link;
    struct redis_streams streams;
    uint64_t single_until; /* one at a time up to this event: one of them is too large */
};

void redis_tell(const struct config_action *config, int level, const char *message_id, const char *format, ...)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    char sentence[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    text_addf(&line, "action %s: ", config->name);
    text_add_safe(&line, sentence, strlen(sentence), 0);
    const struct log_field field = log_text("SONORAN_ACTION", config->name);
    log_write(&(struct log_record){
        .level = level, .message_id = message_id, .line = line.s, .fields = &field, .n_fields = 1 });
}

/* ---- render ---- */

static int render_into(const struct config_action *config, const struct action_record *record,
                       struct action_payload *payload, struct err *err)
{
    struct text key CLEANUP(text_free) = TEXT_INIT, time CLEANUP(text_free) = TEXT_INIT;
    const struct event *event = record->event;
    template_expand(redis_options(config)->stream, record, text_add_plain, &key);
    text_add_time_utc(&time, event->time_us);
    event_write_record(event, record->description, &payload->body);
    if (key.failed || time.failed || payload->body.failed)
        return err_set(err, -ENOMEM, "no memory for an entry");
    if (!key.size)
        return err_set(err, -EINVAL, "the name of its stream is empty");
    payload->event_id = event->id;
    const char *const words[REDIS_N_WORDS] = { [REDIS_WORD_KEY] = key.s,
                                               [REDIS_WORD_TYPE] = event->type,
                                               [REDIS_WORD_COMMUNITY] = event->community,
                                               [REDIS_WORD_TIME] = time.s,
                                               [REDIS_WORD_NODE] = record->node ? record->node : "" };
    for (size_t i = 0; i < REDIS_N_WORDS; i++)
        words_add(&payload->words, words[i]);
    return payload->words.failed ? err_set(err, -ENOMEM, "no memory for an entry") : 0;
}

static int publish_render(const struct config_action *config, const struct action_record *record,
                          struct action_payload *ret, struct err *err)
{
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    int r = render_into(config, record, &payload, err);
    if (r < 0) {
        action_payload_free(&payload);
        return r;
    }
    *ret = payload;
    return 0;
}

/* ---- deliver ---- */

/* What is settled stays; the rest is tried again. */
static void forget(struct action_outcome *outcomes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (outcomes[i].result != ACTION_DONE)
            outcomes[i] = (struct action_outcome){ .result = ACTION_CANCELLED };
}

/* Not at once, without end. */
static void rest(struct action_outcome *outcomes, size_t n)
{
    size_t i = 0;
    while (i < n && (outcomes[i].result == ACTION_DONE || outcomes[i].result == ACTION_GIVE_UP))
        i++;
    if (i == n || outcomes[i].result != ACTION_CANCELLED)
        return;
    outcomes[i].result = ACTION_RETRY;
    err_set(&outcomes[i].err, 0, "the stream is another one at each look: does somebody else write to it?");
}

/* To be told before anything is tried again, or it would be forgotten, and the next event added behind a hole. */
static bool goes_back(const struct action_outcome *outcomes, size_t n)
{
    size_t i = 0;
    while (i < n && outcomes[i].result != ACTION_BACK)
        i++;
    return i < n;
}

static void deliver_batch(struct action *action, const struct action_payload *payloads, size_t n,
                          struct action_outcome *outcomes)
{
    bool again = true, is_too_large = false;
    for (int i = 0; i < ROUNDS_MAX && again; i++) {
        forget(outcomes, n);
        if (!action->link.redis)
            redis_streams_lose(&action->streams);
        if (!redis_link_open(&action->link, &outcomes[0]))
            return;
        again = !redis_batch_deliver(&action->link, &action->streams, payloads, n, outcomes, &is_too_large) ||
                redis_link_was_old(&action->link);
        if (goes_back(outcomes, n))
            return;
    }
    if (again)
        rest(outcomes, n);
    if (is_too_large) { /* which of them it is, it does not say */
        forget(outcomes, n);
        action->single_until = payloads[n - 1].event_id;
        redis_link_close(&action->link); /* the server has closed it, or is about to */
        deliver_batch(action, payloads, 1, outcomes);
    }
}

/* How many of them come in the order of the log: what is asked for again stands anywhere. */
static size_t count_ordered(const struct action *action, const struct action_payload *payloads, size_t n)
{
    size_t ordered = 1;
    if (payloads[0].event_id <= action->single_until)
        return 1;
    while (ordered < n && ordered < REDIS_BATCH_MAX && !payloads[ordered].again)
        ordered++;
    return ordered;
}

/* What a made-up event comes to: nothing is added. */
static void try_only(struct redis_link *link, const struct action_payload *payload, struct action_outcome *ret)
{
    const char *key = payload->words.v[REDIS_WORD_KEY];
    const struct span words[] = { span_of("EVALSHA"), span_of(link->script), span_of("1"),
                                  span_of(key),       span_of(""),           span_of("0") };
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    const struct redis_reply *reply;
    bool again = false;
    if (!redis_link_send(link, words, ARRAY_SIZE(words), ret) || !redis_link_await(link, &reply, ret))
        return;
    if (redis_link_judge(link, reply, ret, &again) != REDIS_DONE)
        return;
    text_add_safe(&shown, key, strlen(key), 80);
    text_add(&shown, reply->type == REDIS_TEXT && span_is(reply->text, "0-0") ? " has no entry yet" : " ends with ");
    if (reply->type == REDIS_TEXT && !span_is(reply->text, "0-0"))
        text_add_safe(&shown, reply->text.s, reply->text.size, 60);
    text_add(&shown, "; a test adds nothing");
    text_copy(ret->answer, sizeof(ret->answer), shown.s);
}

static void publish_deliver(struct action *action, const struct action_payload *payloads, size_t n,
                            struct action_outcome *outcomes)
{
    redis_link_begin(&action->link, uptime_us() + action->config->timeout_us);
    if (!action->log) {
        if (redis_link_open(&action->link, outcomes))
            try_only(&action->link, payloads, outcomes);
    } else if (payloads[0].again) {
        outcomes->result = ACTION_GIVE_UP;
        err_set(&outcomes->err, 0,
                "the stream has gone on, and nothing can be added before its end; what a stream missed that took "
                "nothing comes again by itself, with its next event, or at once by sonoran-pushctl replay");
    } else {
        deliver_batch(action, payloads, count_ordered(action, payloads, n), outcomes);
    }
}

/* ---- check, open, close ---- */

static void publish_check(const struct config_action *config, const struct event_families *families,
                          config_complain *complain, void *context)
{
    const struct redis_options *options = redis_options(config);
    struct err err;
    for (size_t i = 0; i < options->n_urls; i++)
        if (redis_check_url(options->urls[i], &err) < 0)
            complain(context, "url", err.msg);
    if (options->ca_file && options->ca_file[0] != '/')
        complain(context, "ca_file", "expected the absolute path of a file, such as /etc/ssl/redis.pem");
    if (template_check(options->stream, config, families, &err) < 0)
        complain(context, "stream", err.msg);
    if (!options->stream[0])
        complain(context, "stream", "expected the name of a key, such as cad:events:{node}");
    if (config->parallel > 1)
        complain(context, "parallel", "expected 1, since a stream has the order of the log");
}

static void publish_check_present(const struct config_action *config, config_complain *complain, void *context)
{
    const char *ca_file = redis_options(config)->ca_file;
    struct err err;
    if (ca_file && ca_file[0] == '/' && web_check_ca_file(ca_file, &err) < 0)
        complain(context, "ca_file", err.msg);
}

static bool speaks_tls(const struct redis_options *options)
{
    for (size_t i = 0; i < options->n_urls; i++)
        if (strncmp(options->urls[i], "rediss://", strlen("rediss://")) == 0)
            return true;
    return false;
}

static void publish_doubt(const struct config_action *config, const struct event_families *families,
                          config_complain *warn, void *context)
{
    const struct redis_options *options = redis_options(config);
    struct err err;
    if (options->ca_file && !speaks_tls(options))
        warn(context, "ca_file", "without effect, because no url is one of rediss://");
    if (options->username && !options->password)
        warn(context, "username", "without effect, because there is no password or password_file");
    if (!template_is_plausible(options->stream, config, families, &err))
        warn(context, "stream", err.msg);
}

static struct action *publish_close(struct action *action)
{
    if (!action)
        return NULL;
    redis_link_close(&action->link);
    net_pool_close(action->link.pool);
    redis_streams_free(&action->streams);
    free(action);
    return NULL;
}

/* Whether its streams have other names for other events. */
static bool has_several(const char *template)
{
    static const char own[] = "{node}";
    for (const char *at = template; (at = strchr(at, '{')); at += at[1] == '{' ? 2 : 1)
        if (at[1] != '{' && strncmp(at, own, strlen(own)) != 0)
            return true;
    return false;
}

static int publish_open(struct action **ret, const struct action_context *context, struct err *err)
{
    struct action *action = calloc(1, sizeof(*action));
    if (!action)
        return err_set(err, -ENOMEM, "no memory for an action");
    action->config = action->link.config = action->streams.config = context->config;
    action->log = action->streams.log = context->log;
    action->streams.are_several = has_several(redis_options(context->config)->stream);
    action->link.cancel_fd = context->cancel_fd;
    int r = net_pool_open(&action->link.pool, err);
    if (r < 0) {
        free(action);
        return r;
    }
    *ret = action;
    return 0;
}

/* ---- its row ---- */

#define OPTION(member) .group = CONFIG_ACTION, CONFIG_MEMBER(struct redis_options, member)
#define OPTION_LIST(member) .group = CONFIG_ACTION, CONFIG_MEMBERS(struct redis_options, member)

CONFIG_ASSERT_LIST(struct redis_options, urls);

static const struct config_option options[] = {
    { OPTION_LIST(urls), .name = "url", .type = CONFIG_SECRET, .single = true, .required = true, .unique = true,
      .help =
          "The server: redis://host:6379, rediss://host:6379, unix:/path; of a list, the first that takes events." },
    { OPTION_LIST(urls), .name = "url_file", .type = CONFIG_FILE, .single = true, .unique = true,
      .help = "A file with the URL: in secrets/ beside this one, else beside it." },
    { OPTION(username), .name = "username", .type = CONFIG_TEXT,
      .help = "The account to log in with, where it is not the server's default one." },
    { OPTION(password), .name = "password", .type = CONFIG_SECRET,
      .help = "Its password; password_file keeps it out of this file." },
    { OPTION(password), .name = "password_file", .type = CONFIG_FILE,
      .help = "A file with that password: in secrets/ beside this one, else beside it." },
    { OPTION(database), .name = "database", .type = CONFIG_COUNT, .fallback = "0", .max = 65535,
      .help = "The number of the server's database." },
    { OPTION(ca_file), .name = "ca_file", .type = CONFIG_TEXT,
      .help = "Certificates in PEM that alone vouch for a rediss URL; a path." },
    { OPTION(stream), .name = "stream", .type = CONFIG_TEXT, .fallback = "cad:events:{node}",
      .help = "The key of the stream, with {placeholders}." },
    { OPTION(max_len), .name = "max_len", .type = CONFIG_COUNT, .fallback = "100000", .max = 1000000000,
      .help = "How many entries a stream keeps, about; 0 is no limit." },
};

const struct action_type action_redis = {
    .kind = { .name = "redis",
              .options = options,
              .n_options = ARRAY_SIZE(options),
              .settings_size = sizeof(struct redis_options) },
    .check = publish_check,
    .check_present = publish_check_present,
    .doubt = publish_doubt,
    .open = publish_open,
    .close = publish_close,
    .render = publish_render,
    .deliver = publish_deliver,
    .max_batch = REDIS_BATCH_MAX,
    .mirrors = true,
};
