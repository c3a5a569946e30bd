/* gate.c - the tables that all sources share, and the door of each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "intake_private.h"

struct gate {
    const struct event_families *families;
    _Atomic uint64_t max_failed;
    _Atomic usec_t window_us;
    _Atomic usec_t failed_us; /* when the last wrong key came; 0: none has */
    pthread_mutex_t lock;     /* what follows */
    struct known known;
    struct limiter limiter;
    struct refusals refusals; /* has a lock of its own */
};

/* What came by one of a source's names. */
struct lane {
    char name[NAME_MAX_BYTES + 1];
    uint64_t counts[GATE_N_COUNTS]; /* report_count */
};

struct gate_door {
    struct gate *gate;
    uint64_t source;
    struct lane lanes[1 + GATE_NAMES_MAX]; /* the first is of none */
    _Atomic size_t n_lanes;                /* grows behind a lane that is whole: it is looked at without a lock */
    pthread_mutex_t lock;                  /* what follows */
    struct gate_last last[GATE_N_COUNTS];
};

int gate_new(struct gate **ret, const struct config *config, const struct event_families *families)
{
    struct gate *gate = calloc(1, sizeof(*gate));
    if (!gate)
        return -ENOMEM;
    gate->families = families;
    gate->known.seed = gate->limiter.seed = hosts_seed();
    pthread_mutex_init(&gate->lock, NULL);
    pthread_mutex_init(&gate->refusals.lock, NULL);
    gate_configure(gate, config);
    *ret = gate;
    return 0;
}

struct gate *gate_free(struct gate *gate)
{
    if (!gate)
        return NULL;
    pthread_mutex_destroy(&gate->lock);
    pthread_mutex_destroy(&gate->refusals.lock);
    free(gate);
    return NULL;
}

void gate_configure(struct gate *gate, const struct config *config)
{
    gate->max_failed = config->limits.failed_keys;
    gate->window_us = config->limits.failed_keys_window_us;
}

void gate_tick(struct gate *gate)
{
    refusals_sum_up(&gate->refusals);
}

void gate_heard(struct gate *gate, const char *source, const char *peer, usec_t time_us)
{
    struct host host;
    usec_t now = now_us(), age = now > time_us ? now - time_us : 0;
    if (age >= KNOWN_US || !hosts_read(hosts_source(source), peer, &host))
        return;
    pthread_mutex_lock(&gate->lock);
    known_add(&gate->known, &host, uptime_us() + KNOWN_US - age);
    pthread_mutex_unlock(&gate->lock);
}

/* ---- doors ---- */

int gate_door_new(struct gate_door **ret, struct gate *gate, const char *source)
{
    struct gate_door *door = calloc(1, sizeof(*door));
    if (!door)
        return -ENOMEM;
    door->gate = gate;
    door->source = hosts_source(source);
    door->n_lanes = 1;
    pthread_mutex_init(&door->lock, NULL);
    *ret = door;
    return 0;
}

struct gate_door *gate_door_free(struct gate_door *door)
{
    if (!door)
        return NULL;
    pthread_mutex_destroy(&door->lock);
    free(door);
    return NULL;
}

usec_t gate_wait_us(struct gate_door *door, const struct in6_addr *address, usec_t now_us)
{
    struct gate *gate = door->gate;
    usec_t failed = gate->failed_us;
    if (!failed || now_us >= failed + gate->window_us)
        return 0; /* no window is open: as a rule nobody has to be looked for */
    struct host host = hosts_make(door->source, address);
    pthread_mutex_lock(&gate->lock);
    usec_t wait = limiter_wait_us(&gate->limiter, &host, gate->max_failed, gate->window_us, now_us);
    if (wait && known_has(&gate->known, &host, now_us))
        wait = 0;
    pthread_mutex_unlock(&gate->lock);
    return wait;
}

void gate_wrong_key(struct gate_door *door, const struct in6_addr *address, usec_t now_us)
{
    struct gate *gate = door->gate;
    struct host host = hosts_make(door->source, address);
    pthread_mutex_lock(&gate->lock);
    limiter_failed(&gate->limiter, &host, gate->window_us, now_us);
    gate->failed_us = now_us;
    pthread_mutex_unlock(&gate->lock);
}

