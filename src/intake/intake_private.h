/* intake_private.h - inside src/intake: who is known, who failed too often, and refusals counted instead of repeated.
 */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/source_gate.h>
#include <stdatomic.h>

/* ---- hosts.c: tables of hosts; of IPv6 a host is the first 64 bits ---- */

#define HOSTS_WAYS 8 /* slots a host may be in */

/* A host at one of the sources. */
struct host {
    struct in6_addr address;
    uint64_t source; /* hosts_source() */
};

uint64_t hosts_seed(void);
uint64_t hosts_source(const char *source);

struct host hosts_make(uint64_t source, const struct in6_addr *address);

static inline bool hosts_equal(const struct host *a, const struct host *b)
{
    return a->source == b->source && IN6_ARE_ADDR_EQUAL(&a->address, &b->address);
}

/* The first of the HOSTS_WAYS slots of n_slots that a host may be in. */
size_t hosts_first_slot(uint64_t seed, const struct host *host, size_t n_slots);

/* The host of a peer as it is told ("203.0.113.7"); false: that is no address. */
bool hosts_read(uint64_t source, const char *peer, struct host *ret);

/* ---- known_peers.c ---- */

#define KNOWN_SLOTS 4096
#define KNOWN_US (24 * 3600 * USEC_PER_SEC)

struct known {
    uint64_t seed;
    struct known_slot {
        struct host host;
        usec_t until_us; /* uptime; 0: free */
    } slots[KNOWN_SLOTS];
};

void known_add(struct known *known, const struct host *host, usec_t until_us);
bool known_has(const struct known *known, const struct host *host, usec_t uptime_us);

/* ---- limiter.c: wrong keys of a host, counted in a window from its first ---- */

#define LIMITER_SLOTS 1024

struct limiter {
    uint64_t seed;
    struct limiter_slot {
        struct host host;
        usec_t since_us; /* 0: free */
        uint64_t n_failed;
    } slots[LIMITER_SLOTS];
};

/* How long the host has to wait, 0: it may speak. */
usec_t limiter_wait_us(const struct limiter *limiter, const struct host *host, uint64_t max_failed, usec_t window_us,
                       usec_t uptime_us);
void limiter_failed(struct limiter *limiter, const struct host *host, usec_t window_us, usec_t uptime_us);

/* ---- refusals.c: log lines are scarce. In each minute a kind of refusal at a source has one for each of the first
 * hosts, and the others are counted; a known host has its own for each kind, which no stranger can use up ---- */

#define REFUSAL_KINDS 32 /* reasons are words of ours: there are fewer */
#define REFUSAL_HOSTS 4  /* of strangers, for each kind */
#define REFUSAL_KNOWN 32 /* of known hosts together; whoever finds no place here counts as a stranger */

struct refusals {
    pthread_mutex_t lock;
    struct refusal_kind {
        char reason[64];
        int level;
        struct host hosts[REFUSAL_HOSTS]; /* that had a line, the first of them whose source it is */
        size_t n_hosts;
        uint64_t n_more;
        char last_peer[EVENT_PEER_MAX_BYTES + 1];
    } kinds[REFUSAL_KINDS], known[REFUSAL_KNOWN];
};

/* level: LOG_WARNING, or LOG_INFO for the noise of strangers. known: the host had a right key. */
void refusals_tell(struct refusals *refusals, const struct gate_refusal *refusal, int level, bool known);
void refusals_sum_up(struct refusals *refusals);
