/* suggest.c - what an unknown name may have meant. */
#include <string.h>

#include "private.h"

#define SUGGEST_MAX_CHARS 40

static bool suggest_elsewhere(struct text *text, const char *name)
{
    if (rows_of_setting(name).n) {
        text_add(text, name);
        return true;
    }
    for (size_t i = 0; i < config_n_options; i++) {
        const struct config_option *option = &config_options[i];
        if (strcmp(option->name, name) == 0) {
            text_addf(text, "%s%s%s", option->group, *option->group ? "." : "", name);
            return true;
        }
    }
    return false;
}

bool option_suggest(struct text *text, const char *group, const char *name)
{
    if (strlen(name) > SUGGEST_MAX_CHARS)
        return false;

    struct nearest nearest = nearest_to(name);
    struct rows rows = rows_of(group);
    for (size_t i = 0; i < rows.n; i++)
        nearest_try(&nearest, rows.first[i].name, (int) strlen(rows.first[i].name));
    for (rows = rows_next(config_options); !*group && rows.n; rows = rows_next(rows.first + rows.n))
        nearest_try(&nearest, rows.first->group, group_name_size(rows.first->group));
    if (!nearest.name || !nearest.size)
        return suggest_elsewhere(text, name);

    text_add_bytes(text, nearest.name, (size_t) nearest.size);
    return true;
}
