/* suggest.c - what an unknown name may have meant. */
#include <string.h>

#include "config_private.h"

#define SUGGEST_MAX_CHARS 40

static bool suggest_elsewhere(struct text *text, const struct config_schema *schema, const char *name)
{
    const struct span span = { name, strlen(name) };
    if (schema_is_group(schema, span)) {
        text_add(text, name);
        return true;
    }
    const struct config_option *option = schema_find(schema, span);
    if (option)
        text_addf(text, "%s%s%s", option->group, *option->group ? "." : "", name);
    return option;
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
