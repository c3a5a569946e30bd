/* walk_parts.c - the parts of a file: groups, and lists of groups. */
#include <stdlib.h>
#include <string.h>

#include "walk.h"

/* Of two elements of a list of groups; of a list of values, any two. */
static bool options_clash(const struct config_option *option, const char *a, const char *b)
{
    if (!option->list)
        return value_clashes(option->type, a + option->offset, b + option->offset);
    struct list x = row_list_get(a, option->offset), y = row_list_get(b, option->offset);
    size_t size = value_size(option->type);
    for (size_t i = 0; i < x.n_elements; i++)
        for (size_t k = 0; k < y.n_elements; k++)
            if (value_clashes(option->type, x.elements + i * size, y.elements + k * size))
                return true;
    return false;
}

static void refuse_clashes(const struct walk *walk, const struct part *part, struct list list,
                           const struct node *setting, const struct config_option *option)
{
    const struct config_list *of = &part->list;
    const struct config_option *partner = row_option_partner(part->rows, option);
    for (unsigned i = 1; i < list.n_elements; i++) {
        const char *value = list.elements + i * of->element_size;
        unsigned j = 0;
        while (j < i && !options_clash(option, value, list.elements + j * of->element_size))
            j++;
        if (j == i)
            continue;

        const struct node *element = &setting->members[i];
        const struct node *at = node_member(element, option->name);
        if (!at && partner)
            at = node_member(element, partner->name);
        char name[NAME_ROOM], list_name[GROUP_ROOM];
        snprintf(list_name, sizeof(list_name), "%.*s", row_group_name_size(of->group), of->group);
        snprintf(name, sizeof(name), "%s[%u].%s", list_name, i, option->name);
        setting_refuse_twin(walk, at ? at : element, !at || value_is_secret(option->type), option->type, name,
                            list_name, j);
    }
}

static bool is_list_of_some(const struct node *list, bool some)
{
    return list && node_is(list, NODE_LIST) && (list->n_members > 0) == some;
}

static bool names_community(const struct config_section *section)
{
    bool names = false;
    for (size_t i = 0; i < section->n_options; i++)
        names |= section->options[i].names && strcmp(section->options[i].names, CONFIG_COMMUNITY) == 0;
    return names;
}

/* Whether the file has an element of a section that is so. */
static bool has_section(const struct walk *walk, const struct node *root, bool (*is)(const struct config_section *))
{
    bool has = false;
    struct part part;
    for (size_t i = 0; schema_part(walk->config->schema, i, &part); i++) {
        const struct config_section *section = part.list.section;
        char name[GROUP_ROOM];
        if (!section || !is(section))
            continue;
        snprintf(name, sizeof(name), "%.*s", row_group_name_size(section->group), section->group);
        has |= is_list_of_some(node_member(root, name), true);
    }
    return has;
}

static bool is_alone(const struct config_section *section)
{
    return section->alone;
}

static bool may_be_none(const struct walk *walk, const struct config_list *of, const struct node *root)
{
    if (of->absent == ABSENT_IS_NONE)
        return true;
    bool of_communities = strcmp(of->group, CONFIG_COMMUNITY) == 0;
    bool none_listens = is_list_of_some(node_member(root, "listeners"), false);
    return none_listens && has_section(walk, root, is_alone) &&
           !(of_communities && has_section(walk, root, names_community));
}

/* Shows no value: it may be a key in a wrong place. */
static bool is_fit(const struct walk *walk, const struct config_list *of, const struct node *setting, const char *name,
                   const struct node *root)
{
    char sentence[NAME_ROOM];
    size_t n = setting->n_members;
    if (!node_is(setting, NODE_LIST))
        snprintf(sentence, sizeof(sentence), "expected a list, \"- name: …\" for each %s", of->one);
    else if (!n && !may_be_none(walk, of, root))
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
    if (!group->setting || node_is(group->setting, NODE_GROUP)) {
        walk_group_check(group, of);
        return;
    }
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%.*s", (int) strlen(group->prefix) - 1, group->prefix);
    setting_refuse(group->walk, group->setting, name, true, "expected options, such as name: …");
}

