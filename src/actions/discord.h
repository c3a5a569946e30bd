/* discord.h - inside the discord action: text for Discord, the embed, the rate limits, what an answer means.
 *
 * Shape:   an embed is collected from raw text and made safe as it goes in; embed_write cuts it to Discord's limits.
 * Units:   lengths are UTF-16 code units: never less than what Discord counts, whichever way it counts.
 * Threads: struct discord_limits locks for itself; all else belongs to its caller.
 * Source:  Discord's pages resources/webhook (execute), resources/message (embed limits), topics/rate-limits.
 */
#pragma once

#include <pthread.h>

#include <sonoran-pushd/action.h>

/* ---- discord_text.c ---- */

#define DISCORD_CONTENT_MAX 2000
#define DISCORD_USERNAME_MAX 80
#define DISCORD_AVATAR_URL_MAX 2048
#define DISCORD_ROLES_MAX 50

enum discord_text {
    DISCORD_LINES, /* markdown is shown there, and line breaks */
    DISCORD_LINE,  /* markdown is shown there, on one line */
    DISCORD_PLAIN, /* one line that Discord shows as it is */
};

/* Text from outside: no control characters, nothing invisible that turns the direction, no markdown, no mention. */
void discord_add(struct text *out, const char *s, size_t size, enum discord_text kind);
/* DISCORD_LINES, for template_expand. */
void discord_add_value(struct text *out, const char *s, size_t size);

size_t discord_length(const char *s, size_t size);

/* Cuts what stands behind from so that it has at most max units, the last of them "…". Never inside of a character or
 * of an escape. */
void discord_cut(struct text *text, size_t from, size_t max);

/* Has it anything to see? Discord refuses texts that have not. */
bool discord_is_blank(const char *s, size_t size);

/* ---- discord_embed.c ---- */

#define EMBED_FIELDS_MAX 25

struct embed_field {
    struct text name, value;
    bool in_line;
};

struct embed {
    struct text title, description, author, footer;
    int colour; /* 0xRRGGBB */
    usec_t time_us;
    struct embed_field fields[EMBED_FIELDS_MAX];
    size_t n_fields;
    bool failed; /* no memory */
};

void embed_init(struct embed *embed);
void embed_free(struct embed *embed);

/* Raw texts. A field without a value, or beyond the last, is left out. */
void embed_set(struct text *part, const char *s, size_t size, enum discord_text kind);
void embed_add_field(struct embed *embed, const char *name, const struct text *value, bool in_line);

/* Cuts to the limits, then writes the JSON object. */
void embed_write(struct embed *embed, struct text *out);

/* ---- discord_values.c: what a field shows, raw. value is what its pointers found, never NULL. ---- */

typedef void value_function(const struct action_record *record, const cJSON *value, struct text *out);

value_function show_plain, show_list, show_ids, show_units, show_several_units, show_unit_name, show_primary, show_yes,
    show_call_status, show_origin, show_unit_status, show_only_status, show_only_location, show_page, show_notes,
    show_note_kind, show_targets, show_message, show_position, show_record_type, show_percent;

/* Where the JSON Pointers in where, with blanks between them, first name something that is not null and not empty. */
const cJSON *embed_find(const struct event *event, const char *where);
/* The same for a whole number, or its decimal text; missing where there is none. */
int64_t embed_find_number(const struct event *event, const char *where, int64_t missing);
/* 1, 0, or -1 where it is not told. */
int embed_find_flag(const struct event *event, const char *where);
const cJSON *json_member(const cJSON *object, const char *name);

/* ---- discord_record.c: the fields of a record, under their own labels ---- */

void add_record_fields(const struct action_record *record, struct embed *embed);

/* ---- discord_layouts.c: the table, one row for each type ---- */

struct layout_row {
    const char *label;
    const char *where;   /* see embed_find */
    value_function *add; /* NULL: show_plain */
    bool in_line;
};

