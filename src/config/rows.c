/* rows.c - look-ups in the table: groups, the rows of one, what goes together. */
#include <string.h>

#include "private.h"

static const struct config_list lists[] = {
    { .group = "listeners[]",
      .one = "listener",
      .offset = offsetof(struct config, listeners),
      .element_size = sizeof(struct config_listener) },
    { .group = "communities[]",
      .one = "community",
      .offset = offsetof(struct config, communities),
      .element_size = sizeof(struct config_community),
      .absent = ABSENT_IS_MISTAKE },
    { .group = "actions[]",
      .one = "action",
      .offset = offsetof(struct config, actions),
      .element_size = sizeof(struct config_action),
      .absent = ABSENT_IS_NONE,
      .check = check_action },
};

struct list list_get(const void *base, size_t offset)
{
    struct list list;
    memcpy(&list, (const char *) base + offset, sizeof(list));
    return list;
}

void list_set(void *base, size_t offset, struct list list)
{
    memcpy((char *) base + offset, &list, sizeof(list));
}

const struct config_list *list_of(const char *group)
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

int group_name_size(const char *group)
{
    return (int) strcspn(group, "[");
}

static bool is_group_name(const char *group, const char *name)
{
    size_t size = (size_t) group_name_size(group);
    return size && strlen(name) == size && strncmp(group, name, size) == 0;
}

struct rows rows_of_setting(const char *name)
{
    struct rows rows = rows_next(config_options);
    while (rows.n && !is_group_name(rows.first->group, name))
        rows = rows_next(rows.first + rows.n);
    return rows;
}

const struct config_option *rows_find(struct rows rows, const char *name)
{
    for (size_t i = 0; i < rows.n; i++)
        if (strcmp(rows.first[i].name, name) == 0)
            return &rows.first[i];
    return NULL;
}

const struct config_option *option_partner(const struct config_option *option)
{
    struct rows rows = rows_of(option->group);
    for (size_t i = 0; i < rows.n; i++)
        if (rows.first[i].offset == option->offset && &rows.first[i] != option)
            return &rows.first[i];
    return NULL;
}

int type_of(struct rows rows, const char *base)
{
    const struct config_option *row = rows_find(rows, "type");
    int type = TYPE_UNKNOWN;
    if (row)
        memcpy(&type, base + row->offset, sizeof(type));
    return type;
}

void type_forget(struct rows rows, char *base)
{
    const struct config_option *row = rows_find(rows, "type");
    int type = TYPE_UNKNOWN;
    if (row)
        memcpy(base + row->offset, &type, sizeof(type));
}

bool option_applies(const struct config_option *option, int type)
{
    return !option->types || type == TYPE_UNKNOWN || (option->types >> type & 1);
}
