/* listen.c - where the daemon listens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

static int take_socket(struct service_socket *sockets, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (sockets[i].fd >= 0 && strcmp(sockets[i].name, name) == 0) {
            int fd = sockets[i].fd;
            sockets[i].fd = -1;
            return fd;
        }
    return -ENOENT;
}

static int open_listener(const struct config_listener *listener, struct service_socket *sockets, int n_sockets,
                         struct err *err)
{
    int fd = take_socket(sockets, n_sockets, listener->name);
    if (fd < 0)
        fd = http_listen((const struct sockaddr *) &listener->socket_address, listener->socket_address_size, err);
    return fd < 0 ? err_wrap(err, fd, "listener %s", listener->name) : fd;
}

static void close_strangers(struct service_socket *sockets, int n)
{
    for (int i = 0; i < n; i++) {
        if (sockets[i].fd < 0)
            continue;
        log_line(LOG_WARNING, LOG_ID_CONFIG,
                 "systemd hands over a socket called %s (FileDescriptorName=), but no listener is called so: closed",
                 sockets[i].name);
        close(sockets[i].fd);
    }
}

int open_listeners(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    struct service_socket *sockets CLEANUP(cleanup_free) = NULL;
    int n_sockets = service_take_sockets(&sockets, err), r = n_sockets;
    program->listeners = r >= 0 ? calloc(config->n_listeners, sizeof(*program->listeners)) : NULL;
    if (r >= 0 && !program->listeners)
        r = err_set(err, -ENOMEM, "no memory");
    for (size_t i = 0; i < config->n_listeners && r >= 0; i++) {
        const struct config_listener *listener = &config->listeners[i];
        r = open_listener(listener, sockets, n_sockets, err);
        if (r < 0)
            break;
        program->listeners[program->n_listeners].fd = r;
        snprintf(program->listeners[program->n_listeners].name, NAME_MAX_BYTES + 1, "%s", listener->name);
        program->n_listeners++;
    }
    close_strangers(sockets, n_sockets);
    return r < 0 ? r : 0;
}
