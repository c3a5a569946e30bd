/* toy_source.c - a source that listens to datagrams beside the event log, TYPE and data with a blank between them, or a
 * whole body: this file, and a row in sources.h. It is there where the configuration has its section, and goes and
 * changes with it. While there is no room it reads nothing, and its senders wait. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/sources.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX_BYTES 65536

struct toy_settings {
    uint64_t max_bytes;
};

static const struct config_option options[] = {
    { .group = "toy",
      CONFIG_MEMBER(struct toy_settings, max_bytes),
      .name = "max_size",
      .type = CONFIG_SIZE,
      .fallback = "64K",
      .min = 16,
      .max = MESSAGE_MAX_BYTES,
      .help = "The largest message; others are refused." },
};

struct toy {
    struct source_parts parts;
    pthread_mutex_t lock; /* what a reload changes */
    struct envelope_rules *rules;
    uint64_t max_bytes;
    struct sockaddr_un address;
    int fd, wake_fd;
    pthread_t thread;
    bool running;
    _Atomic bool stopping;
};

/* Under the lock. */
static enum envelope_refusal make_batch(const struct toy *toy, const char *s, size_t size, struct batch *ret,
                                        struct err *err)
{
    static const struct origin origin = { "toy", "socket", "a test" };
    const char *blank = memchr(s, ' ', size);
    if (size > toy->max_bytes) {
        err_set(err, -EMSGSIZE, "longer than max_size");
        return ENVELOPE_SIZE;
    }
    if (size && *s == '{') {
        char *body = malloc(size + 1);
        if (!body) {
            err_set(err, -ENOMEM, "no memory");
            return ENVELOPE_MEMORY;
        }
        memcpy(body, s, size);
        body[size] = '\0';
        return envelope_parse(body, size, toy->rules, &origin, now_us(), ret, NULL, err);
    }
    size_t type_size = blank ? (size_t) (blank - s) : size;
    return envelope_make_one((struct span){ s, type_size }, (struct span){ s + type_size, size - type_size },
                             toy->rules, toy->rules->communities[0].name, &origin, now_us(), ret, err);
}

/* fd: may wake it too; -1: none does. */
static void wait_awake(const struct toy *toy, int fd)
{
    uint64_t n;
    struct pollfd waits[] = { { .fd = toy->wake_fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
    (void) poll(waits, ARRAY_SIZE(waits), -1);
    (void) !read(toy->wake_fd, &n, sizeof(n));
}

static void hand_in(struct toy *toy, const char *s, size_t size)
{
    struct batch batch;
    struct err err = { "" };
    pthread_mutex_lock(&toy->lock);
    enum envelope_refusal refusal = make_batch(toy, s, size, &batch, &err);
    pthread_mutex_unlock(&toy->lock);
    if (refusal != ENVELOPE_OK) {
        log_line(LOG_INFO, NULL, "the toy refused a message: %s", err.msg);
        return;
    }
    int r;
    while ((r = pipeline_submit(toy->parts.way_in, &batch, toy)) == -EBUSY && !toy->stopping)
        wait_awake(toy, -1);
    if (r < 0)
        log_line(LOG_WARNING, NULL, "the toy lost a message: %s", r == -EBUSY ? "it is stopped" : "no memory");
    batch_done(&batch);
    pipeline_flush(toy->parts.way_in);
}

static void *run(void *self)
{
    struct toy *toy = self;
    char *message = malloc(MESSAGE_MAX_BYTES);
    while (message && !toy->stopping) {
        wait_awake(toy, toy->fd);
        ssize_t size = recv(toy->fd, message, MESSAGE_MAX_BYTES, MSG_DONTWAIT);
        if (size >= 0)
            hand_in(toy, message, (size_t) size);
    }
    free(message);
    return NULL;
}

static void awake(void *self)
{
    const struct toy *toy = self;
    (void) !write(toy->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void toy_settled(void *self, void *ticket, const struct event *first, int r)
{
    (void) self;
    (void) ticket;
    (void) first;
    (void) r;
}

/* ---- in the main thread ---- */

static uint64_t max_bytes_of(const struct config *config)
{
    const struct toy_settings *settings = config_section_get(config, &source_toy.section).elements;
    return settings->max_bytes;
}

static int toy_open(void *self, const struct source_parts *parts, struct err *err)
{
    struct toy *toy = self;
    pthread_mutex_init(&toy->lock, NULL);
    toy->parts = *parts;
    toy->rules = source_rules_new(parts->config, parts->families);
    toy->max_bytes = max_bytes_of(parts->config);
    toy->address.sun_family = AF_UNIX;
    toy->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    toy->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    snprintf(toy->address.sun_path, sizeof(toy->address.sun_path), "%.100s.toy", parts->config->store.path);
    if (!toy->rules || bind(toy->fd, (const struct sockaddr *) &toy->address, sizeof(toy->address)) < 0)
        return err_set(err, -EIO, "the toy cannot listen on %s", toy->address.sun_path);
    int r = pthread_create(&toy->thread, NULL, run, toy);
    toy->running = r == 0;
    return -r;
}

struct change {
    struct envelope_rules *rules;
    uint64_t max_bytes;
};

static int toy_prepare(void *self, const struct config *config, void **ret_change, struct err *err)
{
    const struct toy *toy = self;
    struct change *change = calloc(1, sizeof(*change));
    if (change)
        change->rules = source_rules_new(config, toy->parts.families);
    if (!change || !change->rules) {
        free(change);
        return err_set(err, -ENOMEM, "no memory");
    }
    change->max_bytes = max_bytes_of(config);
    *ret_change = change;
    return 0;
}

static void toy_drop(void *self, void *take_change)
{
    struct change *change = take_change;
    (void) self;
    free(change->rules);
    free(change);
}

static void toy_apply(void *self, void *take_change)
{
    struct toy *toy = self;
    struct change *change = take_change;
    pthread_mutex_lock(&toy->lock);
    struct envelope_rules *before = toy->rules;
    toy->rules = change->rules;
    toy->max_bytes = change->max_bytes;
    pthread_mutex_unlock(&toy->lock);
    change->rules = before;
    toy_drop(toy, change);
}

static int toy_stop(void *self, usec_t timeout_us)
{
    struct toy *toy = self;
    (void) timeout_us;
    toy->stopping = true;
    awake(toy);
    if (toy->running) {
        pthread_join(toy->thread, NULL);
        unlink(toy->address.sun_path);
    }
    toy->running = false;
    return 0;
}

static void toy_close(void *self)
{
    struct toy *toy = self;
    close(toy->fd);
    close(toy->wake_fd);
    free(toy->rules);
    pthread_mutex_destroy(&toy->lock);
}

static void toy_add_health(void *self, struct json_writer *out)
{
    (void) self;
    json_begin_object(out, NULL);
    json_add_text(out, "source", "toy");
    json_add_text(out, "name", "socket");
    json_end(out);
}

const struct source_type source_toy = {
    .name = "toy",
    .section = { .group = "toy",
                 .options = options,
                 .n_options = ARRAY_SIZE(options),
                 .settings_size = sizeof(struct toy_settings) },
    .instance_size = sizeof(struct toy),
    .open = toy_open,
    .prepare = toy_prepare,
    .apply = toy_apply,
    .drop = toy_drop,
    .stop = toy_stop,
    .close = toy_close,
    .settled = toy_settled,
    .resume = awake,
    .add_health = toy_add_health,
};
