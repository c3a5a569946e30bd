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

void embed_init(struct embed *embed)
{
    *embed = (struct embed){ .title = TEXT_INIT, .description = TEXT_INIT, .author = TEXT_INIT, .footer = TEXT_INIT };
}

void embed_free(struct embed *embed)
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

void embed_set(struct embed *embed, struct text *part, struct text *raw, enum discord_text kind)
{
    set(embed, part, raw, kind);
    text_reset(raw);
}

void embed_add_field(struct embed *embed, const char *name, const struct text *value, bool in_line)
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

static void add_member(struct text *out, const char *before, const struct text *value, const char *after)
{
    if (!value->size)
        return;
    text_add(out, before);
    text_add_json(out, value->s, value->size);
    text_add(out, after);
}

static void add_fields(struct text *out, const struct embed *embed)
{
    if (!embed->n_fields)
        return;
    text_add(out, ",\"fields\":[");
    for (size_t i = 0; i < embed->n_fields; i++) {
        const struct embed_field *field = &embed->fields[i];
        add_member(out, i ? ",{\"name\":" : "{\"name\":", &field->name, "");
        add_member(out, ",\"value\":", &field->value, field->in_line ? ",\"inline\":true}" : ",\"inline\":false}");
    }
    text_add(out, "]");
}

void embed_write(struct embed *embed, struct text *out)
{
    size_t left = fit(&embed->title, TITLE_MAX, EMBED_MAX);
    left = fit(&embed->author, AUTHOR_MAX, left);
    left = fit(&embed->footer, FOOTER_MAX, left);
    left = fit(&embed->description, DESCRIPTION_MAX, left);
    fit_fields(embed, left);

    text_addf(out, "{\"color\":%d,\"timestamp\":\"", embed->colour);
    text_add_time_utc(out, embed->time_us);
    text_add(out, "\"");
    add_member(out, ",\"author\":{\"name\":", &embed->author, "}");
    add_member(out, ",\"title\":", &embed->title, "");
    add_member(out, ",\"description\":", &embed->description, "");
    add_fields(out, embed);
    add_member(out, ",\"footer\":{\"text\":", &embed->footer, "}");
    text_add(out, "}");
    embed->failed |= embed->title.failed || embed->author.failed || embed->footer.failed || embed->description.failed;
    out->failed |= embed->failed;
}
