/* delivery_helpers.h - an action type that does as it is told, and workers with it on a real log. */
#pragma once

#include "store_helpers.h"

#include <poll.h>
#include <pthread.h>
#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/log.h>

#include "../../src/delivery/delivery_private.h"

#define PATIENCE_MS 120000
#ifndef FAKE_BATCH
#define FAKE_BATCH 1
#endif
#ifndef FAKE_MIRRORS
#define FAKE_MIRRORS false
#endif
#define DATA "{\"call\":{\"callId\":7},\"callIds\":[7]}"

/* ---- the action type ---- */

/* What deliver does with an event from now on. */
struct order {
    uint64_t id; /* 0: any */
    enum action_result result;
    unsigned times; /* 0: always */
    bool hold;      /* waits for release or cancel first */
    const char *answer;
    usec_t retry_after_us; /* 0: a tenth of a second */
    uint64_t back_id, back_max;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t released;
    struct order orders[8];
    size_t n_orders;
    uint64_t tried[4096]; /* ids in the order of the tries */
    _Atomic size_t n_tried;
    uint64_t delivered[4096];
    _Atomic size_t n_delivered, n_open, n_opened;
    size_t batches[4096]; /* the sizes of what came */
    _Atomic size_t n_batches;
    size_t most; /* that are tried of a batch */
    bool released_all;
    _Atomic bool missing;         /* what the action needs */
    _Atomic size_t n_looked;      /* for it */
    const struct action_log *log; /* of the last that was opened */
} world = { .lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER };

struct action {
    int cancel_fd;
    const struct action_log *log;
};

static inline int open_fake(struct action **ret, const struct action_context *context, struct err *error)
{
    (void) error;
    *ret = calloc(1, sizeof(**ret));
    (*ret)->cancel_fd = context->cancel_fd;
    pthread_mutex_lock(&world.lock);
    world.log = context->log;
    world.n_open++;
    world.n_opened++;
    pthread_mutex_unlock(&world.lock);
    return 0;
}

static inline struct action *close_fake(struct action *action)
{
    pthread_mutex_lock(&world.lock);
    world.n_open--;
    pthread_mutex_unlock(&world.lock);
    free(action);
    return NULL;
}

static inline int render_fake(const struct config_action *config, const struct action_record *record,
                              struct action_payload *ret, struct err *error)
{
    (void) config;
    (void) error;
    text_add(&ret->body, record->description->line.s);
    return 0;
}

static inline bool cancelled(const struct action *action)
{
    struct pollfd fd = { .fd = action->cancel_fd, .events = POLLIN };
    return poll(&fd, 1, 5) > 0;
}

static inline struct order *order_for(uint64_t id)
{
    for (size_t i = 0; i < world.n_orders; i++)
        if (world.orders[i].id == id || !world.orders[i].id)
            return &world.orders[i];
    return NULL;
}

static inline void note_delivered(uint64_t id)
{
    world.delivered[world.n_delivered % 4096] = id;
    world.n_delivered++; /* after it: tests look without the lock */
}

/* Under the lock, which is free while it is held up. */
static inline void deliver_one(struct action *action, const struct action_payload *payload, struct action_outcome *ret)
{
    world.tried[world.n_tried % 4096] = payload->event_id;
    world.n_tried++;
    struct order *order = order_for(payload->event_id);
    bool hold = order && order->hold;
    while (hold && order->hold && !world.released_all) {
        pthread_mutex_unlock(&world.lock);
        bool stop = cancelled(action);
        pthread_mutex_lock(&world.lock);
        if (stop) {
            ret->result = ACTION_CANCELLED;
            return;
        }
    }
    ret->result = ACTION_DONE;
    if (order && (!hold || order->result != ACTION_DONE)) {
        ret->result = order->result;
        ret->back_id = order->back_id;
        ret->back_max = order->back_max;
        ret->retry_after_us = order->retry_after_us ? order->retry_after_us : 100 * USEC_PER_MSEC;
        err_set(&ret->err, 0, "ordered to fail");
        snprintf(ret->answer, sizeof(ret->answer), "%s", order->answer ? order->answer : "");
        if (order->times && --order->times == 0)
            *order = (struct order){ .id = UINT64_MAX };
    }
    if (ret->result == ACTION_DONE)
        note_delivered(payload->event_id);
}

