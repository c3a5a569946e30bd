/* discord_render.c - an event as the body of a request that executes a webhook. */
#include <errno.h>
#include <string.h>

#include "discord.h"

/* "New call #" and 55120 and "Structure Fire": "New call 55120: Structure Fire". */
static void add_title(const struct action_record *record, const struct layout *layout, struct text *out)
{
    const struct alarm *alarm = discord_alarm(record);
    const char *own = layout->title_of ? layout->title_of(record) : layout->title;
    const char *title = alarm ? alarm->title : own ? own : record->event->type;
    const char *hash = layout->id ? strchr(title, '#') : NULL;
    struct text id CLEANUP(text_free) = TEXT_INIT, name CLEANUP(text_free) = TEXT_INIT;

    (void) discord_fact(record, layout->id, &id);
    (void) discord_fact(record, layout->name, &name);
    text_add(out, record->event->test ? "TEST: " : "");
    if (hash)
        text_addf(out, "%.*s%s%s", (int) (hash - title) - !id.size, title, id.s, hash + 1);
    else
        text_add(out, title);
    text_addf(out, "%s%s%s", discord_is_again(record, layout) ? " again" : "", name.size ? ": " : "", name.s);
    out->failed |= id.failed || name.failed;
}

static void add_footer(const struct action_record *record, struct text *out)
{
    const struct event *event = record->event;
    text_addf(out, "event %llu", (unsigned long long) event->id);
    if (record->several_communities)
        text_addf(out, " · %s", event->community);
    if (record->several_listeners)
        text_addf(out, " · %s", event->origin->name);
}

static bool is_told(const cJSON *was, const char *fact)
{
    return fact && json_get(was, fact);
}

/* Either the facts one by one, or the line; a fact once. */
static void set_texts(const struct action_record *record, const struct layout *layout, struct embed *embed)
{
    const cJSON *was = discord_was(record);
    struct text raw CLEANUP(text_free) = TEXT_INIT, author CLEANUP(text_free) = TEXT_INIT;
    bool one_by_one = discord_fact(record, layout->author, &author) <= 1 && !discord_alarm(record);

    add_title(record, layout, &raw);
    discord_embed_set(embed, &embed->title, &raw, DISCORD_LINE);
    add_footer(record, &raw);
    discord_embed_set(embed, &embed->footer, &raw, DISCORD_PLAIN);
    if (one_by_one) {
        if (!is_told(was, layout->author))
            discord_embed_set(embed, &embed->author, &author, DISCORD_PLAIN);
        if (!was || is_told(was, layout->text))
            (void) discord_fact(record, layout->text, &raw);
        discord_embed_set(embed, &embed->description, &raw, DISCORD_LINES);
    }
    if (one_by_one && layout->fields)
        discord_add_facts(record, layout, embed);
    if (!record->event->handler)
        discord_add_members(record, embed);
    if (embed->description.size || embed->n_fields)
        return;
    discord_add_sentence(record, layout, &raw);
    discord_embed_set(embed, &embed->description, &raw, DISCORD_LINES);
}

static void add_embed(const struct action_record *record, struct json_writer *out)
{
    const struct layout *layout = discord_layout(record);
    struct embed embed CLEANUP(discord_embed_free);
    discord_embed_init(&embed);
    embed.time_us = record->event->time_us;
    embed.colour = discord_colour(record, layout);
    set_texts(record, layout, &embed);
    discord_embed_write(&embed, out);
}

static void add_mentions(const struct config_action *config, struct text *out)
{
    if (discord_settings(config)->mention == DISCORD_MENTION_HERE)
        text_add(out, "@here");
    for (size_t i = 0; i < discord_settings(config)->n_mention_roles; i++)
        text_addf(out, "%s<@&%s>", out->size ? " " : "", discord_settings(config)->mention_roles[i]);
    for (size_t i = 0; i < discord_settings(config)->n_mention_users; i++)
        text_addf(out, "%s<@%s>", out->size ? " " : "", discord_settings(config)->mention_users[i]);
}

/* Mentions in front, then the message, which is what gets cut. */
static void add_content(const struct config_action *config, const struct action_record *record, struct json_writer *out)
{
    struct text content CLEANUP(text_free) = TEXT_INIT, message CLEANUP(text_free) = TEXT_INIT;
    add_mentions(config, &content);
    if (discord_settings(config)->message)
        template_expand(discord_settings(config)->message, record, discord_add_value, &message);
    if (!text_is_blank(message.s, message.size)) {
        text_add(&content, content.size ? " " : "");
        size_t start = content.size;
        discord_add_tame(&content, message.s);
        discord_cut(&content, start, DISCORD_CONTENT_MAX - start);
    }
    content.failed |= message.failed;
    out->out->failed |= content.failed;
    if (content.size)
        json_add_span(out, "content", (struct span){ content.s, content.size });
}

static void add_setting(struct json_writer *out, const char *name, const char *value)
{
    if (value)
        json_add_text(out, name, value);
}

/* Discord refuses a name without letters: then it is what the event says. */
static void add_thread_name(const struct config_action *config, const struct action_record *record,
                            struct json_writer *out)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    const struct text *summary = &record->description->line;
    if (!discord_settings(config)->thread_name)
        return;
    template_expand(discord_settings(config)->thread_name, record, discord_add_line, &name);
    if (text_is_blank(name.s, name.size)) {
        text_reset(&name);
        discord_add_line(&name, summary->s, summary->size);
    }
    discord_cut(&name, 0, DISCORD_THREAD_NAME_MAX);
    out->out->failed |= name.failed;
    add_setting(out, "thread_name", name.s);
}

static void add_ids(struct json_writer *out, const char *name, char *const *ids, size_t n)
{
    if (!n)
        return;
    json_begin_array(out, name);
    for (size_t i = 0; i < n; i++)
        json_add_text(out, NULL, ids[i]);
    json_end(out);
}

/* Nobody, whatever the texts say, but whom the configuration names. "everyone" stands for @here as well. */
static void add_allowed_mentions(const struct config_action *config, struct json_writer *out)
{
    json_begin_object(out, "allowed_mentions");
    json_begin_array(out, "parse");
    if (discord_settings(config)->mention == DISCORD_MENTION_HERE)
        json_add_text(out, NULL, "everyone");
    json_end(out);
    add_ids(out, "roles", discord_settings(config)->mention_roles, discord_settings(config)->n_mention_roles);
    add_ids(out, "users", discord_settings(config)->mention_users, discord_settings(config)->n_mention_users);
    json_end(out);
}

int discord_render(const struct config_action *config, const struct action_record *record, struct action_payload *ret,
                   struct err *err)
{
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct json_writer body = json_writer(&payload.body);

    payload.event_id = record->event->id;
    words_add(&payload.words, "Content-Type: application/json");
    json_begin_object(&body, NULL);
    add_content(config, record, &body);
    add_setting(&body, "username", discord_settings(config)->username);
    add_setting(&body, "avatar_url", discord_settings(config)->avatar_url);
    add_thread_name(config, record, &body);
    add_allowed_mentions(config, &body);
    json_begin_array(&body, "embeds");
    add_embed(record, &body);
    json_end(&body);
    json_end(&body);

    if (payload.body.failed || payload.words.failed) {
        action_payload_free(&payload);
        return err_set(err, -ENOMEM, "no memory for the message to Discord");
    }
    *ret = payload;
    return 0;
}
