/* letters.c - what of a file has to be right before it is parsed: that it is a text in UTF-8, and no configuration of
 * the time when their syntax was libconfig's. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config_private.h"

#define SAMPLE "/usr/share/doc/" PROGRAM_NAME "/examples/" PROGRAM_NAME ".yaml"
#define TO_YAML "/usr/share/" PROGRAM_NAME "/conf-to-yaml"
#define OLD_FORM                                                                                                       \
    "is in the old form of the configuration (libconfig), which is not read any more: write it anew in YAML, as "      \
    "in " SAMPLE ", or have " TO_YAML " do it"

static void tell(const struct source *source, unsigned file, const char *at, struct problems *problems,
                 const char *sentence)
{
    const char *text = source->files[file].text.s, *line = text;
    struct node_mark mark = { file, 1, 1 };
    for (const char *p = text; p < at; p++)
        if (*p == '\n') {
            line = p + 1;
            mark.line++;
        }
    for (size_t n; line < at; line += n ? n : 1, mark.column++) {
        uint32_t code;
        n = utf8_read(line, (size_t) (at - line), &code);
    }
    problems_add(problems, source_place(source, mark), "%s", sentence);
}

/* Those that libyaml takes for the end of a line, although nobody sees them, too. */
static bool is_forbidden(uint32_t code)
{
    return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || (code >= 0x7f && code < 0xa0) ||
           code == 0x2028 || code == 0x2029 || code == 0xfeff || code == 0xfffe || code == 0xffff;
}

/* Where a letter is that does not belong there, and why; or NULL. */
static const char *find_wrong(const struct text *text, const char **ret_sentence)
{
    const char *nul = memchr(text->s, '\0', text->size);
    if (text->size >= 2 && (memcmp(text->s, "\xff\xfe", 2) == 0 || memcmp(text->s, "\xfe\xff", 2) == 0)) {
        *ret_sentence = "this file is in UTF-16: save it as UTF-8";
        return text->s;
    }
    if (nul) {
        *ret_sentence = "a NUL byte: expected a text file";
        return nul;
    }
    for (size_t i = 0, n; i < text->size; i += n) {
        uint32_t code;
        n = utf8_read(text->s + i, text->size - i, &code);
        *ret_sentence =
            n ? "a control character, which nobody sees: take it out, or write it as \\u and four digits in "
                "quotes"
              : "a byte that is no UTF-8: save the file as UTF-8";
        if (!n || is_forbidden(code))
            return text->s + i;
    }
    return NULL;
}

/* ---- the old form ---- */

static const char *skip_comments(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n");
        if (*p == '#' || strncmp(p, "//", 2) == 0) {
            p += strcspn(p, "\n");
        } else if (strncmp(p, "/*", 2) == 0) {
            const char *end = strstr(p, "*/");
            p = end ? end + 2 : p + strlen(p);
        } else {
            return p;
        }
    }
}

/* What comes first: name = value, or name : ( of a list. */
static bool is_old_form(const char *text)
{
    const char *p = skip_comments(text), *value;
    if (strncmp(p, "@include", 8) == 0)
        return true;
    size_t size = 0;
    while (isalnum((unsigned char) p[size]) || (p[size] && strchr("_-*", p[size])))
        size++;
    const char *sign = p + size + strspn(p + size, " \t\r\n");
    if (!size || (*sign != '=' && *sign != ':'))
        return false;
    value = sign + 1 + strspn(sign + 1, " \t\r\n");
    return *sign == '=' ? *value && (isdigit((unsigned char) *value) || strchr("({[\"-+", *value) ||
                                     strncasecmp(value, "true", 4) == 0 || strncasecmp(value, "false", 5) == 0)
                        : *value == '(';
}

bool letters_check(const struct source *source, unsigned file, struct problems *problems)
{
    const struct text *text = &source->files[file].text;
    const char *sentence = NULL, *at = find_wrong(text, &sentence);
    if (at)
        tell(source, file, at, problems, sentence);
    else if (is_old_form(text->s))
        problems_add(problems, source_place(source, (struct node_mark){ file, 1, 1 }), "this file " OLD_FORM);
    else
        return true;
    return false;
}

void letters_add_old_form(const char *file, struct err *err)
{
    static const char suffix[] = ".yaml";
    char old[4096];
    size_t size = strlen(file), n = strlen(suffix);
    if (size < n || strcmp(file + size - n, suffix) != 0 ||
        snprintf(old, sizeof(old), "%.*s.conf", (int) (size - n), file) >= (int) sizeof(old) || access(old, F_OK) < 0)
        return;
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, old, strlen(old), 100);
    struct err before = *err;
    err_set(err, -ENOENT, "%.200s; %s is there, and " OLD_FORM, before.msg, shown.s);
}