/* As one that sends all in one go and hears of them one by one: behind one that is to come again it is not heard on. */
static inline void deliver_fake(struct action *action, const struct action_payload *payloads, size_t n,
                                struct action_outcome *outcomes)
{
    pthread_mutex_lock(&world.lock);
    world.batches[world.n_batches++ % 4096] = n;
    bool goes_on = true;
    for (size_t i = 0; i < n && i < world.most && goes_on; i++) {
        deliver_one(action, &payloads[i], &outcomes[i]);
        goes_on = outcomes[i].result == ACTION_DONE || outcomes[i].result == ACTION_GIVE_UP;
    }
    pthread_mutex_unlock(&world.lock);
}

static inline void check_present_fake(const struct config_action *config_, config_complain *complain, void *context)
{
    (void) config_;
    world.n_looked++;
    if (world.missing)
        complain(context, "command", "expected a program");
}

struct fake_settings {
    char **command;
    size_t n_command;
};

static const struct config_option fake_options[] = {
    { .group = CONFIG_ACTION,
      CONFIG_MEMBERS(struct fake_settings, command),
      .name = "command",
      .type = CONFIG_TEXT,
      .help = "What it would run." },
};

static const struct action_type action_fake = { .kind = { .name = "exec",
                                                          .options = fake_options,
                                                          .n_options = ARRAY_SIZE(fake_options),
                                                          .settings_size = sizeof(struct fake_settings) },
                                                .check_present = check_present_fake,
                                                .open = open_fake,
                                                .close = close_fake,
                                                .render = render_fake,
                                                .deliver = deliver_fake,
                                                .max_batch = FAKE_BATCH,
                                                .mirrors = FAKE_MIRRORS };
static const struct config_kind *const fake_kinds[] = { &action_fake.kind };
static const struct config_schema fake_schema = { .kinds = fake_kinds, .n_kinds = ARRAY_SIZE(fake_kinds) };

static inline void give_order(struct order order)
{
    pthread_mutex_lock(&world.lock);
    world.orders[world.n_orders++] = order;
    pthread_mutex_unlock(&world.lock);
}

static inline void release(void)
{
    pthread_mutex_lock(&world.lock);
    world.released_all = true;
    pthread_mutex_unlock(&world.lock);
}

static inline void release_one(size_t i)
{
    pthread_mutex_lock(&world.lock);
    world.orders[i].hold = false;
    pthread_mutex_unlock(&world.lock);
}

/* ---- the daemon around it ---- */

static struct store *store;
static struct state *cad;
static struct feed *feed;
static struct delivery *delivery;
static struct config *config;
static _Atomic unsigned n_pokes;

static inline void poked(void *userdata)
{
    (void) userdata;
    n_pokes++;
}

static inline struct config *read_config(const char *actions)
{
    char file[128];
    struct config_problems problems;
    struct config *loaded = NULL;
    snprintf(file, sizeof(file), "%s/pushd.yaml", folder);
    FILE *out = fopen(file, "w");
    fprintf(out, "communities: [ { api_key: \"k\" } ]\nactions: [%s]\n", actions);
    fclose(out);
    chmod(file, 0600);
    if (config_load(file, &fake_schema, NULL, &loaded, &problems) < 0)
        fail_msg("%s", problems.lines[0]);
    config_problems_free(&problems);
    return loaded;
}

#define ACTION "{ name: \"a\", type: \"exec\", command: [ \"/bin/true\" ] }"
#define ACTION_WITH(more) "{ name: \"a\", type: \"exec\", command: [ \"/bin/true\" ], " more " }"

static inline void start_with(const char *actions)
{
    feed = feed_free(feed); /* of a life before */
    assert_int_equal(feed_new(&feed, store, &families_all), 0);
    const struct delivery_settings settings = { .feed = feed, .families = &families_all, .changed = poked };
    config = read_config(actions);
    assert_int_equal(delivery_new(&delivery, &settings), 0);
    if (delivery_load(delivery, config, store, &err) < 0 || delivery_start(delivery, &err) < 0)
        fail_msg("%s", err.msg);
}

static inline void reload_with(const char *actions)
{
    struct config *next = read_config(actions);
    struct delivery_change *change;
    if (delivery_prepare(delivery, next, &change, &err) < 0)
        fail_msg("%s", err.msg);
    delivery_configure(delivery, change);
    config_free(config);
    config = next;
}