void gate_right_key(struct gate_door *door, const struct in6_addr *address, usec_t now_us)
{
    struct gate *gate = door->gate;
    struct host host = hosts_make(door->source, address);
    pthread_mutex_lock(&gate->lock);
    known_add(&gate->known, &host, now_us + KNOWN_US);
    pthread_mutex_unlock(&gate->lock);
}

static bool knows(struct gate *gate, const struct host *host, usec_t now)
{
    pthread_mutex_lock(&gate->lock);
    bool known = known_has(&gate->known, host, now);
    pthread_mutex_unlock(&gate->lock);
    return known;
}

bool gate_knows(struct gate_door *door, const struct in6_addr *address, usec_t now_us)
{
    struct host host = hosts_make(door->source, address);
    return knows(door->gate, &host, now_us);
}

void gate_refuse(struct gate_door *door, const struct gate_refusal *refusal)
{
    struct gate *gate = door->gate;
    const struct event_family *family;
    struct host host;
    bool real = refusal->claimed && *refusal->claimed && event_find_type(gate->families, refusal->claimed, &family);
    bool known = hosts_read(door->source, refusal->origin->peer, &host) && knows(gate, &host, uptime_us());
    refusals_tell(&gate->refusals, refusal, known || real ? LOG_WARNING : LOG_INFO, known);
}

/* ---- counts ---- */

static struct lane *find_lane(struct gate_door *door, const char *name)
{
    for (size_t i = 1; i < door->n_lanes; i++)
        if (strcmp(door->lanes[i].name, name) == 0)
            return &door->lanes[i];
    return &door->lanes[0];
}

void gate_name(struct gate_door *door, const char *name)
{
    size_t n = door->n_lanes;
    if (n > GATE_NAMES_MAX || find_lane(door, name) != &door->lanes[0])
        return;
    text_copy(door->lanes[n].name, sizeof(door->lanes[n].name), name);
    door->n_lanes = n + 1;
}

void gate_count(struct gate_door *door, const char *name, enum gate_count count)
{
    report_count(&find_lane(door, name)->counts[count], 1);
}

void gate_note(struct gate_door *door, const char *name, enum gate_count count, const char *peer, const char *what)
{
    struct gate_last last = { .at_us = now_us() };
    text_copy(last.what, sizeof(last.what), what);
    text_copy(last.peer, sizeof(last.peer), peer);

    gate_count(door, name, count);
    pthread_mutex_lock(&door->lock);
    door->last[count] = last;
    pthread_mutex_unlock(&door->lock);
}

void gate_get_status(struct gate_door *door, struct gate_status *ret)
{
    *ret = (struct gate_status){ 0 };
    for (size_t lane = 0; lane < door->n_lanes; lane++) {
        uint64_t counts[GATE_N_COUNTS];
        report_copy(counts, door->lanes[lane].counts, sizeof(counts));
        for (size_t i = 0; i < GATE_N_COUNTS; i++)
            ret->counts[i] += counts[i];
    }
    pthread_mutex_lock(&door->lock);
    memcpy(ret->last, door->last, sizeof(ret->last));
    pthread_mutex_unlock(&door->lock);
}

static bool is_empty(const uint64_t counts[GATE_N_COUNTS])
{
    uint64_t all = 0;
    for (size_t i = 0; i < GATE_N_COUNTS; i++)
        all |= counts[i];
    return !all;
}

/* That of none only where it counted. */
void gate_add_report(struct gate_door *door, struct report_list *list)
{
    for (size_t i = 0; i < door->n_lanes; i++) {
        struct gate_status status = { 0 };
        report_copy(status.counts, door->lanes[i].counts, sizeof(status.counts));
        const struct report_part part = { &gate_report, &status, { { "listener", door->lanes[i].name } } };
        if (i || !is_empty(status.counts))
            report_list_add(list, &part, sizeof(status));
    }
}
