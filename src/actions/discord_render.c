/* discord_render.c - an event as the body of a request that executes a webhook. */
#include <errno.h>
#include <string.h>

#include "discord.h"

static const struct layout *layout_of(const struct event *event)
{
    for (size_t i = 0; event->handler && i < discord_n_layouts; i++)
        if (strcmp(discord_layouts[i].type, event->type) == 0)
            return &discord_layouts[i];
    return &discord_layout_unknown;
}

/* The raw text of what where names; nothing where that is nothing of use. */
static void add_found(const struct action_record *record, const char *where, value_function *add, struct text *out)
{
    const cJSON *value = embed_find(record->event, where);
    text_reset(out);
    if (value)
        (add ? add : show_plain)(record, value, out);
}

/* "New call #" and 55120 and "Structure Fire": "New call 55120: Structure Fire". */
static void add_title(const struct action_record *record, const struct layout *layout, struct text *out)
{
    const struct event *event = record->event;
    const char *title = layout->title_of ? layout->title_of(event) : layout->title, *hash = strchr(title, '#');
    struct text found CLEANUP(text_free) = TEXT_INIT;
    enum { NO_ID_YET = -1 };

    if (!hash || !layout->title_id) {
        text_add(out, title);
    } else {
        if (embed_find_number(event, layout->title_id, 0) != NO_ID_YET)
            add_found(record, layout->title_id, NULL, &found);
        text_addf(out, "%.*s%s%s", (int) (hash - title) - !found.size, title, found.s, hash + 1);
    }
    add_found(record, layout->title_name, NULL, &found);
    text_addf(out, "%s%s", found.size ? ": " : "", found.s);
    out->failed |= found.failed;
}

static void set_texts(const struct action_record *record, const struct layout *layout, struct embed *embed)
{
    const struct event *event = record->event;
    const struct text *summary = &record->description->line;
    struct text raw CLEANUP(text_free) = TEXT_INIT;

    add_title(record, layout, &raw);
    embed_set(&embed->title, raw.s, raw.size, DISCORD_LINE);
    embed->failed |= raw.failed;
    add_found(record, layout->text, layout->add_text, &raw);
    embed_set(&embed->description, raw.s, raw.size, DISCORD_LINES);
    embed->failed |= raw.failed;
    if (!embed->description.size)
        embed_set(&embed->description, summary->s, summary->size, DISCORD_LINES);
    add_found(record, layout->author, layout->add_author, &raw);
    embed_set(&embed->author, raw.s, raw.size, DISCORD_PLAIN);
    embed->failed |= raw.failed;

    text_reset(&raw);
    text_addf(&raw, "event %llu · %s · %s", (unsigned long long) event->id, event->community, event->origin->listener);
    embed_set(&embed->footer, raw.s, raw.size, DISCORD_PLAIN);
    embed->failed |= raw.failed;
}

static void add_embed(const struct action_record *record, struct text *out)
{
    const struct event *event = record->event;
    const struct layout *layout = layout_of(event);
    struct embed embed CLEANUP(embed_free);
    struct text value CLEANUP(text_free) = TEXT_INIT;

    embed_init(&embed);
    embed.time_us = event->time_us;
    embed.colour = layout->colour_of ? layout->colour_of(event) : layout->colour;
    set_texts(record, layout, &embed);
    for (size_t i = 0; i < layout->n_rows; i++) {
        const struct layout_row *row = &layout->rows[i];
        add_found(record, row->where, row->add, &value);
        embed_add_field(&embed, row->label, &value, row->in_line);
    }
    if (layout->more)
        layout->more(record, &embed);
    embed_write(&embed, out);
}

/* Roles in front, then the message, which is what gets cut. */
static void add_content(const struct config_action *config, const struct action_record *record, struct text *out)
{
    struct text content CLEANUP(text_free) = TEXT_INIT;
    for (size_t i = 0; i < config->n_mention_roles; i++)
        text_addf(&content, "%s<@&%s>", i ? " " : "", config->mention_roles[i]);

    size_t roles = content.size;
    if (config->message) {
        text_add(&content, roles ? " " : "");
        size_t message = content.size;
        template_expand(config->message, record, discord_add_value, &content);
        if (discord_is_blank(content.s + message, content.size - message))
            discord_cut(&content, roles, 0);
        else
            discord_cut(&content, message, DISCORD_CONTENT_MAX - message);
    }
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

/* Nobody, whatever the texts say, but the roles of the configuration. */
static void add_allowed_mentions(const struct config_action *config, struct text *out)
{
    text_add(out, "\"allowed_mentions\":{\"parse\":[]");
    for (size_t i = 0; i < config->n_mention_roles; i++) {
        text_add(out, i ? "," : ",\"roles\":[");
        text_add_json(out, config->mention_roles[i], strlen(config->mention_roles[i]));
    }
    text_add(out, config->n_mention_roles ? "]}" : "}");
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
