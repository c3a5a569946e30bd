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
        text_addf(out, " · %s", event->origin->listener);
}

/* Either the facts one by one, or the line; a fact once. */
static void set_texts(const struct action_record *record, const struct layout *layout, struct embed *embed)
{
    const cJSON *was = discord_was(record);
    struct text raw CLEANUP(text_free) = TEXT_INIT, author CLEANUP(text_free) = TEXT_INIT;
    bool one_by_one = discord_fact(record, layout->author, &author) <= 1 && !discord_alarm(record);

    add_title(record, layout, &raw);
    embed_set(embed, &embed->title, &raw, DISCORD_LINE);
    add_footer(record, &raw);
    embed_set(embed, &embed->footer, &raw, DISCORD_PLAIN);
    if (one_by_one) {
        if (!cJSON_HasObjectItem(was, layout->author))
            embed_set(embed, &embed->author, &author, DISCORD_PLAIN);
        if (!was || cJSON_HasObjectItem(was, layout->text))
            (void) discord_fact(record, layout->text, &raw);
        embed_set(embed, &embed->description, &raw, DISCORD_LINES);
    }
    if (one_by_one && layout->fields)
        discord_add_facts(record, layout, embed);
    if (!record->event->handler)
        discord_add_members(record, embed);
    if (embed->description.size || embed->n_fields)
        return;
    discord_add_sentence(record, layout, &raw);
    embed_set(embed, &embed->description, &raw, DISCORD_LINES);
}

static void add_embed(const struct action_record *record, struct text *out)
{
    const struct layout *layout = discord_layout(record);
    struct embed embed CLEANUP(embed_free);
    embed_init(&embed);
    embed.time_us = record->event->time_us;
    embed.colour = discord_colour(record, layout);
    set_texts(record, layout, &embed);
    embed_write(&embed, out);
}

static void add_mentions(const struct config_action *config, struct text *out)
{
    if (config->mention == MENTION_HERE)
        text_add(out, "@here");
    for (size_t i = 0; i < config->n_mention_roles; i++)
        text_addf(out, "%s<@&%s>", out->size ? " " : "", config->mention_roles[i]);
    for (size_t i = 0; i < config->n_mention_users; i++)
        text_addf(out, "%s<@%s>", out->size ? " " : "", config->mention_users[i]);
}

/* Mentions in front, then the message, which is what gets cut. */
static void add_content(const struct config_action *config, const struct action_record *record, struct text *out)
{
    struct text content CLEANUP(text_free) = TEXT_INIT, message CLEANUP(text_free) = TEXT_INIT;
    add_mentions(config, &content);
    if (config->message)
        template_expand(config->message, record, discord_add_value, &message);
    if (!text_is_blank(message.s, message.size)) {
        text_add(&content, content.size ? " " : "");
        size_t start = content.size;
        discord_add_tame(&content, message.s);
        discord_cut(&content, start, DISCORD_CONTENT_MAX - start);
    }
    content.failed |= message.failed;
    out->failed |= content.failed;
    if (!content.size)
        return;
    text_add(out, "\"content\":");
    text_add_json(out, content.s, content.size);
    text_add(out, ",");
}

static void add_setting(struct text *out, const char *name, const char *value)
{
    if (!value)
        return;
    text_addf(out, "\"%s\":", name);
    text_add_json(out, value, strlen(value));
    text_add(out, ",");
}

/* Discord refuses a name without letters: then it is what the event says. */
static void add_thread_name(const struct config_action *config, const struct action_record *record, struct text *out)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    const struct text *summary = &record->description->line;
    if (!config->thread_name)
        return;
    template_expand(config->thread_name, record, discord_add_line, &name);
    if (text_is_blank(name.s, name.size)) {
        text_reset(&name);
        discord_add_line(&name, summary->s, summary->size);
    }
    discord_cut(&name, 0, DISCORD_THREAD_NAME_MAX);
    out->failed |= name.failed;
    add_setting(out, "thread_name", name.s);
}

static void add_ids(struct text *out, const char *name, char *const *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text_addf(out, i ? "," : ",\"%s\":[", name);
        text_add_json(out, ids[i], strlen(ids[i]));
    }
    text_add(out, n ? "]" : "");
}

/* Nobody, whatever the texts say, but whom the configuration names. "everyone" stands for @here as well. */
static void add_allowed_mentions(const struct config_action *config, struct text *out)
{
    text_addf(out, "\"allowed_mentions\":{\"parse\":[%s]", config->mention == MENTION_HERE ? "\"everyone\"" : "");
    add_ids(out, "roles", config->mention_roles, config->n_mention_roles);
    add_ids(out, "users", config->mention_users, config->n_mention_users);
    text_add(out, "}");
}

int discord_render(const struct config_action *config, const struct action_record *record, struct action_payload *ret,
                   struct err *err)
{
    struct action_payload payload = ACTION_PAYLOAD_INIT;

    payload.event_id = record->event->id;
    words_add(&payload.words, "Content-Type: application/json");
    text_add(&payload.body, "{");
    add_content(config, record, &payload.body);
    add_setting(&payload.body, "username", config->username);
    add_setting(&payload.body, "avatar_url", config->avatar_url);
    add_thread_name(config, record, &payload.body);
    add_allowed_mentions(config, &payload.body);
    text_add(&payload.body, ",\"embeds\":[");
    add_embed(record, &payload.body);
    text_add(&payload.body, "]}");

    if (payload.body.failed || payload.words.failed) {
        action_payload_free(&payload);
        return err_set(err, -ENOMEM, "no memory for the message to Discord");
    }
    *ret = payload;
    return 0;
}
