/* config.h - the settings, read as a whole from one file or refused as a whole.
 *
 * Shape:   one struct config; lists in the order of the file. Every option is a row: of config_options, of a type of
 *          action or of a section, which are handed in with the schema. From the rows reading, checking,
 *          --print-config and the documentation come.
 * Units:   in the name: _bytes, _us.
 * Owner:   config_load hands over a config with one reference; config_ref adds one, config_free gives one back, and
 *          the last one frees it with everything that it points to. It never changes after config_load.
 * Threads: a finished config may be read, and references added and given back, in any thread.
 * Errors:  all mistakes of a file in one run, each as "FILE:LINE:COLUMN: option = value: expected …".
 * Source:  YAML 1.1, of which sonoran-pushd.yaml(5) tells the part that is read; design section 8.
 */
#pragma once

#include <sonoran-pushd/base.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/network.h>
#include <sonoran-pushd/text.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>

#define CONFIG_DEFAULT_FILE "/etc/sonoran-pushd/sonoran-pushd.yaml"

/* Where systemd keeps the secrets that it gave to the running service; root may read them. */
#define CONFIG_SERVICE_CREDENTIALS "/run/credentials/" PROGRAM_NAME ".service"

struct config_listener {
    char *name;
    char *address; /* as written: "[::]:30120" */
    struct sockaddr_storage socket_address;
    socklen_t socket_address_size;
    char **allow; /* whose connections it takes, beside this machine's own; none: everybody's */
    size_t n_allow;
    struct network *networks; /* the same, read */
};

struct config_community {
    char *name;
    char **api_keys; /* at least one; several while the CAD's panel changes it. What we send has the first */
    size_t n_api_keys;
    char *board_token, *bot_token; /* of who may see this community alone; NULL: there is none */
};

struct config;

enum config_unknown_types { UNKNOWN_TYPES_REJECT, UNKNOWN_TYPES_ACCEPT };

enum config_durability { DURABILITY_FULL, DURABILITY_NORMAL };

struct config_kind;

/* What to do with events. */
struct config_action {
    char *name;
    int type;                       /* the position of kind in the schema */
    const struct config_kind *kind; /* what its option "type" chose */
    void *settings;                 /* the kind's own options, in a struct that the kind knows */

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

    char *missing; /* why a secret of it cannot be read now, which is then unset; NULL: all is there */
};

/* Tells a mistake in an option ("command", "command[0]") of what is being checked: "expected …". */
typedef void config_complain(void *context, const char *option, const char *sentence);

/* One that check_action may use in place of what it is given, with the same context: a warning, that does not keep the
 * file from being taken. */
config_complain config_warn;

enum config_type {
    CONFIG_TEXT,
    CONFIG_SECRET,   /* a text that is printed as "(set)" only */
    CONFIG_URL,      /* of http or https, and a secret */
    CONFIG_HEADER,   /* of HTTP, "Name: value", and a secret; not one that is ours or of the connection */
    CONFIG_ID,       /* of Discord: digits */
    CONFIG_NAME,     /* NAME_MAX_BYTES of A-Z a-z 0-9 . _ - */
    CONFIG_PATH,     /* of a URL: starts with / */
    CONFIG_ADDRESS,  /* "[::]:30120", "0.0.0.0:30120"; port 0: any free one */
    CONFIG_NETWORK,  /* "203.0.113.0/24", "2001:db8::/32", or one address */
    CONFIG_FILE,     /* of a secret; sonoran-pushd.yaml(5) says where relative ones are looked up */
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
    bool unique;   /* no two in the list may have the same; of a single list, none of all. A kind's: within itself */
    const char *fallback;
    uint64_t min, max;
    const char *names; /* of whom it names one: CONFIG_COMMUNITY, CONFIG_LISTENER. CONFIG_NAME, not of kinds; with an
                        * "@", a glob on those of other nodes: "*@edge1" */
    const char *const *words; /* CONFIG_WORD: NULL-terminated; the value is the position. NULL: the schema's kinds */
    size_t offset, size;      /* in the struct that the group fills; CONFIG_FILE: of the secret that it brings */
    bool prose;               /* a sentence for people: a # in it is hardly a comment */
    bool restart;             /* a change counts only after a restart; not in lists and sections */
    bool made;                /* CONFIG_SECRET: where its file is not there, the program makes one */
    const char *help;
};

