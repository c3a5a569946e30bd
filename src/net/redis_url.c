/* redis_url.c - redis://user:password@host:port/database, rediss://… and unix:/path. Not by libcurl, which a check of a
 * configuration should not have to load. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "redis_url.h"

#define DEFAULT_PORT 6379
#define DATABASE_MAX 65535

static int complain(struct err *err, const char *what)
{
    return err_set(err, -EINVAL, "expected redis://host:6379, rediss://host:6379 or unix:/run/redis/redis.sock%s",
                   what);
}

/* ---- parts ---- */

static int hex_digit(char c)
{
    return isdigit((unsigned char) c) ? c - '0' : tolower((unsigned char) c) - 'a' + 10;
}

/* A copy with its %41 as A. -EINVAL: a % that is none, or a NUL. */
static int copy_decoded(char **ret, const char *s, size_t size)
{
    char *copy = malloc(size + 1);
    size_t n = 0;
    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; i < size; i++) {
        bool is_escape = s[i] == '%';
        if (is_escape && (i + 2 >= size || !isxdigit((unsigned char) s[i + 1]) || !isxdigit((unsigned char) s[i + 2])))
            break;
        copy[n] = is_escape ? (char) (16 * hex_digit(s[i + 1]) + hex_digit(s[i + 2])) : s[i];
        if (!copy[n++])
            break;
        i += is_escape ? 2 : 0;
        if (i + 1 == size) {
            copy[n] = '\0';
            *ret = copy;
            return 0;
        }
    }
    explicit_bzero(copy, size + 1);
    free(copy);
    return -EINVAL;
}

/* "user:password", "user", ":password" */
static int read_user(struct redis_url *ret, const char *s, size_t size)
{
    const char *colon = memchr(s, ':', size);
    size_t n_user = colon ? (size_t) (colon - s) : size;
    int r = n_user ? copy_decoded(&ret->user, s, n_user) : 0;
    if (r == 0 && colon && colon + 1 < s + size)
        r = copy_decoded(&ret->password, colon + 1, (size_t) (s + size - colon - 1));
    return r;
}

static bool read_number(const char *s, size_t size, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        if (!isdigit((unsigned char) s[i]) || number > max)
            return false;
        number = 10 * number + (uint64_t) (s[i] - '0');
    }
    *ret = number;
    return size && number >= min && number <= max;
}

static bool is_host(const char *s, size_t size)
{
    bool in_brackets = size > 2 && s[0] == '[' && s[size - 1] == ']';
    const char *others = in_brackets ? ":.%" : "-._";
    for (size_t i = in_brackets; i < size - in_brackets; i++)
        if (!isalnum((unsigned char) s[i]) && !strchr(others, s[i]))
            return false;
    return size;
}

/* "example.org:6379", "[::1]" */
static int read_host(struct redis_url *ret, const char *s, size_t size, struct err *err)
{
    const char *bracket = memchr(s, ']', size);
    const char *from = bracket ? bracket : s, *colon = memchr(from, ':', (size_t) (s + size - from));
    size_t n_host = colon ? (size_t) (colon - s) : size;
    uint64_t port = DEFAULT_PORT;
    if (colon && !read_number(colon + 1, size - n_host - 1, 1, 65535, &port))
        return complain(err, ": its port is none");
    if (!is_host(s, n_host))
        return complain(err, "");
    ret->port = (unsigned) port;
    ret->host = strndup(s, n_host);
    return ret->host ? 0 : err_set(err, -ENOMEM, "no memory for a URL");
}

/* "user:password@example.org:6379/2" */
static int read_server(struct redis_url *ret, const char *s, struct err *err)
{
    size_t n_authority = strcspn(s, "/?#");
    const char *path = s + n_authority, *at = memrchr(s, '@', n_authority), *host = at ? at + 1 : s;
    int r = at ? read_user(ret, s, (size_t) (at - s)) : 0;
    if (r < 0)
        return r == -EINVAL ? complain(err, ": what stands before @ is neither user nor password (a % in it is %25)")
                            : err_set(err, r, "no memory for a URL");
    r = read_host(ret, host, (size_t) (path - host), err);
    if (r < 0 || !*path || strcmp(path, "/") == 0)
        return r;
    if (*path != '/' || !read_number(path + 1, strlen(path + 1), 0, DATABASE_MAX, &ret->database))
        return complain(err, ": what follows the host is no number of a database, such as /2");
    return 0;
}

/* ---- whole ---- */

int redis_url_read(struct redis_url *ret, const char *url, struct err *err)
{
    *ret = (struct redis_url){ 0 };
    if (strncmp(url, "redis://", 8) == 0)
        return read_server(ret, url + 8, err);
    if (strncmp(url, "rediss://", 9) == 0) {
        ret->is_tls = true;
        return read_server(ret, url + 9, err);
    }
    if (strncmp(url, "unix:", 5) != 0)
        return complain(err, "");
    const char *path = url + 5 + (strncmp(url + 5, "//", 2) == 0 ? 2 : 0);
    if (*path != '/' || !path[1])
        return complain(err, "");
    ret->unix_path = strdup(path);
    return ret->unix_path ? 0 : err_set(err, -ENOMEM, "no memory for a URL");
}

static void wipe(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

void redis_url_free(struct redis_url *url)
{
    free(url->unix_path);
    free(url->host);
    wipe(url->user);
    wipe(url->password);
    *url = (struct redis_url){ 0 };
}

int redis_check_url(const char *url, struct err *err)
{
    struct redis_url parts CLEANUP(redis_url_free);
    return redis_url_read(&parts, url, err);
}

void redis_name_url(const char *url, char *ret, size_t size)
{
    struct redis_url parts CLEANUP(redis_url_free);
    *ret = '\0';
    if (redis_url_read(&parts, url, NULL) < 0)
        return;
    if (parts.unix_path)
        snprintf(ret, size, "%s", parts.unix_path);
    else
        snprintf(ret, size, "%s:%u", parts.host, parts.port);
}
