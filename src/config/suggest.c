/* suggest.c - what an unknown name may have meant. */
#include <string.h>

#include "config_private.h"

#define SUGGEST_MAX_CHARS 40

/* "sessions[].url or streams[].url": each place where it is one. Those of a group stand together. */
static bool suggest_elsewhere(struct text *text, const struct config_schema *schema, const char *name)
{
    const struct config_option *option;
    const char *group = NULL;
    if (schema_is_group(schema, (struct span){ name, strlen(name) })) {
        text_add(text, name);
        return true;
    }
    for (size_t i = 0; (option = config_schema_option(schema, i)); i++) {
        if (strcmp(option->name, name) != 0 || (group && strcmp(option->group, group) == 0))
            continue;
        text_addf(text, "%s%s%s%s", group ? " or " : "", option->group, *option->group ? "." : "", name);
        group = option->group;
    }
    return group;
}

bool suggest_option(struct text *text, const struct config_schema *schema, const char *group, const char *name)
{
    if (strlen(name) > SUGGEST_MAX_CHARS)
        return false;

    struct nearest nearest = nearest_to(name);
    const struct config_option *option;
    struct part part;
    for (size_t i = 0; (option = config_schema_option(schema, i)); i++)
        if (strcmp(option->group, group) == 0)
            nearest_try(&nearest, option->name, (int) strlen(option->name));
    for (size_t i = 0; !*group && schema_part(schema, i, &part); i++)
        nearest_try(&nearest, part.rows.first->group, row_group_name_size(part.rows.first->group));
    if (!nearest.name || !nearest.size)
        return suggest_elsewhere(text, schema, name);

    text_add_bytes(text, nearest.name, (size_t) nearest.size);
    return true;
}