struct layout {
    const char *type;
    const char *title;                                  /* "New call #": the id goes where # is */
    const char *(*title_of)(const struct event *event); /* instead of title, where that depends */
    const char *title_id, *title_name;                  /* where: "55120", "Structure Fire" behind the title */
    const char *text;                                   /* where: the description; NULL or nothing there: the summary */
    const char *author;                                 /* where */
    value_function *add_text, *add_author;              /* NULL: show_plain */
    int colour;
    int (*colour_of)(const struct event *event);
    const struct layout_row *rows;
    size_t n_rows;
    void (*more)(const struct action_record *record, struct embed *embed);
};

extern const struct layout discord_layouts[];
extern const size_t discord_n_layouts;
extern const struct layout discord_layout_unknown;

enum colour {
    COLOUR_RED = 0xed4245,
    COLOUR_ORANGE = 0xe67e22,
    COLOUR_YELLOW = 0xfee75c,
    COLOUR_GREEN = 0x57f287,
    COLOUR_TEAL = 0x1abc9c,
    COLOUR_BLUE = 0x3498db,
    COLOUR_PURPLE = 0x9b59b6,
    COLOUR_GREY = 0x95a5a6,
};

/* ---- discord_colours.c: titles and colours that depend on the event ---- */

const char *title_of_911(const struct event *event);
const char *title_of_panic(const struct event *event);
const char *title_of_bodycam(const struct event *event);
const char *title_of_legacy(const struct event *event);
const char *title_of_unknown(const struct event *event);
int colour_of_911(const struct event *event);
int colour_of_priority(const struct event *event);
int colour_of_legacy(const struct event *event);
int colour_of_status(const struct event *event);
int colour_of_panic(const struct event *event);
int colour_of_record(const struct event *event);
int colour_of_pager(const struct event *event);
int colour_of_bodycam(const struct event *event);

/* ---- discord_render.c ---- */

int discord_render(const struct config_action *config, const struct action_record *record, struct action_payload *ret,
                   struct err *err);

/* ---- discord_limits.c: how soon a webhook may be used again; all actions that use it share it ---- */

#define DISCORD_WEBHOOKS_MAX 64 /* beyond that, the one whose limit ends first is forgotten */
#define DISCORD_WAIT_MAX_US (24 * 3600 * USEC_PER_SEC)

struct discord_webhook {
    uint64_t key;
    bool used;
    int64_t remaining; /* requests until reset_us, -1: not known */
    usec_t reset_us;   /* of uptime_us */
};

struct discord_limits {
    pthread_mutex_t lock;
    struct discord_webhook webhooks[DISCORD_WEBHOOKS_MAX];
    usec_t blocked_until_us; /* every webhook */
};

#define DISCORD_LIMITS_INIT                                                                                            \
    {                                                                                                                  \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                                              \
    }

/* Where to post: the webhook with wait, and the thread if there is one. */
void discord_add_url(struct text *out, const char *url, const char *thread_id);
/* The webhook of a URL, whatever its query. */
uint64_t discord_webhook_key(const char *url);
/* 0: one request may go, and is counted. Else how long to wait. */
usec_t discord_limits_take(struct discord_limits *limits, uint64_t key, usec_t uptime);
void discord_limits_heard(struct discord_limits *limits, uint64_t key, usec_t uptime, int64_t remaining,
                          usec_t reset_after_us);
void discord_limits_block(struct discord_limits *limits, uint64_t key, usec_t uptime, usec_t wait_us, bool all);

/* ---- discord_answer.c ---- */

struct discord_answer {
    long status;
    struct span body;
    usec_t retry_after_us;                                /* of Retry-After, 0: none */
    const char *remaining, *reset_after, *global, *scope; /* of X-RateLimit-…, NULL: none */
};

/* What an answer means: for this delivery, and for the next ones. */
void discord_judge(const struct discord_answer *answer, struct discord_limits *limits, uint64_t key, usec_t uptime,
                   struct action_outcome *ret);
