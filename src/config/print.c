/* print.c - the settings in force as a file would have them, and how two configs differ. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

const char *config_secret_file_name(const struct config *config, const void *field)
{
    for (size_t i = 0; i < config->n_secret_files; i++)
        if (config->secret_files[i].field == field)
            return config->secret_files[i].name;
    return NULL;
}

const char *config_secret_to_make(const struct config *config, const void *field)
{
    for (size_t i = 0; i < config->n_secret_files; i++)
        if (config->secret_files[i].field == field)
            return config->secret_files[i].to_make;
    return NULL;
}

struct printer {
    struct text *text;
    const struct config *config;
};

static void add_list(const struct printer *printer, const struct config_option *option, struct list list)
{
    if (option->single && list.n_elements == 1) {
        value_add(printer->text, option, list.elements);
        return;
    }
    for (size_t i = 0; i < list.n_elements; i++) {
        text_add(printer->text, i ? ", " : "[ ");
        value_add(printer->text, option, list.elements + i * value_size(option->type));
    }
    text_add(printer->text, " ]");
}

/* The names of the files that a secret came from, as they were written; false: it came from none. */
static bool add_files(const struct printer *printer, const struct config_option *option, const void *field)
{
    const struct config *config = printer->config;
    CLEANUP(cleanup_free) char **names = calloc(config->n_secret_files + 1, sizeof(names[0]));
    struct list list = { (char *) names, 0 };
    printer->text->failed |= !names;
    for (size_t i = 0; names && i < config->n_secret_files; i++)
        if (config->secret_files[i].field == field)
            names[list.n_elements++] = config->secret_files[i].name;
    const struct config_option file = { .type = CONFIG_FILE, .single = true };
    if (!list.n_elements)
        return false;
    text_addf(printer->text, "%s_file: ", option->name);
    add_list(printer, &file, list);
    return true;
}

static void add_option(const struct printer *printer, const struct config_option *row, const char *base)
{
    struct schema_row own;
    const struct config_option *option = schema_row(printer->config->schema, row, &own);
    const char *field = base + option->offset;
    if (value_is_secret(option->type) && add_files(printer, option, field))
        return;
    text_addf(printer->text, "%s: ", option->name);
    if (option->list)
        add_list(printer, option, row_list_get(base, option->offset));
    else
        value_add(printer->text, option, field);
}

/* Of the options that an action may do without; and a secret whose file is still to be made is set. */
static bool is_set(const struct printer *printer, const struct config_option *option, const char *base)
{
    if (option->list)
        return row_list_get(base, option->offset).n_elements;
    return !value_is_none(option->type, base + option->offset) ||
           (option->made && config_secret_file_name(printer->config, base + option->offset));
}

/* first: what stands before the first one, in place of blanks. */
static void add_rows(const struct printer *printer, struct rows rows, const char *base, const char *first,
                     const char *blanks)
{
    for (size_t i = 0; i < rows.n; i++) {
        if (rows.first[i].type == CONFIG_FILE || !is_set(printer, &rows.first[i], base)) /* printed with its secret */
            continue;
        text_add(printer->text, first);
        add_option(printer, &rows.first[i], base);
        text_add(printer->text, "\n");
        first = blanks;
    }
}

static void add_group(const struct printer *printer, struct rows rows, const char *base)
{
    const char *group = rows.first->group, *blanks = *group ? "  " : "";
    if (*group)
        text_addf(printer->text, "%s:\n", group);
    size_t size = printer->text->size;
    add_rows(printer, rows, base, blanks, blanks);
    if (printer->text->size == size) /* without a value it would not be there */
        text_addf(printer->text, "%s{ }\n", blanks);
}

static void add_groups(const struct printer *printer, struct rows rows, const struct config_list *of)
{
    struct list list = row_list_get(printer->config, of->offset);
    if (list.n_elements)
        text_addf(printer->text, "%.*s:\n", row_group_name_size(of->group), of->group);
    for (size_t i = 0; i < list.n_elements; i++) {
        const struct config_action *action = of->has_kinds ? &printer->config->actions[i] : NULL;
        add_rows(printer, rows, list.elements + i * of->element_size, "  - ", "    ");
        if (action)
            add_rows(printer, rows_of_kind(action->kind), action->settings, "    ", "    ");
    }
}

int config_print(const struct config *config, FILE *out)
{
    CLEANUP(text_free) struct text text = TEXT_INIT;
    const struct printer printer = { &text, config };
    struct part part;
    for (size_t i = 0; schema_part(config->schema, i, &part); i++) {
        struct list list = part.list.group ? row_list_get(config, part.list.offset) : (struct list){ NULL, 0 };
        if (!part.list.group)
            add_group(&printer, part.rows, (const char *) config);
        else if (row_group_is_list(part.list.group))
            add_groups(&printer, part.rows, &part.list);
        else if (list.n_elements)
            add_group(&printer, part.rows, list.elements);
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

    struct list x = row_list_get(a, option->offset), y = row_list_get(b, option->offset);
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

static bool rows_equal(struct rows rows, const void *a, const void *b)
{
    for (size_t i = 0; i < rows.n; i++)
        if (!option_equal(&rows.first[i], a, b))
            return false;
    return true;
}

bool config_action_equal(const struct config_action *a, const struct config_action *b)
{
    return a->kind == b->kind && rows_equal(rows_of(CONFIG_ACTION), a, b) &&
           rows_equal(rows_of_kind(a->kind), a->settings, b->settings);
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
