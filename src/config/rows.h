/* rows.h - the table of options by group, with what types of action add to it.
 *
 * Shape:   the rows of a group stand together in config_options; those of a type of action are a table of its own, and
 *          of the same group. Those of a section are a table and a group.
 * Owner:   rows are of the program and are never freed.
 */
#pragma once

#include <sonoran-pushd/config.h>

struct walk; /* of config_private.h, as is */
struct node;

/* options.c holds the table; rows.c - the table by group. */

/* A pointer and the number behind it, as in struct config. */
struct list {
    char *elements;
    size_t n_elements;
};

struct list row_list_get(const void *base, size_t offset);
void row_list_set(void *base, size_t offset, struct list list);

/* A group of which there are several. */
struct config_list {
    const char *group;
    const char *one; /* of them, in words */
    size_t offset;   /* of a struct list in struct config */
    size_t element_size;
    enum { ABSENT_IS_DEFAULTS, ABSENT_IS_NONE, ABSENT_IS_MISTAKE } absent;
    bool has_kinds; /* its elements are of struct config_action, and have options of their type as well */

    const struct config_section *section; /* NULL: it is of config_options */

    /* Of an element that has no mistake so far: what its rows cannot say. NULL: nothing. prefix: "actions[1]." */
    void (*check)(const struct walk *walk, const struct config_list *of, const struct node *setting, const char *prefix,
                  const void *element);
};

/* The rows of a group, which stand together in the table. */
struct rows {
    const struct config_option *first;
    size_t n;
};

struct rows rows_of(const char *group);
struct rows rows_of_kind(const struct config_kind *kind);
struct rows rows_next(const struct config_option *row); /* the group that begins at row; n is 0 at the end */
const struct config_option *rows_find(struct rows rows, const char *name);

/* How many letters of "listeners[]" are its name. */
int row_group_name_size(const char *group);
bool row_group_is_list(const char *group);
const struct config_list *row_list_of(const char *group); /* of config_options; NULL: there is one of this group */

/* load.c: frees the values that the rows put into base. */
void rows_done(struct rows rows, char *base);

/* The other of api_key and api_key_file, among the rows of the option; or NULL. */
const struct config_option *row_option_partner(struct rows rows, const struct config_option *option);

/* ---- config_schema.c - the table with what types of action and sections add to it ---- */

/* A group, and where it goes. */
struct part {
    struct rows rows;
    struct config_list list; /* group NULL: the rows fill struct config, and the file has it once */
};

/* In such an order that what a part may name is known before it: actions are last. False behind the last. */
bool schema_part(const struct config_schema *schema, size_t i, struct part *ret);
bool schema_is_group(const struct config_schema *schema, struct span name); /* "limits", "listeners" */

const struct config_option *schema_find(const struct config_schema *schema, struct span name); /* the first; or NULL */
const struct config_option *schema_find_in_kinds(const struct config_schema *schema, const char *name);

/* The row itself; or, in *ret, that of the option "type", whose words are the names of the kinds. */
struct schema_row {
    struct config_option option;
    const char *words[CONFIG_KINDS_MAX + 1];
};

const struct config_option *schema_row(const struct config_schema *schema, const struct config_option *option,
                                       struct schema_row *ret);
