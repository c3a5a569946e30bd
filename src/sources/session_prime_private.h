/* session_prime_private.h - inside the priming of sessions: what waits, and one round of questions. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/primed.h>
#include <sonoran-pushd/wait.h>

#include "session_prime.h"
#include "session_rest.h"

#define PRIME_KEY_BYTES (NAME_MAX_BYTES + sizeof("heard::0123456789abcdef"))
#define PRIME_PAGES_MAX 41 /* STATE_MAX_ENTRIES of units */
#define PRIME_PACE_US (60 * USEC_PER_SEC)
#define PRIME_GAP_MIN_US USEC_PER_SEC
#define PRIME_RETRY_US (60 * USEC_PER_SEC)
#define PRIME_WAIT_MAX_US (60 * 60 * USEC_PER_SEC) /* also where the CAD asks for more */

/* What one asks, copied. */
struct prime_question {
    char name[NAME_MAX_BYTES + 1], community[NAME_MAX_BYTES + 1];
    char host[EVENT_PEER_MAX_BYTES + 1];
    char *base, *key, *ca_file;
    uint32_t server;
    uint64_t place;      /* where it is asked, the same over restarts */
    usec_t login_us;     /* by the wall clock */
    usec_t gap_begin_us; /* likewise; 0: nothing can have been missed */
    bool first;          /* of this process: the gap is found in the log */
};

int prime_question_read(struct prime_question *ret, const struct session_prime_ask *ask) MUST_CHECK;
int prime_question_copy(struct prime_question *ret, const struct prime_question *from) MUST_CHECK;
void prime_question_done(struct prime_question *question); /* the key is wiped */

/* Of the same community at the same server, with the same key. */
bool prime_questions_meet(const struct prime_question *a, const struct prime_question *b);

struct prime_job {
    struct prime_job *next;
    char name[NAME_MAX_BYTES + 1];
    struct prime_question question; /* of zeros: none yet */
    bool wanted;
    bool refused;              /* the last time, for a reason that a new login does not heal */
    uint64_t asked;            /* the number of its question */
    uint64_t storing;          /* of the one whose answer waits to be stored; 0: none */
    uint64_t waits;            /* likewise, also where that is not all of its answer: state does not have it yet */
    struct prime_round *round; /* put back; NULL: none has begun */
    size_t n_units;            /* that have come in its pages, while more are to come; 0: it is not as far */
    usec_t page_us;            /* by uptime, when it goes on */
    usec_t due_us;             /* by uptime */
    usec_t rest_until_us;      /* likewise: the CAD asked for it when it failed last */
    unsigned n_failed;
    long told_status;
    usec_t primed_us, heard_us; /* by the wall clock */
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
    char name[NAME_MAX_BYTES + 1];
    struct batch batch;
    struct session_primed primed;
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
    uint64_t n_asked;
    struct prime_job *jobs;
    struct prime_result *results;
};

struct prime_pace *prime_pace_of(struct session_prime *prime, const char *community); /* NULL: no memory */

/* ---- session_prime_jobs.c: under the lock ---- */

struct prime_job *prime_find_job(struct session_prime *prime, const char *name);

/* Nothing differed, or what did is stored: of the question with this number. */
void prime_job_primed(struct session_prime *prime, struct prime_job *job, uint64_t number);

/* The batch of a round waits to be taken. False: there is no memory for it. */
bool prime_add_result(struct session_prime *prime, struct prime_round *round) MUST_CHECK;

void prime_jobs_end(struct session_prime *prime);
void prime_heard_key(char ret[PRIME_KEY_BYTES], const char *name, uint64_t place);

/* ---- session_prime_pace.c: of the thread ---- */

/* By uptime, when a round may begin with this community's key. */
usec_t prime_ready_us(struct session_prime *prime, const char *community);

/* By uptime, when the next page of units may be asked for. */
usec_t prime_page_us(const struct prime_pace *pace);

/* A request goes. */
enum prime_request { PRIME_CALLS, PRIME_UNITS };
void prime_note_request(struct session_prime *prime, struct prime_pace *pace, enum prime_request request);

/* How long the CAD asks to wait, within reason; 0: it does not. */
usec_t prime_asked_rest_us(const struct session_rest_problem *problem);

/* What an answer says of the key. */
void prime_note_problem(struct prime_pace *pace, const struct session_rest_problem *problem);

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
};

struct prime_round {
    struct session_prime *prime;
    struct prime_question question;
    uint64_t number; /* the question's */
    struct prime_pace *pace;
    struct prime_outcome outcome;
    usec_t due_us;               /* by uptime, when it goes on */
    struct store_reader *reader; /* while it does; NULL: the log cannot be read */
    struct primed_question asked;
    bool begun;
    cJSON *calls, *pages[PRIME_PAGES_MAX];
    size_t n_pages;
    bool more, whole; /* of the units */
    bool told;        /* that it takes long */
};

/* Of a copy of the question; NULL: no memory. */
struct prime_round *prime_round_new(struct session_prime *prime, const struct prime_question *question,
                                    uint64_t number);
struct prime_round *prime_round_free(struct prime_round *round);

/* As far as the key may be used now. True: it is over. */
bool prime_round_go_on(struct prime_round *round) MUST_CHECK;
