/* metrics_process.c - what every process is asked for, under the names that all programs use. Sources: prometheus.io,
 * "Writing client libraries", process metrics; proc(5). */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon_private.h"

struct process {
    uint64_t cpu_us, open_fds, max_fds, virtual_bytes, resident_bytes, started_us, threads;
};

#define PROCESS(NAME, FIELD, ...)                                                                                      \
    {                                                                                                                  \
        .name = "process_" NAME, .common = true, .offset = REPORT_OFFSET(struct process, FIELD), __VA_ARGS__           \
    }

static const struct report_row rows[] = {
    PROCESS("cpu_seconds", cpu_us, .unit = "seconds", .kind = REPORT_COUNTER,
            .help = "Time of processors, user and system, since the start."),
    PROCESS("open_fds", open_fds, .kind = REPORT_GAUGE, .help = "Open file descriptors."),
    PROCESS("max_fds", max_fds, .kind = REPORT_GAUGE, .help = "How many file descriptors may be open."),
    PROCESS("virtual_memory_bytes", virtual_bytes, .unit = "bytes", .kind = REPORT_GAUGE, .help = "Virtual memory."),
    PROCESS("resident_memory_bytes", resident_bytes, .unit = "bytes", .kind = REPORT_GAUGE, .help = "Resident memory."),
    PROCESS("start_time_seconds", started_us, .unit = "seconds", .kind = REPORT_GAUGE,
            .help = "When the process was started."),
    PROCESS("threads", threads, .kind = REPORT_GAUGE, .help = "Threads."),
};

const struct report_table metrics_process_report = { rows, ARRAY_SIZE(rows) };

#define FIELDS 22

/* One of them is that by which they are counted. */
static uint64_t count_open_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint64_t n = 0;
    if (!folder)
        return 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n < 3 ? 0 : n - 3; /* ".", ".." and this */
}

/* Of /proc/self/stat behind the name, which may have blanks in it: the fields from the third on. */
static void read_stat(struct process *ret)
{
    char line[1024];
    unsigned long long fields[FIELDS] = { 0 };
    int fd CLEANUP(cleanup_close) = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
    if (size < 0)
        return;
    line[size] = '\0';
    char *at = strrchr(line, ')');
    for (int i = 0; at && i < FIELDS && (at = strchr(at, ' ')); i++)
        fields[i] = strtoull(++at, NULL, 10); /* the first is a letter, and 0 here */
    ret->threads = fields[17];
    ret->virtual_bytes = fields[20];
    ret->resident_bytes = fields[21] * (uint64_t) sysconf(_SC_PAGESIZE);
}

static uint64_t us_of(struct timeval time)
{
    return (uint64_t) time.tv_sec * USEC_PER_SEC + (uint64_t) time.tv_usec;
}

void metrics_process_add(usec_t started_us, struct report_list *list)
{
    struct process process = { .started_us = started_us, .open_fds = count_open_fds() };
    struct rusage usage = { 0 };
    struct rlimit files = { 0 };
    (void) getrusage(RUSAGE_SELF, &usage);
    (void) getrlimit(RLIMIT_NOFILE, &files);
    read_stat(&process);
    process.cpu_us = us_of(usage.ru_utime) + us_of(usage.ru_stime);
    process.max_fds = files.rlim_cur;
    report_list_add(list, &(struct report_part){ .table = &metrics_process_report, .values = &process },
                    sizeof(process));
}
