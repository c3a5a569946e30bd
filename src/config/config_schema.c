/* config_schema.c - the table of options with what types of action and sections add to it. */
#include <assert.h>
#include <string.h>

#include "config_private.h"

const struct config_option *config_schema_option(const struct config_schema *schema, size_t i)
{
    if (i < config_n_options)
        return &config_options[i];
    i -= config_n_options;
    for (size_t k = 0; k < schema->n_sections; k++) {
        if (i < schema->sections[k]->n_options)
            return &schema->sections[k]->options[i];
        i -= schema->sections[k]->n_options;
    }
    for (size_t k = 0; k < schema->n_kinds; k++) {
        if (i < schema->kinds[k]->n_options)
            return &schema->kinds[k]->options[i];
        i -= schema->kinds[k]->n_options;
    }
    return NULL;
}

/* ---- parts ---- */

static bool part_of_table(struct rows rows, struct part *ret)
{
    const struct config_list *list = row_list_of(rows.first->group);
    *ret = (struct part){ .rows = rows };
    if (list)
        ret->list = *list;
    return true;
}

static bool part_of_section(const struct config_schema *schema, size_t k, struct part *ret)
{
    const struct config_section *section = schema->sections[k];
    assert(section->n_options);
    *ret = (struct part){ .rows = { section->options, section->n_options },
                          .list = { .group = section->group,
                                    .one = section->one,
                                    .offset = offsetof(struct config, sections) + k * sizeof(struct config_settings),
                                    .element_size = section->settings_size,
                                    .absent = ABSENT_IS_NONE,
                                    .section = section,
                                    .check = config_check_section } };
    return true;
}

bool schema_part(const struct config_schema *schema, size_t i, struct part *ret)
{
    struct rows rows = rows_next(config_options);
    assert(schema->n_sections <= CONFIG_SECTIONS_MAX);
    for (; strcmp(rows.first->group, CONFIG_ACTION) != 0; rows = rows_next(rows.first + rows.n))
        if (i-- == 0)
            return part_of_table(rows, ret);
    for (size_t k = 0; k < schema->n_sections; k++)
        if (schema->sections[k]->group && i-- == 0)
            return part_of_section(schema, k, ret);
    return i == 0 && part_of_table(rows, ret);
}

bool schema_is_group(const struct config_schema *schema, struct span name)
{
    struct part part;
    for (size_t i = 0; schema_part(schema, i, &part); i++) {
        const char *group = part.rows.first->group;
        if (name.size && name.size == (size_t) row_group_name_size(group) && memcmp(name.s, group, name.size) == 0)
            return true;
    }
    return false;
}

struct config_settings config_section_get(const struct config *config, const struct config_section *section)
{
    for (size_t k = 0; section->group && k < config->schema->n_sections; k++)
        if (config->schema->sections[k] == section)
            return config->sections[k];
    return (struct config_settings){ NULL, 0 };
}

/* Of several of one name the one that is a secret: what it has is not to be shown, whosever it is. */
const struct config_option *schema_find(const struct config_schema *schema, struct span name)
{
    const struct config_option *option, *found = NULL;
    for (size_t i = 0; (option = config_schema_option(schema, i)); i++) {
        if (strlen(option->name) != name.size || memcmp(option->name, name.s, name.size) != 0)
            continue;
        if (value_is_secret(option->type))
            return option;
        found = found ? found : option;
    }
    return found;
}

const struct config_option *schema_find_in_kinds(const struct config_schema *schema, const char *name)
{
    const struct config_option *option = NULL;
    for (size_t i = 0; i < schema->n_kinds && !option; i++)
        option = rows_find(rows_of_kind(schema->kinds[i]), name);
    return option;
}

const struct config_option *schema_row(const struct config_schema *schema, const struct config_option *option,
                                       struct schema_row *ret)
{
    if (option->type != CONFIG_WORD || option->words)
        return option;
    assert(schema->n_kinds <= CONFIG_KINDS_MAX);
    *ret = (struct schema_row){ .option = *option };
    for (size_t i = 0; i < schema->n_kinds; i++)
        ret->words[i] = schema->kinds[i]->name;
    ret->option.words = ret->words;
    return &ret->option;
}
