/* web_words.c - a body for people. */
#include <ctype.h>

#include <sonoran-pushd/net.h>

void web_add_words(struct text *out, const char *s, size_t size)
{
    bool in_tag = false, blank = false;
    while (size && isspace((unsigned char) *s)) {
        s++;
        size--;
    }
    bool page = size && *s == '<';
    for (size_t i = 0; i < size; i++) {
        in_tag |= page && s[i] == '<';
        bool shown = !in_tag && !isspace((unsigned char) s[i]) && s[i];
        if (shown && blank && out->size)
            text_add(out, " ");
        if (shown)
            text_add_bytes(out, &s[i], 1);
        blank = !shown;
        in_tag &= s[i] != '>';
    }
}
