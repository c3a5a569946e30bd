/* print.c - the settings in force as a file would have them, and how two configs differ. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

static void add_option(struct text *text, const struct config_option *option, const char *base)
{
    text_addf(text, "%s = ", option->name);
    if (!option->list) {
        value_add(text, option, base + option->offset);
        return;
    }
    struct list list = list_get(base, option->offset);
    if (option->single && list.n_elements == 1) {
        value_add(text, option, list.elements);
        return;
    }
    for (size_t i = 0; i < list.n_elements; i++) {
        text_add(text, i ? ", " : "[ ");
        value_add(text, option, list.elements + i * value_size(option->type));
    }
    text_add(text, " ]");
}

/* Of the options that an action may do without, and of those of other types. */
static bool is_set(const struct config_option *option, int type, const char *base)
{
    if (!option_applies(option, type))
        return false;
    if (option->list)
        return list_get(base, option->offset).n_elements;
    return !value_is_none(option->type, base + option->offset);
}

static void add_rows(struct text *text, struct rows rows, const char *base, const char *before, const char *between)
{
    bool first = true;
    int type = type_of(rows, base);
    for (size_t i = 0; i < rows.n; i++) {
        if (rows.first[i].type == CONFIG_FILE || !is_set(&rows.first[i], type, base)) /* a file's secret is there */
            continue;
        text_add(text, first ? before : between);
        add_option(text, &rows.first[i], base);
        first = false;
    }
}

static void add_list(struct text *text, struct rows rows, const struct config_list *of, const struct config *config)
{
    struct list list = list_get(config, of->offset);
    if (!list.n_elements)
        return;
    text_addf(text, "%.*s = (", group_name_size(of->group), of->group);
    for (size_t i = 0; i < list.n_elements; i++) {
        add_rows(text, rows, list.elements + i * of->element_size, i ? ",\n    { " : "\n    { ", ", ");
        text_add(text, " }");
    }
    text_add(text, "\n)\n");
}

int config_print(const struct config *config, FILE *out)
{
    CLEANUP(text_free) struct text text = TEXT_INIT;
    struct rows rows = rows_next(config_options);
    for (; rows.n; rows = rows_next(rows.first + rows.n)) {
        const char *group = rows.first->group;
        if (list_of(group)) {
            add_list(&text, rows, list_of(group), config);
        } else if (*group) {
            text_addf(&text, "%s = {\n", group);
            add_rows(&text, rows, (const char *) config, "    ", "\n    ");
            text_add(&text, "\n}\n");
        } else {
            add_rows(&text, rows, (const char *) config, "", "\n");
            text_add(&text, "\n");
        }
    }
    if (text.failed)
        return -ENOMEM;
    errno = 0;
    if (fwrite(text.s, 1, text.size, out) != text.size || fflush(out) != 0)
        return errno ? -errno : -EIO;
    return 0;
}

static bool option_equal(const struct config_option *option, const char *a, const char *b)
{
    if (!option->list)
        return value_equal(option->type, a + option->offset, b + option->offset);

    struct list x = list_get(a, option->offset), y = list_get(b, option->offset);
    size_t size = value_size(option->type);
    bool equal = x.n_elements == y.n_elements;
    for (size_t i = 0; equal && i < x.n_elements; i++)
        equal = value_equal(option->type, x.elements + i * size, y.elements + i * size);
    return equal;
}

static void add_name(struct text *names, const char *group, const char *name)
{
    text_add(names, names->size ? ", " : "");
    text_addf(names, "%s%s%s", group, *group && *name ? "." : "", name);
}

bool config_action_equal(const struct config_action *a, const struct config_action *b)
{
    struct rows rows = rows_of("actions[]");
    for (size_t i = 0; i < rows.n; i++)
        if (!option_equal(&rows.first[i], (const char *) a, (const char *) b))
            return false;
    return true;
}

/* No option of a list's elements is one. */
char *config_needs_restart(const struct config *old, const struct config *new_config)
{
    struct text names = TEXT_INIT;
    struct rows rows = rows_next(config_options);
    for (; rows.n; rows = rows_next(rows.first + rows.n)) {
        for (size_t i = 0; i < rows.n; i++)
            if (rows.first[i].restart && !option_equal(&rows.first[i], (const char *) old, (const char *) new_config))
                add_name(&names, rows.first[i].group, rows.first[i].name);
    }
    return names.size ? names.s : NULL;
}
