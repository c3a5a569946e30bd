/* record_home.c - where an event lies that came from another node, as its record tells it: the member "origin". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event_private.h"

enum part { NODE, LOG, ID, N_PARTS };

static const char *const names[N_PARTS] = { "node", "log", "id" };

/* As names may be (base.h), since it stands in one with a community. */
bool event_is_node(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t size = strlen(name);
    return size && size <= NAME_MAX_BYTES && strspn(name, letters) == size;
}

bool event_is_log(const char *log)
{
    size_t size = strlen(log);
    return size && size <= NAME_MAX_BYTES && strspn(log, "0123456789abcdef") == size;
}

static int read_text(struct span json, char *ret, size_t room, bool (*is_sound)(const char *))
{
    size_t size;
    char *text CLEANUP(cleanup_free) = json.size && json.s[0] == '"' ? json_string_value(json, &size) : NULL;
    if (!text || strlen(text) >= room || !is_sound(text))
        return -EINVAL;
    text_copy(ret, room, text);
    return 0;
}

static int read_id(struct span json, uint64_t *ret)
{
    char *end = NULL;
    if (!json.size || json.s[0] < '1' || json.s[0] > '9')
        return -EINVAL;
    errno = 0;
    long long id = strtoll(json.s, &end, 10); /* behind it comes what is no digit: a comma, the object's end */
    *ret = (uint64_t) id;
    return errno || end != json.s + json.size ? -EINVAL : 0;
}

int record_read_home(struct span origin, struct record_home *ret, struct err *err)
{
    struct span values[N_PARTS] = { 0 };
    struct json_scan children = json_children_of(origin);
    struct span name, value;
    while (json_next_child(&children, &name, &value))
        for (enum part part = 0; part < N_PARTS; part++)
            if (strlen(names[part]) == name.size - 2 && memcmp(names[part], name.s + 1, name.size - 2) == 0)
                values[part] = value;
    if (read_text(values[NODE], ret->node, sizeof(ret->node), event_is_node) < 0)
        return err_set(err, -EINVAL, "origin.node: expected a name of A-Z a-z 0-9 . _ -");
    if (read_text(values[LOG], ret->log, sizeof(ret->log), event_is_log) < 0)
        return err_set(err, -EINVAL, "origin.log: expected hex digits");
    if (read_id(values[ID], &ret->id) < 0)
        return err_set(err, -EINVAL, "origin.id: expected a number from 1 on");
    return 0;
}
