/* ctl_reload.c - "sonoran-pushctl reload": the daemon reads its configuration again, with the secrets that only root
 * may read, and says whether it is in force. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sonoran-pushd/admin.h>
#include <sonoran-pushd/config.h>
#include <sonoran-pushd/daemon.h>

#include "ctl_daemon.h"

static const struct ctl_option rows[] = {
    OPTION_JSON("print what the daemon says as an object"),
};

static const struct ctl_spec spec = {
    .verb = "reload",
    .usage = "[OPTION]...",
    .about = "Lets the daemon read its configuration again. Run as root, it hands over the secret files that are named "
             "there, which the daemon may not read itself. What was wrong is printed; then the old configuration "
             "stays.",
    .footer = "Exit status: 0 the new configuration is in force, 1 the daemon cannot be asked, 2 usage, 78 mistakes.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

/* Secrets are of the file that we trust, not of one that the daemon names. */
static int check_file(const char *store, const char *file)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct err err;
    int r = daemon_get(store, "/api/status", &answer, &err);
    if (r < 0)
        return ctl_fail(EXIT_FAILURE, "%s%s", err.msg,
                        r == DAEMON_NOT_RUNNING ? "; a changed store.path takes a restart" : "");
    const char *told = json_get_text(answer.json, "configuration");
    char *path CLEANUP(cleanup_free) = realpath(file, NULL);
    if (!*told || !path || strcmp(told, path) == 0)
        return EXIT_SUCCESS;
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, told, strlen(told), 0);
    return ctl_fail(EXIT_FAILURE, "the daemon runs with %s, not with %s: " CTL_NAME " -c %s reload", shown.s, path,
                    shown.s);
}

static int print_outcome(const struct ctl_common *common, const struct daemon_answer *answer)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    const cJSON *line;
    bool reloaded = json_get_flag(answer->json, "reloaded");
    cJSON_ArrayForEach (line, json_get(answer->json, "lines")) {
        struct text shown CLEANUP(text_free) = TEXT_INIT;
        const char *words = cJSON_GetStringValue(line);
        text_add_safe(&shown, words ? words : "", words ? strlen(words) : 0, 0);
        if (!common->json)
            ctl_fail(0, "%s", shown.s);
    }
    if (common->json)
        text_addf(&out, "%s\n", answer->line.s);
    else if (reloaded)
        text_add(&out, "The configuration is reloaded and in force.\n");
    int status = table_write_stdout(&out);
    return reloaded ? status : EX_CONFIG;
}

static int ask(const struct ctl_common *common, const char *store, struct config_secrets *secrets)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct text bytes CLEANUP(text_wipe) = TEXT_INIT;
    struct err err;
    if (secrets)
        config_secrets_write(secrets, &bytes);
    /* None at all, too: those of before are gone then. */
    const struct daemon_question question = { .path = secrets ? "/api/reload?secrets=1" : "/api/reload",
                                              .post = true,
                                              .body = &bytes,
                                              .type = "application/octet-stream",
                                              .takes_us = ADMIN_PATIENCE_US };
    int r = bytes.failed ? err_set(&err, -ENOMEM, "no memory") : daemon_ask(store, &question, &answer, &err);
    return r < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : print_outcome(common, &answer);
}

int reload_run(const char *config_file, int argc, char **argv)
{
    struct ctl_common common = { .config_file = config_file };
    struct config_secrets *secrets = NULL;
    char *found CLEANUP(cleanup_free) = NULL;
    struct err err;
    int status = options_read(&spec, &common, argc, argv);
    if (status >= 0)
        return status;

    if (!common.store && access(common.config_file, R_OK) < 0)
        return ctl_fail(errno == EACCES ? EXIT_FAILURE : EX_CONFIG, "cannot read %s: %s%s", common.config_file,
                        strerror(errno), errno == EACCES ? ": sudo " CTL_NAME " reload" : "");
    int r = config_collect(common.config_file, &daemon_schema, &found, &secrets, &err);
    if (r < 0)
        return ctl_fail(EX_CONFIG, "%s", err.msg);
    if (r > 0)
        ctl_fail(0, "%s is not root's: no secret is handed over, the daemon reads what it may", common.config_file);
    const char *store = common.store ? common.store : found;
    status = check_file(store, common.config_file);
    if (status == EXIT_SUCCESS)
        status = ask(&common, store, secrets);
    config_secrets_free(secrets);
    return status;
}
