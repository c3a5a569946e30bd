/* options.c - the table of the options that are of no type of action. */
#include <assert.h>

#include "config_private.h"

#define KIB ((uint64_t) 1 << 10)
#define MIB ((uint64_t) 1 << 20)
#define GIB ((uint64_t) 1 << 30)
#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)

#define FIELD(of, member) .group = (of), CONFIG_MEMBER(struct config, member)
#define LIST(of, member) .group = (of), CONFIG_MEMBERS(struct config, member)
#define BOARD(member)                                                                                                  \
    .group = "board", CONFIG_MEMBER(struct config, board.member), .type = CONFIG_DURATION, .max = 24 * HOUR
#define LISTENER(member) .group = CONFIG_LISTENER, CONFIG_MEMBER(struct config_listener, member)
#define LISTENER_LIST(member) .group = CONFIG_LISTENER, CONFIG_MEMBERS(struct config_listener, member)
#define COMMUNITY(member) .group = CONFIG_COMMUNITY, CONFIG_MEMBER(struct config_community, member)
#define COMMUNITY_LIST(member) .group = CONFIG_COMMUNITY, CONFIG_MEMBERS(struct config_community, member)
#define ACTION(member) .group = CONFIG_ACTION, CONFIG_MEMBER(struct config_action, member)
#define ACTION_LIST(member) .group = CONFIG_ACTION, CONFIG_MEMBERS(struct config_action, member)

CONFIG_ASSERT_LIST(struct config, listeners);
CONFIG_ASSERT_LIST(struct config_listener, allow);
CONFIG_ASSERT_LIST(struct config, paths);
CONFIG_ASSERT_LIST(struct config, communities);
CONFIG_ASSERT_LIST(struct config, actions);
CONFIG_ASSERT_LIST(struct config_community, api_keys);
CONFIG_ASSERT_LIST(struct config_action, events);
CONFIG_ASSERT_LIST(struct config_action, when);
CONFIG_ASSERT_LIST(struct config_action, communities);
CONFIG_ASSERT_LIST(struct config_action, listeners);
static_assert(offsetof(struct config, admin.n_hosts) == offsetof(struct config, admin.hosts) + sizeof(void *),
              "the number of hosts stands right behind them");

