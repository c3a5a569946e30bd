/* session_prime.h - state primed from the CAD's REST interface: what the source session asks for after a login, and the
 * event that comes of it.
 *
 * Shape:   one object and one thread for all sessions. Each session asks after each of its logins; the calls and the
 *          units of its server are fetched, compared with what is known, and where something differs a batch with one
 *          event STATE_PRIMED waits to be taken and submitted like any other. Once it is stored the session is primed.
 *          Where nothing differs nothing waits. What is asked while the same session's question waits or is under way
 *          takes its place, with the longer gap. Who has waited longest is asked for first; a community of so many
 *          units that the limits hold it up lets the others go before.
 * Units:   gap_us by uptime; heard_us by the wall clock. The event's verdict is EVENT_INTERNAL: settled like others, it
 *          is not for the counts of a door.
 * Owner:   what is handed in is copied, the key too, and wiped. A batch that was taken is the taker's.
 * Threads: any; new, stop and free are for the main thread. The thread ends within the time that a lock takes, unless
 *          it reads the log.
 * Errors:  the program's own are negative errno and a sentence. What the CAD answers is told here, once, and asked
 *          again in its time: nothing of it is the session's business. The limits of the CAD are kept for each key: at
 *          most one round of calls and units in 60 s, over restarts too.
 * Source:  vendor pages api-endpoints-v2: emergency/calls/get-calls, emergency/units/get-active-units, authentication.
 */
#pragma once

#include <sonoran-pushd/source_type.h>

struct session_prime;

/* wake_fd: an eventfd, to which 1 is written when a batch waits; borrowed until free. */
int session_prime_new(struct session_prime **ret, const struct source_parts *parts, int wake_fd,
                      struct err *err) MUST_CHECK;

/* Before free, and again after -ETIMEDOUT: it reads the log of a disk that does not answer, and uses all that it was
 * given. */
int session_prime_stop(struct session_prime *prime, usec_t timeout_us) MUST_CHECK;
struct session_prime *session_prime_free(struct session_prime *prime);

struct session_prime_ask {
    const char *name;      /* of the session, which becomes the origin's */
    const char *community; /* whose units and calls they are */
    const char *url;       /* of the hub: its scheme, host and port are those of the REST interface too */
    const char *host;      /* its host alone: the origin's peer */
    const char *key;       /* the one that the login was made with */
    const char *ca_file;   /* NULL: the system's */
    uint32_t server;
    uint64_t place; /* a number of its hub, community and server there, the same over restarts */
    usec_t gap_us;  /* from the last byte of the connection before to the login; 0: the first login of this process, for
                       which it is found out here, from the log */
};

int session_prime_ask(struct session_prime *prime, const struct session_prime_ask *ask) MUST_CHECK;

/* What the CAD refused may be right by now: asked again as soon as the limits allow it. */
void session_prime_hurry(struct session_prime *prime, const char *name);

/* It is gone, or another one now: nothing of it is asked or handed out any more, and what is under way is dropped. */
void session_prime_forget(struct session_prime *prime, const char *name);

/* When it was last heard, kept with the log over restarts: now and then while it is logged in, and at the end of its
 * connection, also at the stop, before free. Earlier than what is kept, or before what was missed is stored: nothing.
 */
void session_prime_heard(struct session_prime *prime, const char *name, uint64_t place, usec_t heard_us);

/* What a batch is the answer to. */
struct session_primed {
    uint64_t number; /* never 0 */
    size_t n_missed; /* calls and 911 calls, once it is stored: primed_count_missed */
};

/* The next batch that waits, of whatever session; false: none. What becomes of it is told: settled, or again. */
bool session_prime_take(struct session_prime *prime, struct batch *ret, struct session_primed *ret_primed) MUST_CHECK;

/* It is stored. */
void session_prime_settled(struct session_prime *prime, const char *name, const struct session_primed *primed);

/* It is not, and is gone: asked again in a minute, with the same gap. */
void session_prime_again(struct session_prime *prime, const char *name, const struct session_primed *primed);

/* Members of a session's object, which is open: when it was last primed, or why it is not, or how far it is. */
void session_prime_add_status(struct session_prime *prime, const char *name, struct json_writer *out);

/* How often it asked, was refused, and how much was missed. */
void session_prime_add_report(struct session_prime *prime, struct report_list *list);
