/* walk.c - the groups of a file, by the rows of the table: what is there, what is missing, what is unknown. */
#include <stdlib.h>
#include <string.h>

#include "private.h"

/* One group in the file. */
struct group {
    const struct walk *walk;
    struct rows rows;
    const config_setting_t *setting; /* NULL: not in the file */
    const config_setting_t *around;  /* where it would be */
    const char *prefix;              /* of its options' names: "limits." "listeners[1]." "" */
    char *base;                      /* of the struct that it fills */
    bool alone;                      /* the only one in its list */
};

/* Options of types are told apart only after the type: its row comes first, and a wrong one leaves the field alone. */
static int group_type(const struct group *group)
{
    return type_of(group->rows, group->base);
}

static void take_missing(const struct group *group, const struct config_option *option, void *field)
{
    struct problems *problems = group->walk->problems;
    if (option->fallback && (!option->required || group->alone)) {
        problems->failed |= take_fallback(option, field) < 0;
        return;
    }
    const struct config_option *partner = option_partner(option);
    if (!option->required || (option->types && group_type(group) == TYPE_UNKNOWN) ||
        (partner && group->setting && config_setting_get_member(group->setting, partner->name)))
        return;

    struct text expected = TEXT_INIT;
    if (partner)
        text_addf(&expected, "%s or %s", partner->name, option->name);
    else if (option->list)
        text_add(&expected, "a list: [ …, … ]");
    else
        value_add_expected(&expected, option);
    problems_add(problems, setting_place(group->walk, group->setting ? group->setting : group->around),
                 "%s%s: missing, expected %s", group->prefix, option->name, expected.s);
    problems->failed |= expected.failed;
    text_free(&expected);
}

/* only for type = "forward" or "discord" */
static void refuse_of_other_type(const struct group *group, const struct config_option *option,
                                 const config_setting_t *setting, const char *name)
{
    const char *const *words = rows_find(group->rows, "type")->words;
    struct text sentence = TEXT_INIT;
    for (int i = 0; words[i]; i++)
        if (option->types >> i & 1)
            text_addf(&sentence, "%s\"%s\"", sentence.size ? " or " : "only for type = ", words[i]);
    setting_refuse(group->walk, setting, name, is_secret(option->type), sentence.s);
    group->walk->problems->failed |= sentence.failed;
    text_free(&sentence);
}

static void take_option(const struct group *group, const struct config_option *option)
{
    const struct walk *walk = group->walk;
    void *field = group->base + option->offset;
    const config_setting_t *setting = group->setting ? config_setting_get_member(group->setting, option->name) : NULL;
    bool applies = option_applies(option, group_type(group));
    if (!setting) {
        if (applies)
            take_missing(group, option, field);
        return;
    }

    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%s%s", group->prefix, option->name);
    if (!applies) {
        refuse_of_other_type(group, option, setting, name);
        return;
    }
    const struct config_option *partner = option_partner(option);
    if (partner && config_setting_get_member(group->setting, partner->name)) {
        char sentence[NAME_ROOM];
        snprintf(sentence, sizeof(sentence), "expected %s or %s, but not both", option->name, partner->name);
        if (option->type == CONFIG_FILE)
            setting_refuse(walk, setting, name, false, sentence);
        return;
    }
    if (option->type == CONFIG_FILE && option->list)
        take_secret_files(walk, option, setting, name, field);
    else if (option->type == CONFIG_FILE)
        take_secret_file(walk, partner, setting, name, field);
    else if (option->list)
        take_values(walk, option, setting, name, field);
    else
        take_value(walk, option, setting, name, field);
}

static void refuse_unknown(const struct group *group, const config_setting_t *setting)
{
    struct text name = TEXT_INIT, near = TEXT_INIT;
    const char *written = config_setting_name(setting);
    text_add(&name, group->prefix);
    text_add_safe(&name, written, strlen(written), SHOWN_MAX_CHARS);
    const char *of = group->rows.first->group;
    bool found = option_suggest(&near, of, written);
    problems_add(group->walk->problems, setting_place(group->walk, setting), "%s: unknown option%s%s%s", name.s,
                 found ? ", did you mean " : "", near.s, found ? "?" : "");
    group->walk->problems->failed |= name.failed || near.failed;
    text_free(&name);
    text_free(&near);
}

static void walk_group(const struct group *group)
{
    int n = group->setting ? config_setting_length(group->setting) : 0;
    for (int i = 0; i < n; i++) {
        const config_setting_t *setting = config_setting_get_elem(group->setting, (unsigned) i);
        const char *name = config_setting_name(setting);
        bool is_group = !*group->rows.first->group && rows_of_setting(name).n;
        if (!is_group && !rows_find(group->rows, name))
            refuse_unknown(group, setting);
    }
    for (size_t i = 0; i < group->rows.n; i++)
        take_option(group, &group->rows.first[i]);
}

/* Of two elements of a list of groups; of a list of values, any two. */
static bool options_clash(const struct config_option *option, const char *a, const char *b)
{
    if (!option->list)
        return value_clashes(option->type, a + option->offset, b + option->offset);
    struct list x = list_get(a, option->offset), y = list_get(b, option->offset);
    size_t size = value_size(option->type);
    for (size_t i = 0; i < x.n_elements; i++)
        for (size_t k = 0; k < y.n_elements; k++)
            if (value_clashes(option->type, x.elements + i * size, y.elements + k * size))
                return true;
    return false;
}

