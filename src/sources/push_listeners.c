/* push_listeners.c - where the push source listens: as the configuration says, on sockets that are there already as far
 * as they fit.
 *
 * systemd keeps copies of our sockets over restarts. A copy of one that nobody accepts from would be an open port that
 * is deaf: such a socket is silenced for all who have it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/service.h>

#include "push_private.h"

static const struct sockaddr *address_of(const struct config_listener *listener)
{
    return (const struct sockaddr *) &listener->socket_address;
}

static bool same_name(const struct push_listener *listener, const char *name)
{
    return strcmp(listener->name, name) == 0;
}

static const struct push_listener *find_socket(const struct push_listeners *listeners, int fd)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listeners->all[i].fd == fd)
            return &listeners->all[i];
    return NULL;
}

/* ---- which socket becomes which listener ---- */

/* Under its own name, else under another one; a lent socket keeps its name. */
static const struct push_listener *find_fitting(const struct push_listeners *have, const struct push_listeners *chosen,
                                                const struct config_listener *wanted, bool renamed)
{
    for (size_t i = 0; i < have->n; i++) {
        const struct push_listener *socket = &have->all[i];
        bool named = renamed ? !socket->lent : same_name(socket, wanted->name);
        if (named && !find_socket(chosen, socket->fd) &&
            http_listens_on(socket->fd, address_of(wanted), wanted->socket_address_size))
            return socket;
    }
    return NULL;
}

static void choose(const struct config *config, const struct push_listeners *have, struct push_listeners *next)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        snprintf(next->all[i].name, sizeof(next->all[i].name), "%s", config->listeners[i].name);
        next->all[i].fd = -1;
    }
    next->n = config->n_listeners;
    for (int renamed = false; renamed <= true; renamed++)
        for (size_t i = 0; i < next->n; i++) {
            const struct push_listener *socket =
                next->all[i].fd < 0 ? find_fitting(have, next, &config->listeners[i], renamed) : NULL;
            if (!socket)
                continue;
            next->all[i].fd = socket->fd;
            next->all[i].lent = socket->lent;
        }
}

/* Only its unit can change a lent socket. */
static int check_lent(const struct config *config, const struct push_listeners *have, const struct push_listeners *next,
                      struct err *err)
{
    for (size_t i = 0; i < have->n; i++) {
        const struct push_listener *socket = &have->all[i];
        if (!socket->lent || find_socket(next, socket->fd))
            continue;
        char address[64];
        http_socket_name(socket->fd, address, sizeof(address));
        for (size_t k = 0; k < config->n_listeners; k++)
            if (same_name(socket, config->listeners[k].name))
                return err_set(err, SOURCE_NEEDS_HELP,
                               "listener %s is at %s, but its .socket unit listens on %s: make both the same",
                               socket->name, config->listeners[k].address, address);
        return err_set(err, SOURCE_NEEDS_HELP,
                       "a .socket unit listens on %s under the name %s (FileDescriptorName=), but no listener is "
                       "called so: give both the same name, or disable the unit",
                       address, socket->name);
    }
    return 0;
}

/* ---- opening, closing ---- */

static void silence_unused(const struct push_listeners *have, const struct push_listeners *next)
{
    for (size_t i = 0; i < have->n; i++)
        if (!have->all[i].lent && !find_socket(next, have->all[i].fd))
            http_silence(have->all[i].fd);
}

/* A new address may overlap with one that is given up ([::]:30120 and 127.0.0.1:30120): those are silenced then. */
static int open_missing(const struct config *config, const struct push_listeners *have, struct push_listeners *next,
                        struct err *err)
{
    for (size_t i = 0; i < next->n; i++) {
        const struct config_listener *listener = &config->listeners[i];
        if (next->all[i].fd >= 0)
            continue;
        int fd = http_listen(address_of(listener), listener->socket_address_size, err);
        if (fd == -EADDRINUSE) {
            silence_unused(have, next);
            fd = http_listen(address_of(listener), listener->socket_address_size, err);
        }
        if (fd < 0)
            return err_wrap(err, fd, "listener %s", listener->name);
        next->all[i].fd = fd;
    }
    return 0;
}

/* What the next daemon is handed over has to have the names of today. */
static void tell_store(const struct push_listeners *have, const struct push_listeners *next)
{
    for (size_t i = 0; i < have->n; i++) {
        const struct push_listener *old = &have->all[i], *same = find_socket(next, old->fd);
        if (!old->lent && !(same && same_name(same, old->name)))
            service_forget_socket(old->name);
    }
    for (size_t i = 0; i < next->n; i++) {
        const struct push_listener *new = &next->all[i], *same = find_socket(have, new->fd);
        if (!new->lent && !(same && same_name(same, new->name)))
            service_store_socket(new->name, new->fd);
    }
}

