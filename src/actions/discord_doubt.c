/* discord_doubt.c - a message that is sound, and hardly does what was meant. */
#include <string.h>

#include "discord.h"

#define DIGITS "0123456789"

enum kind { ROLE, USER, HERE, EVERYONE };

/* <@&1234>, <@1234> and <@!1234>, @here, @everyone */
struct mention {
    const char *s;
    size_t size;
    enum kind kind;
    struct span id;
};

static bool read_id(const char *p, struct mention *ret)
{
    enum kind kind = p[2] == '&' ? ROLE : USER;
    const char *id = p + 2 + (kind == ROLE || p[2] == '!');
    size_t digits = strspn(id, DIGITS);
    if (!digits || id[digits] != '>')
        return false;
    *ret = (struct mention){ p, (size_t) (id + digits + 1 - p), kind, { id, digits } };
    return true;
}

static bool read_word(const char *p, const char *word, enum kind kind, struct mention *ret)
{
    *ret = (struct mention){ .s = p, .size = strlen(word), .kind = kind };
    return strncmp(p, word, ret->size) == 0;
}

static bool find_mention(const char *message, struct mention *ret)
{
    for (const char *p = message; (p = strchr(p, '@')); p++)
        if (read_word(p, "@here", HERE, ret) || read_word(p, "@everyone", EVERYONE, ret) ||
            (p > message && p[-1] == '<' && read_id(p - 1, ret)))
            return true;
    return false;
}

static bool is_among(struct span id, char *const *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(ids[i]) == id.size && memcmp(ids[i], id.s, id.size) == 0)
            return true;
    return false;
}

static bool is_pinged(const struct config_action *config, const struct mention *mention)
{
    return mention->kind == HERE ? config->mention == MENTION_HERE
           : mention->kind == ROLE
               ? is_among(mention->id, config->mention_roles, config->n_mention_roles)
               : mention->kind == USER && is_among(mention->id, config->mention_users, config->n_mention_users);
}

static void doubt_mentions(const struct config_action *config, config_complain *warn, void *context)
{
    static const char *const options[] = { "mention_roles", "mention_users" };
    struct mention mention;
    struct err err;
    const char *rest = config->message;
    while (find_mention(rest, &mention) && is_pinged(config, &mention))
        rest = mention.s + mention.size;
    if (!find_mention(rest, &mention))
        return;
    int size = (int) mention.size;
    if (mention.kind == HERE)
        err_set(&err, 0, "%.*s pings nobody: write mention = \"here\"", size, mention.s);
    else if (mention.kind == EVERYONE)
        err_set(&err, 0, "%.*s pings nobody: mention = \"here\" and mention_roles do", size, mention.s);
    else
        err_set(&err, 0, "%.*s pings nobody: write %s = [ \"%.*s\" ]", size, mention.s, options[mention.kind],
                (int) mention.id.size, mention.id.s);
    warn(context, "message", err.msg);
}

void discord_doubt(const struct config_action *config, const struct event_families *families, config_complain *warn,
                   void *context)
{
    struct err err;
    if (config->thread_name && !template_is_plausible(config->thread_name, config, families, &err))
        warn(context, "thread_name", err.msg);
    if (config->message && !template_is_plausible(config->message, config, families, &err))
        warn(context, "message", err.msg);
    if (config->message)
        doubt_mentions(config, warn, context);
}
