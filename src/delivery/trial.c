/* trial.c - one event that was made up, given to one action: by a thread of its own, with the action opened anew. So
 * neither what the action's worker is at matters (it may wait for hours between two tries, or be off) nor is its place
 * in the log touched; nothing is stored. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

struct trial {
    struct delivery *delivery;
    struct config *config; /* a reference, for action */
    const struct config_action *action;
    struct batch batch;
    int cancel_fd;
    pthread_t thread;
    struct delivery_trial result; /* under the delivery's lock */
};

static struct trial *trial_free(struct trial *trial)
{
    if (!trial)
        return NULL;
    batch_done(&trial->batch);
    config_free(trial->config);
    cleanup_close(&trial->cancel_fd);
    free(trial);
    return NULL;
}

static void look(const struct trial *trial, const struct action_record *record, struct delivery_trial *ret)
{
    ret->left_out = filter_look(trial->action, record);
    if (ret->left_out == LEFT_OUT_WHEN)
        snprintf(ret->condition, sizeof(ret->condition), "%s", filter_condition(trial->action, record));
}

static int render(const struct trial *trial, const struct action_type *type, const struct action_record *record,
                  struct action_payload *payload, struct err *err)
{
    int r = type->render(trial->action, record, payload, err);
    bool failed = payload->body.failed || payload->words.failed || payload->environment.failed;
    return r >= 0 && failed ? err_set(err, -ENOMEM, "no memory") : r;
}

static int deliver(const struct trial *trial, const struct action_type *type, const struct action_payload *payload,
                   struct delivery_trial *ret, struct err *err)
{
    struct action *action = NULL;
    struct action_outcome outcome = { .result = ACTION_CANCELLED };
    const struct action_context context = { .config = trial->action, .cancel_fd = trial->cancel_fd };
    int r = worker_open_action(&context, type, &action, err);
    if (r < 0)
        return r;
    usec_t began = uptime_us();
    type->deliver(action, payload, 1, &outcome);
    type->close(action);
    ret->tried = true;
    ret->took_us = uptime_us() - began;
    ret->result = outcome.result;
    ret->retry_after_us = outcome.retry_after_us;
    if (outcome.result != ACTION_DONE)
        *err = outcome.err;
    snprintf(ret->answer, sizeof(ret->answer), "%s", outcome.answer);
    return 0;
}

/* What is known of units and calls is not: a sample is of none. */
static void try(const struct trial *trial, struct delivery_trial *ret)
{
    struct action_payload payload CLEANUP(action_payload_free) = ACTION_PAYLOAD_INIT;
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    const struct config *config = trial->config;
    const struct event *event = &trial->batch.events[0];
    const struct action_type *type = action_type_of(trial->action);
    struct err err = { "" };
    event_describe(event, NULL, &description);
    const struct action_record record = { .event = event,
                                          .description = &description,
                                          .community_key = delivery_key_of(config, event->community),
                                          .several_communities = config->n_communities > 1,
                                          .several_listeners = config->n_listeners > 1,
                                          .node = trial->delivery->settings.node };
    look(trial, &record, ret);
    int r = render(trial, type, &record, &payload, &err);
    if (r >= 0)
        r = deliver(trial, type, &payload, ret, &err);
    snprintf(ret->error, sizeof(ret->error), "%.*s", (int) sizeof(ret->error) - 1, err.msg);
    if (r < 0 && !err.msg[0])
        snprintf(ret->error, sizeof(ret->error), "%s", strerror(-r));
}