/* What the writer does when it is woken. */
static inline int save(bool fail)
{
    assert_int_equal(store_begin(store, &err), 0);
    int r = delivery_save(delivery, store, &err);
    if (r < 0 || fail)
        store_rollback(store);
    else
        r = store_commit(store, &err);
    delivery_saved(delivery, store, r >= 0 && !fail);
    return r;
}

static inline uint64_t stored_cursor(const char *name)
{
    uint64_t id = UINT64_MAX;
    return store_get_cursor(store, name, &id, &err) < 0 ? UINT64_MAX : id;
}

/* How many failures the store has; the last one in *ret. */
static inline unsigned stored_failures(struct store_failure *ret, char error[256])
{
    struct store_reader *reader;
    unsigned n = 0;
    assert_int_equal(store_reader_open(&reader, path, &err), 0);
    assert_int_equal(store_seek_failed(reader, "a", &err), 0);
    for (; store_read_failed(reader, ret, &err) > 0; n++)
        snprintf(error, 256, "%s", ret->error);
    store_reader_close(reader);
    return n;
}

static inline void add_events(unsigned n)
{
    const struct origin origin = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "127.0.0.1" };
    assert_int_equal(store_begin(store, &err), 0);
    for (unsigned i = 0; i < n; i++) {
        const struct event event = { .id = store_last_id(store) + i + 1,
                                     .time_us = now_us(),
                                     .type = i % 2 ? "EVENT_911" : "EVENT_REMOVE_911",
                                     .community = "default",
                                     .realm = "default",
                                     .origin = &origin,
                                     .verdict = EVENT_ACCEPTED,
                                     .data_text = { DATA, sizeof(DATA) - 1 } };
        assert_int_equal(store_append(store, &event, NULL, &err), 0);
    }
    assert_int_equal(store_commit(store, &err), 0);
    feed_grow(feed, store_last_id(store));
}

static inline struct delivery_status status_of_first(void)
{
    struct delivery_status status = { .cursor = UINT64_MAX };
    delivery_get_status(delivery, &status, 1);
    return status;
}

/* The first action is off, and the pause is over. */
static inline void let_look_again(void)
{
    struct worker *worker = delivery->workers[0];
    pthread_mutex_lock(&worker->lock);
    while (worker->looking) /* it may have seen what was before */
        pthread_cond_wait(&worker->more, &worker->lock);
    size_t n_looked = world.n_looked;
    worker->off_until_us = 0;
    pthread_cond_broadcast(&worker->more);
    pthread_mutex_unlock(&worker->lock);
    for (int i = 0; world.n_looked == n_looked && i < PATIENCE_MS; i++)
        usleep(1000);
    assert_true(world.n_looked > n_looked);
}

static inline void sleep_a_little(void)
{
    const struct timespec pause = { .tv_nsec = 1000 * 1000 };
    nanosleep(&pause, NULL);
}

#define wait_until(condition)                                                                                          \
    for (int waited_ms = 0; !(condition); waited_ms++) {                                                               \
        if (waited_ms > PATIENCE_MS)                                                                                   \
            fail_msg("not in time: %s", #condition);                                                                   \
        sleep_a_little();                                                                                              \
    }

static inline int set_up(void **state)
{
    if (make_folder(state) < 0)
        return -1;
    memset(world.orders, 0, sizeof(world.orders));
    world.n_orders = 0;
    world.n_tried = 0;
    world.n_delivered = 0;
    world.n_batches = 0;
    world.most = SIZE_MAX;
    world.n_open = 0;
    world.n_opened = 0;
    world.released_all = false;
    world.missing = false; /* not in one: clang 14 takes no value from an assignment to what is atomic */
    world.n_looked = 0;
    store = open_store(0, 0);
    cad = state_new();
    return 0;
}

static inline int tear_down(void **state)
{
    delivery_stop(delivery, 200 * USEC_PER_MSEC);
    assert_int_equal(world.n_open, 0);
    delivery = delivery_free(delivery);
    feed = feed_free(feed);
    config = config_free(config);
    cad = state_free(cad);
    store = store_close(store);
    return remove_folder(state);
}

#define delivery_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static inline void assert_delivered(const uint64_t *ids, size_t n)
{
    assert_int_equal(world.n_delivered, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(world.delivered[i], ids[i]);
}
