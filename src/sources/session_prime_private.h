/* session_prime_private.h - inside the priming of sessions: what waits, and one round of questions. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/wait.h>

#include "session_prime.h"
#include "session_rest.h"

#define PRIME_KEY_BYTES (NAME_MAX_BYTES + sizeof("asked:"))
#define PRIME_PAGES_MAX 41 /* STATE_MAX_ENTRIES of units */

/* What one asks, copied. */
struct prime_question {
    char name[NAME_MAX_BYTES + 1], community[NAME_MAX_BYTES + 1];
    char *base, *key, *ca_file;
    uint32_t server;
    usec_t login_us;     /* by the wall clock */
    usec_t gap_begin_us; /* likewise; 0: nothing can have been missed */
    bool first;          /* of this process: the gap is found in the log */
};

int prime_question_read(struct prime_question *ret, const struct session_prime_ask *ask) MUST_CHECK;
int prime_question_copy(struct prime_question *ret, const struct prime_question *from) MUST_CHECK;
void prime_question_done(struct prime_question *question); /* the key is wiped */

struct prime_job {
    struct prime_job *next;
    char name[NAME_MAX_BYTES + 1];
    struct prime_question question; /* of zeros: none yet */
    bool wanted;
    bool refused;   /* the last time, for a reason that a new login does not heal */
    unsigned asked; /* how often */
    usec_t due_us;  /* by uptime */
    unsigned n_failed;
    long told_status;
    usec_t primed_us; /* by the wall clock */
    char problem[sizeof(((struct err *) 0)->msg)];
};

/* When a key was used, by uptime. */
struct prime_pace {
    struct prime_pace *next;
    char community[NAME_MAX_BYTES + 1];
    bool read;            /* what the log knows of it */
    usec_t calls_us;      /* the last request; 0: none */
    usec_t units_us[2];   /* the last two */
    usec_t rest_until_us; /* the CAD asked for it */
};

struct prime_result {
    struct prime_result *next;
    struct batch batch;
};

struct prime_values {
    uint64_t requests, missed;
    uint64_t failures[SESSION_REST_N_FAILURES];
};

struct session_prime {
    struct source_parts parts; /* without its config, which may be gone */
    char *store_path;
    int wake_fd, cancel_fd;
    pthread_t thread;
    bool running;
    _Atomic bool stopping;    /* changed under the lock */
    struct prime_pace *paces; /* of the thread, like: */
    struct prime_values values;

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t changed;
    bool ended; /* the thread touches nothing any more */
    struct prime_job *jobs;
    struct prime_result *results;
};

struct prime_pace *prime_pace_of(struct session_prime *prime, const char *community); /* NULL: no memory */

/* ---- session_prime_pace.c: of the thread ---- */

#define PRIME_PACE_US (60 * USEC_PER_SEC)

/* By uptime, when a round may begin with this community's key. */
usec_t prime_ready_us(struct session_prime *prime, const char *community);

/* Before a request: waits until it may go, and notes it. -ECANCELED: the end. */
enum prime_request { PRIME_CALLS, PRIME_UNITS };
int prime_wait(struct session_prime *prime, struct prime_pace *pace, enum prime_request request) MUST_CHECK;

/* From the log, at the first round. */
void prime_read_pace(struct prime_pace *pace, struct store_reader *reader);

/* Waits, unless the end comes: -ECANCELED. */
int prime_pause(struct session_prime *prime, usec_t until_us) MUST_CHECK;

/* ---- session_prime_round.c ---- */

struct prime_outcome {
    int r; /* 0: calls and units are known; -EAGAIN: not yet. What one of the two told is in the batch all the same */
    struct session_rest_problem problem;
    struct err err;
    struct batch batch; /* n_events 0: nothing differs */
    size_t n_missed;
};

void prime_round(struct session_prime *prime, struct prime_question *question, struct prime_outcome *ret);
