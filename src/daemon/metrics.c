/* metrics.c - what all parts count, in one list. */
#include <stdlib.h>
#include <sys/statvfs.h>

#include "daemon_private.h"

/* ---- of the daemon itself ---- */

struct build {
    char version[32], libmicrohttpd[32], sqlite[32];
};

#define BUILD(LABEL)                                                                                                   \
    {                                                                                                                  \
        .name = "build", .kind = REPORT_INFO, .label = #LABEL, .help = "Versions of the daemon and its libraries.",    \
        .offset = REPORT_OFFSET_TEXT(struct build, LABEL)                                                              \
    }

static const struct report_row build_rows[] = { BUILD(version), BUILD(libmicrohttpd), BUILD(sqlite) };
const struct report_table metrics_build_report = { build_rows, ARRAY_SIZE(build_rows) };

static void add_build(struct report_list *list)
{
    struct build build;
    text_copy(build.version, sizeof(build.version), PROGRAM_VERSION);
    text_copy(build.libmicrohttpd, sizeof(build.libmicrohttpd), http_library_version());
    text_copy(build.sqlite, sizeof(build.sqlite), store_library_version());
    report_list_add(list, &(struct report_part){ .table = &metrics_build_report, .values = &build }, sizeof(build));
}

static const struct report_row reload_rows[] = {
    { .name = "config_last_reload_successful",
      .kind = REPORT_FLAG,
      .help = "1: the last reload was taken, or there was none; 0: it was refused.",
      .offset = REPORT_OFFSET(struct metrics_reload, taken) },
    { .name = "config_last_reload_success_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When the configuration in force was read.",
      .offset = REPORT_OFFSET(struct metrics_reload, taken_us) },
};
const struct report_table metrics_reload_report = { reload_rows, ARRAY_SIZE(reload_rows) };

static void add_reload(struct program *program, struct report_list *list)
{
    pthread_mutex_lock(&program->lock);
    struct metrics_reload reload = program->reload;
    pthread_mutex_unlock(&program->lock);
    report_list_add(list, &(struct report_part){ .table = &metrics_reload_report, .values = &reload }, sizeof(reload));
}

/* ---- of its parts ---- */

static void add_log(struct report_list *list)
{
    struct log_values log;
    log_get_values(&log);
    report_list_add(list, &(struct report_part){ .table = &log_report, .values = &log }, sizeof(log));
}

/* Looked at now: it changes without us. */
struct disk {
    uint64_t free_bytes;
};

static const struct report_row disk_rows[] = {
    { .name = "store_filesystem_free_bytes",
      .unit = "bytes",
      .kind = REPORT_GAUGE,
      .help = "Room on the file system of the event log for who is not root.",
      .offset = REPORT_OFFSET(struct disk, free_bytes) },
};
const struct report_table metrics_disk_report = { disk_rows, ARRAY_SIZE(disk_rows) };

static void add_disk(const struct program *program, struct report_list *list)
{
    struct statvfs found;
    if (statvfs(program->started->store.path, &found) < 0)
        return;
    const struct disk disk = { (uint64_t) found.f_bavail * found.f_frsize };
    report_list_add(list, &(struct report_part){ .table = &metrics_disk_report, .values = &disk }, sizeof(disk));
}

static void add_actions(const struct program *program, struct report_list *list)
{
    size_t n = delivery_get_status(program->delivery, NULL, 0);
    struct delivery_status *all CLEANUP(cleanup_free) = calloc(n + 1, sizeof(*all));
    size_t n_now = all ? delivery_get_status(program->delivery, all, n) : 0;
    list->failed |= !all;
    for (size_t i = 0; i < n && i < n_now; i++) {
        const struct report_part part = { &delivery_report, &all[i], { { "action", all[i].name } } };
        report_list_add(list, &part, sizeof(all[i]));
    }
}

void metrics_add(void *userdata, const struct config *config, struct report_list *list)
{
    struct program *program = userdata;
    add_build(list);
    add_reload(program, list);
    source_set_add_report(program->sources, list);
    pipeline_add_report(program->pipeline, list);
    add_disk(program, list);
    metrics_cad_add(program->pipeline, program->state, config, list);
    add_actions(program, list);
    add_log(list);
    metrics_process_add(program->started_us, list);
}
