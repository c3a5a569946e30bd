/* headers.c - headers that somebody adds to what we send.
 *
 * Source: RFC 9110: 5.1 and 5.5 for the letters of a name and a value, 7.6.1 for those of the connection alone. */
#include <errno.h>
#include <string.h>

#include "config_private.h"

static const struct {
    const char *name, *why;
} not_yours[] = {
    { "Content-Type", "content_type, or body, says it" },
    { "Content-Length", "it follows from the body" },
    { "Content-Encoding", "the body is sent as it is" },
    { "Sonoran-Event-Id", "it is ours, and tells the event" },
    { "Sonoran-Signature", "it is ours: signing_secret makes it" },
    { "Host", "it follows from the url" },
    { "Expect", "nothing is asked before the body is sent" },
    { "Connection", "it is about the connection alone" },
    { "Proxy-Connection", "it is about the connection alone" },
    { "Proxy-Authorization", "no proxy is used" },
    { "Keep-Alive", "it is about the connection alone" },
    { "TE", "it is about the connection alone" },
    { "Trailer", "it is about the connection alone" },
    { "Transfer-Encoding", "it is about the connection alone" },
    { "Upgrade", "it is about the connection alone" },
};

static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t name_size(const char *header, size_t size)
{
    size_t n = 0;
    while (n < size && is_letter(header[n]))
        n++;
    return n;
}

static int check_value(const char *value, size_t size, struct err *err)
{
    bool empty = true;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char) value[i] < 0x20 || value[i] == 0x7f)
            return err_set(err, -EINVAL, "expected a header of one line, without control characters");
        empty &= value[i] == ' ';
    }
    return empty ? err_set(err, -EINVAL, "expected a value behind the colon of a header") : 0;
}

int header_check(const char *header, size_t size, struct err *err)
{
    size_t n = name_size(header, size);
    if (!n || n == size || header[n] != ':')
        return err_set(err, -EINVAL, "expected a header such as \"X-Api-Key: …\", a name with a colon right behind it");
    for (size_t i = 0; i < ARRAY_SIZE(not_yours); i++)
        if (n == strlen(not_yours[i].name) && strncasecmp(header, not_yours[i].name, n) == 0)
            return err_set(err, -EINVAL, "expected another header than %s: %s", not_yours[i].name, not_yours[i].why);
    return check_value(header + n + 1, size - n - 1, err);
}

bool config_header_is_private(const char *header)
{
    static const char *const words[] = { "auth", "key", "token", "secret", "cookie", "pass", "sign" };
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int) name_size(header, strlen(header)), header);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}
