/* discord_text.c - text from outside for Discord: made safe, measured, cut.
 *
 * What players write can start no mention (allowed_mentions forbids them as well), no markdown and no masked link.
 * Bare URLs stay as they are, so that they can be opened. Source: Discord's pages reference, "Message Formatting";
 * support article "Markdown Text 101".
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "discord.h"

#define ZERO_WIDTH_SPACE "\u200b" /* between @ or < and what would make it a mention */
#define BREAKS_MAX 2              /* line breaks one behind the other */

static bool is_break(uint32_t code)
{
    return code == '\n' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

/* First what is dropped goes, so that the rules for what is next to what see what a reader will see. */
static void add_visible(struct text *out, const char *s, size_t size, bool lines)
{
    size_t breaks = 0;
    for (size_t i = 0; i < size;) {
        uint32_t code;
        size_t length = utf8_read(s + i, size - i, &code);
        if (length == 0) {
            text_add(out, "\ufffd");
            i++;
        } else if (is_break(code)) {
            if (!lines || breaks++ < BREAKS_MAX)
                text_add(out, lines ? "\n" : " ");
        } else if (code == '\t') {
            text_add(out, " ");
        } else if (!text_is_unseen(code)) {
            text_add_bytes(out, s + i, length);
            breaks = 0;
        }
        i += length;
    }
}

/* How long the URL is that starts here, 0: none does. It ends before anything that could mean more than itself. */
static size_t url_length(const char *s)
{
    size_t scheme = strncmp(s, "https://", 8) == 0 ? 8 : strncmp(s, "http://", 7) == 0 ? 7 : 0;
    if (!scheme)
        return 0;
    size_t rest = strspn(s + scheme, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/?#&=%+:;,!$'");
    return rest ? scheme + rest : 0;
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\n' || c == '\0';
}

/* "1. " at the start of a line is a list: how many digits, 0: no list. */
static size_t list_digits(const char *s)
{
    size_t digits = strspn(s, "0123456789");
    return digits && (s[digits] == '.' || s[digits] == ')') && ends_word(s[digits + 1]) ? digits : 0;
}

static bool needs_escape(const char *s, size_t i, bool line_start)
{
    switch (s[i]) {
    case '\\':
    case '`':
    case '*':
    case '_':
    case '~':
    case '|':
    case '[':
    case ']':
    case '<':
        return true;
    case '(':
        return i == 0 || s[i - 1] == ']';
    case '#':
    case '>':
        return line_start;
    case '-':
    case '+':
        return line_start && (ends_word(s[i + 1]) || s[i + 1] == '#');
    default:
        return false;
    }
}

static void add_escaped(struct text *out, const char *s)
{
    bool line_start = true;
    for (size_t i = 0; s[i];) {
        bool inside = i && isalnum((unsigned char) s[i - 1]);
        size_t plain = inside ? 0 : url_length(s + i);
        if (!plain && line_start)
            plain = list_digits(s + i);
        if (plain) {
            text_add_bytes(out, s + i, plain);
            if (isdigit((unsigned char) s[i]))
                text_add(out, "\\");
            i += plain;
            line_start = false;
            continue;
        }
        if (needs_escape(s, i, line_start))
            text_add(out, "\\");
        text_add_bytes(out, s + i, 1);
        if (s[i] == '@')
            text_add(out, ZERO_WIDTH_SPACE);
        line_start = s[i] == '\n' || (line_start && s[i] == ' ');
        i++;
    }
}

void discord_add(struct text *out, const char *s, size_t size, enum discord_text kind)
{
    struct text visible CLEANUP(text_free) = TEXT_INIT;
    add_visible(&visible, s, size, kind == DISCORD_LINES);
    out->failed |= visible.failed;
    if (kind != DISCORD_PLAIN) {
        add_escaped(out, visible.s);
        return;
    }
    for (const char *p = visible.s; *p; p++) {
        text_add_bytes(out, p, 1);
        if (*p == '@' || *p == '<')
            text_add(out, ZERO_WIDTH_SPACE);
    }
}

void discord_add_value(struct text *out, const char *s, size_t size)
{
    discord_add(out, s, size, DISCORD_LINES);
}

void discord_add_line(struct text *out, const char *s, size_t size)
{
    discord_add(out, s, size, DISCORD_PLAIN);
}

void discord_add_tame(struct text *out, const char *s)
{
    for (; *s; s++) {
        text_add_bytes(out, s, 1);
        if (*s == '@' && (strncasecmp(s + 1, "everyone", 8) == 0 || strncasecmp(s + 1, "here", 4) == 0))
            text_add(out, ZERO_WIDTH_SPACE);
    }
}

/* One character beyond the first 65536 takes two units. */
static size_t units_of(const char *s, size_t size, size_t *ret_bytes)
{
    uint32_t code;
    size_t length = utf8_read(s, size, &code);
    *ret_bytes = length ? length : 1;
    return length == 4 ? 2 : 1;
}

size_t discord_length(const char *s, size_t size)
{
    size_t units = 0;
    for (size_t i = 0, bytes; i < size; i += bytes)
        units += units_of(s + i, size - i, &bytes);
    return units;
}

/* The last byte that may stay before "…": no half escape, no joiner that waits for its other half, no blank. */
static size_t trim(const char *s, size_t from, size_t end)
{
    for (;;) {
        size_t backslashes = 0;
        while (end - backslashes > from && s[end - backslashes - 1] == '\\')
            backslashes++;
        if (backslashes % 2)
            end--;
        else if (end > from && (s[end - 1] == ' ' || s[end - 1] == '\n'))
            end--;
        else if (end >= from + 3 && memcmp(s + end - 3, "\u200d", 3) == 0)
            end -= 3;
        else
            return end;
    }
}

void discord_cut(struct text *text, size_t from, size_t max)
{
    size_t units = 0, keep = from;
    for (size_t i = from, bytes; i < text->size; i += bytes) {
        units += units_of(text->s + i, text->size - i, &bytes);
        if (units < max)
            keep = i + bytes;
        if (units > max)
            break;
    }
    if (units <= max)
        return;

    text->size = trim(text->s, from, keep);
    text->s[text->size] = '\0';
    if (max)
        text_add(text, "…");
}
