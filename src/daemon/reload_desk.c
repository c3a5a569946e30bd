/* reload_desk.c - where another thread asks the main thread to read the configuration again. There is one who asks at a
 * time. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon_private.h"

int reload_desk_open(struct reload_desk *desk, struct err *err)
{
    *desk = (struct reload_desk){ .secrets = TEXT_INIT };
    pthread_mutex_init(&desk->lock, NULL);
    desk->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return desk->fd < 0 ? err_set(err, -errno, "cannot make an event descriptor: %s", strerror(errno)) : 0;
}

int reload_desk_ask(struct reload_desk *desk, struct text *secrets, void *ticket, struct err *err)
{
    uint64_t one = 1;
    int r = 0;
    pthread_mutex_lock(&desk->lock);
    if (desk->closed)
        r = err_set(err, -ESHUTDOWN, "the daemon is stopping");
    else if (desk->ticket)
        r = err_set(err, -EBUSY, "the daemon is still busy with the reload before this one");
    if (r == 0) {
        desk->handed_over = secrets != NULL;
        if (secrets) {
            desk->secrets = *secrets;
            *secrets = (struct text) TEXT_INIT;
        }
        desk->ticket = ticket;
        desk->taken = false;
        (void) !write(desk->fd, &one, sizeof(one));
    }
    pthread_mutex_unlock(&desk->lock);
    return r;
}

bool reload_desk_give_up(struct reload_desk *desk, const void *ticket)
{
    pthread_mutex_lock(&desk->lock);
    bool waits = desk->ticket == ticket && !desk->taken;
    if (waits) {
        text_wipe(&desk->secrets);
        desk->ticket = NULL;
    }
    pthread_mutex_unlock(&desk->lock);
    return waits;
}

bool reload_desk_take(struct reload_desk *desk, struct text *ret_secrets, bool *ret_handed_over)
{
    uint64_t n;
    (void) !read(desk->fd, &n, sizeof(n));
    pthread_mutex_lock(&desk->lock);
    bool asked = desk->ticket && !desk->taken;
    if (asked) {
        *ret_handed_over = desk->handed_over;
        *ret_secrets = desk->secrets;
        desk->secrets = (struct text) TEXT_INIT;
        desk->taken = true;
    }
    pthread_mutex_unlock(&desk->lock);
    return asked;
}

void *reload_desk_done(struct reload_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    void *ticket = desk->ticket;
    desk->ticket = NULL;
    pthread_mutex_unlock(&desk->lock);
    return ticket;
}

void *reload_desk_close(struct reload_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    void *ticket = desk->ticket;
    desk->ticket = NULL;
    desk->closed = true;
    pthread_mutex_unlock(&desk->lock);
    return ticket;
}

void reload_desk_free(struct reload_desk *desk)
{
    text_wipe(&desk->secrets);
    cleanup_close(&desk->fd);
    pthread_mutex_destroy(&desk->lock);
}
