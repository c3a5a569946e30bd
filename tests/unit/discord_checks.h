/* discord_checks.h - Discord's rules for a message, and ours for text from outside, told a second time: nothing here is
 * shared with src/actions. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/json_get.h>

/* UTF-16 code units of valid UTF-8: a byte that starts a character counts one, a long character two. */
static inline size_t units_of(const char *s)
{
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *) s; *p; p++)
        n += (*p & 0xc0) != 0x80 ? 1 + (*p >= 0xf0) : 0;
    return n;
}

static inline bool is_utf8(const char *s)
{
    for (const unsigned char *p = (const unsigned char *) s; *p;) {
        int more = *p < 0x80 ? 0 : (*p & 0xe0) == 0xc0 ? 1 : (*p & 0xf0) == 0xe0 ? 2 : (*p & 0xf8) == 0xf0 ? 3 : -1;
        if (more < 0)
            return false;
        for (p++; more; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return false;
    }
    return true;
}

static inline void check_characters(const char *s)
{
    static const char *const unwanted[] = { "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067",
                                            "\u2068", "\u2069", "\u200e", "\u200f", "\u061c", "\ufeff" };
    assert_true(is_utf8(s));
    for (const char *p = s; *p; p++)
        if (((unsigned char) *p < 0x20 && *p != '\n') || *p == 0x7f)
            fail_msg("a control character: %s", s);
    for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++)
        if (strstr(s, unwanted[i]))
            fail_msg("an invisible character: %s", s);
}

static inline void check_mentions(const char *s)
{
    static const char *const mentions[] = { "@everyone", "@here", "<@", "<#", "<:", "<a:", "<t:", "</", "<id:" };
    for (size_t i = 0; i < ARRAY_SIZE(mentions); i++) {
        const char *found = strcasestr(s, mentions[i]);
        if (found && (found == s || found[-1] != '\\'))
            fail_msg("a mention: %s", s);
        if (found && *mentions[i] == '@')
            fail_msg("a mention: %s", s);
    }
}

/* Nothing that Discord would take for markdown; URLs may have in them what URLs have. */
static inline void check_markdown(const char *s)
{
    bool line_start = true;
    for (const char *p = s; *p; p++) {
        if (strncmp(p, "http://", 7) == 0 || strncmp(p, "https://", 8) == 0)
            p += strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/.?=&%_-+;,!$'#");
        if (!*p)
            return;
        if (*p == '\\') {
            assert_true(p[1] != '\0' && p[1] != '\n'); /* no half escape */
            p++;
            line_start = false;
            continue;
        }
        if (strchr("`*_~|[]<", *p) || (line_start && strchr("#>", *p)) ||
            (line_start && *p == '-' && strchr(" #", p[1])))
            fail_msg("markdown at \"%s\" of: %s", p, s);
        line_start = *p == '\n' || (line_start && *p == ' ');
    }
}

/* Returns what it counts for. */
static inline size_t check_text(const cJSON *item, size_t max, bool markdown)
{
    if (!item)
        return 0;
    const char *s = cJSON_GetStringValue(item);
    assert_non_null(s);
    if (units_of(s) > max || s[strspn(s, " \n")] == '\0')
        fail_msg("%s has %zu units of %zu: %s", item->string, units_of(s), max, s);
    check_characters(s);
    check_mentions(s);
    if (markdown)
        check_markdown(s);
    return units_of(s);
}

static inline void check_embed(const cJSON *embed)
{
    const cJSON *field;
    size_t n = 0, total = check_text(json_get(embed, "title"), 256, true);
    assert_true(total > 0);
    total += check_text(json_get(embed, "description"), 4096, true);
    total += check_text(json_get(json_get(embed, "author"), "name"), 256, false);
    total += check_text(json_get(json_get(embed, "footer"), "text"), 2048, false);
    cJSON_ArrayForEach (field, json_get(embed, "fields")) {
        assert_true(cJSON_IsBool(json_get(field, "inline")));
        assert_true(json_get(field, "name") && json_get(field, "value"));
        total += check_text(json_get(field, "name"), 256, true) + check_text(json_get(field, "value"), 1024, true);
        n++;
    }
    assert_true(n <= 25);
    if (total > 6000)
        fail_msg("%zu units in all", total);
    assert_true(cJSON_IsNumber(json_get(embed, "color")));
    assert_true(json_get(embed, "color")->valueint > 0 && json_get(embed, "color")->valueint <= 0xffffff);
    assert_int_equal(strlen(cJSON_GetStringValue(json_get(embed, "timestamp"))), strlen("2026-11-23T16:00:00.000000Z"));
}

static inline void check_allowed(const cJSON *message, const struct discord_settings *settings)
{
    const cJSON *allowed = json_get(message, "allowed_mentions"), *parse = json_get(allowed, "parse");
    const cJSON *roles = json_get(allowed, "roles"), *users = json_get(allowed, "users");
    assert_true(cJSON_IsArray(parse));
    assert_int_equal(cJSON_GetArraySize(parse), settings->mention == DISCORD_MENTION_HERE);
    if (settings->mention == DISCORD_MENTION_HERE)
        assert_string_equal(cJSON_GetArrayItem(parse, 0)->valuestring, "everyone");
    assert_int_equal(cJSON_GetArraySize(roles), settings->n_mention_roles);
    for (size_t i = 0; i < settings->n_mention_roles; i++)
        assert_string_equal(cJSON_GetArrayItem(roles, (int) i)->valuestring, settings->mention_roles[i]);
    assert_int_equal(cJSON_GetArraySize(users), settings->n_mention_users);
    for (size_t i = 0; i < settings->n_mention_users; i++)
        assert_string_equal(cJSON_GetArrayItem(users, (int) i)->valuestring, settings->mention_users[i]);
}

static inline const char *skip_mentions(const char *s, const char *before, char *const *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char mention[64];
        int size = snprintf(mention, sizeof(mention), "%s%s>", before, ids[i]);
        s += *s == ' ';
        assert_memory_equal(s, mention, (size_t) size);
        s += size;
    }
    return s;
}

/* The mentions of the configuration in front, then what check_text accepts. */
static inline void check_content(const cJSON *message, const struct discord_settings *settings)
{
    static char here[] = "@here";
    const cJSON *content = json_get(message, "content");
    check_allowed(message, settings);
    if (!settings->message && !settings->n_mention_roles && !settings->n_mention_users &&
        settings->mention == DISCORD_MENTION_NONE)
        assert_null(content);
    if (!content)
        return;

    const char *s = content->valuestring;
    assert_true(units_of(s) <= 2000);
    if (settings->mention == DISCORD_MENTION_HERE) {
        assert_memory_equal(s, here, strlen(here));
        s += strlen(here);
    }
    s = skip_mentions(s, "<@&", settings->mention_roles, settings->n_mention_roles);
    s = skip_mentions(s, "<@", settings->mention_users, settings->n_mention_users);
    check_characters(s);
    check_mentions(s);
}

static inline void check_message(const char *body, const struct discord_settings *settings)
{
    cJSON *message = cJSON_ParseWithOpts(body, NULL, true);
    if (!message)
        fail_msg("not JSON: %s", body);
    check_content(message, settings);
    if (json_get(message, "username"))
        check_text(json_get(message, "username"), 80, false);
    assert_int_equal(cJSON_GetArraySize(json_get(message, "embeds")), 1);
    check_embed(cJSON_GetArrayItem(json_get(message, "embeds"), 0));
    cJSON_Delete(message);
}
