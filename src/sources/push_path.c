/* push_path.c - whether a request is for a push path, also as admins type it. */
#include <string.h>
#include <strings.h>

#include "push_private.h"

/* The next of a/b/c, whatever the number of slashes. */
static bool take_segment(struct span *path, struct span *ret)
{
    while (path->size && *path->s == '/')
        *path = (struct span){ path->s + 1, path->size - 1 };
    const char *end = path->size ? memchr(path->s, '/', path->size) : NULL;
    *ret = (struct span){ path->s, end ? (size_t) (end - path->s) : path->size };
    *path = (struct span){ path->s + ret->size, path->size - ret->size };
    return ret->size > 0;
}

static bool has_segment(struct span path, struct span segment, bool last)
{
    struct span each;
    while (take_segment(&path, &each))
        if (each.size == segment.size && strncasecmp(each.s, segment.s, each.size) == 0 && (!last || !path.size))
            return true;
    return false;
}

/* People enter a part of it, or all of it behind a part of it, with more slashes and in other letters. So: nothing but
 * segments of the push path, and its last one at the end. */
static bool is_meant(struct span push_path, struct span path)
{
    struct span segment, last = { 0 };
    while (take_segment(&path, &segment)) {
        if (!has_segment(push_path, segment, false))
            return false;
        last = segment;
    }
    return last.size ? has_segment(push_path, last, true) : !take_segment(&push_path, &segment);
}

bool push_path_is_meant(const char *const *push_paths, size_t n, struct span path)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(push_paths[i]) == path.size && memcmp(push_paths[i], path.s, path.size) == 0)
            return true;
    for (size_t i = 0; i < n; i++)
        if (is_meant(span_of(push_paths[i]), path))
            return true;
    return false;
}
