/* exec_helpers.h - for the tests of the exec action: small programs in a folder, run on an event, and their log lines.
 *
 * The process is as the daemon is: signals blocked and ignored, descriptors open, their limit raised. It adopts what
 * programs leave behind, so that how those end can be seen, and an alarm ends a test that waits for ever. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/child.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/actions/exec.h"

#define LONG_US (100 * USEC_PER_SEC) /* a time limit that is not to be reached */
#define TEST_MAX_S 600
#define STARTED_WITH_FILES 777

static char folder[] = "/tmp/test_exec.XXXXXX";
static int saved_stderr;

/* Good until the eighth call from now. */
static inline char *path_of(const char *name)
{
    static _Thread_local char paths[8][256];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s%s%s", *name == '/' ? "" : folder, *name == '/' ? "" : "/", name);
    return path;
}

static inline void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(path_of(name), "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

/* A shell script whose $D is the folder. */
static inline void write_script(const char *name, const char *lines)
{
    struct text text = TEXT_INIT;
    text_addf(&text, "#!/bin/sh\nD=%s\n%s\n", folder, lines);
    write_file(name, text.s, 0755);
    text_free(&text);
}

static inline char *read_all(const char *name)
{
    static char text[1 << 16];
    FILE *file = fopen(path_of(name), "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static inline bool is_there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static inline int start_test(void **state)
{
    (void) state;
    alarm(TEST_MAX_S);
    strcpy(strrchr(folder, '.'), ".XXXXXX");
    if (!mkdtemp(folder))
        return -1;

    saved_stderr = dup(STDERR_FILENO);
    int fd = open(path_of("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int r = dup2(fd, STDERR_FILENO);
    close(fd);
    return r < 0 ? -1 : 0;
}

static inline int end_test(void **state)
{
    char command[128];
    (void) state;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    alarm(0);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

#define exec_test(function) cmocka_unit_test_setup_teardown(function, start_test, end_test)

static inline int be_like_the_daemon(void **state)
{
    sigset_t signals;
    (void) state;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    struct rlimit few;
    if (getrlimit(RLIMIT_NOFILE, &few) < 0)
        return -1;
    few.rlim_cur = STARTED_WITH_FILES;
    if (setrlimit(RLIMIT_NOFILE, &few) < 0)
        return -1;
    child_raise_own_limit();
    log_configure(LOG_TARGET_JSON, LOG_INFO);
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* ---- an event, a command, a run ---- */

struct sample {
    struct origin origin;
    struct event event;
    struct description description;
    struct action_record record;
};

static inline void sample_init(struct sample *sample, const char *data)
{
    *sample = (struct sample){
        .origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "192.0.2.7" },
        .event = { .id = 1042,
                   .time_us = 1795449600123456,
                   .type = "EVENT_911",
                   .community = "default",
                   .realm = "default",
                   .data = cJSON_Parse(data),
                   .data_text = { data, strlen(data) } },
        .description = DESCRIPTION_INIT,
    };
    assert_non_null(sample->event.data);
    sample->event.origin = &sample->origin;
    sample->record = (struct action_record){ .event = &sample->event, .description = &sample->description };
    text_add(&sample->description.line, "911 call 90417 from John \"Doe\"");
    ids_add(&sample->description.calls911, 90417);
    ids_add(&sample->description.units, 4127);
    ids_add(&sample->description.units, -1);
}

static inline void sample_free(struct sample *sample)
{
    union {
        const cJSON *from;
        cJSON *item;
    } data = { .from = sample->event.data };
    cJSON_Delete(data.item);
    description_free(&sample->description);
}

static inline const char *find_variable(const struct words *environment, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < environment->n; i++)
        if (strncmp(environment->v[i], name, size) == 0 && environment->v[i][size] == '=')
            return environment->v[i] + size + 1;
    return NULL;
}

#define COMMAND_MAX 8

/* The action "siren"; its command is set from words, which end in NULL. */
struct siren {
    char *words[COMMAND_MAX + 1];
    struct exec_settings settings;
    struct config_action config;
};

static inline void siren_init(struct siren *siren, usec_t timeout_us, const char *program, const char *argument)
{
    static char name[] = "siren";
    *siren = (struct siren){ .config = { .name = name, .timeout_us = timeout_us } };
    siren->config.settings = &siren->settings;
    siren->words[0] = strdup(path_of(program));
    siren->words[1] = argument ? strdup(argument) : NULL;
    siren->settings.command = siren->words;
    siren->settings.n_command = argument ? 2 : 1;
}

static inline void siren_free(struct siren *siren)
{
    for (size_t i = 0; i < siren->settings.n_command; i++)
        free(siren->words[i]);
}

/* Opens, renders, delivers once. */
static inline struct action_outcome run_siren(const struct siren *siren, const char *data, int cancel_fd)
{
    const struct action_context context = { .config = &siren->config, .cancel_fd = cancel_fd };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct action_outcome outcome = { 0 };
    struct action *action = NULL;
    struct sample sample;
    struct err err;

    sample_init(&sample, data);
    assert_int_equal(action_exec.open(&action, &context, &err), 0);
    assert_int_equal(action_exec.render(&siren->config, &sample.record, &payload, &err), 0);
    action_exec.deliver(action, &payload, 1, &outcome);
    assert_null(action_exec.close(action));
    action_payload_free(&payload);
    sample_free(&sample);
    return outcome;
}

static inline struct action_outcome run_script(const char *lines, usec_t timeout_us)
{
    struct siren siren;
    write_script("script", lines);
    siren_init(&siren, timeout_us, "script", NULL);
    struct action_outcome outcome = run_siren(&siren, "{}", -1);
    siren_free(&siren);
    return outcome;
}

static inline void assert_outcome(const struct action_outcome *outcome, enum action_result result, const char *sentence)
{
    assert_string_equal(outcome->err.msg, sentence);
    assert_int_equal(outcome->result, result);
}

/* Neither a child nor a zombie, nor anything that a program left behind. */
static inline void assert_no_children(void)
{
    siginfo_t info = { 0 };
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1);
    assert_int_equal(errno, ECHILD);
}

/* The signal that ended a process left behind, whose id a program wrote into a file. */
static inline int wait_signal_of(const char *name)
{
    int status = 0;
    pid_t pid = atoi(read_all(name));
    assert_true(pid > 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* What programs left behind ends, or the alarm rings. */
static inline void wait_for_adopted(void)
{
    while (waitpid(-1, NULL, 0) > 0)
        ;
    assert_int_equal(errno, ECHILD);
}

static inline void assert_gone(const char *name)
{
    pid_t pid = atoi(read_all(name));
    assert_true(pid > 1);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* ---- the log ---- */

/* The message of line n of the log, from 0. */
static inline const char *message_of(size_t n)
{
    static char message[8192];
    const char *line = read_all("log");
    for (size_t i = 0; i < n; i++) {
        line = strchr(line, '\n');
        assert_non_null(line);
        line++;
    }
    cJSON *item = cJSON_ParseWithOpts(line, &line, 0);
    assert_non_null(item);
    snprintf(message, sizeof(message), "%s", cJSON_GetObjectItemCaseSensitive(item, "message")->valuestring);
    cJSON_Delete(item);
    return message;
}

static inline size_t count_lines(void)
{
    size_t n = 0;
    for (const char *p = read_all("log"); (p = strchr(p, '\n')); p++)
        n++;
    return n;
}
