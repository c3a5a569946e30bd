/* config_actions.c - an action whose options are sound one by one: where it leads, what hooks say about it. */
#include <string.h>

#include "config_private.h"

static void check_target(const struct check *check, const char *option, const char *url)
{
    const struct config_listener *own = url ? target_find_listener(check->walk->config, url) : NULL;
    char sentence[NAME_ROOM];
    if (!own)
        return;
    snprintf(sentence, sizeof(sentence),
             "expected another URL: this one is our own listener %s, and each event would come back without end",
             own->name ? own->name : "");
    check_complain(check, option, sentence, false);
}

static void check_targets(const struct check *check, const struct config_action *action)
{
    struct rows rows = check->own;
    for (size_t i = 0; i < rows.n; i++) {
        char *url;
        if (rows.first[i].type != CONFIG_URL || rows.first[i].list)
            continue;
        memcpy(&url, (const char *) action->settings + rows.first[i].offset, sizeof(url));
        check_target(check, rows.first[i].name, url);
    }
}

void config_check_action(const struct walk *walk, const struct config_list *of, const struct node *setting,
                         const char *prefix, const void *element)
{
    const struct config_action *action = element;
    struct check check = { walk, setting, prefix, rows_of(of->group), rows_of_kind(action->kind) };
    size_t n_mistakes = walk->problems->n_mistakes;

    check_names(&check);
    if (action->kind->check)
        action->kind->check(action, check_complain_unsafe, &check);
    check_targets(&check, action);
    if (walk->hooks && walk->hooks->check_action && n_mistakes == walk->problems->n_mistakes)
        walk->hooks->check_action(walk->config, action, check_complain_unsafe, &check);
}