static void refuse_clashes(const struct walk *walk, const struct config_list *of, struct list list,
                           const config_setting_t *setting, const struct config_option *option)
{
    const struct config_option *partner = option_partner(option);
    for (unsigned i = 1; i < list.n_elements; i++) {
        const char *value = list.elements + i * of->element_size;
        unsigned j = 0;
        while (j < i && !options_clash(option, value, list.elements + j * of->element_size))
            j++;
        if (j == i)
            continue;

        const config_setting_t *element = config_setting_get_elem(setting, i);
        const config_setting_t *at = config_setting_get_member(element, option->name);
        if (!at && partner)
            at = config_setting_get_member(element, partner->name);
        char name[NAME_ROOM], list_name[GROUP_ROOM];
        snprintf(list_name, sizeof(list_name), "%.*s", group_name_size(of->group), of->group);
        snprintf(name, sizeof(name), "%s[%u].%s", list_name, i, option->name);
        setting_refuse_twin(walk, at ? at : element, !at || is_secret(option->type), option->type, name, list_name, j);
    }
}

/* Shows no value: it may be a key in a wrong place. */
static bool is_fit(const struct walk *walk, const struct config_list *of, const config_setting_t *setting,
                   const char *name)
{
    char sentence[NAME_ROOM];
    int n = config_setting_length(setting);
    if (!config_setting_is_list(setting))
        snprintf(sentence, sizeof(sentence), "expected a list, ( { … }, { … } ), with a group for each %s", of->one);
    else if (!n && of->absent != ABSENT_IS_NONE)
        snprintf(sentence, sizeof(sentence), "expected at least one %s", of->one);
    else if (n > LIST_MAX_ELEMENTS)
        snprintf(sentence, sizeof(sentence), "expected at most %d", LIST_MAX_ELEMENTS);
    else
        return true;
    setting_refuse(walk, setting, name, true, sentence);
    return false;
}

static void walk_element(const struct group *group, const struct config_list *of)
{
    if (!group->setting || config_setting_is_group(group->setting)) {
        size_t n_mistakes = group->walk->problems->n_mistakes;
        type_forget(group->rows, group->base);
        walk_group(group);
        if (of->check && n_mistakes == group->walk->problems->n_mistakes && !group->walk->problems->failed)
            of->check(group->walk, group->setting, group->prefix, group->base);
        return;
    }
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%.*s", (int) strlen(group->prefix) - 1, group->prefix);
    setting_refuse(group->walk, group->setting, name, true, "expected a group: { … }");
}

/* listeners = ( { … }, { … } ) */
static void walk_list(const struct walk *walk, struct rows rows, const config_setting_t *setting,
                      const config_setting_t *root)
{
    const struct config_list *of = list_of(rows.first->group);
    char name[GROUP_ROOM];
    snprintf(name, sizeof(name), "%.*s", group_name_size(of->group), of->group);
    if (!setting && of->absent == ABSENT_IS_NONE)
        return;
    if (!setting && of->absent == ABSENT_IS_MISTAKE) {
        problems_add(walk->problems, setting_place(walk, root), "%s: missing, expected at least one %s", name, of->one);
        return;
    }
    if (setting && !is_fit(walk, of, setting, name))
        return;

    unsigned n = setting ? (unsigned) config_setting_length(setting) : 1;
    struct list list = { n ? calloc(n, of->element_size) : NULL, n };
    if (n && !list.elements) {
        walk->problems->failed = true;
        return;
    }
    list_set(walk->config, of->offset, list);

    for (unsigned i = 0; i < n; i++) {
        const config_setting_t *element = setting ? config_setting_get_elem(setting, i) : NULL;
        struct walk its = *walk;
        if (walk->hooks && walk->hooks->bear_missing && list.elements == (char *) walk->config->actions)
            its.missing = &walk->config->actions[i].missing;
        char prefix[NAME_ROOM];
        snprintf(prefix, sizeof(prefix), "%s[%u].", name, i);
        walk_element(&(struct group){ &its, rows, element, root, prefix, list.elements + i * of->element_size, n == 1 },
                     of);
    }
    for (size_t i = 0; setting && i < rows.n; i++)
        if (rows.first[i].unique && rows.first[i].type != CONFIG_FILE && (!rows.first[i].list || rows.first[i].single))
            refuse_clashes(walk, of, list, setting, &rows.first[i]);
}

static void walk_named_group(const struct walk *walk, struct rows rows, const config_setting_t *setting,
                             const config_setting_t *root)
{
    char prefix[NAME_ROOM];
    snprintf(prefix, sizeof(prefix), "%s.", rows.first->group);
    if (setting && !config_setting_is_group(setting)) {
        setting_refuse(walk, setting, rows.first->group, false, "expected a group: { … }");
        return;
    }
    walk_group(&(struct group){ walk, rows, setting, root, prefix, (char *) walk->config, true });
}

void walk_config(const struct walk *walk, const config_setting_t *root)
{
    struct rows rows = rows_next(config_options);
    for (; rows.n; rows = rows_next(rows.first + rows.n)) {
        const char *group = rows.first->group;
        char name[GROUP_ROOM];
        snprintf(name, sizeof(name), "%.*s", group_name_size(group), group);
        const config_setting_t *setting = *name ? config_setting_get_member(root, name) : NULL;
        if (!*name)
            walk_group(&(struct group){ walk, rows, root, root, "", (char *) walk->config, true });
        else if (list_of(group))
            walk_list(walk, rows, setting, root);
        else
            walk_named_group(walk, rows, setting, root);
    }
}
