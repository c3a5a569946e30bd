/* lua_list.c - lists as Lua writes them. It has one kind of table for lists and objects, and its encoders make an
 * object of a list with holes: {"1":4127,"3":4133}, in any order. An empty table is {} for some. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event_private.h"

#define INDEX_MAX_DIGITS 9

static bool is_index(const char *name)
{
    size_t size = strspn(name, "0123456789");
    return size > 0 && size <= INDEX_MAX_DIGITS && !name[size] && name[0] != '0';
}

bool event_is_list(const cJSON *item)
{
    if (!cJSON_IsObject(item))
        return cJSON_IsArray(item);
    for (const cJSON *member = item->child; member; member = member->next)
        if (!is_index(member->string))
            return false;
    return true;
}

/* As numbers, without reading them: the longer one is larger. */
static int compare_index(const char *a, const char *b)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    return a_size != b_size ? (a_size > b_size) - (a_size < b_size) : strcmp(a, b);
}

static int compare_members(const void *a, const void *b)
{
    const cJSON *const *x = a, *const *y = b;
    return compare_index((*x)->string, (*y)->string);
}

static bool in_order(const cJSON *list)
{
    for (const cJSON *member = list->child; member && member->next; member = member->next)
        if (compare_index(member->string, member->next->string) > 0)
            return false;
    return true;
}

/* They are what a walk through the sender's text counts. */
static void note_places(const cJSON *list)
{
    int place = 0;
    for (cJSON *member = list->child; member; member = member->next)
        member->valueint = place++; /* cJSON has a number's value in valuedouble, too */
}

static int put_in_order(cJSON *list)
{
    if (cJSON_IsArray(list) || !event_is_list(list))
        return 0;
    note_places(list);
    if (in_order(list))
        return 0;
    size_t n = (size_t) cJSON_GetArraySize(list), i = 0;
    cJSON **members = malloc(n * sizeof(cJSON *));
    if (!members)
        return -ENOMEM;
    for (cJSON *member = list->child; member; member = member->next)
        members[i++] = member;
    qsort(members, n, sizeof(cJSON *), compare_members);

    list->child = members[0];
    for (i = 0; i < n; i++) {
        members[i]->next = i + 1 < n ? members[i + 1] : NULL;
        members[i]->prev = members[i ? i - 1 : n - 1]; /* of the first the last: cJSON's own way */
    }
    free(members);
    return 0;
}

static int order_below(cJSON *root)
{
    for (cJSON *child = root->child; child; child = child->next)
        if (child->child && (put_in_order(child) < 0 || order_below(child) < 0))
            return -ENOMEM;
    return 0;
}

cJSON *event_parse_json(struct span value, struct json_met met)
{
    cJSON *root = json_parse(value, met);
    if (!root || !met.numbered)
        return root;
    if (cJSON_IsObject(root))
        note_places(root);
    if (order_below(root) == 0)
        return root;
    cJSON_Delete(root);
    return NULL;
}
