/* rows.c - look-ups in the table: groups, the rows of one, what goes together. */
#include <string.h>

#include "config_private.h"

static const struct config_list lists[] = {
    { .group = CONFIG_LISTENER,
      .one = "listener",
      .offset = offsetof(struct config, listeners),
      .element_size = sizeof(struct config_listener) },
    { .group = CONFIG_COMMUNITY,
      .one = "community",
      .offset = offsetof(struct config, communities),
      .element_size = sizeof(struct config_community),
      .absent = ABSENT_IS_MISTAKE },
    { .group = CONFIG_ACTION,
      .one = "action",
      .offset = offsetof(struct config, actions),
      .element_size = sizeof(struct config_action),
      .absent = ABSENT_IS_NONE,
      .has_kinds = true,
      .check = config_check_action },
};

struct list row_list_get(const void *base, size_t offset)
{
    struct list list;
    memcpy(&list, (const char *) base + offset, sizeof(list));
    return list;
}

void row_list_set(void *base, size_t offset, struct list list)
{
    memcpy((char *) base + offset, &list, sizeof(list));
}

const struct config_list *row_list_of(const char *group)
{
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (strcmp(lists[i].group, group) == 0)
            return &lists[i];
    return NULL;
}

struct rows rows_next(const struct config_option *row)
{
    struct rows rows = { row, 0 };
    const struct config_option *end = config_options + config_n_options;
    while (row + rows.n < end && strcmp(row[rows.n].group, row->group) == 0)
        rows.n++;
    return rows;
}

struct rows rows_of(const char *group)
{
    struct rows rows = rows_next(config_options);
    while (rows.n && strcmp(rows.first->group, group) != 0)
        rows = rows_next(rows.first + rows.n);
    return rows;
}

struct rows rows_of_kind(const struct config_kind *kind)
{
    return (struct rows){ kind->options, kind->n_options };
}

int row_group_name_size(const char *group)
{
    return (int) strcspn(group, "[");
}

bool row_group_is_list(const char *group)
{
    return group[row_group_name_size(group)];
}

const struct config_option *rows_find(struct rows rows, const char *name)
{
    for (size_t i = 0; i < rows.n; i++)
        if (strcmp(rows.first[i].name, name) == 0)
            return &rows.first[i];
    return NULL;
}

const struct config_option *row_option_partner(struct rows rows, const struct config_option *option)
{
    for (size_t i = 0; i < rows.n; i++)
        if (rows.first[i].offset == option->offset && strcmp(rows.first[i].name, option->name) != 0)
            return &rows.first[i];
    return NULL;
}
