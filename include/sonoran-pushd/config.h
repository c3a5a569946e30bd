/* config.h - the settings, read as a whole from one file or refused as a whole.
 *
 * Shape:   one struct config; lists in the order of the file. Every option is a row of one table (config_options),
 *          from which reading, checking, --print-config and the documentation come.
 * Units:   in the name: _bytes, _us.
 * Owner:   config_load hands over a config with one reference; config_ref adds one, config_free gives one back, and
 *          the last one frees it with everything that it points to. It never changes after config_load.
 * Threads: a finished config may be read, and references added and given back, in any thread.
 * Errors:  all mistakes of a file in one run, each as "FILE:LINE: key = value: expected …".
 * Source:  libconfig's manual; design section 8.
 */
#pragma once

#include <sonoran-pushd/base.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/text.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define CONFIG_DEFAULT_FILE "/etc/sonoran-pushd/sonoran-pushd.conf"

/* Where systemd keeps the secrets that it gave to the running service; root may read them. */
#define CONFIG_SERVICE_CREDENTIALS "/run/credentials/" PROGRAM_NAME ".service"

struct config_listener {
    char *name;
    char *address; /* as written: "[::]:30120" */
    struct sockaddr_storage socket_address;
    socklen_t socket_address_size;
};

struct config_community {
    char *name;
    char **api_keys; /* at least one; several while the CAD's panel changes it. What we send has the first */
    size_t n_api_keys;
};

struct config;

enum config_unknown_types { UNKNOWN_TYPES_REJECT, UNKNOWN_TYPES_ACCEPT };

enum config_durability { DURABILITY_FULL, DURABILITY_NORMAL };

enum config_action_type { ACTION_TYPE_EXEC, ACTION_TYPE_FORWARD, ACTION_TYPE_DISCORD };

enum config_forward_body { FORWARD_BODY_ORIGINAL, FORWARD_BODY_RECORD, FORWARD_BODY_TEMPLATE };

enum config_mention { MENTION_NONE, MENTION_HERE };

/* What to do with events. Options of one type are unset with another. */
struct config_action {
    char *name;
    int type; /* enum config_action_type */

    /* Which events; an empty list is every one. */
    char **events; /* globs of types */
    size_t n_events;
    char **when; /* conditions on the data: "/isPanic = true" */
    size_t n_when;
    char **communities;
    size_t n_communities;
    char **listeners;
    size_t n_listeners;

    uint64_t timeout_us;       /* for one try */
    uint64_t give_up_after_us; /* of trying one event again; 0: never */
    uint64_t max_age_us;       /* older events are skipped; 0: none is */
    bool late;                 /* those that were old already when they came, too */
    uint64_t cooldown_us;      /* of events of one type for the same unit or call; 0: none */
    uint64_t parallel;         /* deliveries at one time; above 1 their order is not kept */

    char **command; /* exec: argv */
    size_t n_command;

    char *url;            /* forward, discord */
    int body;             /* forward: enum config_forward_body */
    char *template;       /* forward, template: a text with {placeholders}; NULL: none */
    char *content_type;   /* forward, template */
    char *api_key;        /* forward, original: instead of the community's; NULL: none */
    char *signing_secret; /* forward: for Sonoran-Signature; NULL: none */
    char **headers;       /* forward: "Name: value" */
    size_t n_headers;
    char *ca_file;            /* forward: whose certificates vouch for an https URL; NULL: the system's */
    char *expect;             /* forward: a glob for the answer's body, or "sent"; NULL: a status 2xx is enough */
    uint64_t *retry_statuses; /* forward: to be tried again, beside those that always are */
    size_t n_retry_statuses;

    char *message; /* discord: template of the text above the embed; NULL: none */
    char *username;
    char *avatar_url;
    char *thread_id;
    char *thread_name;    /* template; a thread of its own for each message */
    int mention;          /* discord: enum config_mention */
    char **mention_roles; /* ids */
    size_t n_mention_roles;
    char **mention_users; /* ids */
    size_t n_mention_users;

    char *missing; /* why a secret of it cannot be read now, which is then unset; NULL: all is there */
};

/* Tells a mistake in an option ("command") of what is being checked: "expected …". */
typedef void config_complain(void *context, const char *option, const char *sentence);

/* One that check_action may use in place of what it is given, with the same context: a warning, that does not keep the
 * file from being taken. */
config_complain config_warn;

/* Secrets that come from elsewhere than files: of the environment, SONORAN_SECRET_API_KEY for the file "api-key", and
 * handed over, under the names of systemd's credentials: "secrets_a_b" for the file a/b in the folder secrets, "a_b"
 * for one beside the configuration. The variables are taken out of the environment, before there are threads. */
struct config_secrets;

int config_secrets_new(struct config_secrets **ret) MUST_CHECK;
int config_secrets_take_environment(struct config_secrets *secrets) MUST_CHECK;
int config_secrets_copy_environment(const struct config_secrets *secrets, struct config_secrets **ret) MUST_CHECK;
int config_secrets_hand_over(struct config_secrets *secrets, const char *name, const char *secret) MUST_CHECK;

/* For the way to another process: handed over are those of bytes, which are wiped. -EINVAL: they are none such. */
void config_secrets_write(const struct config_secrets *secrets, struct text *ret);
int config_secrets_read(struct config_secrets *secrets, char *bytes, size_t size) MUST_CHECK;

/* For root: the secret files that a configuration names, as the daemon may not read them. *ret_store_path: the path of
 * its event log, yours to free; of a file with mistakes perhaps the default. 1: the configuration is not root's, so
 * that no file was read because of it. *ret is NULL then, and for others, who get 0. */