/* Where an option goes; a list's number of elements is called n_ and its name. */
#define CONFIG_MEMBER(type, member) .offset = offsetof(type, member), .size = sizeof(((type *) NULL)->member)
#define CONFIG_MEMBERS(type, member)                                                                                   \
    .offset = offsetof(type, member), .size = sizeof(struct {                                                          \
                                          void *elements;                                                              \
                                          size_t n_elements;                                                           \
                                      }),                                                                              \
    .list = true
#define CONFIG_ASSERT_LIST(type, member)                                                                               \
    static_assert(offsetof(type, n_##member) == offsetof(type, member) + sizeof(void *),                               \
                  "the number of " #member " stands right behind them")

/* One of the words that the option "type" of an action may have, with the options that go with it. They fill settings,
 * which is zeroed before, and belong to the group CONFIG_ACTION. Several kinds may have options of one name. */
struct config_kind {
    const char *name;
    const struct config_option *options;
    size_t n_options;
    size_t settings_size;

    /* What rows cannot say of the settings alone; their mistakes of values were told. May be NULL. */
    void (*check)(const struct config_action *action, config_complain *complain, void *context);
};

#define CONFIG_ACTION "actions[]"
#define CONFIG_COMMUNITY "communities[]"
#define CONFIG_LISTENER "listeners[]"

/* A part of the file with options of its own: one group ("toy", its options below it), or a list of groups ("toys[]").
 * Each group fills a struct of its own, which is zeroed before. Where a list has an option "name", the option
 * "listeners" of an action knows those names, since they are what struct origin calls the ways in. Where the file has
 * no such part, or nothing but its name and comments, there is no struct, defaults or not ("toy: { }" is a part). A
 * secret that cannot be read is a mistake. */
struct config_section {
    const char *group; /* of all its options; NULL: there is no such part */
    const char *one;   /* an element of the list, in words */
    const struct config_option *options;
    size_t n_options;
    size_t settings_size;

    /* Events come by it without a listener or a community of ours: where it has an element, "listeners: [ ]" is no
     * mistake, and with that neither is a file without communities. Its names are no ways in: its events have those of
     * where they came to. */
    bool alone;

    /* Of one group without mistakes so far, what rows cannot say. Of config, all but sections and actions has been
     * read; what has a mistake is unset. A sentence holds no URL and no secret. May be NULL. */
    void (*check)(const struct config *config, const void *settings, config_complain *complain, void *context);

    /* Where the hooks want it, likewise: that what the settings name is there. May be NULL. */
    void (*check_present)(const void *settings, config_complain *complain, void *context);
};

/* Listeners, paths and limits are read by the push source, and are no section all the same: actions name listeners;
 * that a URL of an action leads back to one is a mistake, told with its place; the pipeline and the gate take their
 * part of the one group of limits; and sonoran-pushctl finds the daemon by them, and the board by the group admin. */

/* What a configuration may say beyond config_options. Passed down by whoever builds the program, and outlives what is
 * loaded with it. */
struct config_schema {
    const struct config_kind *const *kinds;
    size_t n_kinds;
    const struct config_section *const *sections;
    size_t n_sections;
};

#define CONFIG_KINDS_MAX 31
#define CONFIG_SECTIONS_MAX 16

/* All options, those of config_options first, then each section's, then each kind's; NULL behind the last. */
const struct config_option *config_schema_option(const struct config_schema *schema, size_t i);

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
int config_collect(const char *file, const struct config_schema *schema, char **ret_store_path,
                   struct config_secrets **ret, struct err *err) MUST_CHECK;

/* Where the event log is that a configuration names, yours to free, whatever its other settings and secrets are; of a
 * file with a mistake in its syntax perhaps the default. Negative errno: it cannot be read. 1: its syntax is wrong. */
int config_find_store(const char *file, const struct config_schema *schema, char **ret) MUST_CHECK;

struct config_secrets *config_secrets_free(struct config_secrets *secrets);

/* What the table cannot check, for config_load to call; any may be NULL.
 * check_action: for each action that has no mistake so far. Of config, the other groups have been read, with mistakes
 * where there are some: what has one is unset. A sentence holds no URL and no secret. */
struct config_hooks {
    const struct config_secrets *secrets; /* NULL: files alone count */
    bool bear_missing;  /* that a secret of an action cannot be read is a warning, and stands in the action */
    bool check_present; /* of sections */
    void (*check_action)(const struct config *config, const struct config_action *action, config_complain *complain,
                         void *context);
};

/* Where a secret came from, as it was written. */
struct config_secret_file {
    const void *field; /* that holds it, or the list of which it is one */
    char *name;
    char *to_make; /* the path where it is to be made; NULL: it was read */
};

/* The structs of a section, one behind the other. */
struct config_settings {
    void *elements;
    size_t n_elements; /* of one group: 1, or 0 where the file does not have it */
};

/* How long something may take before a board shows it as a warning, and as late; 0: for ever. */
struct config_board {
    uint64_t call911_warn_us, call911_late_us;                     /* waiting for a dispatch call */
    uint64_t unassigned_urgent_warn_us, unassigned_urgent_late_us; /* a call of priority 1, without unit */
    uint64_t unassigned_warn_us, unassigned_late_us;               /* any other */
    uint64_t en_route_warn_us, en_route_late_us;
    uint64_t on_scene_warn_us, on_scene_late_us;
};

struct config {
    atomic_uint references;
    const struct config_schema *schema;
    char *file;
    struct config_secret_file *secret_files;
    size_t n_secret_files;
    uint64_t text_hash; /* of what was read, included files too: tells whether it is still the same */

    struct config_listener *listeners;
    size_t n_listeners;
    char *node; /* how this machine calls itself to others; NULL: as its log does (store_get_node) */
    char **paths;
    size_t n_paths;
    int unknown_types; /* enum config_unknown_types */
    struct config_community *communities;
    size_t n_communities;
    struct config_action *actions;
    size_t n_actions;
    struct config_settings sections[CONFIG_SECTIONS_MAX]; /* of schema->sections, in their order */

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

    struct config_board board;

    struct {
        char *address; /* as written; NULL: it is not shown by TCP */
        char *token;   /* NULL: there is none, or its file is to be made (config_secret_to_make) */
        char **hosts;  /* names by which it may be asked for, beside localhost */
        size_t n_hosts;
        uint64_t streams, streams_per_ip;
    } admin;
};

#define CONFIG_TOKEN_MIN_BYTES 16

extern const struct config_option config_options[];
extern const size_t config_n_options;

/* Sentences, in the order of the file. */
struct config_problems {
    char **lines;
    bool *warns; /* of each: it is a warning, and no mistake */
    bool *shows; /* of each: a line of the file that the one before is about, or the caret below it */
    size_t n_lines;
};

/* Reads and checks, with hooks too (NULL: none). 0 and *ret; or -EINVAL (mistakes), another negative errno (cannot be
 * read), -EAGAIN (a file cannot be read now, and nothing is wrong with it), -ENOMEM. problems holds every mistake after
 * a failure, and warnings (a secret that others can read) after either. */
int config_load(const char *file, const struct config_schema *schema, const struct config_hooks *hooks,
                struct config **ret, struct config_problems *problems) MUST_CHECK;
struct config *config_ref(struct config *config);
struct config *config_free(struct config *config);
void config_problems_free(struct config_problems *problems);

/* The settings in force, in the syntax of the file: read again, they are the same, but for secrets that stand in it,
 * which are "(set)". */
int config_print(const struct config *config, FILE *out) MUST_CHECK;

/* What the file has of a section; of none where the schema does not know it. */
struct config_settings config_section_get(const struct config *config, const struct config_section *section);

/* The file that the secret in this field of the config comes from, as it was written, or that is to be made for it;
 * NULL: none. The path of one to be made, where the next load finds it; NULL: none is. And the socket address that an
 * option of CONFIG_ADDRESS is. */
const char *config_secret_file_name(const struct config *config, const void *field);
const char *config_secret_to_make(const struct config *config, const void *field);
int config_address_read(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size) MUST_CHECK;

/* Names of the options that need a restart and differ between the two, as one text ("store.path"), or NULL. */
char *config_needs_restart(const struct config *old, const struct config *new_config);

/* How many connections each door may have, cut to what the process may have open. spare: beyond that, for a moment, at
 * each of them. */
struct config_connections {
    uint64_t descriptors; /* that it may have open */
    uint64_t push;        /* for those who send events: limits.connections, or fewer */
    uint64_t admin;       /* of the admin side, but for streams: */
    uint64_t streams;     /* admin.streams, or fewer */
};

struct config_connections config_connections(const struct config *config, uint64_t spare);

/* How many actions lack a secret. */
size_t config_n_missing(const struct config *config);

/* Whether a header ("Name: value") is likely to hold a password, by its name. */
bool config_header_is_private(const char *header);

/* Every option is the same. */
bool config_action_equal(const struct config_action *a, const struct config_action *b);
