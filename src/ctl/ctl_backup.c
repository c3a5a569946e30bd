/* ctl_backup.c - "sonoran-pushctl backup" and "restore": a copy of the event log, and the way back to it. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/machine.h>

#include "ctl_private.h"

struct arguments {
    struct ctl_common common;
};

static const struct ctl_option rows[] = {
    OPTION_JSON("print what was done as an object"),
};

static const struct ctl_spec backup_spec = {
    .verb = "backup",
    .usage = "FILE [OPTION]...",
    .about = "Copies the event log, as it is now, into a new file that only its owner can read, and checks the copy; "
             "whether the daemon runs or not.",
    .footer = CTL_NAME " restore FILE goes back to it.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_min = 1,
    .words_max = 1,
};

static const struct ctl_spec restore_spec = {
    .verb = "restore",
    .usage = "FILE [OPTION]...",
    .about = "Puts a copy of the event log in its place, while the daemon does not run. The log that was there is "
             "kept beside it, under another name.",
    .footer = "The next event gets the id behind the copy's newest, in a new life of the log: whoever keeps ids sees "
              "that they begin again.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_min = 1,
    .words_max = 1,
};

/* Nothing half done is left behind. */
static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
    interrupted = number;
}

static bool is_interrupted(void)
{
    return interrupted != 0;
}

static void hear_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    const struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESETHAND };
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

/* "3 events, the newest 1042 of 2026-11-23 16:00:00, 4.0 MiB" */
static void write_copy(const struct store_copy *copy, struct text *out)
{
    uint64_t n = copy->newest_id ? copy->newest_id - copy->oldest_id + 1 : 0;
    text_addf(out, "%llu event%s", (unsigned long long) n, text_plural(n));
    if (n) {
        text_addf(out, ", the newest %llu of ", (unsigned long long) copy->newest_id);
        time_write(out, copy->newest_us);
    }
    text_add(out, ", ");
    table_write_size(out, copy->bytes);
}

static void add_numbers(const struct store_copy *copy, struct json_writer *out)
{
    json_add_int(out, "oldest_id", (int64_t) copy->oldest_id);
    json_add_int(out, "newest_id", (int64_t) copy->newest_id);
    json_add_int(out, "bytes", (int64_t) copy->bytes);
}

static void tell_backup_json(const struct store_copy *copy, const char *file, struct text *out)
{
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    add_numbers(copy, &json);
    json_add_text(&json, "file", file);
    json_end(&json);
    text_add(out, "\n");
}

static void tell_backup(const struct store_copy *copy, const char *file, struct text *out)
{
    table_write_safe(out, file, PATH_MAX);
    text_add(out, ": ");
    write_copy(copy, out);
    text_add(out, ", checked\n");
}

static void tell_restored(const struct store_restored *restored, const char *path, struct text *out)
{
    table_write_safe(out, path, PATH_MAX);
    text_add(out, " is the copy now: ");
    write_copy(&restored->copy, out);
    text_addf(out, "\nThe next event gets id %llu, in a new life of the log (%s).\n",
              (unsigned long long) restored->life.first_id, restored->life.log);
    if (restored->kept) {
        text_add(out, "The log that was there is kept as ");
        table_write_safe(out, restored->kept, PATH_MAX);
        if (restored->kept_newest_id)
            text_addf(out, " (its newest event is %llu)", (unsigned long long) restored->kept_newest_id);
        text_add(out, ".\n");
    }
    text_add(out, "Now start the daemon.\n");
}

static void tell_restored_json(const struct store_restored *restored, struct text *out)
{
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    add_numbers(&restored->copy, &json);
    json_add_int(&json, "first_id", (int64_t) restored->life.first_id);
    json_add_text(&json, "log", restored->life.log);
    if (restored->kept)
        json_add_text(&json, "kept", restored->kept);
    json_end(&json);
    text_add(out, "\n");
}

static int fail(int r, const struct err *err)
{
    if (r == -ECANCELED)
        return ctl_fail(EXIT_FAILURE, "interrupted: nothing was changed");
    return ctl_fail(EXIT_FAILURE, "%s", err->msg);
}

static int back_up(const struct arguments *arguments, const char *file)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    char *path CLEANUP(cleanup_free) = NULL;
    struct store_copy copy;
    struct err err;
    int status = settings_find_store(&arguments->common, &path);
    if (status != EXIT_SUCCESS)
        return status;
    int r = store_backup(path, file, is_interrupted, &copy, &err);
    if (r < 0)
        return fail(r, &err);
    if (arguments->common.json)
        tell_backup_json(&copy, file, &out);
    else
        tell_backup(&copy, file, &out);
    return table_write_stdout(&out);
}

static int restore(const struct arguments *arguments, const char *file)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    char *path CLEANUP(cleanup_free) = NULL;
    struct store_restored restored;
    struct err err;
    int status = settings_find_store(&arguments->common, &path);
    if (status != EXIT_SUCCESS)
        return status;
    int r = store_restore(path, file, is_interrupted, &restored, &err);
    if (r == -EBUSY)
        return ctl_fail(EXIT_FAILURE, "%s. Stop it first%s", err.msg,
                        machine_has_systemd() ? ": systemctl stop " PROGRAM_NAME : "");
    if (r < 0)
        return fail(r, &err);
    if (arguments->common.json)
        tell_restored_json(&restored, &out);
    else
        tell_restored(&restored, path, &out);
    free(restored.kept);
    return table_write_stdout(&out);
}

int backup_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    int status = options_read(&backup_spec, &arguments, argc, argv);
    hear_signals();
    return status >= 0 ? status : back_up(&arguments, argv[optind]);
}

int backup_restore_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    int status = options_read(&restore_spec, &arguments, argc, argv);
    hear_signals();
    return status >= 0 ? status : restore(&arguments, argv[optind]);
}
