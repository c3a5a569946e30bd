/* main.c - the command line. */
#include <getopt.h>
#include <stdlib.h>
#include <sysexits.h>

#include <sonoran-pushd/daemon.h>

#define EXIT_USAGE 2

struct arguments {
    const char *file;
    bool check, print_config;
};

static void help(FILE *out)
{
    fprintf(out,
            "Usage: %s [OPTION]...\n"
            "Receives Sonoran CAD's push events, checks the community's key and tells what happened.\n\n"
            "  -c, --config FILE   read FILE (default: %s)\n"
            "      --check         check the configuration and end\n"
            "      --print-config  print the settings in force, without secrets, and end\n"
            "  -V, --version       print the version and end\n"
            "  -h, --help          print this and end\n\n"
            "Runs in the foreground until SIGTERM or SIGINT; SIGHUP reads the configuration again.\n"
            "Exit status: 0 asked to end, 2 usage, 78 configuration, 1 anything else.\n",
            PROGRAM_NAME, CONFIG_DEFAULT_FILE);
}

/* -1: go on; else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *ret)
{
    enum { OPTION_CHECK = 256, OPTION_PRINT_CONFIG };
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "check", no_argument, NULL, OPTION_CHECK },
        { "print-config", no_argument, NULL, OPTION_PRINT_CONFIG },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };

    for (int c; (c = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            ret->file = optarg;
            break;
        case OPTION_CHECK:
            ret->check = true;
            break;
        case OPTION_PRINT_CONFIG:
            ret->print_config = true;
            break;
        case 'V':
            puts(PROGRAM_NAME " " PROGRAM_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            help(stdout);
            return EXIT_SUCCESS;
        default:
            fprintf(stderr, "Try: %s --help\n", PROGRAM_NAME);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "%s: unexpected argument. Try: %s --help\n", PROGRAM_NAME, PROGRAM_NAME);
    return EXIT_USAGE;
}

/* What --check and --print-config do, or the daemon itself. */
static int act(const struct arguments *arguments, struct config *config)
{
    if (arguments->check) {
        printf("%s: ok\n", arguments->file);
        return EXIT_SUCCESS;
    }
    if (arguments->print_config)
        return config_print(config, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    return daemon_run(arguments->file, config) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct arguments arguments = { .file = CONFIG_DEFAULT_FILE };
    struct config_problems problems = { 0 };
    struct config *config = NULL;
    int status = read_arguments(argc, argv, &arguments);
    if (status >= 0)
        return status;

    int r = config_load(arguments.file, &daemon_config_hooks, &config, &problems);
    daemon_tell_problems(&problems, r < 0 ? LOG_ERR : LOG_WARNING, LOG_ID_CONFIG);
    config_problems_free(&problems);
    status = r < 0 ? EX_CONFIG : act(&arguments, config);
    config_free(config);
    return status;
}