static void tell_trial(const struct delivery_trial *result)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    bool done = result->tried && result->result == ACTION_DONE;
    text_addf(&line, "action %s: tried with a test ", result->action);
    text_add_safe(&line, result->type, strlen(result->type), EVENT_TYPE_MAX_BYTES / 4);
    text_add(&line, ": ");
    text_add(&line, done ? "delivered" : "not delivered: ");
    text_add_safe(&line, result->error, strlen(result->error), 0);
    const struct log_field field = log_text("SONORAN_ACTION", result->action);
    log_write(&(struct log_record){ .level = LOG_NOTICE,
                                    .message_id = done ? LOG_ID_DELIVERED : LOG_ID_DELIVERY_FAILED,
                                    .line = line.s,
                                    .fields = &field,
                                    .n_fields = 1 });
}

static void *trial_thread(void *argument)
{
    struct trial *trial = argument;
    struct delivery_trial result = trial->result;
    pthread_setname_np(pthread_self(), "trial");
    try(trial, &result);
    tell_trial(&result);
    result.under_way = false;
    pthread_mutex_lock(&trial->delivery->lock);
    trial->result = result;
    pthread_mutex_unlock(&trial->delivery->lock);
    return NULL;
}

/* Under the lock, which nobody holds for long. */
static int new_trial(struct delivery *delivery, const char *name, struct trial **ret, struct err *err)
{
    assert(wait_is_locked(&delivery->lock));
    const struct config_action *action = delivery_action_of(delivery->config, name);
    if (!action)
        return err_set(err, -ENOENT, "no action is called that");
    struct trial *trial = calloc(1, sizeof(*trial));
    if (!trial)
        return err_set(err, -ENOMEM, "no memory");
    trial->delivery = delivery;
    trial->config = config_ref(delivery->config);
    trial->action = action;
    trial->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *ret = trial;
    return trial->cancel_fd < 0 ? err_set(err, -errno, "cannot try it: %s", strerror(errno)) : 0;
}

static int start(struct trial *trial, struct batch *take_batch, struct err *err)
{
    struct delivery_trial *result = &trial->result;
    trial->batch = *take_batch;
    *take_batch = (struct batch){ 0 };
    result->under_way = true;
    snprintf(result->action, sizeof(result->action), "%s", trial->action->name);
    snprintf(result->type, sizeof(result->type), "%s", trial->batch.events[0].type);
    int r = pthread_create(&trial->thread, NULL, trial_thread, trial);
    return r > 0 ? err_set(err, -r, "cannot try it: %s", strerror(r)) : 0;
}

static void end(struct trial *trial)
{
    if (trial)
        pthread_join(trial->thread, NULL);
    trial_free(trial);
}

int delivery_try(struct delivery *delivery, const char *action, struct batch *take_batch, struct err *err)
{
    struct trial *trial = NULL;
    pthread_mutex_lock(&delivery->lock);
    struct trial *last = delivery->trial;
    bool busy = last && last->result.under_way;
    int r = busy ? err_set(err, -EBUSY, "action %s is being tried", last->result.action)
                 : new_trial(delivery, action, &trial, err);
    if (r >= 0 && trial)
        r = start(trial, take_batch, err);
    if (r >= 0)
        delivery->trial = trial;
    pthread_mutex_unlock(&delivery->lock);
    if (r < 0)
        trial_free(trial);
    else
        end(last);
    return r;
}

int delivery_tried(struct delivery *delivery, struct delivery_trial *ret)
{
    pthread_mutex_lock(&delivery->lock);
    int r = delivery->trial ? 0 : -ENOENT;
    if (r == 0)
        *ret = delivery->trial->result;
    pthread_mutex_unlock(&delivery->lock);
    return r;
}

void trial_cancel(struct delivery *delivery)
{
    uint64_t one = 1;
    pthread_mutex_lock(&delivery->lock);
    if (delivery->trial)
        (void) !write(delivery->trial->cancel_fd, &one, sizeof(one));
    pthread_mutex_unlock(&delivery->lock);
}

void trial_end(struct delivery *delivery)
{
    pthread_mutex_lock(&delivery->lock);
    struct trial *trial = delivery->trial;
    delivery->trial = NULL;
    pthread_mutex_unlock(&delivery->lock);
    end(trial);
}