/* NULL: no memory. */
static char *make_elements(const struct walk *walk, const struct config_list *of, unsigned n)
{
    struct list list = { n ? calloc(n, of->element_size) : NULL, n };
    if (list.elements)
        row_list_set(walk->config, of->offset, list);
    walk->problems->failed |= n && !list.elements;
    return list.elements;
}

static void walk_list(const struct walk *walk, const struct part *part, const struct node *setting,
                      const struct node *root)
{
    const struct config_list *of = &part->list;
    struct rows rows = part->rows;
    char name[GROUP_ROOM];
    snprintf(name, sizeof(name), "%.*s", row_group_name_size(of->group), of->group);
    if (!setting && (of->absent == ABSENT_IS_NONE || walk->source->incomplete))
        return;
    if (!setting && of->absent == ABSENT_IS_MISTAKE && may_be_none(walk, of, root))
        return;
    if (!setting && of->absent == ABSENT_IS_MISTAKE) {
        problems_add(walk->problems, setting_place(walk, root), "%s: missing, expected at least one %s", name, of->one);
        return;
    }
    if (setting && !is_fit(walk, of, setting, name, root))
        return;

    unsigned n = setting ? (unsigned) setting->n_members : 1;
    struct list list = { make_elements(walk, of, n), n };
    for (unsigned i = 0; list.elements && i < n; i++) {
        const struct node *element = setting ? &setting->members[i] : NULL;
        struct walk its = *walk;
        if (walk->hooks && walk->hooks->bear_missing && list.elements == (char *) walk->config->actions)
            its.missing = &walk->config->actions[i].missing;
        char prefix[NAME_ROOM];
        snprintf(prefix, sizeof(prefix), "%s[%u].", name, i);
        walk_element(&(struct group){ &its, rows, element, root, prefix, list.elements + i * of->element_size, n == 1,
                                      of->has_kinds },
                     of);
    }
    for (size_t i = 0; list.elements && setting && i < rows.n; i++)
        if (rows.first[i].unique && rows.first[i].type != CONFIG_FILE && (!rows.first[i].list || rows.first[i].single))
            refuse_clashes(walk, part, list, setting, &rows.first[i]);
}

static void walk_named_group(const struct walk *walk, const struct part *part, const struct node *setting,
                             const struct node *root)
{
    struct rows rows = part->rows;
    char prefix[NAME_ROOM];
    snprintf(prefix, sizeof(prefix), "%s.", rows.first->group);
    if (setting && !node_is(setting, NODE_GROUP)) {
        char sentence[NAME_ROOM];
        snprintf(sentence, sizeof(sentence), "expected its options on lines below it, such as \"  %s: …\"",
                 rows.first->name);
        setting_refuse(walk, setting, rows.first->group, false, sentence);
        return;
    }
    char *base = (char *) walk->config;
    if (part->list.group)
        base = setting ? make_elements(walk, &part->list, 1) : NULL;
    if (base)
        walk_group_check(&(struct group){ walk, rows, setting, root, prefix, base, true, false }, &part->list);
}

void walk_config(const struct walk *walk, const struct node *root)
{
    struct part part;
    for (size_t i = 0; schema_part(walk->config->schema, i, &part); i++) {
        const char *group = part.rows.first->group;
        char name[GROUP_ROOM];
        snprintf(name, sizeof(name), "%.*s", row_group_name_size(group), group);
        const struct node *setting = *name ? node_member(root, name) : NULL;
        if (setting && setting_is_empty(setting)) /* all that was in it is a comment */
            setting = NULL;
        if (!*name)
            walk_group(&(struct group){ walk, part.rows, root, root, "", (char *) walk->config, true, false });
        else if (row_group_is_list(group))
            walk_list(walk, &part, setting, root);
        else
            walk_named_group(walk, &part, setting, root);
    }
}
