/* actions.c - an action whose options are sound one by one: what they name is there, what hooks say about it. */
#include <string.h>

#include "private.h"

struct check {
    const struct walk *walk;
    const config_setting_t *setting;
    const char *prefix;
    struct rows rows;
};

/* Where and as what the option stands in the file: itself, its partner, or the whole action (NULL). */
static const config_setting_t *find_setting(const struct check *check, const char *option_name,
                                            const struct config_option **ret_option)
{
    const struct config_option *option = rows_find(check->rows, option_name);
    const struct config_option *partner = option ? option_partner(option) : NULL;
    const config_setting_t *at = config_setting_get_member(check->setting, option_name);
    if (!at && partner && (at = config_setting_get_member(check->setting, partner->name)))
        option = partner;
    *ret_option = option;
    return at;
}

static void complain_safely(const struct check *check, const char *option_name, const char *sentence, bool warn)
{
    const struct config_option *option;
    const config_setting_t *at = find_setting(check, option_name, &option);
    bool hidden = !at || !option || is_secret(option->type);
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%s%s", check->prefix, at && option ? option->name : option_name);
    if (!at)
        at = check->setting;
    if (warn)
        problems_warn(check->walk->problems, setting_place(check->walk, at), "%s: %s", name, sentence);
    else
        setting_refuse(check->walk, at, name, hidden, sentence);
}

static void tell(const struct check *check, const char *option, const char *sentence, bool warn)
{
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&safe, sentence, strlen(sentence), 0);
    complain_safely(check, option, safe.s, warn);
    check->walk->problems->failed |= safe.failed;
}

static void complain(void *context, const char *option, const char *sentence)
{
    tell(context, option, sentence, false);
}

void config_warn(void *context, const char *option, const char *sentence)
{
    tell(context, option, sentence, true);
}

static const char *name_at(const struct config_list *of, struct list list, size_t i)
{
    const struct config_option *name = rows_find(rows_of(of->group), "name");
    char *s;
    memcpy(&s, list.elements + i * of->element_size + name->offset, sizeof(s));
    return s;
}

/* A name in a list of names; a group of which some mistake was told may have had it. */
static void check_name(const struct check *check, const config_setting_t *setting, const char *option, unsigned i,
                       const struct config_list *of)
{
    const char *written = config_setting_get_string(setting);
    struct list list = list_get(check->walk->config, of->offset);
    struct nearest nearest = nearest_to(written);
    for (size_t j = 0; j < list.n_elements; j++) {
        const char *known = name_at(of, list, j);
        if (!known || strcmp(known, written) == 0)
            return;
        nearest_try(&nearest, known, (int) strlen(known));
    }
    if (!list.n_elements)
        return;

    char name[NAME_ROOM], sentence[NAME_ROOM];
    snprintf(name, sizeof(name), "%s%s[%u]", check->prefix, option, i);
    snprintf(sentence, sizeof(sentence), "unknown %s%s%s%s", of->one, nearest.name ? ", did you mean " : "",
             nearest.name ? nearest.name : "", nearest.name ? "?" : "");
    setting_refuse(check->walk, setting, name, false, sentence);
}

static void check_names(const struct check *check, const char *option, const char *group)
{
    const config_setting_t *setting = config_setting_get_member(check->setting, option);
    for (unsigned i = 0; setting && i < (unsigned) config_setting_length(setting); i++)
        check_name(check, config_setting_get_elem(setting, i), option, i, list_of(group));
}

static void check_program(const struct check *check, const struct config_action *action)
{
    if (action->type != ACTION_TYPE_EXEC || action->command[0][0] == '/')
        return;
    const config_setting_t *setting = config_setting_get_member(check->setting, "command");
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%scommand[0]", check->prefix);
    setting_refuse(check->walk, config_setting_get_elem(setting, 0), name, false,
                   "expected the absolute path of a program, such as /usr/local/bin/siren");
}

static void check_target(const struct check *check, const struct config_action *action)
{
    const struct config_listener *own = action->url ? target_find_listener(check->walk->config, action->url) : NULL;
    char sentence[NAME_ROOM];
    if (!own)
        return;
    snprintf(sentence, sizeof(sentence),
             "expected another URL: this one is our own listener %s, and each event would come back without end",
             own->name ? own->name : "");
    complain_safely(check, "url", sentence, false);
}

void check_action(const struct walk *walk, const config_setting_t *setting, const char *prefix, const void *element)
{
    const struct config_action *action = element;
    struct check check = { walk, setting, prefix, rows_of("actions[]") };
    size_t n_mistakes = walk->problems->n_mistakes;

    check_names(&check, "communities", "communities[]");
    check_names(&check, "listeners", "listeners[]");
    check_program(&check, action);
    check_target(&check, action);
    if (walk->hooks && walk->hooks->check_action && n_mistakes == walk->problems->n_mistakes)
        walk->hooks->check_action(walk->config, action, complain, &check);
    if (action->type == ACTION_TYPE_FORWARD && action->body != FORWARD_BODY_ORIGINAL && action->api_key)
        complain_safely(&check, "api_key", "without effect, because only body = \"original\" has a key in it", true);
}
