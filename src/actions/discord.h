/* discord.h - inside the discord action: text for Discord, the embed, the rate limits, what an answer means.
 *
 * Shape:   an embed is collected from raw text and made safe as it goes in; discord_embed_write cuts it to Discord's
 *          limits.
 * Units:   lengths are UTF-16 code units: never less than what Discord counts, whichever way it counts.
 * Threads: struct discord_limits locks for itself; all else belongs to its caller.
 * Source:  Discord's pages resources/webhook (execute), resources/message (embed limits), topics/rate-limits.
 */
#pragma once

#include <pthread.h>

#include <sonoran-pushd/action_type.h>
#include <sonoran-pushd/facts.h>

enum discord_mention { DISCORD_MENTION_NONE, DISCORD_MENTION_HERE };

struct discord_settings {
    char *url;
    char *message; /* template of the text above the embed; NULL: none */
    char *username;
    char *avatar_url;
    char *thread_id;
    char *thread_name;    /* template; a thread of its own for each message */
    int mention;          /* enum discord_mention */
    char **mention_roles; /* ids */
    size_t n_mention_roles;
    char **mention_users; /* ids */
    size_t n_mention_users;
};

/* Of an action of this type. */
static inline const struct discord_settings *discord_settings(const struct config_action *config)
{
    return config->settings;
}

/* ---- discord_text.c ---- */

#define DISCORD_CONTENT_MAX 2000
#define DISCORD_USERNAME_MAX 80
#define DISCORD_AVATAR_URL_MAX 2048
#define DISCORD_MENTIONS_MAX 50 /* roles and users together; a message keeps room beside them */
#define DISCORD_THREAD_NAME_MAX 100

enum discord_text {
    DISCORD_LINES, /* markdown is shown there, and line breaks */
    DISCORD_LINE,  /* markdown is shown there, on one line */
    DISCORD_PLAIN, /* one line that Discord shows as it is */
};

/* Text from outside: no control characters, nothing invisible that turns the direction, no markdown, no mention. */
void discord_add(struct text *out, const char *s, size_t size, enum discord_text kind);
/* DISCORD_LINES, for template_expand. */
void discord_add_value(struct text *out, const char *s, size_t size);
/* DISCORD_PLAIN, for the same. */
void discord_add_line(struct text *out, const char *s, size_t size);

/* A message as a whole, in which "@" of the template and "everyone" of a player may have met: they mention nobody. */
void discord_add_tame(struct text *out, const char *s);

size_t discord_length(const char *s, size_t size);

/* Cuts what stands behind from so that it has at most max units, the last of them "…". Never inside of a character or
 * of an escape. */
void discord_cut(struct text *text, size_t from, size_t max);

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

void discord_embed_init(struct embed *embed);
void discord_embed_free(struct embed *embed);

/* Raw texts; raw is empty then. A field without a value, or beyond the last, is left out. */
void discord_embed_set(struct embed *embed, struct text *part, struct text *raw, enum discord_text kind);
void discord_embed_add_field(struct embed *embed, const char *name, const struct text *value, bool in_line);

/* Cuts to the limits, then writes the JSON object. */
void discord_embed_write(struct embed *embed, struct json_writer *out);

/* ---- discord_layouts.c: the table, one row for each type ---- */

/* What it names are facts (facts.h). */
struct layout {
    const char *type;
    const char *title; /* "New call #": the id goes where # is; NULL: the type */
    const char *(*title_of)(const struct action_record *record); /* instead of title */
    const char *id, *name;                                       /* "55120"; "Structure Fire" behind the title */
    const char *author, *text; /* text NULL or without a value: the line, where there are no fields */
    const char *said;          /* words of the line: left out of it in the text */
    bool fields;               /* all facts but those above, and */
    const char *hides;         /* with blanks between */
    int colour, loud;          /* loud: where its level is notice or more; 0: none */
    const char *shade;         /* a fact, whose number */
    const int *shades;         /* picks one of these, the last one for what is beyond */
    size_t n_shades;
};

const struct layout *discord_layout(const struct action_record *record);

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

struct alarm {
    const char *said, *title;
    int colour;
};

/* Of a panic, whatever event it came in; NULL: there is none. */
const struct alarm *discord_alarm(const struct action_record *record);
int discord_colour(const struct action_record *record, const struct layout *layout);
/* Whether it says so of the title's words. */
bool discord_is_again(const struct action_record *record, const struct layout *layout);
/* Without what the title says. */
void discord_add_sentence(const struct action_record *record, const struct layout *layout, struct text *out);

/* ---- discord_fields.c: facts, raw ---- */

/* How many values it has; *ret is the first one, or the newest note, and stays where there is none. */
size_t discord_fact(const struct action_record *record, const char *name, struct text *ret);
int64_t discord_fact_number(const struct action_record *record, const char *name, int64_t missing);
/* As fields: those that the layout does not have elsewhere. */
void discord_add_facts(const struct action_record *record, const struct layout *layout, struct embed *embed);
/* Of an edit: what was another before it, by the names of facts; NULL: not told. */
const cJSON *discord_was(const struct action_record *record);
void discord_add_members(const struct action_record *record, struct embed *embed);

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
    bool in_thread;                                       /* it was posted to the thread of thread_id */
};

/* What an answer means: for this delivery, and for the next ones. */
void discord_judge(const struct discord_answer *answer, struct discord_limits *limits, uint64_t key, usec_t uptime,
                   struct action_outcome *ret);

/* ---- discord_check.c ---- */

void discord_check(const struct config_action *config, const struct event_families *families, config_complain *complain,
                   void *context);
void discord_doubt(const struct config_action *config, const struct event_families *families, config_complain *warn,
                   void *context);
