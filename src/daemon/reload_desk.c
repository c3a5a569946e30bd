/* reload_desk.c - where another thread asks the main thread to read the configuration again, and waits for the outcome.
 * There is one who asks at a time. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sonoran-pushd/wait.h>

#include "private.h"

int reload_desk_open(struct reload_desk *desk, struct err *err)
{
    *desk = (struct reload_desk){ .secrets = TEXT_INIT, .answer = TEXT_INIT };
    pthread_cond_init(&desk->changed, NULL);
    pthread_mutex_init(&desk->lock, NULL);
    desk->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return desk->fd < 0 ? err_set(err, -errno, "cannot make an event descriptor: %s", strerror(errno)) : 0;
}

/* Under the lock. */
static void wait_for_answer(struct reload_desk *desk)
{
    usec_t end = uptime_us() + CONTROL_RELOAD_PATIENCE_US;
    while (desk->state != RELOAD_ANSWERED && !desk->closed && wait_signal(&desk->changed, &desk->lock, end))
        continue;
}

/* Under the lock: what becomes of the request when its answer was waited for. */
static int finish(struct reload_desk *desk, struct text *out, struct err *err)
{
    if (desk->state == RELOAD_ANSWERED) {
        text_add_bytes(out, desk->answer.s, desk->answer.size);
        out->failed |= desk->answer.failed;
        text_free(&desk->answer);
        desk->state = RELOAD_NONE;
        return 0;
    }
    if (desk->state == RELOAD_ASKED) {
        text_wipe(&desk->secrets);
        desk->state = RELOAD_NONE;
    } else {
        desk->state = RELOAD_ABANDONED;
    }
    return desk->closed ? err_set(err, -ESHUTDOWN, "the daemon is stopping")
                        : err_set(err, -ETIMEDOUT,
                                  "the daemon has not reloaded its configuration within %d s; its log "
                                  "will say whether it does",
                                  (int) (CONTROL_RELOAD_PATIENCE_US / USEC_PER_SEC));
}

int reload_desk_ask(struct reload_desk *desk, struct text *secrets, struct text *out, struct err *err)
{
    uint64_t one = 1;
    int r;
    pthread_mutex_lock(&desk->lock);
    if (desk->state != RELOAD_NONE || desk->closed) {
        r = desk->closed ? err_set(err, -ESHUTDOWN, "the daemon is stopping")
                         : err_set(err, -EBUSY, "the daemon is still busy with the reload before this one");
    } else {
        desk->handed_over = secrets != NULL;
        if (secrets) {
            desk->secrets = *secrets;
            *secrets = (struct text) TEXT_INIT;
        }
        desk->state = RELOAD_ASKED;
        (void) !write(desk->fd, &one, sizeof(one));
        wait_for_answer(desk);
        r = finish(desk, out, err);
    }
    pthread_mutex_unlock(&desk->lock);
    return r;
}

bool reload_desk_take(struct reload_desk *desk, struct text *ret_secrets, bool *ret_handed_over)
{
    uint64_t n;
    (void) !read(desk->fd, &n, sizeof(n));
    pthread_mutex_lock(&desk->lock);
    bool asked = desk->state == RELOAD_ASKED;
    if (asked) {
        *ret_handed_over = desk->handed_over;
        *ret_secrets = desk->secrets;
        desk->secrets = (struct text) TEXT_INIT;
        desk->state = RELOAD_UNDER_WAY;
    }
    pthread_mutex_unlock(&desk->lock);
    return asked;
}

void reload_desk_answer(struct reload_desk *desk, struct text *answer)
{
    pthread_mutex_lock(&desk->lock);
    if (desk->state == RELOAD_UNDER_WAY) {
        desk->answer = *answer;
        *answer = (struct text) TEXT_INIT;
        desk->state = RELOAD_ANSWERED;
        pthread_cond_signal(&desk->changed);
    } else {
        desk->state = RELOAD_NONE;
    }
    pthread_mutex_unlock(&desk->lock);
    text_free(answer);
}

void reload_desk_close(struct reload_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->closed = true;
    pthread_cond_signal(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

void reload_desk_free(struct reload_desk *desk)
{
    text_wipe(&desk->secrets);
    text_free(&desk->answer);
    cleanup_close(&desk->fd);
    pthread_cond_destroy(&desk->changed);
    pthread_mutex_destroy(&desk->lock);
}
