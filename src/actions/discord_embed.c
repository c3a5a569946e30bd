/* discord_embed.c - one embed: collected, cut to Discord's limits, written. */
#include <string.h>

#include "discord.h"

#define TITLE_MAX 256
#define DESCRIPTION_MAX 4096
#define AUTHOR_MAX 256
#define FOOTER_MAX 2048
#define FIELD_NAME_MAX 256
#define FIELD_VALUE_MAX 1024
#define EMBED_MAX 6000       /* all of those texts together */
#define FIELD_VALUE_LEAST 32 /* a field with less room than that says nothing */

void discord_embed_init(struct embed *embed)
{
    *embed = (struct embed){ .title = TEXT_INIT, .description = TEXT_INIT, .author = TEXT_INIT, .footer = TEXT_INIT };
}

void discord_embed_free(struct embed *embed)
{
    text_free(&embed->title);
    text_free(&embed->description);
    text_free(&embed->author);
    text_free(&embed->footer);
    for (size_t i = 0; i < embed->n_fields; i++) {
        text_free(&embed->fields[i].name);
        text_free(&embed->fields[i].value);
    }
    embed->n_fields = 0;
}

static void set(struct embed *embed, struct text *part, const struct text *raw, enum discord_text kind)
{
    text_reset(part);
    if (!text_is_blank(raw->s, raw->size))
        discord_add(part, raw->s, raw->size, kind);
    embed->failed |= raw->failed || part->failed;
}

void discord_embed_set(struct embed *embed, struct text *part, struct text *raw, enum discord_text kind)
{
    set(embed, part, raw, kind);
    text_reset(raw);
}

void discord_embed_add_field(struct embed *embed, const char *name, const struct text *value, bool in_line)
{
    embed->failed |= value->failed;
    if (embed->n_fields == EMBED_FIELDS_MAX || text_is_blank(name, strlen(name)) ||
        text_is_blank(value->s, value->size))
        return;
    struct embed_field *field = &embed->fields[embed->n_fields++];
    *field = (struct embed_field){ .name = TEXT_INIT, .value = TEXT_INIT, .in_line = in_line };
    discord_add(&field->name, name, strlen(name), DISCORD_LINE);
    set(embed, &field->value, value, DISCORD_LINES);
    embed->failed |= field->name.failed;
}

/* Cuts a text to its own limit and to what is left for all; returns what is left then. */
static size_t fit(struct text *text, size_t max, size_t left)
{
    discord_cut(text, 0, max < left ? max : left);
    return left - discord_length(text->s, text->size);
}

static void drop_fields(struct embed *embed, size_t keep)
{
    while (embed->n_fields > keep) {
        struct embed_field *field = &embed->fields[--embed->n_fields];
        text_free(&field->name);
        text_free(&field->value);
    }
}

static void fit_fields(struct embed *embed, size_t left)
{
    for (size_t i = 0; i < embed->n_fields; i++) {
        struct embed_field *field = &embed->fields[i];
        discord_cut(&field->name, 0, FIELD_NAME_MAX);
        discord_cut(&field->value, 0, FIELD_VALUE_MAX);
        size_t name = discord_length(field->name.s, field->name.size);
        size_t value = discord_length(field->value.s, field->value.size);
        if (name + value > left && name + FIELD_VALUE_LEAST > left) {
            drop_fields(embed, i);
            return;
        }
        left = fit(&field->value, FIELD_VALUE_MAX, left - name);
    }
}

static void add_some(struct json_writer *out, const char *name, const struct text *value)
{
    if (value->size)
        json_add_span(out, name, (struct span){ value->s, value->size });
}

/* "author":{"name":"…"} */
static void add_inside(struct json_writer *out, const char *name, const char *inner, const struct text *value)
{
    if (!value->size)
        return;
    json_begin_object(out, name);
    add_some(out, inner, value);
    json_end(out);
}

static void add_fields(struct json_writer *out, const struct embed *embed)
{
    if (!embed->n_fields)
        return;
    json_begin_array(out, "fields");
    for (size_t i = 0; i < embed->n_fields; i++) {
        const struct embed_field *field = &embed->fields[i];
        json_begin_object(out, NULL);
        add_some(out, "name", &field->name);
        add_some(out, "value", &field->value);
        json_add_bool(out, "inline", field->in_line);
        json_end(out);
    }
    json_end(out);
}

void discord_embed_write(struct embed *embed, struct json_writer *out)
{
    size_t left = fit(&embed->title, TITLE_MAX, EMBED_MAX);
    left = fit(&embed->author, AUTHOR_MAX, left);
    left = fit(&embed->footer, FOOTER_MAX, left);
    left = fit(&embed->description, DESCRIPTION_MAX, left);
    fit_fields(embed, left);

    json_begin_object(out, NULL);
    json_add_int(out, "color", embed->colour);
    json_add_time(out, "timestamp", embed->time_us);
    add_inside(out, "author", "name", &embed->author);
    add_some(out, "title", &embed->title);
    add_some(out, "description", &embed->description);
    add_fields(out, embed);
    add_inside(out, "footer", "text", &embed->footer);
    json_end(out);
    embed->failed |= embed->title.failed || embed->author.failed || embed->footer.failed || embed->description.failed;
    out->out->failed |= embed->failed;
}
