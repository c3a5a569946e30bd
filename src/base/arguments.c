/* arguments.c - what is wrong with an option, in words: those of getopt(3) name the program by its path, and nothing
 * that may have been meant. */
#include <stdio.h>
#include <string.h>

#include <sonoran-pushd/arguments.h>
#include <sonoran-pushd/text.h>

#define WORD_MAX_CHARS 80

/* "--since" of "--since=today" */
static size_t name_size(const char *word)
{
    return strcspn(word, "=");
}

/* How many options begin with it; of one alone getopt_long() would have known it. */
static size_t count_beginning(const struct option *options, const char *written, size_t size)
{
    size_t n = 0;
    for (; options->name; options++)
        n += size > 0 && strncmp(options->name, written, size) == 0;
    return n;
}

static void add_beginning(struct text *text, const struct option *options, const char *written, size_t size)
{
    text_add(text, ", which may be");
    for (; options->name; options++)
        if (strncmp(options->name, written, size) == 0)
            text_addf(text, " --%s", options->name);
}

static void add_nearest(struct text *text, const struct option *options, const char *written)
{
    struct nearest nearest = nearest_to(written);
    for (; options->name; options++)
        nearest_try(&nearest, options->name, (int) strlen(options->name));
    if (nearest.name)
        text_addf(text, ". Did you mean --%s?", nearest.name);
}

static void add_unknown(struct text *text, const struct option *options, const char *word)
{
    struct text written CLEANUP(text_free) = TEXT_INIT;
    size_t size = name_size(word);
    text_add_bytes(&written, word, size);
    if (written.failed) {
        text->failed = true;
        return;
    }
    text_add(text, "no such option: ");
    text_add_safe(text, written.s, written.size, WORD_MAX_CHARS);
    if (count_beginning(options, written.s + 2, size - 2))
        add_beginning(text, options, written.s + 2, size - 2);
    else
        add_nearest(text, options, written.s + 2);
}

static void add_letter(struct text *text)
{
    const char letter = (char) optopt;
    text_add(text, "-");
    text_add_safe(text, &letter, 1, 1);
}

/* A long one as it was written, a short one by its letter: others may stand in one word with it. */
static void add_option(struct text *text, const char *word)
{
    bool is_long = strncmp(word, "--", 2) == 0;
    if (is_long)
        text_add_safe(text, word, name_size(word), WORD_MAX_CHARS);
    else
        add_letter(text);
}

static bool is_known_letter(const struct option *options, int letter)
{
    while (options->name && options->val != letter)
        options++;
    return options->name;
}

void arguments_refuse_option(const char *program, const struct option *options, int c, char *const *argv)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    const char *word = argv[optind - 1];
    if (c == ':') {
        text_add(&text, "a value is missing behind ");
        add_option(&text, word);
    } else if (!optopt) {
        add_unknown(&text, options, word);
    } else if (is_known_letter(options, optopt)) { /* a short one that is known is never refused for it */
        add_option(&text, word);
        text_add(&text, " takes no value");
    } else {
        text_add(&text, "no such option: ");
        add_letter(&text);
    }
    fprintf(stderr, "%s: %s\n", program, text.failed ? "no memory" : text.s);
}

void arguments_refuse_word(const char *program, const char *word)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, word, strlen(word), WORD_MAX_CHARS);
    fprintf(stderr, "%s: unexpected argument: %s\n", program, shown.failed ? "?" : shown.s);
}
