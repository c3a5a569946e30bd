/* options.c - the table of all options. */
#include <assert.h>

#include "private.h"

#define KIB ((uint64_t) 1 << 10)
#define MIB ((uint64_t) 1 << 20)
#define GIB ((uint64_t) 1 << 30)
#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)

#define MEMBER(type, member) .offset = offsetof(type, member), .size = sizeof(((type *) NULL)->member)
#define MEMBERS(type, member) .offset = offsetof(type, member), .size = sizeof(struct list), .list = true
#define FIELD(of, member) .group = (of), MEMBER(struct config, member)
#define LIST(of, member) .group = (of), MEMBERS(struct config, member)
#define LISTENER(member) .group = "listeners[]", MEMBER(struct config_listener, member)
#define COMMUNITY(member) .group = "communities[]", MEMBER(struct config_community, member)
#define COMMUNITY_LIST(member) .group = "communities[]", MEMBERS(struct config_community, member)
#define ACTION(member) .group = "actions[]", MEMBER(struct config_action, member)
#define ACTION_LIST(member) .group = "actions[]", MEMBERS(struct config_action, member)

#define EXEC (1U << ACTION_TYPE_EXEC)
#define FORWARD (1U << ACTION_TYPE_FORWARD)
#define DISCORD (1U << ACTION_TYPE_DISCORD)

