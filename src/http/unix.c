/* unix.c - a socket in the file system: opened where none lives, and whose its clients are. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http_private.h"

static bool find_user(int fd, struct ucred *ret)
{
    socklen_t size = sizeof(*ret);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &size) == 0;
}

/* Each user is a host of its own: its address lies in 100::/64, which nobody has (RFC 6666), in the half that counts
 * (http_host_of). */
void unix_set_peer(struct connection *connection)
{
    struct ucred peer = { .uid = (uid_t) -1 };
    connection->by_unix = find_user(connection->fd, &peer);
    connection->user = peer.uid;
    connection->address.s6_addr[0] = 1;
    memcpy(&connection->address.s6_addr[4], &peer.uid, sizeof(peer.uid));
    snprintf(connection->origin.peer, sizeof(connection->origin.peer), "user %u", (unsigned) peer.uid);
}

bool http_peer_user(const struct http_request *request, uid_t *ret_user)
{
    const struct connection *connection = request->inside;
    *ret_user = connection->user;
    return connection->by_unix;
}

/* Whether somebody listens: who does not has left the socket behind. */
static int look(const struct sockaddr_un *address, struct err *err)
{
    struct ucred holder;
    struct stat file;
    if (lstat(address->sun_path, &file) < 0)
        return errno == ENOENT ? 0 : err_set(err, -errno, "%s", strerror(errno));
    if (!S_ISSOCK(file.st_mode))
        return err_set(err, -EEXIST, "there is something else already, which is no socket");

    int fd CLEANUP(cleanup_close) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, -errno, "%s", strerror(errno));
    bool connected = connect(fd, (const struct sockaddr *) address, sizeof(*address)) == 0;
    if (connected && find_user(fd, &holder))
        return err_set(err, -EADDRINUSE, "process %d listens there already", (int) holder.pid);
    if (connected || errno == EAGAIN || errno == EPROTOTYPE)
        return err_set(err, -EADDRINUSE, "another process listens there already");
    if (errno != ECONNREFUSED)
        return err_set(err, -errno, "%s", strerror(errno));
    return unlink(address->sun_path) < 0 ? err_set(err, -errno, "cannot be replaced: %s", strerror(errno)) : 0;
}

int http_listen_unix(const char *path, unsigned mode, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    static_assert(sizeof(address.sun_path) == HTTP_UNIX_PATH_MAX_BYTES + 1, "with its NUL");
    if (strlen(path) > HTTP_UNIX_PATH_MAX_BYTES)
        return err_set(err, -ENAMETOOLONG, "the path of a socket has at most %d bytes", HTTP_UNIX_PATH_MAX_BYTES);
    memcpy(address.sun_path, path, strlen(path));
    int r = look(&address, err);
    if (r < 0)
        return r;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(err, -errno, "%s", strerror(errno));
    bool bound = bind(fd, (const struct sockaddr *) &address, sizeof(address)) == 0;
    /* Nobody gets in before the last step. */
    if (bound && chmod(path, mode) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    r = err_set(err, -errno, "%s", strerror(errno));
    close(fd);
    if (bound)
        (void) unlink(path);
    return r;
}
