/* forward_template.c - a body that the configuration words itself, for receivers that know nothing of the CAD.
 *
 * What an event says goes in as the content type needs it: inside the quotes of a JSON text, percent-encoded in a form
 * (application/x-www-form-urlencoded), else as it is.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "forward.h"

#define SHOWN_MAX_CHARS 40
#define STAND_IN "1" /* for what an event may not have */

/* ---- content types ---- */

/* "application/json; charset=utf-8" without what stands behind the semicolon. */
static struct span media_type(const char *content_type)
{
    return (struct span){ content_type, strcspn(content_type, "; ") };
}

static bool is_type(struct span type, const char *name)
{
    return type.size == strlen(name) && strncasecmp(type.s, name, type.size) == 0;
}

static bool ends_in(struct span type, const char *end)
{
    size_t size = strlen(end);
    return type.size > size && strncasecmp(type.s + type.size - size, end, size) == 0;
}

static bool is_json(const char *content_type)
{
    struct span type = media_type(content_type);
    return ends_in(type, "/json") || ends_in(type, "+json");
}

/* type/subtype of RFC 9110, 8.3.1, and parameters of visible letters. */
static bool is_content_type(const char *s)
{
    static const char letters[] = "!#$&^_.+-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t type = strspn(s, letters), subtype = s[type] == '/' ? strspn(s + type + 1, letters) : 0;
    const char *rest = s + type + 1 + subtype;
    if (!type || !subtype || (*rest && *rest != ';'))
        return false;
    for (; *rest; rest++)
        if (*rest < ' ' || *rest >= 0x7f)
            return false;
    return true;
}

/* ---- values ---- */

static void add_inside_json(struct text *out, const char *s, size_t size)
{
    struct text quoted CLEANUP(text_free) = TEXT_INIT;
    json_quote(&quoted, s, size);
    out->failed |= quoted.failed;
    if (!quoted.failed)
        text_add_bytes(out, quoted.s + 1, quoted.size - 2);
}

static void add_to_form(struct text *out, const char *s, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (isalnum((unsigned char) s[i]) || (s[i] && strchr("-._~", s[i])))
            text_add_bytes(out, s + i, 1);
        else
            text_addf(out, "%%%02X", (unsigned char) s[i]);
    }
}

typedef void add_value(struct text *out, const char *s, size_t size);

static add_value *value_adder(const char *content_type)
{
    if (is_json(content_type))
        return add_inside_json;
    return is_type(media_type(content_type), "application/x-www-form-urlencoded") ? add_to_form : text_add_bytes;
}

void forward_render_template(const struct config_action *config, const struct action_record *record, struct text *out)
{
    template_expand(forward_settings(config)->template, record, value_adder(forward_settings(config)->content_type),
                    out);
}

/* ---- check ---- */

static void add_or_stand_in(struct text *out, const char *s, size_t size)
{
    if (size)
        add_inside_json(out, s, size);
    else
        text_add(out, STAND_IN);
}

/* An event that has nothing in it but what each has. */
static void render_sample(const char *template, add_value *add, struct text *out)
{
    static const struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "203.0.113.7" };
    const struct event event = {
        .id = 1042, .time_us = USEC_PER_SEC, .type = "EVENT_911", .community = "default", .origin = &origin, .index = -1
    };
    struct description description = DESCRIPTION_INIT;
    text_add(&description.line, "911 call 90417 at \"118 Lantern St\"");
    template_expand(template, &(struct action_record){ .event = &event, .description = &description }, add, out);
    description_free(&description);
}

/* *ret: where it is none, from there on. */
static bool is_sound_json(const char *s, const char **ret)
{
    cJSON *json = cJSON_ParseWithOpts(s, ret, true);
    bool sound = json;
    cJSON_Delete(json);
    return sound;
}

/* True too without memory: it is not known to be unsound. */
static bool makes_json(const char *template, add_value *add, struct text *ret_rest)
{
    struct text body CLEANUP(text_free) = TEXT_INIT;
    const char *from;
    render_sample(template, add, &body);
    bool sound = body.failed || is_sound_json(body.s, &from);
    if (!sound)
        text_add_safe(ret_rest, from, strlen(from), SHOWN_MAX_CHARS);
    return sound;
}

static void check_json(const struct config_action *config, config_complain *complain, void *context)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    if (makes_json(forward_settings(config)->template, add_or_stand_in, &shown))
        return;
    err_set(&err, 0,
            "expected JSON, as content_type says, but with a sample event it is none from \"%s\" on: texts belong in "
            "quotes, as in \"{summary}\"",
            shown.s);
    complain(context, "template", err.msg);
}

void forward_check_template(const struct config_action *config, const struct event_families *families,
                            config_complain *complain, void *context)
{
    struct err err;
    if (forward_settings(config)->body != FORWARD_BODY_TEMPLATE)
        return;
    bool sound = is_content_type(forward_settings(config)->content_type);
    if (!sound)
        complain(context, "content_type", "expected a type such as application/json or text/plain");
    if (!forward_settings(config)->template)
        complain(context, "template", "expected a text with {placeholders}, because body: template");
    else if (template_check(forward_settings(config)->template, config, families, &err) < 0)
        complain(context, "template", err.msg);
    else if (sound && is_json(forward_settings(config)->content_type))
        check_json(config, complain, context);
}

static void doubt_json(const struct config_action *config, config_complain *warn, void *context)
{
    struct text rest CLEANUP(text_free) = TEXT_INIT;
    bool with_all = makes_json(forward_settings(config)->template, add_or_stand_in, &rest);
    if (with_all && !makes_json(forward_settings(config)->template, add_inside_json, &rest))
        warn(context, "template", "no JSON where an event has not all of what is asked for: put each {…} in quotes");
}

/* "Title: {summary}" */
static void doubt_headers(const struct config_action *config, config_complain *warn, void *context)
{
    for (size_t i = 0; i < forward_settings(config)->n_headers; i++) {
        const char *brace = strchr(forward_settings(config)->headers[i], '{');
        if (!brace || !strchr(brace, '}'))
            continue;
        warn(context, "headers", "{…} is sent as it stands: placeholders are for template alone");
        return;
    }
}

void forward_doubt_template(const struct config_action *config, const struct event_families *families,
                            config_complain *warn, void *context)
{
    struct err err;
    bool used = forward_settings(config)->body == FORWARD_BODY_TEMPLATE;
    if (!used && forward_settings(config)->template)
        warn(context, "template", "without effect, because body is not \"template\"");
    if (!used && strcmp(forward_settings(config)->content_type, "application/json") != 0)
        warn(context, "content_type", "without effect, because body is not \"template\"");
    doubt_headers(config, warn, context);
    if (!used || !forward_settings(config)->template ||
        template_check(forward_settings(config)->template, config, families, &err) < 0)
        return;
    if (!template_is_plausible(forward_settings(config)->template, config, families, &err))
        warn(context, "template", err.msg);
    else if (is_json(forward_settings(config)->content_type))
        doubt_json(config, warn, context);
}