#define ASSERT_LIST(type, member)                                                                                      \
    static_assert(offsetof(type, n_##member) == offsetof(type, member) + offsetof(struct list, n_elements),            \
                  "the number of " #member " stands right behind them")

ASSERT_LIST(struct config, listeners);
ASSERT_LIST(struct config, paths);
ASSERT_LIST(struct config, communities);
ASSERT_LIST(struct config, actions);
ASSERT_LIST(struct config_community, api_keys);
ASSERT_LIST(struct config_action, events);
ASSERT_LIST(struct config_action, when);
ASSERT_LIST(struct config_action, communities);
ASSERT_LIST(struct config_action, listeners);
ASSERT_LIST(struct config_action, command);
ASSERT_LIST(struct config_action, headers);
ASSERT_LIST(struct config_action, retry_statuses);
ASSERT_LIST(struct config_action, mention_roles);
ASSERT_LIST(struct config_action, mention_users);

static const char *const unknown_types[] = { "reject", "accept", NULL };
static const char *const levels[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", NULL };
static const char *const durabilities[] = { "full", "normal", NULL };
static const char *const targets[] = { "auto", "journal", "text", "json", NULL };
static const char *const action_types[] = { "exec", "forward", "discord", NULL };
static const char *const bodies[] = { "original", "record", "template", NULL };
static const char *const mentions[] = { "none", "here", NULL };

static_assert(ARRAY_SIZE(unknown_types) == UNKNOWN_TYPES_ACCEPT + 2, "every value of unknown_types needs a word");
static_assert(ARRAY_SIZE(levels) == LOG_DEBUG + 2, "every level needs a word");
static_assert(ARRAY_SIZE(durabilities) == DURABILITY_NORMAL + 2, "every durability needs a word");
static_assert(ARRAY_SIZE(targets) == LOG_TARGET_JSON + 2, "every target needs a word");
static_assert(ARRAY_SIZE(action_types) == ACTION_TYPE_DISCORD + 2, "every type of action needs a word");
static_assert(ARRAY_SIZE(bodies) == FORWARD_BODY_TEMPLATE + 2, "every body needs a word");

const struct config_option config_options[] = {
    { LISTENER(name), .name = "name", .type = CONFIG_NAME, .fallback = "main", .required = true, .unique = true,
      .help = "What the log calls this listener." },
    { LISTENER(address), .name = "address", .type = CONFIG_ADDRESS, .fallback = "[::]:30120", .unique = true,
      .help = "Where to listen; [::] is every address, of IPv6 and IPv4." },

    { LIST("", paths), .name = "paths", .type = CONFIG_PATH, .fallback = "/sonorancad/event /", .unique = true,
      .help = "The paths that take events." },
    { FIELD("", unknown_types), .name = "unknown_types", .type = CONFIG_WORD, .fallback = "reject",
      .words = unknown_types, .help = "What to answer to an event of a type that is not known." },

    { COMMUNITY(name), .name = "name", .type = CONFIG_NAME, .fallback = "default", .required = true, .unique = true,
      .help = "What the log calls this community." },
    { COMMUNITY_LIST(api_keys), .name = "api_key", .type = CONFIG_SECRET, .single = true, .required = true,
      .unique = true, .help = "The key itself; api_key_file keeps it out of this file." },
    { COMMUNITY_LIST(api_keys), .name = "api_key_file", .type = CONFIG_FILE, .single = true, .unique = true,
      .help = "A file with the key: in secrets/ beside this one, else beside it." },

    { FIELD("log", log.level), .name = "level", .type = CONFIG_WORD, .fallback = "info", .words = levels,
      .help = "The least important lines to write." },
    { FIELD("log", log.target), .name = "target", .type = CONFIG_WORD, .fallback = "auto", .words = targets,
      .help = "Where lines go; auto is the journal under systemd, else text." },
    { FIELD("log", log.payload_bytes), .name = "payload", .type = CONFIG_SIZE, .fallback = "4K", .max = MIB,
      .help = "How much of an event's data to add to its line; 0 is nothing." },
    { FIELD("log", log.silence_us), .name = "silence", .type = CONFIG_DURATION, .fallback = "0s",
      .max = 365 * 24 * HOUR, .help = "Warn when no event has come for so long; 0s is never." },

    { FIELD("store", store.path), .name = "path", .type = CONFIG_TEXT, .fallback = "/var/lib/sonoran-pushd/events.db",
      .restart = true, .help = "The event log; relative in $STATE_DIRECTORY, else beside this file." },
    { FIELD("store", store.durability), .name = "durability", .type = CONFIG_WORD, .fallback = "full",
      .words = durabilities,
      .help = "What an answered event survives: the power cut, or only the end of the process." },
    { FIELD("store", store.keep_us), .name = "keep", .type = CONFIG_DURATION, .fallback = "30d", .min = MINUTE,
      .max = 3650 * 24 * HOUR, .help = "How long events are kept." },
    { FIELD("store", store.max_size_bytes), .name = "max_size", .type = CONFIG_SIZE, .fallback = "1G", .min = MIB,
      .max = 1024 * GIB, .help = "How large the event log may grow; the oldest events go first." },

    { FIELD("limits", limits.body_bytes), .name = "body", .type = CONFIG_SIZE, .fallback = "4M", .min = KIB,
      .max = 64 * MIB, .help = "The largest body of a request." },
    { FIELD("limits", limits.connections), .name = "connections", .type = CONFIG_COUNT, .fallback = "1024", .min = 1,
      .max = 65536, .help = "Connections at the same time; the address with most gives way." },
    { FIELD("limits", limits.connections_per_ip), .name = "connections_per_ip", .type = CONFIG_COUNT, .fallback = "64",
      .min = 1, .max = 65536, .help = "How many of them one address has served until it shows a right key." },
    { FIELD("limits", limits.request_time_us), .name = "request_time", .type = CONFIG_DURATION, .fallback = "10s",
      .min = USEC_PER_SEC, .max = 10 * MINUTE,
      .help = "How long a request may take to arrive, and a connection be idle." },
    { FIELD("limits", limits.in_flight_bytes), .name = "in_flight", .type = CONFIG_SIZE, .fallback = "64M", .min = KIB,
      .max = 64 * GIB, .help = "All bodies together that are held at the same time; those up to 16K do not count." },
    { FIELD("limits", limits.failed_keys), .name = "failed_keys", .type = CONFIG_COUNT, .fallback = "20",
      .max = 1000000, .help = "Wrong keys from one address until it is refused unread; 0 is no limit." },
    { FIELD("limits", limits.failed_keys_window_us), .name = "failed_keys_window", .type = CONFIG_DURATION,
      .fallback = "1min", .min = USEC_PER_SEC, .max = 24 * HOUR, .help = "How long a wrong key counts." },

    { ACTION(name), .name = "name", .type = CONFIG_NAME, .required = true, .unique = true,
      .help = "What the log calls this action." },
    { ACTION(type), .name = "type", .type = CONFIG_WORD, .required = true, .words = action_types,
      .help = "What it does: run a program, POST to a URL, post to Discord." },
    { ACTION_LIST(events), .name = "events", .type = CONFIG_TEXT,
      .help = "The types it is for, * is any letters; without it, all types." },
    { ACTION_LIST(when), .name = "when", .type = CONFIG_TEXT,
      .help = "Conditions on an event, by its facts; all have to hold." },
    { ACTION_LIST(communities), .name = "communities", .type = CONFIG_NAME, .unique = true,
      .help = "Only events of these communities." },
    { ACTION_LIST(listeners), .name = "listeners", .type = CONFIG_NAME, .unique = true,
      .help = "Only events that came to these listeners." },
    { ACTION(timeout_us), .name = "timeout", .type = CONFIG_DURATION, .fallback = "20s", .min = USEC_PER_SEC,
      .max = HOUR, .help = "How long one try may take." },
    { ACTION(give_up_after_us), .name = "give_up_after", .type = CONFIG_DURATION, .fallback = "1h",
      .max = 365 * 24 * HOUR,
      .help = "How long to try one event again before the next one follows; 0s never gives up." },
    { ACTION(max_age_us), .name = "max_age", .type = CONFIG_DURATION, .fallback = "0s", .max = 365 * 24 * HOUR,
      .help = "Events older than this are skipped; 0s is no limit." },
    { ACTION(late), .name = "late", .type = CONFIG_BOOL, .fallback = "false",
      .help = "Also events that were older than 10 minutes when they came." },
    { ACTION(cooldown_us), .name = "cooldown", .type = CONFIG_DURATION, .fallback = "0s", .max = 24 * HOUR,
      .help = "Not again for the same unit or call within this time; 0s is always." },
    { ACTION(parallel), .name = "parallel", .type = CONFIG_COUNT, .fallback = "1", .min = 1, .max = 64,
      .help = "Deliveries at the same time; with more than 1, their order is not kept." },
    { ACTION_LIST(command), .name = "command", .type = CONFIG_TEXT, .required = true, .types = EXEC,
      .help = "The program and its arguments; no shell." },
    { ACTION(url), .name = "url", .type = CONFIG_URL, .required = true, .types = FORWARD | DISCORD,
      .help = "Where to POST to; url_file keeps it out of this file." },
    { ACTION(url), .name = "url_file", .type = CONFIG_FILE, .types = FORWARD | DISCORD,
      .help = "A file with the URL: in secrets/ beside this one, else beside it." },
    { ACTION(body), .name = "body", .type = CONFIG_WORD, .types = FORWARD, .fallback = "original", .words = bodies,
      .help = "What to POST: what the CAD sent, the event record, or template." },
    { ACTION(template), .name = "template", .type = CONFIG_TEXT, .types = FORWARD,
      .help = "The text to POST, with {placeholders}." },
    { ACTION(content_type), .name = "content_type", .type = CONFIG_TEXT, .types = FORWARD,
      .fallback = "application/json", .help = "What template is; in JSON, what an event says is escaped." },
    { ACTION(api_key), .name = "api_key", .type = CONFIG_SECRET, .types = FORWARD,
      .help = "A key in place of the community's; api_key_file keeps it out of this file." },
    { ACTION(api_key), .name = "api_key_file", .type = CONFIG_FILE, .types = FORWARD,
      .help = "A file with that key: in secrets/ beside this one, else beside it." },
    { ACTION(signing_secret), .name = "signing_secret", .type = CONFIG_SECRET, .types = FORWARD,
      .help = "What posts are signed with; signing_secret_file keeps it out of this file." },
    { ACTION(signing_secret), .name = "signing_secret_file", .type = CONFIG_FILE, .types = FORWARD,
      .help = "A file with that secret: in secrets/ beside this one, else beside it." },
    { ACTION_LIST(headers), .name = "headers", .type = CONFIG_HEADER, .types = FORWARD,
      .help = "More headers; headers_file keeps them out of this file." },
    { ACTION_LIST(headers), .name = "headers_file", .type = CONFIG_FILE, .types = FORWARD,
      .help = "A file with headers, one a line: in secrets/ beside this one, else beside it." },
    { ACTION(ca_file), .name = "ca_file", .type = CONFIG_TEXT, .types = FORWARD,
      .help = "Certificates in PEM that alone vouch for an https URL; a path." },
    { ACTION(expect), .name = "expect", .type = CONFIG_TEXT, .types = FORWARD,
      .help = "How an answer has to begin: ok*; or sent: no answer is waited for." },
    { ACTION_LIST(retry_statuses), .name = "retry_statuses", .type = CONFIG_COUNT, .types = FORWARD, .min = 200,
      .max = 599, .help = "More answers that are tried again: 404 of a tunnel while the bot restarts." },
    { ACTION(message), .name = "message", .type = CONFIG_TEXT, .types = DISCORD,
      .help = "The text above the embed, with {placeholders}." },
    { ACTION(username), .name = "username", .type = CONFIG_TEXT, .types = DISCORD,
      .help = "The name to post under, in place of the webhook's." },
    { ACTION(avatar_url), .name = "avatar_url", .type = CONFIG_TEXT, .types = DISCORD,
      .help = "The picture to post with, in place of the webhook's." },
    { ACTION(thread_id), .name = "thread_id", .type = CONFIG_ID, .types = DISCORD,
      .help = "The thread of the channel to post in." },
    { ACTION(thread_name), .name = "thread_name", .type = CONFIG_TEXT, .types = DISCORD,
      .help = "The thread to begin for each message, in a forum; with {placeholders}." },
    { ACTION(mention), .name = "mention", .type = CONFIG_WORD, .types = DISCORD, .fallback = "none", .words = mentions,
      .help = "here mentions whoever is online and can read the channel." },
    { ACTION_LIST(mention_roles), .name = "mention_roles", .type = CONFIG_ID, .unique = true, .types = DISCORD,
      .help = "The roles to mention, by their ids." },
    { ACTION_LIST(mention_users), .name = "mention_users", .type = CONFIG_ID, .unique = true, .types = DISCORD,
      .help = "The users to mention, by their ids." },
};

const size_t config_n_options = ARRAY_SIZE(config_options);
