/* exec.c - the action that runs a program: its arguments, its environment, the event record on its stdin.
 *
 * No shell reads anything here. What an event brings (placeholders in arguments, SONORAN_* variables, the record) was
 * typed by players: a value may be empty, begin with "-", or hold blanks, quotes and line breaks, and reaches the
 * program unchanged. A program has to treat it so: "--" in front of it, quotes around "$1". Which program runs is
 * never up to an event: the first element of the command is taken as it is written.
 *
 * The program gets: stdin, the record of design section 6 as one line of JSON; stdout and stderr, which go to the log;
 * no other descriptor; "/" as its folder; a session of its own; a few variables of ours (inherited_names) and
 *   SONORAN_ACTION     name of the action           SONORAN_LISTENER   name of the listener that got it
 *   SONORAN_EVENT      type                         SONORAN_FROM       address of the sender
 *   SONORAN_EVENT_ID   position in the log          SONORAN_VERDICT    "accepted", …
 *   SONORAN_TIME       2026-11-23T16:00:00.123456Z  SONORAN_SUMMARY    its line as {summary}, cut if it is very long
 *   SONORAN_COMMUNITY  name of the community        SONORAN_CALLS, SONORAN_CALLS911, SONORAN_UNITS  ids with commas
 *   SONORAN_NODE       of an event of another node
 *   SONORAN_FAMILY     "unit", or empty             SONORAN_LEVEL      4, as in the journal
 *   SONORAN_SOURCE     "push"                       SONORAN_TEST       1 for an event that was made up, or empty
 * and one for each fact that it has (facts.h): SONORAN_CALLER, SONORAN_UNIT_NAME, cut and on one line. What the system
 * has no room for is left out, the lists of ids first; SONORAN_LEFT_OUT is how many variables that are, mostly 0.
 * What it starts in the background and leaves behind with status 0 goes on, and its output goes to the log as well, as
 * far as one run may write there.
 * Source: design section 11; execve(2), "Limits on size of arguments and environment".
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/child.h>

#include "exec.h"

#define TOTAL_MAX_BYTES ((size_t) 1 << 20) /* of arguments and variables: half of what the usual stack limit allows */
#define OTHER_BYTES (32L << 10)            /* kept free beside them */

struct action {
    struct action_context context;
    struct words inherited; /* variables of ours that programs get */
    pid_t unended;          /* program of an earlier try that could not be ended; 0: none */
};

/* Not among them: what systemd tells this process alone (credentials, sockets, notify). */
static const char *const inherited_names[] = { "HOME", "LANG", "LC_ALL", "LOGNAME", "TMPDIR", "TZ", "USER" };

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- check ---- */

static void exec_check(const struct config_action *config, const struct event_families *families,
                       config_complain *complain, void *context)
{
    struct err err;
    for (size_t i = 1; i < exec_settings(config)->n_command; i++)
        if (template_check(exec_settings(config)->command[i], config, families, &err) < 0)
            complain(context, "command", err.msg);
}

static void exec_check_present(const struct config_action *config, config_complain *complain, void *context)
{
    struct err err, why;
    const char *path = exec_settings(config)->command[0];
    if (exec_program_check(path, &why) == 0)
        return;
    const char *hint = access(path, F_OK) < 0 ? exec_program_hidden(path) : NULL;
    err_set(&err, -ENOENT, "expected a program, but %s%s%s", why.msg, hint ? "; " : "", hint ? hint : "");
    complain(context, "command", err.msg);
}

static void exec_advise(const struct config_action *config, config_complain *warn, void *context)
{
    const char *hint = exec_program_hidden(exec_settings(config)->command[0]);
    if (hint && access(exec_settings(config)->command[0], F_OK) == 0)
        warn(context, "command", hint);
}

/* ---- render ---- */

/* A NUL would end the argument early. */
static void add_raw(struct text *out, const char *s, size_t size)
{
    while (size > 0) {
        const char *nul = memchr(s, '\0', size);
        size_t n = nul ? (size_t) (nul - s) : size, skip = nul ? n + 1 : n;
        text_add_bytes(out, s, n);
        s += skip;
        size -= skip;
    }
}

static void render_arguments(const struct config_action *config, const struct action_record *record, struct words *out)
{
    struct text word CLEANUP(text_free) = TEXT_INIT;
    words_add(out, exec_settings(config)->command[0]);
    for (size_t i = 1; i < exec_settings(config)->n_command; i++) {
        text_reset(&word);
        template_expand(exec_settings(config)->command[i], record, add_raw, &word);
        words_add(out, word.s);
        out->failed |= word.failed;
    }
}

