/* main.c - the command line. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <sonoran-pushd/arguments.h>
#include <sonoran-pushd/daemon.h>
#include <sonoran-pushd/service.h>
#include <sonoran-pushd/sources.h>

#define EXIT_USAGE 2
/* What is as large is memory of its own: a table costs the pages that are used, a large body goes back to the system.
 */
#define LARGE_BYTES (64 << 10)

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
            "Runs in the foreground until SIGTERM, SIGINT or SIGQUIT; SIGHUP reads the configuration again.\n"
            "Exit status: 0 asked to end, 2 usage, 78 configuration or a file that is no event log, 1 anything else.\n",
            PROGRAM_NAME, CONFIG_DEFAULT_FILE);
}

static int refuse_usage(void)
{
    fprintf(stderr, "Try: %s --help\n", PROGRAM_NAME);
    return EXIT_USAGE;
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

    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ARGUMENTS_LETTERS "c:Vh", options, NULL)) != -1;) {
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
            arguments_refuse_option(PROGRAM_NAME, options, c, argv);
            return refuse_usage();
        }
    }
    if (optind == argc)
        return -1;
    arguments_refuse_word(PROGRAM_NAME, argv[optind]);
    return refuse_usage();
}

/* What --check and --print-config do, or the daemon itself. */
static int act(const struct arguments *arguments, struct config *config, struct config_secrets **secrets)
{
    if (arguments->check) {
        printf("%s: ok\n", arguments->file);
        for (size_t i = 0; i < config->n_communities; i++)
            if (config->communities[i].n_api_keys > 1)
                printf("community %s: %zu keys\n", config->communities[i].name, config->communities[i].n_api_keys);
        return EXIT_SUCCESS;
    }
    if (arguments->print_config)
        return config_print(config, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    int r = daemon_run(arguments->file, config, secrets, &source_types_all);
    return r >= 0 ? EXIT_SUCCESS : daemon_needs_help(r) ? EX_CONFIG : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct arguments arguments = { .file = CONFIG_DEFAULT_FILE };
    struct config_problems problems = { 0 };
    struct config_secrets *secrets = NULL;
    struct config *config = NULL;
    (void) mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    service_hold_signals();
    int status = read_arguments(argc, argv, &arguments);
    if (status >= 0)
        return status;
    if (arguments.check || arguments.print_config)
        service_release_signals();

    int r = config_secrets_new(&secrets);
    if (r >= 0)
        r = config_secrets_take_environment(secrets);
    struct config_hooks hooks = arguments.check ? daemon_check_hooks : daemon_config_hooks;
    hooks.secrets = secrets;
    hooks.bear_missing &= !arguments.print_config;
    if (r >= 0)
        r = config_load(arguments.file, &daemon_schema, &hooks, &config, &problems);
    daemon_tell_problems(&problems);
    if (r == -ENOMEM)
        fprintf(stderr, "%s: no memory to read the configuration\n", PROGRAM_NAME);
    else if (r < 0 && arguments.check && geteuid() != 0)
        fprintf(stderr, "%s: not checked as root, who alone may read some files: sudo %s --check\n", PROGRAM_NAME,
                PROGRAM_NAME);
    config_problems_free(&problems);
    bool passes = r == -ENOMEM || r == -EAGAIN; /* another start may help */
    status = passes ? EXIT_FAILURE : r < 0 ? EX_CONFIG : act(&arguments, config, &secrets);
    config_free(config);
    config_secrets_free(secrets);
    return status;
}
