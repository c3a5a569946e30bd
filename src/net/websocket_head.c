/* websocket_head.c - an answer's head, line by line, with nothing forgiven: who answers by anything but plain HTTP is
 * no server of websockets. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/net.h>

#include "websocket_head.h"

#define NAME_LETTERS "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_named(struct span name, const char *word)
{
    return name.size == strlen(word) && strncasecmp(name.s, word, name.size) == 0;
}

static struct span trim(struct span value)
{
    for (; value.size && strchr(" \t", value.s[0]); value.s++)
        value.size--;
    while (value.size && strchr(" \t", value.s[value.size - 1]))
        value.size--;
    return value;
}

/* "keep-alive, Upgrade" */
static bool has_word(struct span list, const char *word)
{
    while (list.size) {
        const char *comma = memchr(list.s, ',', list.size);
        size_t size = comma ? (size_t) (comma - list.s) : list.size;
        if (is_named(trim((struct span){ list.s, size }), word))
            return true;
        size += comma != NULL;
        list = (struct span){ list.s + size, list.size - size };
    }
    return false;
}

static void keep_words(char ret[WEBSOCKET_REFUSAL_BYTES], struct span words)
{
    size_t size = words.size < WEBSOCKET_REFUSAL_BYTES ? words.size : WEBSOCKET_REFUSAL_BYTES - 1;
    memcpy(ret, words.s, size);
    ret[size] = '\0';
}

/* ---- lines ---- */

static int no_http(struct err *err, const char *what)
{
    return err_set(err, -EBADMSG, "its answer %s", what);
}

/* "HTTP/1.1 101 Switching Protocols" */
static int take_status(struct websocket_head *head, struct span line, struct err *err)
{
    const char *s = line.s;
    if (line.size < 12 || strncmp(s, "HTTP/1.", 7) != 0 || (s[7] != '0' && s[7] != '1') || s[8] != ' ' || s[9] < '1' ||
        s[9] > '5' || !isdigit((unsigned char) s[10]) || !isdigit((unsigned char) s[11]) ||
        (line.size > 12 && s[12] != ' '))
        return no_http(err, "is no HTTP");
    head->answer.status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + s[11] - '0';
    keep_words(head->answer.reason, trim((struct span){ s + 12, line.size - 12 }));
    return 0;
}

static void keep_accept(struct websocket_head *head, struct span value)
{
    head->n_accepts++;
    if (value.size == WEBSOCKET_ACCEPT_BYTES)
        memcpy(head->accept, value.s, value.size);
}

static void keep_retry_after(struct websocket_head *head, struct span value)
{
    char words[64];
    if (value.size >= sizeof(words))
        return;
    memcpy(words, value.s, value.size);
    words[value.size] = '\0';
    head->answer.retry_after_us = web_read_retry_after(words, now_us());
}

static int take_header(struct websocket_head *head, struct span line, struct err *err)
{
    const char *colon = memchr(line.s, ':', line.size);
    const struct span name = { line.s, colon ? (size_t) (colon - line.s) : 0 };
    if (!name.size || strspn(name.s, NAME_LETTERS) != name.size)
        return no_http(err, "is no HTTP");
    struct span value = trim((struct span){ colon + 1, line.size - name.size - 1 });
    if (is_named(name, "Upgrade"))
        head->upgrades = is_named(value, "websocket");
    else if (is_named(name, "Connection"))
        head->connects |= has_word(value, "upgrade");
    else if (is_named(name, "Sec-WebSocket-Accept"))
        keep_accept(head, value);
    else if (is_named(name, "Sec-WebSocket-Extensions") || is_named(name, "Sec-WebSocket-Protocol"))
        head->adds = true;
    else if (is_named(name, "Retry-After"))
        keep_retry_after(head, value);
    else if (is_named(name, "Server"))
        keep_words(head->answer.server, value);
    return 0;
}

static void take_end(struct websocket_head *head)
{
    if (head->answer.status >= 200 || head->answer.status == 101) {
        head->is_whole = true;
        return;
    }
    const struct websocket_head next = { .line = head->line, .n_bytes = head->n_bytes };
    *head = next;
}

static int take_line(struct websocket_head *head, struct err *err)
{
    const struct span line = { head->line.s, head->line.size - 2 }; /* \r\n */
    int r = 0;
    if (head->line.failed)
        return err_set(err, -ENOMEM, "no memory for an answer");
    if (head->answer.status == 0)
        r = take_status(head, line, err);
    else if (line.size)
        r = take_header(head, line, err);
    else
        take_end(head);
    text_reset(&head->line);
    return r;
}

/* ---- bytes ---- */

static int take_byte(struct websocket_head *head, char c, struct err *err)
{
    const struct text *line = &head->line;
    bool was_return = line->size && line->s[line->size - 1] == '\r';
    if (++head->n_bytes > WEBSOCKET_HEAD_MAX_BYTES)
        return no_http(err, "is longer than 16K");
    if (was_return != (c == '\n') || ((unsigned char) c < ' ' && !strchr("\t\r\n", c)) || c == 0x7f || c == '\0')
        return no_http(err, "is no HTTP");
    /* Who speaks something else may send no end of a line. */
    if (head->answer.status == 0 && line->size < 5 && c != "HTTP/"[line->size])
        return no_http(err, "is no HTTP");
    text_add_bytes(&head->line, &c, 1);
    return c == '\n' ? take_line(head, err) : 0;
}

ssize_t websocket_head_take(struct websocket_head *head, const char *bytes, size_t size, struct err *err)
{
    size_t n = 0;
    while (n < size && !head->is_whole) {
        int r = take_byte(head, bytes[n++], err);
        if (r < 0)
            return r;
    }
    return (ssize_t) n;
}

int websocket_head_check(const struct websocket_head *head, const char *accept, struct err *err)
{
    const struct websocket_refusal *answer = &head->answer;
    if (answer->status >= 400)
        return err_set(err, -EACCES, "%d", answer->status);
    if (answer->status != 101)
        return err_set(err, -EBADMSG, "it answers %d", answer->status);
    if (!head->upgrades || !head->connects)
        return no_http(err, "is no upgrade to it");
    if (head->n_accepts != 1 || strcmp(head->accept, accept) != 0)
        return no_http(err, "accepts another request");
    if (head->adds)
        return no_http(err, "adds what was not asked for");
    return 0;
}
