/* exec.h - inside src/actions: the parts of the exec action. */
#pragma once

#include <sonoran-pushd/action_type.h>
#include <sys/types.h>

struct exec_settings {
    char **command; /* argv */
    size_t n_command;
};

/* Of an action of this type. */
static inline const struct exec_settings *exec_settings(const struct config_action *config)
{
    return config->settings;
}

/* ---- exec_program.c ---- */

/* Why a program cannot be started, as far as its file tells: "/usr/local/bin/siren: No such file or directory".
 * 0: nothing is wrong with it. */
int exec_program_check(const char *path, struct err *err) MUST_CHECK;

/* Why the service would not see it there, and what to do: the sandbox of the unit. NULL: it does. */
const char *exec_program_hidden(const char *path);

/* ---- exec_environment.c ---- */

#define EXEC_STRING_MAX_BYTES ((size_t) 128 * 1024 - 1) /* of one argument or variable, as the kernel has it */

/* What the kernel counts for one of so many bytes. */
static inline size_t exec_size(size_t bytes)
{
    return bytes + 1 + sizeof(char *);
}

/* "SONORAN_EVENT=EVENT_911" and so on, of at most room bytes, as exec_size counts. */
void exec_environment(const struct config_action *config, const struct action_record *record, size_t room,
                      struct words *out);

/* ---- exec_doubt.c ---- */

void exec_doubt(const struct config_action *config, const struct event_families *families, config_complain *warn,
                void *context);

/* ---- exec_output.c: what a program writes, as lines of the log, up to a limit ---- */

struct output {
    const char *name;  /* of the action */
    uint64_t event_id; /* that the program runs for */
    struct text line;  /* not ended yet */
    unsigned n_lines;
    size_t n_bytes;
    uint64_t n_more_bytes; /* beyond the limit */
};

void exec_output_add(struct output *output, const char *s, size_t size);
void exec_output_end(struct output *output); /* the last line, and how much more there was; frees */

/* ---- exec_left.c: what programs leave running in the background ---- */

/* Takes both, and reads until nobody can write any more; at once, where it cannot be read. */
void exec_left_read_on(int fd, struct output *output);

/* ---- exec_process.c: one run of a program ---- */

struct process_plan {
    char *const *argv, *const *environment;
    struct span input; /* for its stdin */
    usec_t timeout_us;
    int cancel_fd; /* readable: end it; -1: none */
    struct output *output;
};

enum process_end {
    PROCESS_EXITED,    /* number: its status */
    PROCESS_SIGNALLED, /* number: the signal */
    PROCESS_TIMED_OUT,
    PROCESS_CANCELLED,
};

struct process_result {
    enum process_end end;
    int number;
    int left_fd; /* its output, where something that it left running may still write; for the caller to close. -1: none
                  */
    pid_t unended; /* not even SIGKILL has ended it yet, child_reap will have to; 0: it is gone */
};

/* Returns when the program has ended or was made to: timeout_us, and at most 3 s to end it. Negative errno: it was not
 * started, or could not be watched and is being ended. */
int exec_process_run(const struct process_plan *plan, struct process_result *ret) MUST_CHECK;
