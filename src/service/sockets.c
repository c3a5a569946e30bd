/* sockets.c - listening sockets that systemd keeps for us, and those that it listens on itself.
 *
 * Source: sd_listen_fds(3), sd_notify(3) for FDSTORE=1, systemd.service(5) for FileDescriptorStoreMax=.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include <sonoran-pushd/log.h>
#include <sonoran-pushd/service.h>

#define STORED "listener-" /* in front of the names of those that we gave it */

static void free_names(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}

static void forget(const char *full_name)
{
    (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", full_name);
}

/* Of a socket that is of no use nothing is left. */
static bool take(int fd, const char *name, struct service_socket *ret)
{
    bool listens = sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) > 0 || sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0;
    bool stored = strncmp(name, STORED, strlen(STORED)) == 0;
    int flags = fcntl(fd, F_GETFL);
    if (!listens || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        log_line(LOG_WARNING, LOG_ID_CONFIG, "systemd handed over %s, which is no listening TCP socket: closed", name);
        close(fd);
        if (stored)
            forget(name);
        return false;
    }
    ret->fd = fd;
    ret->lent = !stored;
    snprintf(ret->name, sizeof(ret->name), "%s", stored ? name + strlen(STORED) : name);
    return true;
}

void service_store_socket(const char *name, int fd)
{
    char state[64 + sizeof(((struct service_socket *) NULL)->name)];
    snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=" STORED "%s", name);
    (void) sd_pid_notify_with_fds(0, 0, state, &fd, 1);
}

void service_forget_socket(const char *name)
{
    char full_name[sizeof(STORED) + sizeof(((struct service_socket *) NULL)->name)];
    snprintf(full_name, sizeof(full_name), STORED "%s", name);
    forget(full_name);
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
