/* source_set.c - each row of the table with what belongs to it: a door, and where it is open an instance with a way
 * into the pipeline. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <sonoran-pushd/log.h>
#include <sonoran-pushd/source_set.h>

#define CLOSE_MAX_US USEC_PER_SEC /* at a reload, which holds up the main thread */

/* A source that is open. */
struct instance {
    const struct source_type *type;
    void *self;
    struct pipeline_source *way_in;
    bool held;             /* a disk that does not answer keeps it from stopping */
    struct instance *next; /* of those that are stopped, and wait for what they handed in */
};

/* A row of the table. */
struct source {
    const struct source_type *type;
    struct gate_door *door;    /* stays, with what it has counted */
    struct instance *instance; /* NULL: it is closed. Changed under the lock, for whoever looks at it meanwhile */

    /* While another configuration comes into force: */
    bool prepared;
    void *change;            /* from prepare */
    struct instance *opened; /* for it */
};

struct source_set {
    const struct config *config;
    const struct event_families *families;
    const struct state *state;
    struct pipeline *pipeline;
    struct gate *gate;
    pthread_mutex_t lock;
    pthread_mutex_t watch_lock; /* of these two: */
    void (*watch)(void *userdata);
    void *watcher;
    struct instance *stopped;
    size_t n;
    struct source sources[];
};

int source_set_new(struct source_set **ret, const struct source_types *types, const struct config *config,
                   const struct event_families *families, const struct state *state, struct pipeline *pipeline)
{
    struct source_set *set = calloc(1, sizeof(*set) + types->n * sizeof(set->sources[0]));
    if (!set)
        return -ENOMEM;
    set->config = config;
    set->families = families;
    set->state = state;
    set->pipeline = pipeline;
    pthread_mutex_init(&set->lock, NULL);
    pthread_mutex_init(&set->watch_lock, NULL);
    int r = gate_new(&set->gate, config, families);
    while (set->n < types->n && r >= 0) {
        struct source *source = &set->sources[set->n++];
        source->type = types->list[set->n - 1];
        r = gate_door_new(&source->door, set->gate, source->type->name);
    }
    if (r < 0) {
        source_set_free(set);
        return r;
    }
    *ret = set;
    return 0;
}

/* ---- an instance ---- */

/* The way in first: behind it the writer calls nothing of the source any more. */
static struct instance *instance_close(struct instance *instance)
{
    if (!instance)
        return NULL;
    pipeline_source_free(instance->way_in);
    instance->type->close(instance->self);
    free(instance->self);
    free(instance);
    return NULL;
}

static struct instance *instance_new(const struct source_type *type, struct pipeline *pipeline)
{
    struct instance *instance = calloc(1, sizeof(*instance));
    void *self = calloc(1, type->instance_size);
    const struct pipeline_source_callbacks callbacks = { .userdata = self,
                                                         .settled = type->settled,
                                                         .settled_all = type->settled_all,
                                                         .pause = type->pause,
                                                         .resume = type->resume,
                                                         .ordered = type->ordered,
                                                         .unstored = type->unstored };
    if (!instance || !self || pipeline_source_new(&instance->way_in, pipeline, &callbacks) < 0) {
        free(instance);
        free(self);
        return NULL;
    }
    instance->type = type;
    instance->self = self;
    return instance;
}

static int instance_stop(struct instance *instance, usec_t timeout_us)
{
    int r = instance->type->stop ? instance->type->stop(instance->self, timeout_us) : 0;
    instance->held = r < 0;
    return r;
}

/* And what it had gathered: from then on nobody else uses its way in. */
static int stop_and_flush(struct instance *instance, usec_t timeout_us)
{
    int r = instance_stop(instance, timeout_us);
    if (r >= 0)
        pipeline_flush(instance->way_in);
    return r;
}