/* How many bytes arguments and variables may have together, beside what is inherited and what the kernel adds. */
static size_t total_max_bytes(void)
{
    long system_bytes = sysconf(_SC_ARG_MAX); /* less than usual where the stack has a low limit */
    size_t bytes = system_bytes > OTHER_BYTES ? (size_t) (system_bytes - OTHER_BYTES) : TOTAL_MAX_BYTES;
    return bytes < TOTAL_MAX_BYTES ? bytes : TOTAL_MAX_BYTES;
}

/* What execve would refuse, said in words; else what they leave to the variables. */
static int check_arguments(const struct words *arguments, size_t *ret_room, struct err *err)
{
    size_t total = 0, max = total_max_bytes();
    for (size_t i = 0; i < arguments->n; i++) {
        size_t size = strlen(arguments->v[i]);
        if (size > EXEC_STRING_MAX_BYTES)
            return err_set(err, -E2BIG, "argument %zu of the program would have %zu bytes, at most %zu are possible", i,
                           size, EXEC_STRING_MAX_BYTES);
        total += exec_size(size);
    }
    if (total > TOTAL_MAX_BYTES)
        return err_set(err, -E2BIG, "the program's arguments would have %zu bytes, at most %zu are possible", total,
                       TOTAL_MAX_BYTES);
    *ret_room = total < max ? max - total : 0;
    return 0;
}

static int exec_render(const struct config_action *config, const struct action_record *record,
                       struct action_payload *ret, struct err *err)
{
    struct action_payload payload CLEANUP(action_payload_free) = ACTION_PAYLOAD_INIT;
    size_t room = 0;

    payload.event_id = record->event->id;
    render_arguments(config, record, &payload.words);
    int r = check_arguments(&payload.words, &room, err);
    if (r < 0)
        return r;
    exec_environment(config, record, room, &payload.environment);
    event_write_record(record->event, record->description, &payload.body);
    text_add(&payload.body, "\n");
    if (payload.words.failed || payload.environment.failed || payload.body.failed)
        return err_set(err, -ENOMEM, "no memory for the program's arguments");
    *ret = payload;
    payload = (struct action_payload) ACTION_PAYLOAD_INIT;
    return 0;
}

/* ---- open, close ---- */

static struct action *exec_close(struct action *action)
{
    if (!action)
        return NULL;
    if (action->unended)
        (void) child_reap(action->unended);
    words_free(&action->inherited);
    free(action);
    return NULL;
}

static int exec_open(struct action **ret, const struct action_context *context, struct err *err)
{
    struct action *action = calloc(1, sizeof(*action));
    if (!action)
        return err_set(err, -ENOMEM, "no memory");

    const char *path = getenv("PATH");
    action->context = *context;
    words_addf(&action->inherited, "PATH=%s", path ? path : DEFAULT_PATH);
    for (size_t i = 0; i < ARRAY_SIZE(inherited_names); i++) {
        const char *value = getenv(inherited_names[i]);
        if (value)
            words_addf(&action->inherited, "%s=%s", inherited_names[i], value);
    }
    if (action->inherited.failed) {
        exec_close(action);
        return err_set(err, -ENOMEM, "no memory");
    }
    *ret = action;
    return 0;
}

/* ---- deliver ---- */

static void conclude(struct action_outcome *ret, enum action_result result)
{
    *ret = (struct action_outcome){ .result = result };
}

/* Somebody may be replacing the file just now, or memory may come back: worth another try. */
static void conclude_start(struct action_outcome *ret, const char *path, int r)
{
    struct err why;
    if (r == -E2BIG) {
        conclude(ret, ACTION_GIVE_UP);
        err_set(&ret->err, r, "has more arguments and variables than the system takes");
        return;
    }
    conclude(ret, ACTION_RETRY);
    if (r != -EAGAIN && r != -ENOMEM && exec_program_check(path, &why) < 0)
        err_set(&ret->err, r, "cannot be started: %s", why.msg);
    else
        err_set(&ret->err, r, "cannot be started: %s: %s", path, strerror(-r));
}

static void conclude_timed_out(struct action_outcome *ret, usec_t timeout_us, bool ended)
{
    struct text time CLEANUP(text_free) = TEXT_INIT;
    text_add_duration(&time, timeout_us);
    conclude(ret, ACTION_GIVE_UP);
    err_set(&ret->err, -ETIMEDOUT, "did not end within %s and %s stopped", time.s, ended ? "was" : "could not be");
}

