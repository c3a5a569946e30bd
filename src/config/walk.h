/* walk.h - what the files of the walk through a configuration share: one group of it. */
#pragma once

#include "config_private.h"

/* One group in the file. */
struct group {
    const struct walk *walk;
    struct rows rows;
    const struct node *setting; /* NULL: not in the file */
    const struct node *around;  /* where it would be */
    const char *prefix;         /* of its options' names: "limits." "listeners[1]." "" */
    char *base;                 /* of the struct that it fills */
    bool alone;                 /* the only one in its list */
    bool has_kinds;             /* and options of its type */
};

/* What is there, what is missing, what is unknown; and, where it has no mistake, of->check. */
void walk_group(const struct group *group);
void walk_group_check(const struct group *group, const struct config_list *of);
