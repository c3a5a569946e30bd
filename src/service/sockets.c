/* sockets.c - what systemd listens on for us. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include <sonoran-pushd/log.h>
#include <sonoran-pushd/service.h>

static void free_names(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}

/* Of a socket that is of no use nothing is left. */
static bool take(int fd, const char *name, struct service_socket *ret)
{
    bool listens = sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) > 0 || sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0;
    int flags = fcntl(fd, F_GETFL);
    if (!listens || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        log_line(LOG_WARNING, LOG_ID_CONFIG, "systemd handed over %s, which is no listening TCP socket: closed", name);
        close(fd);
        return false;
    }
    ret->fd = fd;
    snprintf(ret->name, sizeof(ret->name), "%s", name);
    return true;
}

int service_take_sockets(struct service_socket **ret, struct err *err)
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names);
    if (n < 0)
        return err_set(err, n, "cannot take the sockets that systemd hands over: %s", strerror(-n));
    struct service_socket *sockets = calloc((size_t) n + 1, sizeof(*sockets));
    int n_taken = 0;
    for (int i = 0; sockets && i < n; i++)
        n_taken += take(SD_LISTEN_FDS_START + i, names[i], &sockets[n_taken]);
    free_names(names);
    if (!sockets)
        return err_set(err, -ENOMEM, "no memory");
    *ret = sockets;
    return n_taken;
}
