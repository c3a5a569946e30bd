/* main.c - sonoran-pushctl: which verb, and the help. What a verb does is in the file of its name. */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/config.h>

#include "private.h"

static const struct verb verbs[] = {
    { "status", status_run, "is it running, what came last, how are its actions" },
    { "events", events_run, "read the event log: newest, filtered, or as it grows" },
    { "types", types_run, "every type of event, with an example and what actions can know of it" },
    { "send", send_run, "post a sample event, or one from a file, to the daemon" },
    { "test", test_run, "try one action with a sample" },
    { "actions", actions_run, "how far each action is, and what went wrong" },
    { "failed", failed_run, "deliveries that were given up" },
    { "retry", retry_run, "try failed deliveries once more" },
    { "replay", replay_run, "deliver everything from an event on again" },
    { "reload", reload_run, "let the daemon read its configuration and secrets again" },
    { "backup", backup_run, "copy the event log, while the daemon runs" },
    { "restore", restore_run, "go back to a copy of it, while the daemon does not" },
    { "doctor", doctor_run, "find out why no events arrive" },
};

int ctl_fail(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs(CTL_NAME ": ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

static void help(FILE *out)
{
    fprintf(out, "Usage: " CTL_NAME " [-c FILE] VERB [OPTION]...\n"
                 "Looks at, and after, a " PROGRAM_NAME ".\n\n"
                 "Verbs (each has a --help of its own):\n");
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

    for (int c; (c = getopt_long(argc, argv, "+c:Vh", options, NULL)) != -1;) {
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
    write_safe(&shown, word, 40);
    if (nearest.name)
        return ctl_fail(EXIT_USAGE, "no such verb: %s. Did you mean %s?", shown.s, nearest.name);
    return ctl_fail(EXIT_USAGE, "no such verb: %s. Try: " CTL_NAME " --help", shown.s);
}

int main(int argc, char **argv)
{
    const char *file = CONFIG_DEFAULT_FILE;
    int status = read_arguments(argc, argv, &file);
    if (status >= 0)
        return status;

    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of writing, and a quiet end */
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(argv[optind], verbs[i].name) == 0) {
            int first = optind;
            optind = 0; /* getopt begins anew, behind the verb */
            return verbs[i].run(file, argc - first, argv + first);
        }
    return refuse_verb(argv[optind]);
}