static const char *const unknown_types[] = { "reject", "accept", NULL };
static const char *const levels[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", NULL };
static const char *const durabilities[] = { "full", "normal", NULL };
static const char *const targets[] = { "auto", "journal", "text", "json", NULL };

static_assert(ARRAY_SIZE(unknown_types) == UNKNOWN_TYPES_ACCEPT + 2, "every value of unknown_types needs a word");
static_assert(ARRAY_SIZE(levels) == LOG_DEBUG + 2, "every level needs a word");
static_assert(ARRAY_SIZE(durabilities) == DURABILITY_NORMAL + 2, "every durability needs a word");
static_assert(ARRAY_SIZE(targets) == LOG_TARGET_JSON + 2, "every target needs a word");

const struct config_option config_options[] = {
    { LISTENER(name), .name = "name", .type = CONFIG_NAME, .fallback = "main", .required = true, .unique = true,
      .help = "What the log calls this listener." },
    { LISTENER(address), .name = "address", .type = CONFIG_ADDRESS, .fallback = "[::]:30120", .unique = true,
      .help = "Where to listen; [::] is every address, of IPv6 and IPv4." },
    { LISTENER_LIST(allow), .name = "allow", .type = CONFIG_NETWORK, .single = true,
      .help = "Networks whose connections it takes, beside this machine's own; without it everybody's." },

    { LIST("", paths), .name = "paths", .type = CONFIG_PATH, .fallback = "/sonorancad/event /", .unique = true,
      .help = "The paths that take events." },
    { FIELD("", unknown_types), .name = "unknown_types", .type = CONFIG_WORD, .fallback = "reject",
      .words = unknown_types, .help = "What to answer to an event of a type that is not known." },

    { FIELD("", node), .name = "node", .type = CONFIG_NAME, .restart = true,
      .help = "How this machine calls itself to others; without it, as its host was called when the log was made." },

    { COMMUNITY(name), .name = "name", .type = CONFIG_NAME, .fallback = "default", .required = true, .unique = true,
      .help = "What the log calls this community." },
    { COMMUNITY_LIST(api_keys), .name = "api_key", .type = CONFIG_SECRET, .single = true, .required = true,
      .unique = true, .help = "The key itself; api_key_file keeps it out of this file." },
    { COMMUNITY_LIST(api_keys), .name = "api_key_file", .type = CONFIG_FILE, .single = true, .unique = true,
      .help = "A file with the key: in secrets/ beside this one, else beside it." },
    { COMMUNITY(board_token), .name = "board_token", .type = CONFIG_SECRET,
      .help = "Who shows it sees this community on the board; board_token_file keeps it out of this file." },
    { COMMUNITY(board_token), .name = "board_token_file", .type = CONFIG_FILE, .help = "A file with that token." },
    { COMMUNITY(bot_token), .name = "bot_token", .type = CONFIG_SECRET,
      .help = "The same for programs, which get the data of events as well." },
    { COMMUNITY(bot_token), .name = "bot_token_file", .type = CONFIG_FILE, .help = "A file with that token." },

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

    { FIELD("admin", admin.address), .name = "address", .type = CONFIG_ADDRESS, .restart = true,
      .help = "Where the board is to be seen, such as 127.0.0.1:30121; without it, by the control socket alone." },
    { FIELD("admin", admin.token), .name = "token", .type = CONFIG_SECRET, .made = true,
      .help = "What has to be shown there; token_file keeps it out of this file." },
    { FIELD("admin", admin.token), .name = "token_file", .type = CONFIG_FILE,
      .help = "A file with the token; where there is none, one is made beside the event log." },
    { LIST("admin", admin.hosts), .name = "hosts", .type = CONFIG_TEXT,
      .help = "Names by which browsers may ask for it, beside localhost and addresses." },
    { FIELD("admin", admin.streams), .name = "streams", .type = CONFIG_COUNT, .fallback = "64", .min = 1, .max = 10000,
      .help = "How many may follow the events at the same time." },
    { FIELD("admin", admin.streams_per_ip), .name = "streams_per_ip", .type = CONFIG_COUNT, .fallback = "8", .min = 1,
      .max = 10000, .help = "How many of them from one address." },
    { BOARD(call911_warn_us), .name = "call911_warn", .fallback = "2min",
      .help = "A 911 call from which no call was made is yellow after so long; 0s is never." },
    { BOARD(call911_late_us), .name = "call911_late", .fallback = "5min",
      .help = "A 911 call from which no call was made is late after so long; 0s is never." },
    { BOARD(unassigned_urgent_warn_us), .name = "unassigned_urgent_warn", .fallback = "1min",
      .help = "A call of priority 1 without unit is yellow after so long; 0s is never." },
    { BOARD(unassigned_urgent_late_us), .name = "unassigned_urgent_late", .fallback = "3min",
      .help = "A call of priority 1 without unit is late after so long; 0s is never." },
    { BOARD(unassigned_warn_us), .name = "unassigned_warn", .fallback = "3min",
      .help = "Any other call without unit is yellow after so long; 0s is never." },
    { BOARD(unassigned_late_us), .name = "unassigned_late", .fallback = "6min",
      .help = "Any other call without unit is late after so long; 0s is never." },
    { BOARD(en_route_warn_us), .name = "en_route_warn", .fallback = "10min",
      .help = "A unit en route is yellow after so long; 0s is never." },
    { BOARD(en_route_late_us), .name = "en_route_late", .fallback = "20min",
      .help = "A unit en route is late after so long; 0s is never." },
    { BOARD(on_scene_warn_us), .name = "on_scene_warn", .fallback = "30min",
      .help = "A unit on scene is yellow after so long; 0s is never." },
    { BOARD(on_scene_late_us), .name = "on_scene_late", .fallback = "60min",
      .help = "A unit on scene is late after so long; 0s is never." },

    { ACTION(name), .name = "name", .type = CONFIG_NAME, .required = true, .unique = true,
      .help = "What the log calls this action." },
    { ACTION(type), .name = "type", .type = CONFIG_WORD, .required = true,
      .help = "What it does: run a program, POST to a URL, post to Discord, publish to Redis." },
    { ACTION_LIST(events), .name = "events", .type = CONFIG_TEXT,
      .help = "The types it is for, * is any letters; without it, all types." },
    { ACTION_LIST(when), .name = "when", .type = CONFIG_TEXT,
      .help = "Conditions on an event, by its facts; all have to hold." },
    { ACTION_LIST(communities), .name = "communities", .type = CONFIG_NAME, .names = CONFIG_COMMUNITY, .unique = true,
      .help = "Only events of these communities; of other nodes by globs: *@edge1." },
    { ACTION_LIST(listeners), .name = "listeners", .type = CONFIG_NAME, .names = CONFIG_LISTENER, .unique = true,
      .help = "Only events that came to these listeners; at other nodes by globs: *@edge1." },
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
};

const size_t config_n_options = ARRAY_SIZE(config_options);
