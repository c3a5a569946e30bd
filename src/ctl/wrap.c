/* wrap.c - long sentences on a terminal, broken between words. */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl_private.h"

#define WIDTH_MIN 40 /* below that, breaking makes it worse */

size_t wrap_width(void)
{
    struct winsize size = { 0 };
    bool told = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    return told && size.ws_col >= WIDTH_MIN ? size.ws_col : 0;
}

/* A colour, "\033[1;31m", takes no room. */
static size_t chars_in(const char *s, size_t size)
{
    size_t n = 0;
    bool colour = false;
    for (size_t i = 0; i < size; i++) {
        colour |= s[i] == '\033';
        n += !colour && ((unsigned char) s[i] & 0xc0) != 0x80;
        colour &= s[i] != 'm';
    }
    return n;
}

size_t wrap_chars(const char *s)
{
    return chars_in(s, strlen(s));
}

/* Of the line under way. */
static size_t chars_used(const struct text *out)
{
    const char *line = out->size ? memrchr(out->s, '\n', out->size) : NULL;
    return wrap_chars(line ? line + 1 : out->s);
}

void wrap_write(struct text *out, const char *words, size_t indent, size_t width)
{
    size_t used = chars_used(out);
    while (*words) {
        size_t blanks = strspn(words, " "), size = strcspn(words + blanks, " ");
        size_t chars = chars_in(words + blanks, size);
        if (width && used > indent && used + blanks + chars > width) {
            text_addf(out, "\n%*s", (int) indent, "");
            words += blanks;
            used = indent;
            blanks = 0;
        }
        text_add_bytes(out, words, blanks + size);
        used += blanks + chars;
        words += blanks + size;
    }
    text_add(out, "\n");
}
