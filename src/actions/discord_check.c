/* discord_check.c - what the table of options cannot see: settings that Discord refuses, and a message that is sound
 * and hardly does what was meant. */
#include <assert.h>
#include <string.h>

#include "discord.h"

/* ---- mistakes ---- */

static void check_username(const char *name, config_complain *complain, void *context)
{
    size_t length = discord_length(name, strlen(name));
    bool discord = strcasestr(name, "discord"), clyde = strcasestr(name, "clyde");
    if (text_is_blank(name, strlen(name)) || length > DISCORD_USERNAME_MAX)
        complain(context, "username", "expected 1 to 80 characters");
    if (discord || clyde)
        complain(context, "username",
                 discord ? "expected a name without \"discord\", which Discord refuses"
                         : "expected a name without \"clyde\", which Discord refuses");
}

static void check_avatar(const char *url, config_complain *complain, void *context)
{
    bool web = strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0;
    if (!web || discord_length(url, strlen(url)) > DISCORD_AVATAR_URL_MAX)
        complain(context, "avatar_url", "expected a URL, https://…");
}

static void check_thread_name(const struct config_action *config, config_complain *complain, void *context)
{
    if (text_is_blank(discord_settings(config)->thread_name, strlen(discord_settings(config)->thread_name)))
        complain(context, "thread_name", "expected 1 to 100 characters");
    if (discord_settings(config)->thread_id)
        complain(context, "thread_name", "expected thread_name or thread_id, but not both");
}

static void check_template(const char *option, const char *template, const struct config_action *config,
                           const struct event_families *families, config_complain *complain, void *context)
{
    struct err err;
    if (template && template_check(template, config, families, &err) < 0)
        complain(context, option, err.msg);
}

void discord_check(const struct config_action *config, const struct event_families *families, config_complain *complain,
                   void *context)
{
    static_assert(DISCORD_MENTIONS_MAX == 50, "the sentence tells the number");
    check_template("message", discord_settings(config)->message, config, families, complain, context);
    check_template("thread_name", discord_settings(config)->thread_name, config, families, complain, context);
    if (discord_settings(config)->username)
        check_username(discord_settings(config)->username, complain, context);
    if (discord_settings(config)->avatar_url)
        check_avatar(discord_settings(config)->avatar_url, complain, context);
    if (discord_settings(config)->thread_name)
        check_thread_name(config, complain, context);
    if (discord_settings(config)->n_mention_roles + discord_settings(config)->n_mention_users > DISCORD_MENTIONS_MAX)
        complain(context, discord_settings(config)->n_mention_users ? "mention_users" : "mention_roles",
                 "expected at most 50 roles and users");
}

/* ---- doubts ---- */

static bool is_among(struct span id, char *const *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(ids[i]) == id.size && memcmp(ids[i], id.s, id.size) == 0)
            return true;
    return false;
}

/* "<@&1234>", "<@1234>", "<@!1234>" at p, which pings nobody who is not configured. */
static bool doubt_id(const struct config_action *config, const char *p, struct err *err)
{
    if (strncmp(p, "<@", 2) != 0)
        return false;
    bool role = p[2] == '&';
    const char *s = p + (role || p[2] == '!' ? 3 : 2);
    const struct span id = { s, strspn(s, "0123456789") };
    if (!id.size || s[id.size] != '>' ||
        (role ? is_among(id, discord_settings(config)->mention_roles, discord_settings(config)->n_mention_roles)
              : is_among(id, discord_settings(config)->mention_users, discord_settings(config)->n_mention_users)))
        return false;
    err_set(err, 0, "%.*s pings nobody: write %s: [ %.*s ]", (int) (s + id.size + 1 - p), p,
            role ? "mention_roles" : "mention_users", (int) id.size, s);
    return true;
}

/* The first mention in the message that pings nobody. */
static bool doubt_mention(const struct config_action *config, struct err *err)
{
    for (const char *p = discord_settings(config)->message; (p = strpbrk(p, "<@")); p++) {
        if (doubt_id(config, p, err))
            return true;
        const char *help = strncmp(p, "@everyone", 9) == 0 ? "@everyone pings nobody: mention: here and "
                                                             "mention_roles do"
                           : strncmp(p, "@here", 5) == 0 && discord_settings(config)->mention != DISCORD_MENTION_HERE
                               ? "@here pings nobody: write mention: here"
                               : NULL;
        if (help) {
            err_set(err, 0, "%s", help);
            return true;
        }
    }
    return false;
}

void discord_doubt(const struct config_action *config, const struct event_families *families, config_complain *warn,
                   void *context)
{
    struct err err;
    if (discord_settings(config)->thread_name &&
        !template_is_plausible(discord_settings(config)->thread_name, config, families, &err))
        warn(context, "thread_name", err.msg);
    if (discord_settings(config)->message &&
        !template_is_plausible(discord_settings(config)->message, config, families, &err))
        warn(context, "message", err.msg);
    if (discord_settings(config)->message && doubt_mention(config, &err))
        warn(context, "message", err.msg);
}
