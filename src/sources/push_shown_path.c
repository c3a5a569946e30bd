/* push_shown_path.c - the path that a request came to, as people see it: somebody may have typed the key into it. */
#include <string.h>

#include "push_private.h"

#define PATH_SHOWN_CHARS 120
#define PATH_READ_BYTES 2048

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at ? (int) (at - digits) : -1;
}

static void add_decoded(struct text *out, struct span path)
{
    for (size_t i = 0; i < path.size; i++) {
        int high = path.s[i] == '%' && path.size - i > 2 ? hex_digit(path.s[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(path.s[i + 2]) : -1;
        char decoded = low >= 0 ? (char) (high << 4 | low) : path.s[i];
        text_add_bytes(out, &decoded, 1);
        i += low >= 0 ? 2 : 0;
    }
}

void push_shown_path_add(const struct envelope_rules *rules, const char *path, struct text *out)
{
    struct text sent CLEANUP(text_free) = TEXT_INIT, decoded CLEANUP(text_free) = TEXT_INIT;
    struct text meant CLEANUP(text_free) = TEXT_INIT;
    (void) event_hide_keys(rules, (struct span){ path, strnlen(path, PATH_READ_BYTES) }, &sent);
    add_decoded(&decoded, (struct span){ sent.s, sent.size });
    bool hidden = event_hide_keys(rules, (struct span){ decoded.s, decoded.size }, &meant);
    const struct text *shown = hidden ? &meant : &sent;
    text_add_safe(out, shown->s, shown->size, PATH_SHOWN_CHARS);
}
