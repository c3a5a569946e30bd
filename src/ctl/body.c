/* body.c - bodies to post. The sender's bytes stay as they are: printing them anew would spoil large numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/json.h>

#include "body.h"

#define KEY_MAX_BYTES ((size_t) 4096)

void body_wipe_key(char **secret)
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

int body_read_key(const char *path, char **ret, struct err *err)
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

static struct json_writer begin(const char *key, struct text *out)
{
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    json_add_text(&json, "key", key);
    return json;
}

static int end(struct json_writer *json, bool mark, struct err *err)
{
    if (mark)
        json_add_bool(json, "test", true);
    json_end(json);
    return json->out->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

int body_make(const char *key, const char *type, const char *data, const char *top, bool test, struct text *ret,
              struct err *err)
{
    struct json_writer json = begin(key, ret);
    json_add_text(&json, "type", type);
    if (data)
        json_add_raw(&json, "data", span_of(data));
    if (test) /* in front of all that might say otherwise: the first one counts */
        json_add_bool(&json, "test", true);
    json_add_members(&json, (struct span){ top, top ? strlen(top) : 0 });
    return end(&json, false, err);
}

/* Each member with the blanks around it, but the key. *ret_marked: one says whether it is a test, as the daemon reads
 * it: not in other letter case. */
static int add_members(struct json_writer *json, struct span body, bool *ret_marked, struct err *err)
{
    struct json_scan scan = json_scan_of(body);
    int r = json_scan_object_begin(&scan, err);
    scan.depth = 1;
    for (const char *first = scan.p; r > 0; r = json_scan_object_next(&scan, err)) {
        struct span name, value;
        size_t size;
        r = json_scan_member(&scan, &name, &value, err);
        if (r < 0)
            return r;
        char *word CLEANUP(cleanup_free) = json_string_value(name, &size);
        if (!word)
            return err_set(err, -ENOMEM, "no memory");
        json_scan_space(&scan);
        if (strcmp(word, "key") != 0)
            json_add_members(json, (struct span){ first, (size_t) (scan.p - first) });
        *ret_marked |= strcmp(word, "test") == 0;
        first = scan.p + 1; /* behind the comma */
    }
    return r;
}

int body_with_key(const struct text *body, const char *key, bool test, struct text *ret, struct err *err)
{
    struct json_writer json = begin(key, ret);
    bool marked = false;
    int r = add_members(&json, (struct span){ body->s, body->size }, &marked, err);
    return r < 0 ? err_wrap(err, r, "expected one JSON object") : end(&json, test && !marked, err);
}