static void conclude_run(struct action_outcome *ret, const struct process_result *result, usec_t timeout_us)
{
    switch (result->end) {
    case PROCESS_EXITED:
        conclude(ret, result->number == 0             ? ACTION_DONE
                      : result->number == EX_TEMPFAIL ? ACTION_RETRY
                                                      : ACTION_GIVE_UP);
        if (result->number != 0)
            err_set(&ret->err, -EIO, "ended with status %d", result->number);
        return;
    case PROCESS_SIGNALLED: {
        const char *name = sigdescr_np(result->number);
        conclude(ret, ACTION_GIVE_UP);
        err_set(&ret->err, -EIO, "was ended by signal %d (%s)", result->number, name ? name : "real time");
        return;
    }
    case PROCESS_TIMED_OUT:
        conclude_timed_out(ret, timeout_us, result->unended == 0);
        return;
    case PROCESS_CANCELLED:
        conclude(ret, ACTION_CANCELLED);
        err_set(&ret->err, -ECANCELED, "was stopped before its end");
        return;
    }
}

/* The program of an earlier try that could not be ended must not have a second one beside it. */
static bool is_free(struct action *action, struct action_outcome *ret)
{
    if (action->unended && !child_reap(action->unended)) {
        conclude(ret, ACTION_RETRY);
        err_set(&ret->err, -EBUSY, "waits for process %d of an earlier event, which could not be stopped",
                (int) action->unended);
        return false;
    }
    action->unended = 0;

    struct pollfd cancel = { .fd = action->context.cancel_fd, .events = POLLIN };
    if (poll(&cancel, 1, 0) > 0) {
        conclude(ret, ACTION_CANCELLED);
        err_set(&ret->err, -ECANCELED, "was not started any more");
        return false;
    }
    return true;
}

/* Pointers only: the texts stay with the action and the payload. */
static char **join_environment(const struct words *inherited, const struct words *own)
{
    char **environment = calloc(inherited->n + own->n + 1, sizeof(*environment));
    if (!environment)
        return NULL;
    for (size_t i = 0; i < inherited->n; i++)
        environment[i] = inherited->v[i];
    for (size_t i = 0; i < own->n; i++)
        environment[inherited->n + i] = own->v[i];
    return environment;
}

static void exec_deliver(struct action *action, const struct action_payload *payload, size_t n,
                         struct action_outcome *ret)
{
    (void) n; /* one at a time */
    const struct config_action *config = action->context.config;
    if (!is_free(action, ret))
        return;

    char **environment CLEANUP(cleanup_free) = join_environment(&action->inherited, &payload->environment);
    if (!environment) {
        conclude_start(ret, payload->words.v[0], -ENOMEM);
        return;
    }

    struct output output = { .name = config->name, .event_id = payload->event_id, .line = TEXT_INIT };
    const struct process_plan plan = {
        .argv = payload->words.v,
        .environment = environment,
        .input = { payload->body.s, payload->body.size },
        .timeout_us = config->timeout_us,
        .cancel_fd = action->context.cancel_fd,
        .output = &output,
    };
    struct process_result result;
    int r = exec_process_run(&plan, &result);
    if (result.left_fd >= 0)
        exec_left_read_on(result.left_fd, &output);
    else
        exec_output_end(&output);
    action->unended = result.unended;
    if (r < 0)
        conclude_start(ret, payload->words.v[0], r);
    else
        conclude_run(ret, &result, config->timeout_us);
}

/* ---- its row ---- */

#define OPTION_LIST(member) .group = CONFIG_ACTION, CONFIG_MEMBERS(struct exec_settings, member)

CONFIG_ASSERT_LIST(struct exec_settings, command);

static const struct config_option options[] = {
    { OPTION_LIST(command), .name = "command", .type = CONFIG_TEXT, .required = true,
      .help = "The program and its arguments; no shell." },
};

/* Which program runs is said in full: no search path of anybody decides it. */
static void exec_check_settings(const struct config_action *action, config_complain *complain, void *context)
{
    if (exec_settings(action)->command[0][0] != '/')
        complain(context, "command[0]", "expected the absolute path of a program, such as /usr/local/bin/siren");
}

const struct action_type action_exec = {
    .kind = { .name = "exec",
              .options = options,
              .n_options = ARRAY_SIZE(options),
              .settings_size = sizeof(struct exec_settings),
              .check = exec_check_settings },
    .check = exec_check,
    .check_present = exec_check_present,
    .doubt = exec_doubt,
    .advise = exec_advise,
    .open = exec_open,
    .close = exec_close,
    .render = exec_render,
    .deliver = exec_deliver,
    .max_batch = 1,
};
