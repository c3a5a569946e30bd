/* off.c - an action that is switched off: what it needs is not there, or its target refuses for good. Its place in the
 * log stays where it is; it is told once, and tries again by itself. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

#define MINUTE_US (60 * USEC_PER_SEC)
#define MISSING_AGAIN_US MINUTE_US

/* "every 60 min" */
static void format_pause(usec_t again_us, char ret[64])
{
    if (!again_us)
        snprintf(ret, 64, "until the configuration is read again");
    else if (again_us == MINUTE_US)
        snprintf(ret, 64, "tried again every minute");
    else
        snprintf(ret, 64, "tried again every %llu min", (unsigned long long) (again_us / MINUTE_US));
}

/* Under the lock. The same reason as before is no news. */
static void turn_off(struct worker *worker, const struct err *err, usec_t again_us)
{
    char pause[64];
    assert(wait_is_locked(&worker->lock));
    bool news = !worker->off_told || strncmp(worker->status.error, err->msg, sizeof(worker->status.error) - 1) != 0;
    worker->off = worker->off_told = true;
    worker->off_until_us = again_us ? uptime_us() + again_us : UINT64_MAX;
    worker->status.next_try_us = again_us ? now_us() + again_us : 0;
    attempt_count_failure(worker, err);
    pthread_cond_broadcast(&worker->pause);
    format_pause(again_us, pause);
    worker_tell(worker, news ? LOG_ERR : LOG_DEBUG, LOG_ID_ACTION_OFF, 0, 0, "switched off, %s: %s", pause, err->msg);
}

void worker_turn_off(struct worker *worker, const struct err *err, usec_t again_us)
{
    pthread_mutex_lock(&worker->lock);
    worker->failing = worker->failing_told = true; /* so that it is told when it delivers again */
    turn_off(worker, err, again_us);
    pthread_mutex_unlock(&worker->lock);
}

/* The first complaint is enough. */
static void note_missing(void *context, const char *option, const char *sentence)
{
    struct err *err = context;
    if (!err->msg[0])
        err_set(err, 0, "%s: %s", option, sentence);
}

int worker_open_action(const struct action_context *context, const struct action_type *type, struct action **action,
                       struct err *err)
{
    const struct config_action *config = context->config;
    if (config->missing)
        return err_set(err, -ENOENT, "%s", config->missing);
    if (type->check_present)
        type->check_present(config, note_missing, err);
    if (err->msg[0])
        return -ENOENT;
    return *action ? 0 : type->open(action, context, err);
}

static bool has_to_wait(const struct worker *worker)
{
    return !worker->ending && (worker->looking || (worker->off && uptime_us() < worker->off_until_us));
}

/* One slot at a time finds out whether the action works, and the others wait for that. */
void worker_come_back(struct slot *slot, struct action **action)
{
    struct worker *worker = slot->worker;
    const struct action_context context = { worker->action, worker->cancel_fd, &worker->log };
    struct err err = { "" };
    while (has_to_wait(worker))
        (void) wait_signal(&worker->more, &worker->lock, worker->looking ? UINT64_MAX : worker->off_until_us);
    if (worker->ending || (*action && !worker->off))
        return;

    worker->looking = true;
    pthread_mutex_unlock(&worker->lock);
    int r = worker_open_action(&context, worker->type, action, &err);
    pthread_mutex_lock(&worker->lock);
    worker->looking = false;
    pthread_cond_broadcast(&worker->more);
    if (r < 0) {
        worker->missing = true;
        turn_off(worker, &err, MISSING_AGAIN_US);
        return;
    }
    if (worker->missing) {
        worker->missing = worker->off_told = false;
        worker_tell(worker, LOG_NOTICE, LOG_ID_ACTION_CHANGED, 0, 0, "switched on again");
    }
    worker->off = false;
}