/* Closes those of which nothing is under way any more. */
static void close_stopped(struct source_set *set)
{
    for (struct instance **link = &set->stopped; *link;) {
        struct instance *instance = *link;
        bool held = instance->held && stop_and_flush(instance, 0) < 0;
        if (held || !pipeline_source_is_idle(instance->way_in)) {
            link = &instance->next;
            continue;
        }
        *link = instance->next;
        instance_close(instance);
    }
}

/* Not waited for: the disk may be slow, or another program may hold the log. */
static void stop_and_close(struct source_set *set, struct instance *instance)
{
    (void) stop_and_flush(instance, CLOSE_MAX_US); /* one that is held is stopped again, and closed then */
    instance->next = set->stopped;
    set->stopped = instance;
    close_stopped(set);
}

struct source_set *source_set_free(struct source_set *set)
{
    if (!set)
        return NULL;
    for (struct instance *instance = set->stopped, *next; instance; instance = next) {
        next = instance->next;
        instance_close(instance);
    }
    while (set->n) {
        struct source *source = &set->sources[--set->n];
        instance_close(source->instance);
        gate_door_free(source->door);
    }
    gate_free(set->gate);
    pthread_mutex_destroy(&set->lock);
    pthread_mutex_destroy(&set->watch_lock);
    free(set);
    return NULL;
}

struct gate *source_set_gate(struct source_set *set)
{
    return set->gate;
}

void source_set_heard(void *userdata, const char *source, const char *peer, usec_t time_us)
{
    struct source_set *set = userdata;
    gate_heard(set->gate, source, peer, time_us);
}

/* ---- who wants to know ---- */

static void changed(void *userdata)
{
    struct source_set *set = userdata;
    pthread_mutex_lock(&set->watch_lock);
    if (set->watch)
        set->watch(set->watcher);
    pthread_mutex_unlock(&set->watch_lock);
}

void source_set_watch(struct source_set *set, void (*watch)(void *userdata), void *userdata)
{
    pthread_mutex_lock(&set->watch_lock);
    set->watch = watch;
    set->watcher = userdata;
    pthread_mutex_unlock(&set->watch_lock);
}

/* ---- opening ---- */

static bool is_wanted(const struct source *source, const struct config *config)
{
    const struct config_section *section = &source->type->section;
    return !section->group || config_section_get(config, section).n_elements;
}

static int open_for(struct source_set *set, const struct source *source, const struct config *config,
                    struct instance **ret, struct err *err)
{
    assert(!source->instance && !source->opened);
    *ret = instance_new(source->type, set->pipeline);
    if (!*ret)
        return err_set(err, -ENOMEM, "no memory");
    const struct source_parts parts = { config, set->families, (*ret)->way_in, source->door, set->state, changed, set };
    return source->type->open((*ret)->self, &parts, err);
}

int source_set_open(struct source_set *set, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < set->n && r >= 0; i++)
        if (is_wanted(&set->sources[i], set->config))
            r = open_for(set, &set->sources[i], set->config, &set->sources[i].instance, err);
    return r;
}

static void tell_ready(const struct instance *instance)
{
    if (instance && instance->type->ready)
        instance->type->ready(instance->self);
}

void source_set_ready(struct source_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        tell_ready(set->sources[i].instance);
}

/* ---- another configuration ---- */

static int prepare(struct source *source, const struct config *config, struct err *err)
{
    if (!source->instance || !source->type->prepare || !is_wanted(source, config))
        return 0;
    int r = source->type->prepare(source->instance->self, config, &source->change, err);
    source->prepared = r >= 0;
    return r;
}

static void end_prepared(struct source *source, bool apply)
{
    void (*end)(void *, void *) = apply ? source->type->apply : source->type->drop;
    if (source->prepared && end)
        end(source->instance->self, source->change);
    source->prepared = false;
    source->change = NULL;
}

static void put(struct source_set *set, struct source *source, struct instance *instance)
{
    pthread_mutex_lock(&set->lock);
    source->instance = instance;
    pthread_mutex_unlock(&set->lock);
    changed(set);
}

