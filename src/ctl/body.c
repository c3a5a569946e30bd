/* body.c - bodies to post. The sender's bytes stay as they are: printing them anew would spoil large numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "body.h"

#define MARK ",\"test\":true"
#define KEY_MAX_BYTES ((size_t) 4096)

void wipe_key(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

static int read_all(FILE *file, size_t max_bytes, struct text *ret, struct err *err)
{
    char piece[16384];
    for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;) {
        text_add_bytes(ret, piece, n);
        if (ret->size > max_bytes)
            return err_set(err, -EFBIG, "larger than %zu bytes", max_bytes);
    }
    explicit_bzero(piece, sizeof(piece));
    if (ferror(file))
        return err_set(err, -EIO, "%s", strerror(errno));
    return ret->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

static int read_file(const char *path, size_t max_bytes, struct text *ret, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    int r = file ? read_all(file, max_bytes, ret, err) : err_set(err, -errno, "%s", strerror(errno));
    text_add_safe(&shown, path, strlen(path), 200);
    return r < 0 ? err_wrap(err, r, "cannot read %s", shown.s) : 0;
}

int body_read(const char *path, struct text *ret, struct err *err)
{
    if (strcmp(path, "-") != 0)
        return read_file(path, BODY_MAX_BYTES, ret, err);
    int r = read_all(stdin, BODY_MAX_BYTES, ret, err);
    return r < 0 ? err_wrap(err, r, "cannot read stdin") : 0;
}

int key_read(const char *path, char **ret, struct err *err)
{
    struct text bytes CLEANUP(text_wipe) = TEXT_INIT;
    if (!text_reserve(&bytes, 2 * 16384)) /* at once: growing would leave copies behind */
        return err_set(err, -ENOMEM, "no memory");
    int r = read_file(path, KEY_MAX_BYTES, &bytes, err);
    if (r < 0)
        return r;
    size_t size = bytes.size;
    while (size && strchr(" \t\r\n", bytes.s[size - 1]))
        size--;
    if (!size || memchr(bytes.s, '\n', size) || memchr(bytes.s, '\0', size))
        return err_set(err, -EINVAL, "expected a file with the key and nothing else");
    *ret = strndup(bytes.s, size);
    return *ret ? 0 : err_set(err, -ENOMEM, "no memory");
}

static void add_key(const char *key, struct text *out)
{
    text_add(out, "{\"key\":");
    text_add_json(out, key, strlen(key));
}

int body_make(const char *key, const char *type, const char *data, const char *top, bool test, struct text *ret,
              struct err *err)
{
    add_key(key, ret);
    text_add(ret, ",\"type\":");
    text_add_json(ret, type, strlen(type));
    if (data) {
        text_add(ret, ",\"data\":");
        text_add(ret, data);
    }
    if (top) {
        text_add(ret, ",");
        text_add(ret, top);
    }
    if (test)
        text_add(ret, MARK);
    text_add(ret, "}");
    return ret->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

/* Behind a text of JSON; p is at its first quote. Everything is known to be sound here. */
static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

/* The end of a member: its comma, or the brace behind the last one. */
static const char *skip_member(const char *p)
{
    for (int depth = 0; *p;) {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (depth == 0 && (*p == ',' || *p == '}'))
            return p;
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p++;
    }
    return p;
}

static bool is_key(const char *p)
{
    p += strspn(p, " \t\r\n");
    return strncmp(p, "\"key\"", 5) == 0;
}

int body_with_key(const struct text *json, const char *key, bool test, struct text *ret, struct err *err)
{
    cJSON *parsed = strlen(json->s) == json->size ? cJSON_ParseWithOpts(json->s, NULL, true) : NULL;
    bool sound = cJSON_IsObject(parsed);
    bool empty = !parsed || !parsed->child;
    bool mark = test && !cJSON_HasObjectItem(parsed, "test"); /* in whatever letter case */
    cJSON_Delete(parsed);
    if (!sound)
        return err_set(err, -EINVAL, "expected one JSON object");

    add_key(key, ret);
    const char *p = json->s + strcspn(json->s, "{");
    while (!empty && *p && *p != '}') {
        const char *member = p + 1;
        p = skip_member(member);
        if (is_key(member))
            continue;
        text_add(ret, ",");
        text_add_bytes(ret, member, (size_t) (p - member));
    }
    text_add(ret, mark ? MARK "}" : "}");
    return ret->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}