/* ---- at a reload ---- */

int push_listeners_arrange(const struct push_listeners *have, const struct config *config,
                           struct push_listeners *ret_next, struct err *err)
{
    *ret_next = (struct push_listeners){ .all = calloc(config->n_listeners + 1, sizeof(*ret_next->all)) };
    if (!ret_next->all)
        return err_set(err, -ENOMEM, "no memory");
    choose(config, have, ret_next);
    int r = check_lent(config, have, ret_next, err);
    if (r >= 0)
        r = open_missing(config, have, ret_next, err);
    if (r < 0)
        push_listeners_go_back(have, ret_next);
    return r;
}

void push_listeners_go_back(const struct push_listeners *have, struct push_listeners *next)
{
    for (size_t i = 0; i < next->n; i++)
        if (next->all[i].fd >= 0 && !find_socket(have, next->all[i].fd))
            close(next->all[i].fd);
    for (size_t i = 0; i < have->n; i++) {
        const struct push_listener *listener = &have->all[i];
        if (listener->lent || find_socket(next, listener->fd))
            continue;
        if (http_listen_again(listener->fd) < 0)
            log_line(LOG_ERR, LOG_ID_RELOAD_REFUSED, "listener %s does not listen any more", listener->name);
        service_store_socket(listener->name, listener->fd);
    }
    free(next->all);
    *next = (struct push_listeners){ 0 };
}

void push_listeners_replace(struct push_listeners *have, struct push_listeners *take_next)
{
    silence_unused(have, take_next);
    tell_store(have, take_next);
    for (size_t i = 0; i < have->n; i++)
        if (!find_socket(take_next, have->all[i].fd))
            close(have->all[i].fd);
    free(have->all);
    *have = *take_next;
    *take_next = (struct push_listeners){ 0 };
}

/* ---- at the start and the end ---- */

static int take_sockets(struct push_listeners *ret, struct err *err)
{
    struct service_socket *sockets CLEANUP(cleanup_free) = NULL;
    int n = service_take_sockets(&sockets, err);
    ret->all = n < 0 ? NULL : calloc((size_t) n + 1, sizeof(*ret->all));
    if (!ret->all)
        return n < 0 ? n : err_set(err, -ENOMEM, "no memory");
    for (int i = 0; i < n; i++) {
        struct push_listener *listener = &ret->all[ret->n++];
        listener->fd = sockets[i].fd;
        listener->lent = sockets[i].lent;
        snprintf(listener->name, sizeof(listener->name), "%s", sockets[i].name);
    }
    return 0;
}

/* Of what was stored, only what is still wanted. It goes first: should the start fail, it stays gone. */
static int keep_wanted(const struct config *config, struct push_listeners *have, struct err *err)
{
    struct push_listeners wanted = { .all = calloc(config->n_listeners + 1, sizeof(*wanted.all)) };
    if (!wanted.all)
        return err_set(err, -ENOMEM, "no memory");
    choose(config, have, &wanted);
    int r = check_lent(config, have, &wanted, err);
    size_t n = 0;
    for (size_t i = 0; i < have->n && r >= 0; i++) {
        if (find_socket(&wanted, have->all[i].fd)) {
            have->all[n++] = have->all[i];
            continue;
        }
        http_silence(have->all[i].fd);
        service_forget_socket(have->all[i].name);
        close(have->all[i].fd);
    }
    have->n = r < 0 ? have->n : n;
    free(wanted.all);
    return r;
}

int push_listeners_open(struct push_listeners *ret, const struct config *config, struct err *err)
{
    struct push_listeners next = { 0 };
    int r = take_sockets(ret, err);
    if (r >= 0)
        r = keep_wanted(config, ret, err);
    if (r >= 0)
        r = push_listeners_arrange(ret, config, &next, err);
    if (r < 0)
        return r;
    push_listeners_replace(ret, &next);

    /* One that was handed over need not be stored: the upgrade from a package with a socket unit passes its socket on
     * under our name. systemd knows those that it has. */
    for (size_t i = 0; i < ret->n; i++)
        if (!ret->all[i].lent)
            service_store_socket(ret->all[i].name, ret->all[i].fd);
    return 0;
}

void push_listeners_close(struct push_listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++)
        close(listeners->all[i].fd);
    free(listeners->all);
    *listeners = (struct push_listeners){ 0 };
}

struct http_listener *push_listeners_for_http(const struct push_listeners *listeners)
{
    struct http_listener *all = calloc(listeners->n + 1, sizeof(*all));
    for (size_t i = 0; all && i < listeners->n; i++) {
        all[i].fd = listeners->all[i].fd;
        snprintf(all[i].name, sizeof(all[i].name), "%.*s", NAME_MAX_BYTES, listeners->all[i].name);
    }
    return all;
}
