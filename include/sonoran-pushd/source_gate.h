/* source_gate.h - who may speak: wrong keys limited, right ones remembered, refusals told and counted; for all sources
 * alike.
 *
 * Shape:   one gate for the program, and in it a door for each source. What is remembered is kept by source and host:
 *          what a host does at one source changes nothing at another, but that all share the few lines of the log that
 *          refusals have in a minute. Blocked is a host that sent failed_keys wrong keys within failed_keys_window
 *          from the first of them, until that window ends; never one that had a right key at this source within 24
 *          hours, since behind one address may be many, and nobody may silence another one's CAD. Of IPv6 a host is
 *          its first 64 bits. The tables are of a fixed size: in the one of wrong keys strangers push out the oldest,
 *          into the other only a right key leads.
 * Units:   now_us is uptime_us().
 * Owner:   a door belongs to whoever opened it, and goes before its gate.
 * Threads: any; gate_new, gate_free, gate_configure and gate_tick are for the main thread.
 * Errors:  refusals are told to the log, of each kind the first few hosts at once, those like it once a minute as a
 *          number; loud where it may be the CAD: a host that is known, a type that exists. The rest is the noise of
 *          strangers, which every open port has.
 */
#pragma once

#include <netinet/in.h>
#include <sonoran-pushd/config.h>
#include <sonoran-pushd/event.h>
#include <sonoran-pushd/report.h>

struct gate;
struct gate_door;

int gate_new(struct gate **ret, const struct config *config, const struct event_families *families) MUST_CHECK;
struct gate *gate_free(struct gate *gate);

/* Other limits are in force. */
void gate_configure(struct gate *gate, const struct config *config);

/* Logs the refusals counted since the last call; called once a minute, and at the end. */
void gate_tick(struct gate *gate);

/* An event of the log that was read again at the start: where it came from, a right key came from (as in struct origin;
 * when by the wall clock). */
void gate_heard(struct gate *gate, const char *source, const char *peer, usec_t time_us);

/* source: a constant. */
int gate_door_new(struct gate_door **ret, struct gate *gate, const char *source) MUST_CHECK;
struct gate_door *gate_door_free(struct gate_door *door);

/* How long the host has to wait; 0: it may speak. */
usec_t gate_wait_us(struct gate_door *door, const struct in6_addr *address, usec_t now_us);

void gate_wrong_key(struct gate_door *door, const struct in6_addr *address, usec_t now_us);
void gate_right_key(struct gate_door *door, const struct in6_addr *address, usec_t now_us);

/* Whether it had a right key within 24 hours. */
bool gate_knows(struct gate_door *door, const struct in6_addr *address, usec_t now_us);

struct gate_refusal {
    const struct origin *origin;
    const char *reason;  /* the same words for the same kind */
    const char *detail;  /* more of it, safe, or NULL */
    const char *claimed; /* the type, if any, made safe, or NULL */
    const char *path;    /* that it came to, made safe, or NULL */
};

void gate_refuse(struct gate_door *door, const struct gate_refusal *refusal);

/* ---- what came since the start, by what became of it; the first three are the verdicts ---- */

enum gate_count {
    GATE_ACCEPTED,
    GATE_UNKNOWN,   /* stored, answered "Invalid Type" */
    GATE_INVALID,   /* stored (but for what is too much to store), answered "Invalid Data" */
    GATE_WRONG_KEY, /* also those refused unread for earlier wrong keys */
    GATE_MALFORMED, /* not sound JSON */
    GATE_NOT_STORED,
    GATE_NOT_FOUND,   /* posted to a path that is none; last: the path */
    GATE_TOO_LARGE,   /* above limits.body */
    GATE_NOT_ALLOWED, /* from an address that is not in allow of its listener */
    GATE_CONNECTIONS, /* above limits.connections or limits.connections_per_ip */
    GATE_NOT_HTTP,    /* TLS, PROXY, ... or nothing that could be read as a request; last: which */
    GATE_N_COUNTS
};

extern const struct report_table gate_report; /* of struct gate_status; row i is of count i */

struct gate_last {
    usec_t at_us; /* 0: there was none, or none of this kind is kept */
    char peer[EVENT_PEER_MAX_BYTES + 1];
    char what[160]; /* from outside, made safe */
};

struct gate_status {
    uint64_t counts[GATE_N_COUNTS];
    struct gate_last last[GATE_N_COUNTS]; /* of refusals before a verdict */
};

/* The metrics tell apart what came by which of a source's names in the configuration, its listeners, once they were
 * named here, by the main thread; they stay. name: one of those, else it counts for none. */
#define GATE_NAMES_MAX 32
void gate_name(struct gate_door *door, const char *name);

void gate_count(struct gate_door *door, const char *name, enum gate_count count);

/* Counts it, and keeps who it was last; what: made safe. */
void gate_note(struct gate_door *door, const char *name, enum gate_count count, const char *peer, const char *what);

void gate_get_status(struct gate_door *door, struct gate_status *ret);
void gate_add_report(struct gate_door *door, struct report_list *list);