static void take_back(struct source_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        struct source *source = &set->sources[i];
        end_prepared(source, false);
        if (source->opened)
            stop_and_close(set, source->opened);
        source->opened = NULL;
    }
}

static void put_in_force(struct source_set *set, struct source *source, const struct config *config)
{
    struct instance *instance = source->instance;
    end_prepared(source, true);
    if (instance && !is_wanted(source, config)) {
        put(set, source, NULL);
        stop_and_close(set, instance);
        log_line(LOG_NOTICE, LOG_ID_RELOADED, "source %s is closed", source->type->name);
    } else if (source->opened) {
        put(set, source, source->opened);
        log_line(LOG_NOTICE, LOG_ID_RELOADED, "source %s is open", source->type->name);
        tell_ready(source->opened);
    }
    source->opened = NULL;
}

/* First all that may fail and can be taken back, at every source; then what cannot fail. */
int source_set_configure(struct source_set *set, const struct config *config, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < set->n && r >= 0; i++)
        r = prepare(&set->sources[i], config, err);
    for (size_t i = 0; i < set->n && r >= 0; i++)
        if (!set->sources[i].instance && is_wanted(&set->sources[i], config))
            r = open_for(set, &set->sources[i], config, &set->sources[i].opened, err);
    if (r < 0) {
        take_back(set);
        return r;
    }
    gate_configure(set->gate, config);
    for (size_t i = 0; i < set->n; i++)
        put_in_force(set, &set->sources[i], config);
    set->config = config;
    return 0;
}

void source_set_tick(struct source_set *set)
{
    gate_tick(set->gate);
    close_stopped(set);
}

bool source_set_alive(struct source_set *set, const char **ret_thread)
{
    bool all = true;
    for (size_t i = set->n; i-- > 0;) {
        const struct instance *instance = set->sources[i].instance;
        if (!instance || !instance->type->alive || instance->type->alive(instance->self))
            continue;
        *ret_thread = instance->type->thread;
        all = false;
    }
    return all;
}

/* ---- what is shown of them, in any thread ---- */

void source_set_add_status(struct source_set *set, struct json_writer *out)
{
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->n; i++)
        if (set->sources[i].instance && set->sources[i].type->add_status)
            set->sources[i].type->add_status(set->sources[i].instance->self, out);
    pthread_mutex_unlock(&set->lock);
}

void source_set_add_health(struct source_set *set, struct json_writer *out)
{
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->n; i++)
        if (set->sources[i].instance && set->sources[i].type->add_health)
            set->sources[i].type->add_health(set->sources[i].instance->self, out);
    pthread_mutex_unlock(&set->lock);
}

void source_set_add_board(struct source_set *set, const char *community, struct json_writer *out)
{
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->n; i++)
        if (set->sources[i].instance && set->sources[i].type->add_board)
            set->sources[i].type->add_board(set->sources[i].instance->self, community, out);
    pthread_mutex_unlock(&set->lock);
}

void source_set_add_report(struct source_set *set, struct report_list *list)
{
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < set->n; i++) {
        struct source *source = &set->sources[i];
        gate_add_report(source->door, list);
        if (source->instance && source->type->add_report)
            source->type->add_report(source->instance->self, list);
    }
    pthread_mutex_unlock(&set->lock);
}

static usec_t time_to(usec_t end)
{
    usec_t now = uptime_us();
    return now < end ? end - now : 0;
}

int source_set_stop(struct source_set *set, usec_t timeout_us)
{
    usec_t end = uptime_us() + timeout_us;
    int r = 0;
    for (size_t i = 0; set && i < set->n; i++)
        if (set->sources[i].instance && instance_stop(set->sources[i].instance, time_to(end)) < 0)
            r = -ETIMEDOUT;
    for (struct instance *instance = set ? set->stopped : NULL; instance; instance = instance->next)
        if (instance->held && instance_stop(instance, time_to(end)) < 0)
            r = -ETIMEDOUT;
    return r;
}
