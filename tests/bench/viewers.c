/* viewers.c - many clients of the event stream in one thread, which cost as little as they can.
 *
 *     bench_viewers PLACE NUMBER [TARGET]
 *
 * Opens so many streams at a Unix socket, or a port of 127.0.0.1, and says "ready" when each has its head. Then, for
 * each line on its standard input, one line of JSON about the time since the line before: how many are open, how many
 * events of the log and bytes came, in how many reads, and how old an event was when it was read, of every 16th client.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_TARGET "/api/stream"
#define MARK "event: log\n" /* a line of each event of the log */
#define TIME_MARK "\"time\":\""
#define SAMPLED 16
#define DELAYS_MAX (1 << 20)
#define READY_MAX 64

struct viewer {
    int fd;
    size_t matched; /* of MARK, on the line under way; SIZE_MAX: it is another line */
    int sampled;
};

static struct viewer *viewers;
static long n_open;
static struct {
    uint64_t events, bytes, reads;
} counts;
static uint32_t delays_us[DELAYS_MAX];
static size_t n_delays;

static void fail(const char *what)
{
    fprintf(stderr, "bench_viewers: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void count_events(struct viewer *viewer, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (viewer->matched == SIZE_MAX) {
            const char *end = memchr(bytes + i, '\n', n - i);
            if (!end)
                return;
            i = (size_t) (end - bytes);
            viewer->matched = 0;
        } else if (bytes[i] != MARK[viewer->matched]) {
            viewer->matched = bytes[i] == '\n' ? 0 : SIZE_MAX;
        } else if (++viewer->matched == strlen(MARK)) {
            counts.events++;
            viewer->matched = 0;
        }
    }
}

/* Of the last event in what was read. bytes ends with a NUL. */
static void measure_delay(const char *bytes)
{
    const char *last = NULL, *next = bytes;
    struct tm tm = { 0 };
    struct timespec now;
    while ((next = strstr(next, TIME_MARK)))
        last = next += strlen(TIME_MARK);
    const char *fraction = last ? strptime(last, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!fraction || *fraction != '.' || n_delays == DELAYS_MAX)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t then_us = (int64_t) timegm(&tm) * 1000000 + (int64_t) (strtod(fraction, NULL) * 1e6);
    int64_t delay_us = (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000 - then_us;
    delays_us[n_delays++] = delay_us > 0 ? (uint32_t) delay_us : 0;
}

static void take(struct viewer *viewer)
{
    static char bytes[65536];
    ssize_t n = recv(viewer->fd, bytes, sizeof(bytes) - 1, 0);
    if (n <= 0) {
        close(viewer->fd);
        n_open--;
        return;
    }
    bytes[n] = '\0';
    counts.bytes += (uint64_t) n;
    counts.reads++;
    count_events(viewer, bytes, (size_t) n);
    if (viewer->sampled)
        measure_delay(bytes);
}

/* A port is a number, and a path is none. */
static int connect_to(const char *place)
{
    struct sockaddr_un path = { .sun_family = AF_UNIX };
    struct sockaddr_in port = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char *end;
    port.sin_port = htons((uint16_t) strtol(place, &end, 10));
    snprintf(path.sun_path, sizeof(path.sun_path), "%s", place);
    int fd = socket(*end ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const void *address = *end ? (const void *) &path : &port;
    if (fd < 0 || connect(fd, address, *end ? sizeof(path) : sizeof(port)) < 0)
        fail("connect");
    return fd;
}

static void open_viewer(struct viewer *viewer, const char *place, const char *request, int loop)
{
    char head[32768] = "";
    size_t n = 0;
    ssize_t more = 1;
    viewer->fd = connect_to(place);
    if (send(viewer->fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        fail("send");
    while (more > 0 && n < sizeof(head) - 1 && !strstr(head, "\r\n\r\n")) {
        more = recv(viewer->fd, head + n, sizeof(head) - 1 - n, 0);
        n += more > 0 ? (size_t) more : 0;
    }
    if (strncmp(head, "HTTP/1.1 200 ", 13) != 0) {
        fprintf(stderr, "bench_viewers: refused: %.200s\n", head);
        exit(1);
    }
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = viewer };
    epoll_ctl(loop, EPOLL_CTL_ADD, viewer->fd, &event);
    n_open++;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
    return (x > y) - (x < y);
}

static void tell(void)
{
    char line[16];
    if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
        exit(0);
    qsort(delays_us, n_delays, sizeof(*delays_us), compare);
    printf("{\"open\": %ld, \"events\": %llu, \"bytes\": %llu, \"reads\": %llu, \"delay_p50_us\": %u, "
           "\"delay_p99_us\": %u}\n",
           n_open, (unsigned long long) counts.events, (unsigned long long) counts.bytes,
           (unsigned long long) counts.reads, n_delays ? delays_us[n_delays / 2] : 0,
           n_delays ? delays_us[n_delays * 99 / 100] : 0);
    fflush(stdout);
    memset(&counts, 0, sizeof(counts));
    n_delays = 0;
}

int main(int argc, char **argv)
{
    struct epoll_event ready[READY_MAX], input = { .events = EPOLLIN };
    struct rlimit files;
    char request[512];
    if (argc < 3) {
        fprintf(stderr, "usage: bench_viewers PLACE NUMBER [TARGET]\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
             argc > 3 ? argv[3] : DEFAULT_TARGET);
    long n = strtol(argv[2], NULL, 10);
    viewers = calloc((size_t) n, sizeof(*viewers));
    int loop = epoll_create1(EPOLL_CLOEXEC);
    for (long i = 0; i < n; i++) {
        viewers[i].sampled = i % SAMPLED == 0;
        open_viewer(&viewers[i], argv[1], request, loop);
    }
    epoll_ctl(loop, EPOLL_CTL_ADD, STDIN_FILENO, &input);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int n_ready = epoll_wait(loop, ready, READY_MAX, -1);
        for (int i = 0; i < n_ready; i++) {
            if (ready[i].data.ptr)
                take(ready[i].data.ptr);
            else
                tell();
        }
    }
}
