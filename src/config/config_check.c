/* config_check.c - an element whose options are sound one by one: what they name is there, and what others say about it
 * gets its place in the file. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

/* Where and as what the option stands in the file: itself, one of its elements ("command[0]"), its partner, or the
 * whole group (NULL). */
static const struct node *find_setting(const struct check *check, const char *option_name,
                                       const struct config_option **ret_option)
{
    char name[NAME_ROOM];
    size_t size = strcspn(option_name, "[");
    snprintf(name, sizeof(name), "%.*s", (int) size, option_name);
    struct rows rows = rows_find(check->rows, name) ? check->rows : check->own;
    const struct config_option *option = rows_find(rows, name);
    const struct config_option *partner = option ? row_option_partner(rows, option) : NULL;
    const struct node *at = node_member(check->setting, name);
    if (!at && partner && (at = node_member(check->setting, partner->name)))
        option = partner;
    unsigned long element = option_name[size] ? strtoul(option_name + size + 1, NULL, 10) : ULONG_MAX;
    *ret_option = option;
    return at && element < at->n_members ? &at->members[element] : at;
}

void check_complain(const struct check *check, const char *option_name, const char *sentence, bool warn)
{
    const struct config_option *option;
    const struct node *at = find_setting(check, option_name, &option);
    bool hidden = !at || !option || value_is_secret(option->type);
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%s%s", check->prefix,
             at && option && !strchr(option_name, '[') ? option->name : option_name);
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
    check_complain(check, option, safe.s, warn);
    check->walk->problems->failed |= safe.failed;
}

void check_complain_unsafe(void *context, const char *option, const char *sentence)
{
    tell(context, option, sentence, false);
}

void config_warn(void *context, const char *option, const char *sentence)
{
    tell(context, option, sentence, true);
}

/* ---- names ---- */

static const char *name_at(const struct part *part, struct list list, size_t i)
{
    const struct config_option *name = rows_find(part->rows, "name");
    char *s;
    memcpy(&s, list.elements + i * part->list.element_size + name->offset, sizeof(s));
    return s;
}

/* Whether the elements of the part are what the list that an option names has. Ways in are named by listeners, and by
 * what sections bring. */
static bool is_meant(const struct part *part, const char *names)
{
    const char *group = part->list.group;
    const struct config_section *section = part->list.section;
    bool brought = section && !section->alone && row_group_is_list(group) && rows_find(part->rows, "name");
    return group && (strcmp(group, names) == 0 || (brought && strcmp(names, CONFIG_LISTENER) == 0));
}

/* True: it is one of them, or a part of which some mistake was told may have had it. */
static bool is_known(const struct check *check, const struct part *part, struct nearest *nearest, size_t *n)
{
    struct list list = row_list_get(check->walk->config, part->list.offset);
    for (size_t i = 0; i < list.n_elements; i++, ++*n) {
        const char *known = name_at(part, list, i);
        if (!known || strcmp(known, nearest->written) == 0)
            return true;
        nearest_try(nearest, known, (int) strlen(known));
    }
    return false;
}

static void check_name(const struct check *check, const struct node *setting, const char *name, const char *names)
{
    struct nearest nearest = nearest_to(setting_node_text(setting));
    struct part part;
    size_t n = 0;
    if (strchr(setting_node_text(setting), '@')) /* those of other nodes stand nowhere here */
        return;
    for (size_t i = 0; schema_part(check->walk->config->schema, i, &part); i++)
        if (is_meant(&part, names) && is_known(check, &part, &nearest, &n))
            return;
    if (!n)
        return;

    char sentence[NAME_ROOM];
    snprintf(sentence, sizeof(sentence), "unknown %s%s%s%s", row_list_of(names)->one,
             nearest.name ? ", did you mean " : "", nearest.name ? nearest.name : "", nearest.name ? "?" : "");
    setting_refuse(check->walk, setting, name, false, sentence);
}

void check_names(const struct check *check)
{
    for (size_t i = 0; i < check->rows.n; i++) {
        const struct config_option *option = &check->rows.first[i];
        const struct node *setting = option->names ? node_member(check->setting, option->name) : NULL;
        char name[NAME_ROOM];
        snprintf(name, sizeof(name), "%s%s", check->prefix, option->name);
        if (setting && setting->kind == NODE_TEXT)
            check_name(check, setting, name, option->names);
        for (unsigned k = 0; setting && option->list && k < (unsigned) setting->n_members; k++) {
            snprintf(name, sizeof(name), "%s%s[%u]", check->prefix, option->name, k);
            check_name(check, &setting->members[k], name, option->names);
        }
    }
}

/* ---- an element of a section ---- */

void config_check_section(const struct walk *walk, const struct config_list *of, const struct node *setting,
                          const char *prefix, const void *element)
{
    const struct config_section *section = of->section;
    struct check check = { walk, setting, prefix, { section->options, section->n_options }, { NULL, 0 } };
    size_t n_mistakes = walk->problems->n_mistakes;
    check_names(&check);
    if (section->check && n_mistakes == walk->problems->n_mistakes)
        section->check(walk->config, element, check_complain_unsafe, &check);
    if (section->check_present && walk->hooks && walk->hooks->check_present && n_mistakes == walk->problems->n_mistakes)
        section->check_present(element, check_complain_unsafe, &check);
}
