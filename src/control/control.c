/* control.c - the socket and its thread. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

#define ACCEPT_AGAIN_US (100 * USEC_PER_MSEC)

struct control {
    struct control_parts parts;
    struct sockaddr_un address;
    int folder_fd, listen_fd, stop_fd;
    pthread_t thread;
    bool running;
};

/* False: nothing until end (uptime), or the daemon ends. */
static bool wait_for(const struct control *control, int fd, short events, usec_t end)
{
    struct pollfd fds[] = { { .fd = fd, .events = events }, { .fd = control->stop_fd, .events = POLLIN } };
    usec_t now = uptime_us();
    int ms = now < end ? (int) ((end - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC) : 0;
    return poll(fds, ARRAY_SIZE(fds), ms) > 0 && !fds[1].revents;
}

/* More bytes of a client that may be slow or never send them; 0 or less: that is all. */
static ssize_t read_some(const struct control *control, int fd, char *s, size_t size, usec_t end)
{
    return wait_for(control, fd, POLLIN, end) ? recv(fd, s, size, 0) : -1;
}

/* start: what came of them together with the line. */
static bool read_rest(const struct control *control, int fd, const char *start, size_t n, usec_t end,
                      struct control_request *request)
{
    size_t size = control_more_size(request->line);
    struct text *more = &request->more;
    if (n > size || size > CONTROL_SECRETS_MAX_BYTES || !text_reserve(more, size))
        return false;
    text_add_bytes(more, start, n);
    while (more->size < size) {
        ssize_t n_more = read_some(control, fd, more->s + more->size, size - more->size, end);
        if (n_more <= 0)
            return false;
        more->size += (size_t) n_more;
    }
    return true;
}

static bool read_request(const struct control *control, int fd, struct control_request *request)
{
    char *line = request->line;
    size_t size = 0;
    usec_t end = uptime_us() + CONTROL_PATIENCE_US;
    while (size < sizeof(request->line) - 1) {
        ssize_t n = read_some(control, fd, line + size, sizeof(request->line) - 1 - size, end);
        if (n <= 0)
            return false;
        size += (size_t) n;
        char *line_end = memchr(line, '\n', size);
        if (!line_end)
            continue;
        *line_end = '\0';
        size_t rest = size - (size_t) (line_end + 1 - line);
        return read_rest(control, fd, line_end + 1, rest, end, request);
    }
    return false;
}

static bool is_trusted(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static void cleanup_request(struct control_request *request)
{
    text_wipe(&request->more);
    explicit_bzero(request->line, sizeof(request->line));
}

static void write_all(const struct control *control, int fd, const struct text *text)
{
    usec_t end = uptime_us() + CONTROL_PATIENCE_US;
    for (size_t done = 0; done < text->size && wait_for(control, fd, POLLOUT, end);) {
        ssize_t n = send(fd, text->s + done, text->size - done, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        done += (size_t) n;
    }
}

static void serve(const struct control *control)
{
    struct sockaddr_un peer;
    socklen_t peer_size = sizeof(peer);
    int fd CLEANUP(cleanup_close) =
        accept4(control->listen_fd, (struct sockaddr *) &peer, &peer_size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct text answer CLEANUP(text_free) = TEXT_INIT;
    struct control_request request CLEANUP(cleanup_request) = { .more = TEXT_INIT };
    if (fd < 0) {
        if (errno != EAGAIN) /* no descriptor left: who waits goes on waiting, and poll would say so without end */
            (void) wait_for(control, -1, 0, uptime_us() + ACCEPT_AGAIN_US);
        return;
    }
    if (!read_request(control, fd, &request))
        return;
    request.trusted = is_trusted(fd);
    control_answer(&control->parts, &request, &answer);
    if (!answer.failed)
        write_all(control, fd, &answer);
}

static void *control_thread(void *argument)
{
    const struct control *control = argument;
    struct pollfd fds[] = { { .fd = control->listen_fd, .events = POLLIN },
                            { .fd = control->stop_fd, .events = POLLIN } };
    pthread_setname_np(pthread_self(), "control");
    while (!fds[1].revents) {
        if (poll(fds, ARRAY_SIZE(fds), -1) > 0 && fds[0].revents)
            serve(control);
    }
    return NULL;
}

static int open_socket(struct control *control, struct err *err)
{
    const char *path = control->address.sun_path;
    control->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    control->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listen_fd < 0 || control->stop_fd < 0)
        return err_set(err, -errno, "cannot make the control socket: %s", strerror(errno));
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set(err, -errno, "cannot replace %s: %s", path, strerror(errno));
    /* Nobody gets in before the last step. */
    if (bind(control->listen_fd, (const struct sockaddr *) &control->address, sizeof(control->address)) == 0 &&
        chmod(path, 0660) == 0 && listen(control->listen_fd, 16) == 0)
        return 0;
    return err_set(err, -errno, "cannot make the control socket %s: %s", path, strerror(errno));
}

int control_start(struct control **ret, const char *store_path, const struct control_parts *parts, struct err *err)
{
    struct control *control = calloc(1, sizeof(*control));
    if (!control)
        return err_set(err, -ENOMEM, "no memory");
    control->parts = *parts;
    control->folder_fd = control->listen_fd = control->stop_fd = -1;
    int r = control_address(store_path, &control->address, &control->folder_fd, err);
    if (r >= 0)
        r = open_socket(control, err);
    if (r >= 0) {
        r = -pthread_create(&control->thread, NULL, control_thread, control);
        control->running = r == 0;
        if (r < 0)
            err_set(err, r, "cannot start the control thread: %s", strerror(-r));
    }
    if (r < 0) {
        control_stop(control);
        return r;
    }
    *ret = control;
    return 0;
}

struct control *control_stop(struct control *control)
{
    uint64_t one = 1;
    if (!control)
        return NULL;
    if (control->running) {
        (void) !write(control->stop_fd, &one, sizeof(one));
        pthread_join(control->thread, NULL);
        unlink(control->address.sun_path);
    }
    cleanup_close(&control->folder_fd);
    cleanup_close(&control->listen_fd);
    cleanup_close(&control->stop_fd);
    free(control);
    return NULL;
}