int config_collect(const char *file, char **ret_store_path, struct config_secrets **ret, struct err *err) MUST_CHECK;

/* Where the event log is that a configuration names, yours to free, whatever its other settings and secrets are; of a
 * file with a mistake in its syntax perhaps the default. Negative errno: it cannot be read. 1: its syntax is wrong. */
int config_find_store(const char *file, char **ret) MUST_CHECK;

struct config_secrets *config_secrets_free(struct config_secrets *secrets);

/* What the table cannot check, for config_load to call; any may be NULL.
 * check_action: for each action that has no mistake so far. Of config, the other groups have been read, with mistakes
 * where there are some: what has one is unset. A sentence holds no URL and no secret. */
struct config_hooks {
    const struct config_secrets *secrets; /* NULL: files alone count */
    bool bear_missing; /* that a secret of an action cannot be read is a warning, and stands in the action */
    void (*check_action)(const struct config *config, const struct config_action *action, config_complain *complain,
                         void *context);
};

struct config {
    atomic_uint references;
    char *file;
    uint64_t text_hash; /* of what was read, included files too: tells whether it is still the same */

    struct config_listener *listeners;
    size_t n_listeners;
    char **paths;
    size_t n_paths;
    int unknown_types; /* enum config_unknown_types */
    struct config_community *communities;
    size_t n_communities;
    struct config_action *actions;
    size_t n_actions;

    struct {
        int level;              /* of syslog(3) */
        int target;             /* enum log_target */
        uint64_t payload_bytes; /* of SONORAN_DATA, 0: off */
        uint64_t silence_us;    /* without an event, to be warned of; 0: never */
    } log;

    struct {
        char *path;     /* of the database; relative ones in $STATE_DIRECTORY, then beside the config file */
        int durability; /* enum config_durability */
        uint64_t keep_us;
        uint64_t max_size_bytes;
    } store;

    struct {
        uint64_t body_bytes;
        uint64_t connections;
        uint64_t connections_per_ip;
        uint64_t request_time_us;
        uint64_t in_flight_bytes;
        uint64_t failed_keys; /* 0: no limit */
        uint64_t failed_keys_window_us;
    } limits;
};

enum config_type {
    CONFIG_TEXT,
    CONFIG_SECRET,   /* a text that is printed as "(set)" only */
    CONFIG_URL,      /* of http or https, and a secret */
    CONFIG_HEADER,   /* of HTTP, "Name: value", and a secret; not one that is ours or of the connection */
    CONFIG_ID,       /* of Discord: digits */
    CONFIG_NAME,     /* NAME_MAX_BYTES of A-Z a-z 0-9 . _ - */
    CONFIG_PATH,     /* of a URL: starts with / */
    CONFIG_ADDRESS,  /* "[::]:30120", "0.0.0.0:30120"; port 0: any free one */
    CONFIG_FILE,     /* of a secret; sonoran-pushd.conf(5) says where relative ones are looked up */
    CONFIG_WORD,     /* one of a fixed list */
    CONFIG_BOOL,     /* true, false */
    CONFIG_COUNT,    /* a whole number */
    CONFIG_SIZE,     /* bytes: "64K" "1M" "1G", or a whole number */
    CONFIG_DURATION, /* microseconds: "200ms" "30s" "10min" "2h" "7d" */
};

/* One option. fallback is its default as it would stand in a file, without quotes, those of a list with blanks
 * between them (NULL: none, has to be given or may be absent as help says); range counts for numbers. */
struct config_option {
    const char *group; /* "" top level, "listeners[]" an element of a list, "limits" a group */
    const char *name;
    enum config_type type;
    bool list;     /* an array of such values, in a pointer to them and, right behind it, their number */
    bool single;   /* a list of which one value may stand without brackets */
    bool required; /* in its group; with a fallback: only where the list has several elements */
    bool unique;   /* no two in the list may have the same; of a single list, none of all */
    const char *fallback;
    uint64_t min, max;
    unsigned types;           /* 1 << each value of its group's option "type" that it is for; 0: any */
    const char *const *words; /* CONFIG_WORD: NULL-terminated; the value is the position */
    size_t offset, size;      /* in the struct that the group fills; CONFIG_FILE: of the secret that it brings */
    bool restart;             /* a change counts only after a restart; not in lists */
    const char *help;
};

extern const struct config_option config_options[];
extern const size_t config_n_options;

/* Sentences, in the order of the file. */
struct config_problems {
    char **lines;
    bool *warns; /* of each: it is a warning, and no mistake */
    size_t n_lines;
};

/* Reads and checks, with hooks too (NULL: none). 0 and *ret; or -EINVAL (mistakes), another negative errno (cannot be
 * read), -ENOMEM. problems holds every mistake after a failure, and warnings (a secret that others can read) after
 * either. */
int config_load(const char *file, const struct config_hooks *hooks, struct config **ret,
                struct config_problems *problems) MUST_CHECK;
struct config *config_ref(struct config *config);
struct config *config_free(struct config *config);
void config_problems_free(struct config_problems *problems);

/* The settings in force, in the syntax of the file, secrets as "(set)". */
int config_print(const struct config *config, FILE *out) MUST_CHECK;

/* Names of the options that need a restart and differ between the two, as one text ("store.path"), or NULL. */
char *config_needs_restart(const struct config *old, const struct config *new_config);

/* How many actions lack a secret. */
size_t config_n_missing(const struct config *config);

/* Whether a header ("Name: value") is likely to hold a password, by its name. */
bool config_header_is_private(const char *header);

/* Every option is the same. */
bool config_action_equal(const struct config_action *a, const struct config_action *b);
