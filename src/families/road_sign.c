/* road_sign.c - EVENT_STREETSIGN_UPDATED: text on the signs at the roadside.
 * Source: events.md 4.21; vendor page push-events/sign-updated. */
#include "fields.h"

static int sign_check(const struct event *event, struct err *err)
{
    const cJSON *data = field_get(event->data, "signData"), *ids = field_get(data, "ids");
    if (data && !cJSON_IsObject(data))
        return event_refuse_value(event, err, "signData", "an object", data);
    if (!ids)
        return event_refuse(event, err, data ? "signData.ids" : "signData", "missing");

    for (const cJSON *item = field_first_of(ids); item; item = field_next_of(ids, item)) {
        int64_t id;
        if (!scalar_read_whole(item, &id))
            return event_refuse_value(event, err, "signData.ids", "whole numbers", item);
    }
    return 0;
}

static const char *const sign_lines[] = { "text1", "text2", "text3" };

/* All of its texts are there, and empty. */
static bool is_cleared(const cJSON *data)
{
    for (size_t i = 0; i < ARRAY_SIZE(sign_lines); i++) {
        const char *text = field_get_text(data, sign_lines[i]);
        if (!text || *text)
            return false;
    }
    return true;
}

static void say_signs(struct text *line, const struct ids *ids)
{
    size_t shown = ids->n > LINE_LIST_MAX ? LINE_LIST_MAX : ids->n;
    text_add(line, ids->n == 0 ? "no sign" : ids->n == 1 ? "sign " : "signs ");
    for (size_t i = 0; i < shown; i++) {
        phrase_say_separator(line, i, shown + (ids->n > shown));
        text_add_int(line, ids->v[i]);
    }
    phrase_say_more(line, ids->n);
}

static void sign_describe(const struct event *event, const struct state *state, struct description *out)
{
    const cJSON *data = field_get(event->data, "signData");
    struct ids ids CLEANUP(ids_free) = { 0 };
    const char *before = ": ";
    (void) state;

    field_get_ids(data, NAMES("ids"), &ids);
    if (ids.n == 0)
        out->level = LOG_DEBUG;
    say_signs(&out->line, &ids);
    text_add(&out->line, is_cleared(data) ? " cleared" : " updated");
    for (size_t i = 0; i < ARRAY_SIZE(sign_lines); i++) {
        const char *text = field_get_text(data, sign_lines[i]);
        phrase_say_after(&out->line, before, text, LINE_NAME_MAX);
        if (text && *text)
            before = " / ";
    }
}

static const struct event_type types[] = {
    { "EVENT_STREETSIGN_UPDATED", NULL, sign_check, sign_describe, NULL, &facts_sign },
};

const struct event_family family_sign = { "sign", "32", types, ARRAY_SIZE(types) };
