/* ctl_open.c - "sonoran-pushctl open": where the board is to be seen, and how one gets there from elsewhere. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_daemon.h"
#include "settings.h"

#define PORT "30121" /* of the machine where the browser is */

struct arguments {
    struct ctl_common common;
    const char *community;
    bool show_token;
};

static const struct ctl_option rows[] = {
    { "community", 0, "NAME", NULL, "the link for who may see this community alone, by its board_token",
      offsetof(struct arguments, community) },
    { "show-token", 0, NULL, NULL, "the link with its token, also where the output is no terminal",
      offsetof(struct arguments, show_token) },
};

static const struct ctl_spec spec = {
    .verb = "open",
    .usage = "[OPTION]...",
    .about =
        "Prints the link of the board, on a terminal with the token that opens it, and how to get there from another "
        "machine. No browser is started.",
    .footer = "Exit status: 0 there is a board, 1 the daemon or its token cannot be asked for, 2 usage, 78 mistakes.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

/* ---- who would come by ssh ---- */

static void write_login(struct text *out)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *user = getpwuid(getuid());
    char host[256] = "";
    (void) gethostname(host, sizeof(host) - 1);
    table_write_safe(out, sudo && *sudo ? sudo : user ? user->pw_name : "USER", 64);
    text_add(out, "@");
    table_write_safe(out, *host ? host : "HOST", 100);
}

static void write_tunnel(const char *to, struct text *out)
{
    text_add(out, "  ssh -N -L " PORT ":");
    text_add_safe(out, to, strlen(to), 0);
    text_add(out, " ");
    write_login(out);
    text_add(out, "\n");
}

/* ---- the link ---- */

/* What has a meaning of its own in a link is escaped. */
static void write_token(const char *token, struct text *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    text_add(out, "#token=");
    for (const char *p = token; *p; p++)
        text_addf(out, strchr(plain, *p) ? "%c" : "%%%02X", (unsigned char) *p);
}

static bool shows_tokens(const struct arguments *arguments)
{
    return arguments->show_token || isatty(STDOUT_FILENO);
}

/* The token that was asked for; NULL: there is none. Returns the exit status. */
static int find_token(const struct arguments *arguments, const struct config *config, const char **ret)
{
    struct err err;
    *ret = config->admin.token;
    if (!arguments->community)
        return EXIT_SUCCESS;
    const struct config_community *community = settings_community(config, arguments->community, &err);
    if (!community)
        return ctl_fail(EXIT_USAGE, "%s", err.msg);
    *ret = community->board_token;
    return *ret ? EXIT_SUCCESS
                : ctl_fail(EXIT_FAILURE, "community %s has no board_token_file, which would open it alone",
                           community->name);
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0;
}

static void write_link(const char *url, const char *token, bool shown, struct text *out)
{
    text_addf(out, "  %s/", url);
    if (token && shown)
        write_token(token, out);
    text_add(out, "\n");
}

static void write_by_tcp(const char *address, const char *token, bool shown, struct text *out)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    settings_url_at(address, "", &url);
    bool local = is_loopback(address);
    text_addf(out, "The board%s:\n", local ? ", in a browser on this machine" : "");
    write_link(url.s, token, shown, out);
    if (local) {
        text_add(out, "In one on another machine, while this runs there:\n");
        write_tunnel(url.s + strlen("http://"), out);
        write_link("http://127.0.0.1:" PORT, token, shown, out);
    }
    if (token && !shown)
        text_add(out, "It asks for a token, which --show-token adds to the link.\n");
    if (token && shown)
        text_add(out, "Whoever has such a link may look: it is a password.\n");
}

static int open_tcp(const struct arguments *arguments, const char *address, bool wants_token, struct text *out)
{
    struct config *config = NULL;
    const char *token = NULL;
    int status = EXIT_SUCCESS;
    if (wants_token || arguments->community)
        status = settings_need(arguments->common.config_file, &config, "its token stands there");
    if (status == EXIT_SUCCESS && config)
        status = find_token(arguments, config, &token);
    if (status == EXIT_SUCCESS && wants_token && !token)
        status =
            ctl_fail(EXIT_FAILURE, "the daemon wants a token that the configuration has no more: " CTL_NAME " reload");
    if (status == EXIT_SUCCESS)
        write_by_tcp(address, token, shows_tokens(arguments), out);
    config_free(config);
    return status;
}

static int open_socket(const struct arguments *arguments, const char *socket, struct text *out)
{
    if (arguments->community)
        return ctl_fail(EXIT_FAILURE,
                        "a token of one community is for a board that is shown by TCP: admin.address in %s",
                        arguments->common.config_file);
    text_add(out, "The board is shown by the control socket alone. On the machine where the browser is, run\n");
    write_tunnel(socket, out);
    text_add(out, "and open, while that runs,\n"
                  "  http://127.0.0.1:" PORT "/\n"
                  "Whoever logs in has to be root, or in the group " PROGRAM_NAME ".\n"
                  "With admin: { address: \"127.0.0.1:" PORT "\" } in the configuration it is shown by TCP as well.\n");
    return EXIT_SUCCESS;
}

int open_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common = { .config_file = config_file } };
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct text out CLEANUP(text_wipe) = TEXT_INIT;
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;
    status = daemon_get_for(&arguments.common, "/api/status", &answer);
    if (status != EXIT_SUCCESS)
        return status;
    const cJSON *board = json_get(answer.json, "board");
    const char *address = json_get_text(board, "address"), *socket = json_get_text(board, "socket");
    if (*address)
        status = open_tcp(&arguments, address, json_get_flag(board, "token"), &out);
    else if (*socket)
        status = open_socket(&arguments, socket, &out);
    else
        status = ctl_fail(EXIT_FAILURE, "the daemon that runs has no board yet: restart it after its upgrade");
    return status == EXIT_SUCCESS ? table_write_stdout(&out) : status;
}
