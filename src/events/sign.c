/* sign.c - EVENT_STREETSIGN_UPDATED: text on the signs at the roadside.
 * Source: events.md 4.21; vendor page push-events/sign-updated. */
#include "fields.h"

static int sign_check(const struct event *event, struct err *err)
{
    const cJSON *data = get(event->data, "signData"), *ids = get(data, "ids");
    if (data && !cJSON_IsObject(data))
        return event_refuse(event, err, "signData", "expected an object");
    if (!ids)
        return event_refuse(event, err, "signData.ids", "missing");

    for (const cJSON *item = first_of(ids); item; item = next_of(ids, item)) {
        int64_t id;
        if (!cJSON_IsNull(item) && !read_id(item, &id))
            return event_refuse(event, err, "signData.ids", "expected whole numbers");
    }
    return 0;
}

static void sign_describe(const struct event *event, const struct state *state, struct description *out)
{
    static const char *const lines[] = { "text1", "text2", "text3" };
    const cJSON *data = get(event->data, "signData");
    struct ids ids CLEANUP(ids_free) = { 0 };
    const char *before = ": ";
    (void) state;

    get_ids(data, NAMES("ids"), &ids);
    text_add(&out->line, ids.n == 0 ? "no sign" : ids.n == 1 ? "sign " : "signs ");
    for (size_t i = 0; i < ids.n && i < LINE_LIST_MAX; i++) {
        say_separator(&out->line, i, ids.n > LINE_LIST_MAX ? ids.n + 1 : ids.n);
        text_add_int(&out->line, ids.v[i]);
    }
    if (ids.n > LINE_LIST_MAX)
        text_addf(&out->line, " and %zu more", ids.n - LINE_LIST_MAX);
    text_add(&out->line, " updated");
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        const char *text = get_text(data, lines[i]);
        say_after(&out->line, before, text, LINE_NAME_MAX);
        if (text && *text)
            before = " / ";
    }
}

static const struct event_type types[] = {
    { "EVENT_STREETSIGN_UPDATED", NULL, LOG_INFO, sign_check, sign_describe, NULL },
};

const struct event_family family_sign = { "sign", "sign", 32, types, ARRAY_SIZE(types) };
