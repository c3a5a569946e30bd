/* ctl_options.c - what every verb reads in the same way: a table of options, and the words behind them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/arguments.h>

#include "ctl_private.h"

#define FIRST_VALUE 256 /* of getopt: above every character */
#define HELP_INDENT 23
#define HELP_WIDTH 100 /* where stdout is no terminal */

/* Behind the verb's own. */
static const struct ctl_option shared[] = {
    { "store", 0, "PATH", NULL, "the event log, instead of the configuration's", offsetof(struct ctl_common, store) },
    { "config", 'c', "FILE", NULL, "the daemon's configuration, which names the event log",
      offsetof(struct ctl_common, config_file) },
    { "help", 'h', NULL, NULL, "print this and end", offsetof(struct ctl_common, help) },
};

static size_t count_rows(const struct ctl_spec *spec)
{
    return spec->n_rows + ARRAY_SIZE(shared);
}

static const struct ctl_option *row_at(const struct ctl_spec *spec, size_t i)
{
    return i < spec->n_rows ? &spec->rows[i] : &shared[i - spec->n_rows];
}

static const struct ctl_option *row_of(const struct ctl_spec *spec, int c)
{
    for (size_t i = 0; c < FIRST_VALUE && i < count_rows(spec); i++)
        if (row_at(spec, i)->letter == c)
            return row_at(spec, i);
    return c >= FIRST_VALUE ? row_at(spec, (size_t) c - FIRST_VALUE) : NULL;
}

static int take(const struct ctl_option *row, void *arguments, const char *value, struct err *err)
{
    void *member = (char *) arguments + row->at;
    if (row->read)
        return row->read(arguments, value, err);
    if (row->value)
        *(const char **) member = value;
    else
        *(bool *) member = true;
    return 0;
}

static size_t help_width(void)
{
    size_t width = wrap_width();
    return width ? width : HELP_WIDTH;
}

static void write_lines(const char *lines, struct text *out)
{
    for (const char *line = lines, *end; *line; line = *end ? end + 1 : end) {
        struct text one CLEANUP(text_free) = TEXT_INIT;
        end = line + strcspn(line, "\n");
        text_add_bytes(&one, line, (size_t) (end - line));
        wrap_write(out, one.s, 0, help_width());
    }
}

static int help(const struct ctl_spec *spec)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    text_addf(&out, "Usage: " CTL_NAME " [-c FILE] %s %s\n", spec->verb, spec->usage);
    write_lines(spec->about, &out);
    text_add(&out, "\n");
    for (size_t i = 0; i < count_rows(spec); i++) {
        const struct ctl_option *row = row_at(spec, i);
        char option[32], letter[] = { '-', row->letter, ',', '\0' };
        snprintf(option, sizeof(option), "--%s %s", row->name, row->value ? row->value : "");
        text_addf(&out, "  %3s %-16s ", row->letter ? letter : "", option);
        wrap_write(&out, row->help, HELP_INDENT, help_width());
    }
    if (spec->footer) {
        text_add(&out, "\n");
        write_lines(spec->footer, &out);
    }
    return table_write_stdout(&out);
}

int options_usage(const struct ctl_spec *spec)
{
    fprintf(stderr, "Try: " CTL_NAME " %s --help\n", spec->verb);
    return EXIT_USAGE;
}

static int refuse(const struct ctl_option *row, const char *value, int r, const struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, value, strlen(value), 80);
    return ctl_fail(r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, "--%s %s: %s", row->name, shown.s, err->msg);
}

static int check_words(const struct ctl_spec *spec, int n, char **words)
{
    if (n >= spec->words_min && n <= spec->words_max)
        return -1;
    if (n > spec->words_max)
        arguments_refuse_word(CTL_NAME, words[spec->words_max]);
    else
        ctl_fail(0, "an argument is missing: %s %s", spec->verb, spec->usage);
    return options_usage(spec);
}

/* What getopt_long wants to know. */
struct getopt_words {
    struct option options[OPTIONS_MAX + ARRAY_SIZE(shared) + 1];
    char letters[sizeof(ARGUMENTS_LETTERS) + 2 * (OPTIONS_MAX + ARRAY_SIZE(shared))];
};

static void make_words(const struct ctl_spec *spec, struct getopt_words *ret)
{
    char *letters = stpcpy(ret->letters, ARGUMENTS_LETTERS);
    for (size_t i = 0; i < count_rows(spec); i++) {
        const struct ctl_option *row = row_at(spec, i);
        ret->options[i] = (struct option){ .name = row->name,
                                           .has_arg = row->value ? required_argument : no_argument,
                                           .val = FIRST_VALUE + (int) i };
        if (row->letter)
            *letters++ = row->letter;
        if (row->letter && row->value)
            *letters++ = ':';
    }
}

int options_read(const struct ctl_spec *spec, void *arguments, int argc, char **argv)
{
    const struct ctl_common *common = arguments;
    struct getopt_words words = { 0 };
    struct err err;

    make_words(spec, &words);
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, words.letters, words.options, NULL)) != -1;) {
        const struct ctl_option *row = row_of(spec, c);
        if (!row) {
            arguments_refuse_option(CTL_NAME, words.options, c, argv);
            return options_usage(spec);
        }
        int r = take(row, arguments, optarg, &err);
        if (r < 0)
            return refuse(row, optarg ? optarg : "", r, &err);
    }
    if (common->help) {
        return help(spec);
    }
    return check_words(spec, argc - optind, argv + optind);
}

int options_read_id(const char *value, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long id = strtoull(value, &end, 10);
    if (errno || *end || *value < '0' || *value > '9' || id == 0 || id > INT64_MAX)
        return -EINVAL;
    *ret = id;
    return 0;
}

/* A line to the daemon is made of it. */
bool options_is_name(const char *word)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t size = strlen(word);
    return size > 0 && size <= NAME_MAX_BYTES && strspn(word, letters) == size;
}
