/* protocol.c - what else speaks to a port that speaks HTTP/1. */
#include <ctype.h>
#include <string.h>

#include "http_private.h"

/* RFC 9110, 5.6.2 */
static bool is_token(unsigned char c)
{
    return c < 0x80 && (isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c)));
}

/* A method and a blank, or as much of them as there is; empty lines before it are allowed. */
static bool begins_like_http(const char *bytes, size_t size)
{
    size_t i = 0, start;
    while (i < size && (bytes[i] == '\r' || bytes[i] == '\n'))
        i++;
    for (start = i; i < size && is_token((unsigned char) bytes[i]);)
        i++;
    return i == size || (i > start && bytes[i] == ' ');
}

const char *protocol_find(const char *bytes, size_t size)
{
    static const struct {
        const char *start;
        size_t size;
        const char *what;
    } others[] = {
        { "\x16\x03", 2, "it speaks TLS: this port speaks http://, not https://" },
        { "PROXY ", 6, "it speaks the PROXY protocol: switch that off in the proxy" },
        { "\r\n\r\n\0\r\nQUIT\n", 12, "it speaks the PROXY protocol: switch that off in the proxy" },
        { "PRI * HTTP/2", 12, "it speaks HTTP/2: this port speaks HTTP/1.1" },
        { "SSH-", 4, "it speaks SSH: this port speaks http://" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (size >= others[i].size && memcmp(bytes, others[i].start, others[i].size) == 0)
            return others[i].what;
    return begins_like_http(bytes, size) ? NULL : "what it speaks is not HTTP";
}
