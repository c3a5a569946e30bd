/* private.h - inside src/ingress: who failed too often, and refusals counted instead of repeated. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/ingress.h>

/* ---- limiter.c: wrong keys of an address, counted in a window from its first ---- */

#define LIMITER_SLOTS 1024

struct limiter {
    uint64_t seed;
    struct limiter_slot {
        struct in6_addr address; /* of IPv6 the first 64 bits: one host has them all */
        usec_t since_us;         /* 0: free */
        uint64_t n_failed;
    } slots[LIMITER_SLOTS];
};

void limiter_init(struct limiter *limiter);

/* How long the address has to wait, 0: it may speak. */
usec_t limiter_wait_us(const struct limiter *limiter, const struct in6_addr *address, uint64_t max_failed,
                       usec_t window_us, usec_t uptime_us);
void limiter_failed(struct limiter *limiter, const struct in6_addr *address, usec_t window_us, usec_t uptime_us);

/* ---- refusals.c: the first of a kind in each minute is told, the others are counted ---- */

#define REFUSAL_KINDS 24

struct refusals {
    pthread_mutex_t lock;
    struct refusal_kind {
        char what[64];
        uint64_t n_more;
        char last_peer[INET6_ADDRSTRLEN];
    } kinds[REFUSAL_KINDS];
};

/* reason: what is the matter, the same words for the same kind; detail: more of it, may be NULL; claimed: the
 * type, if any, made safe. */
void refusals_tell(struct refusals *refusals, const struct http_origin *origin, const char *reason, const char *detail,
                   const char *claimed);
void refusals_sum_up(struct refusals *refusals);
