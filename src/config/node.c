/* node.c - what a file says, as a tree: made once, looked up by the walk over the table, wiped at the end. */
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

bool node_is(const struct node *node, enum node_kind kind)
{
    return node && node->kind == kind;
}

const struct node *node_member(const struct node *group, const char *name)
{
    for (size_t i = 0; node_is(group, NODE_GROUP) && i < group->n_members; i++)
        if (group->members[i].name && strcmp(group->members[i].name, name) == 0)
            return &group->members[i];
    return NULL;
}

bool node_is_whole(const struct node *node)
{
    for (size_t i = 0; i < node->n_members; i++)
        if (!node_is_whole(&node->members[i]))
            return false;
    return node->kind != NODE_REFUSED;
}

struct node *node_append(struct node *node)
{
    if (node->n_members == node->room) {
        size_t room = node->room ? 2 * node->room : 8;
        struct node *members = reallocarray(node->members, room, sizeof(members[0]));
        if (!members)
            return NULL;
        node->members = members;
        node->room = room;
    }
    struct node *member = &node->members[node->n_members++];
    *member = (struct node){ .kind = NODE_REFUSED };
    return member;
}

void node_done(struct node *node)
{
    for (size_t i = 0; i < node->n_members; i++)
        node_done(&node->members[i]);
    free(node->members);
    free(node->name);
    secret_wipe(node->text);
    *node = (struct node){ .kind = NODE_REFUSED };
}
