/* private.h - inside src/ingress: who is known, who failed too often, and refusals counted instead of repeated. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/ingress.h>

/* ---- hosts.c: tables of hosts; of IPv6 a host is the first 64 bits (http_host_of) ---- */

#define HOSTS_WAYS 8 /* slots a host may be in */

uint64_t hosts_seed(void);

/* The first of the HOSTS_WAYS slots of n_slots that a host may be in. */
size_t hosts_first_slot(uint64_t seed, const struct in6_addr *host, size_t n_slots);

/* The host of a peer as it is told ("203.0.113.7"); false: that is no address. */
bool hosts_read(const char *peer, struct in6_addr *ret);

/* ---- known.c ---- */

#define KNOWN_SLOTS 4096
#define KNOWN_US (24 * 3600 * USEC_PER_SEC)

struct known {
    uint64_t seed;
    struct known_slot {
        struct in6_addr host;
        usec_t until_us; /* uptime; 0: free */
    } slots[KNOWN_SLOTS];
};

void known_add(struct known *known, const struct in6_addr *host, usec_t until_us);
bool known_has(const struct known *known, const struct in6_addr *host, usec_t uptime_us);

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

/* How long the address has to wait, 0: it may speak. */
usec_t limiter_wait_us(const struct limiter *limiter, const struct in6_addr *address, uint64_t max_failed,
                       usec_t window_us, usec_t uptime_us);
void limiter_failed(struct limiter *limiter, const struct in6_addr *address, usec_t window_us, usec_t uptime_us);

/* ---- path.c: made safe, without the keys that may stand in it, also as %4B%65%79 ---- */

void path_show(const struct envelope_rules *rules, const char *path, struct text *out);

/* ---- refusals.c: log lines are scarce. In each minute a kind of refusal has one for each of the first hosts, and the
 * others are counted; a known host has its own for each kind, which no stranger can use up ---- */

#define REFUSAL_KINDS 32 /* reasons are words of ours: there are fewer */
#define REFUSAL_HOSTS 4  /* of strangers, for each kind */
#define REFUSAL_KNOWN 32 /* of known hosts together; whoever finds no place here counts as a stranger */

struct refusals {
    pthread_mutex_t lock;
    struct refusal_kind {
        char reason[64];
        int level;
        struct in6_addr hosts[REFUSAL_HOSTS]; /* that had a line */
        size_t n_hosts;
        uint64_t n_more;
        char last_peer[INET6_ADDRSTRLEN];
    } kinds[REFUSAL_KINDS], known[REFUSAL_KNOWN];
};

struct refusal {
    const struct http_origin *origin;
    const char *reason;  /* the same words for the same kind */
    const char *detail;  /* more of it, safe, or NULL */
    const char *claimed; /* the type, if any, made safe, or NULL */
    const char *path;    /* that it came to, made safe, or NULL */
    int level;           /* LOG_WARNING, or LOG_INFO for the noise of strangers */
    bool known;          /* the host had a right key */
};

void refusals_tell(struct refusals *refusals, const struct refusal *refusal);
void refusals_sum_up(struct refusals *refusals);
