/* ctl_main.c - sonoran-pushctl: which verb, and the help. What a verb does is in the file of its name. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/arguments.h>
#include <sonoran-pushd/config.h>

#include "ctl_private.h"

static const struct verb verbs[] = {
    { "status", status_run, "is it running, what came last, how are its actions" },
    { "board", board_run, "911 calls, calls and units as they are now, live in the terminal" },
    { "events", events_run, "read the event log: newest, filtered, or as it grows" },
    { "open", open_run, "the link of the board, and how to get there from elsewhere" },
    { "story", story_run, "one call from first word to closing, and how long it took" },
    { "duty", duty_run, "how long each unit was on duty, at how many calls" },
    { "stats", stats_run, "calls by day or hour, and how long until somebody came" },
    { "types", types_run, "every type of event, with an example and what actions can know of it" },
    { "send", send_run, "post a sample event, or one from a file, to the daemon" },
    { "play", play_run, "play a built-in evening, or a recorded log, at the daemon" },
    { "test", test_run, "try one action with a sample" },
    { "actions", actions_run, "how far each action is, and what went wrong" },
    { "failed", failed_run, "deliveries that were given up" },
    { "retry", requests_retry_run, "try failed deliveries once more" },
    { "replay", requests_replay_run, "deliver everything from an event on again" },
    { "reload", reload_run, "let the daemon read its configuration and secrets again" },
    { "backup", backup_run, "copy the event log, while the daemon runs" },
    { "restore", backup_restore_run, "go back to a copy of it, while the daemon does not" },
    { "probe", probe_run, "try one session to the CAD, step by step" },
    { "doctor", doctor_run, "find out why no events arrive" },
};

static void help(FILE *out)
{
    fprintf(out, "Usage: " CTL_NAME " [-c FILE] VERB [OPTION]...\n"
                 "Looks at, and after, a " PROGRAM_NAME ".\n\n"
                 "Verbs (" CTL_NAME " help VERB has more of each):\n");
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].help);
    fprintf(out,
            "\nOptions:\n"
            "  -c, --config FILE  the daemon's configuration (default: %s)\n"
            "  -V, --version      print the version and end\n"
            "  -h, --help         print this and end\n\n"
            "Exit status: 0 done, 2 usage, 3 not running (of status), 78 configuration, 1 anything else.\n",
            CONFIG_DEFAULT_FILE);
}

/* -1: go on, optind is the verb; else the exit status. */
static int read_arguments(int argc, char **argv, const char **ret_file)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };

    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "+" ARGUMENTS_LETTERS "c:Vh", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            *ret_file = optarg;
            break;
        case 'V':
            puts(CTL_NAME " " PROGRAM_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            help(stdout);
            return EXIT_SUCCESS;
        default:
            arguments_refuse_option(CTL_NAME, options, c, argv);
            fputs("Try: " CTL_NAME " --help\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return -1;
    help(stderr);
    return EXIT_USAGE;
}

static int refuse_verb(const char *word)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    struct nearest nearest = nearest_to(word);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        nearest_try(&nearest, verbs[i].name, (int) strlen(verbs[i].name));
    table_write_safe(&shown, word, 40);
    if (nearest.name)
        return ctl_fail(EXIT_USAGE, "no such verb: %s. Did you mean %s?", shown.s, nearest.name);
    return ctl_fail(EXIT_USAGE, "no such verb: %s. Try: " CTL_NAME " --help", shown.s);
}

static int run_verb(const char *file, int n_words, char **words)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(words[0], verbs[i].name) == 0) {
            optind = 0; /* getopt begins anew, behind the verb */
            return verbs[i].run(file, n_words, words);
        }
    return refuse_verb(words[0]);
}

/* "help events" is "events --help"; "help help" and "help --help" are "help". */
static int run_help(const char *file, char *verb)
{
    char option[] = "--help", *words[] = { verb, option, NULL };
    if (verb && *verb != '-' && strcmp(verb, "help") != 0)
        return run_verb(file, ARRAY_SIZE(words) - 1, words);
    help(stdout);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *file = CONFIG_DEFAULT_FILE;
    int status = read_arguments(argc, argv, &file);
    if (status >= 0)
        return status;

    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of writing, and a quiet end */
    if (strcmp(argv[optind], "help") == 0)
        return run_help(file, argv[optind + 1]);
    return run_verb(file, argc - optind, argv + optind);
}
