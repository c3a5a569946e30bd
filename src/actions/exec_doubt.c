/* exec_doubt.c - a command that is sound, and lets players do more than was meant. */
#include <string.h>

#include "exec.h"

#define SHOWN_MAX_CHARS 60

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_short_option(const char *argument, char letter)
{
    return argument[0] == '-' && argument[1] != '-' && strchr(argument, letter);
}

/* The argument that a language takes as its program: the one behind "-c". 0: there is none. */
static size_t find_script(const struct config_action *config)
{
    static const struct {
        const char *program;
        char option;
    } languages[] = { { "sh", 'c' },   { "bash", 'c' },   { "dash", 'c' },    { "zsh", 'c' },  { "ksh", 'c' },
                      { "fish", 'c' }, { "python", 'c' }, { "python3", 'c' }, { "perl", 'e' }, { "ruby", 'e' },
                      { "node", 'e' }, { "nodejs", 'e' }, { "php", 'r' },     { "lua", 'e' } };
    for (size_t k = 0; k < ARRAY_SIZE(languages); k++)
        for (size_t i = 1; strcmp(base_name(exec_settings(config)->command[0]), languages[k].program) == 0 &&
                           i < exec_settings(config)->n_command;
             i++)
            if (is_short_option(exec_settings(config)->command[i], languages[k].option))
                return i + 1;
    return 0;
}

/* Players may begin a text with "-". Behind "--", or behind a script, it is no option any more. 0: there is none. */
static size_t find_option(const struct config_action *config, const struct event_families *families)
{
    for (size_t i = 1; i < exec_settings(config)->n_command && strcmp(exec_settings(config)->command[i], "--") != 0;
         i++)
        if (template_begins_with_quote(exec_settings(config)->command[i], families))
            return i;
    return 0;
}

void exec_doubt(const struct config_action *config, const struct event_families *families, config_complain *warn,
                void *context)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    size_t script = find_script(config), option = script ? 0 : find_option(config, families);
    for (size_t i = 1; i < exec_settings(config)->n_command; i++)
        if (!template_is_plausible(exec_settings(config)->command[i], config, families, &err)) {
            warn(context, "command", err.msg);
            break;
        }
    if (script && script < exec_settings(config)->n_command &&
        template_quotes(exec_settings(config)->command[script], families))
        warn(context, "command", "what players write becomes part of a script: give it as arguments behind the script");
    if (option) {
        const char *argument = exec_settings(config)->command[option];
        text_add_safe(&shown, argument, strlen(argument), SHOWN_MAX_CHARS);
        err_set(&err, 0,
                "the program may take what players write for an option: put \"--\" before \"%s\", or --NAME= into "
                "the same argument",
                shown.s);
        warn(context, "command", err.msg);
    }
}
