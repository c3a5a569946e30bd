/* children.c - the members of an object and the elements of an array, as they stand in the text. */
#include <errno.h>
#include <string.h>

#include "json_private.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static int at_member(const struct json_scan *scan, struct err *err)
{
    return *scan->p == '"' ? 1 : err_set(err, -EINVAL, "a member without a name");
}

static int at_end(struct json_scan *scan, struct err *err)
{
    if (scan->p == scan->end || *scan->p != '}')
        return err_set(err, -EINVAL, "unfinished object");
    scan->p++;
    json_scan_space(scan);
    return scan->p == scan->end ? 0 : err_set(err, -EINVAL, "text behind the object");
}

int json_scan_object_begin(struct json_scan *scan, struct err *err)
{
    if (scan->end - scan->p >= 3 && memcmp(scan->p, BYTE_ORDER_MARK, 3) == 0)
        scan->p += 3;
    json_scan_space(scan);
    if (scan->p == scan->end || *scan->p != '{')
        return err_set(err, -EINVAL, scan->p == scan->end ? "no text" : "not an object");
    scan->p++;
    json_scan_space(scan);
    return scan->p < scan->end && *scan->p != '}' ? at_member(scan, err) : at_end(scan, err);
}

int json_scan_object_next(struct json_scan *scan, struct err *err)
{
    json_scan_space(scan);
    if (scan->p == scan->end || *scan->p != ',')
        return at_end(scan, err);
    scan->p++;
    json_scan_space(scan);
    return scan->p < scan->end ? at_member(scan, err) : err_set(err, -EINVAL, "unfinished object");
}

int json_scan_member(struct json_scan *scan, struct span *ret_name, struct span *ret_value, struct err *err)
{
    *ret_name = (struct span){ scan->p, 0 };
    int r = json_scan_string(scan, err);
    if (r < 0)
        return r;
    ret_name->size = (size_t) (scan->p - ret_name->s);

    json_scan_space(scan);
    if (scan->p == scan->end || *scan->p != ':')
        return err_set(err, -EINVAL, "a member without a colon");
    scan->p++;
    json_scan_space(scan);
    *ret_value = (struct span){ scan->p, 0 };
    r = json_scan_value(scan, err);
    ret_value->size = (size_t) (scan->p - ret_value->s);
    return r;
}

struct json_scan json_children_of(struct span container)
{
    struct json_scan scan = json_scan_of(container);
    json_scan_space(&scan);
    scan.depth = 1;
    if (scan.p < scan.end && (*scan.p == '{' || *scan.p == '['))
        scan.objects = *scan.p++ == '{';
    else
        scan.p = scan.end;
    return scan;
}

bool json_next_child(struct json_scan *children, struct span *ret_name, struct span *ret_value)
{
    struct span name = { 0 };
    json_scan_space(children);
    if (children->p < children->end && *children->p == ',')
        children->p++;
    json_scan_space(children);
    if (children->p == children->end || *children->p == '}' || *children->p == ']')
        return false;
    if (children->objects & 1)
        return *children->p == '"' && json_scan_member(children, ret_name ? ret_name : &name, ret_value, NULL) >= 0;
    if (ret_name)
        *ret_name = name;
    *ret_value = (struct span){ children->p, 0 };
    int r = json_scan_value(children, NULL);
    ret_value->size = (size_t) (children->p - ret_value->s);
    return r >= 0;
}

struct span json_child(struct span container, uint32_t n)
{
    struct json_scan children = json_children_of(container);
    struct span value;
    while (json_next_child(&children, NULL, &value))
        if (n-- == 0)
            return value;
    return (struct span){ 0 };
}

struct span json_members(struct span object)
{
    const char *first = memchr(object.s, '{', object.size), *last = memrchr(object.s, '}', object.size);
    if (!first || !last)
        return (struct span){ 0 };
    for (first++; first < last && strchr(" \t\r\n", *first); first++)
        continue;
    return (struct span){ first, (size_t) (last - first) };
}
