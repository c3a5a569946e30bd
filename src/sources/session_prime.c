/* session_prime.c - whose turn it is to be primed, and what came of it: the thread of it all. Who wants to be:
 * session_prime_jobs.c; a round of questions: session_prime_round.c. */
#include "session_prime.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "session_prime_private.h"

#define RETRY_MAX_US (5 * 60 * USEC_PER_SEC)
#define REFUSED_MIN_US (10 * 60 * USEC_PER_SEC) /* it heals when somebody does something */
#define GAP_WORTH_A_WARNING_US (30 * USEC_PER_SEC)

/* ---- what belongs to one key, of which every community has its own ---- */

struct prime_pace *prime_pace_of(struct session_prime *prime, const char *community)
{
    struct prime_pace *pace = prime->paces;
    while (pace && strcmp(pace->community, community) != 0)
        pace = pace->next;
    if (pace)
        return pace;
    pace = calloc(1, sizeof(*pace));
    if (!pace)
        return NULL;
    text_copy(pace->community, sizeof(pace->community), community);
    pace->next = prime->paces;
    prime->paces = pace;
    return pace;
}

/* ---- the thread ---- */

/* By uptime, when its key may be used. */
static usec_t ready_us(struct session_prime *prime, const struct prime_job *job)
{
    return job->round ? job->round->due_us : usec_later(prime_ready_us(prime, job->question.community), job->due_us);
}

static bool has_waited_longer(const struct prime_job *a, const struct prime_job *b)
{
    return a->due_us == b->due_us ? a->asked < b->asked : a->due_us < b->due_us;
}

/* The one that has waited longest; else when to look again. */
static struct prime_job *next_job(struct session_prime *prime, usec_t now, usec_t *ret_until_us)
{
    struct prime_job *best = NULL;
    *ret_until_us = UINT64_MAX;
    for (struct prime_job *job = prime->jobs; job; job = job->next) {
        bool ready = job->wanted && !job->waits; /* else what waits would be missed once more */
        usec_t its_us = ready ? ready_us(prime, job) : UINT64_MAX;
        bool is_tie = best && its_us == *ret_until_us; /* of one key, most often */
        if (is_tie ? !has_waited_longer(job, best) : its_us >= *ret_until_us)
            continue;
        *ret_until_us = its_us;
        best = job;
    }
    return *ret_until_us <= now ? best : NULL;
}

static usec_t retry_us(const struct session_rest_problem *problem, unsigned n_failed)
{
    bool refused = problem->failure == SESSION_REST_REFUSED;
    usec_t wait = refused ? REFUSED_MIN_US : PRIME_RETRY_US, max = refused ? PRIME_WAIT_MAX_US : RETRY_MAX_US;
    for (unsigned i = 1; i < n_failed && wait < max; i++)
        wait *= 2;
    return usec_later(wait < max ? wait : max, prime_asked_rest_us(problem));
}

/* Once for each kind of trouble, and once when it is over. */
static void tell(const struct prime_job *job, const struct prime_outcome *outcome, bool again, usec_t wait_us)
{
    struct text wait CLEANUP(text_free) = TEXT_INIT;
    text_add_lapse(&wait, wait_us);
    if (outcome->r < 0 && !again)
        log_line(LOG_WARNING, LOG_ID_PRIMING,
                 "session %s: what the CAD knows cannot be asked for, so names and missed calls may stay unknown: %s; "
                 "tried again in %s",
                 job->name, outcome->err.msg, wait.s);
    if (outcome->r >= 0 && job->n_failed)
        log_line(LOG_NOTICE, LOG_ID_PRIMING, "session %s: the CAD tells what it knows again", job->name);
}

/* What is left of what the CAD asked for with this key, in whatever answer. */
static usec_t rest_us(struct session_prime *prime, const struct prime_job *job)
{
    const struct prime_pace *pace = prime_pace_of(prime, job->question.community);
    usec_t now = uptime_us();
    return pace && pace->rest_until_us > now ? pace->rest_until_us - now : 0;
}

/* Under the lock. */
static void take_outcome(struct session_prime *prime, struct prime_job *job, const struct prime_outcome *outcome)
{
    if (outcome->r >= 0) {
        tell(job, outcome, false, 0);
        job->wanted = false;
        job->refused = false;
        job->n_failed = 0;
        job->told_status = 0;
        job->problem[0] = '\0';
        return;
    }
    report_count(&prime->values.failures[outcome->problem.failure], 1);
    long status = outcome->problem.status ? outcome->problem.status : -1;
    bool again = job->told_status == status;
    usec_t wait_us = usec_later(retry_us(&outcome->problem, job->n_failed + 1), rest_us(prime, job));
    tell(job, outcome, again, wait_us);
    job->n_failed++;
    job->told_status = status;
    job->refused = outcome->problem.failure == SESSION_REST_REFUSED;
    job->due_us = uptime_us() + wait_us;
    job->rest_until_us = uptime_us() + prime_asked_rest_us(&outcome->problem);
    text_copy(job->problem, sizeof(job->problem), outcome->err.msg);
}

/* The gap before the first login of this process, which the session itself cannot know. */
static void tell_gap(const struct prime_question *question)
{
    struct text gap CLEANUP(text_free) = TEXT_INIT;
    usec_t gap_us = question->login_us - question->gap_begin_us;
    text_add_lapse(&gap, gap_us);
    log_line(gap_us > GAP_WORTH_A_WARNING_US ? LOG_WARNING : LOG_NOTICE, LOG_ID_SESSION,
             "session %s: %s without connection until this start", question->name, gap.s);
}

/* It may be gone meanwhile, or asked of another: then what came of it is of no use. Asked anew, it is of use beside
 * what comes of the new question. */
static void finish(struct session_prime *prime, struct prime_round *round)
{
    struct prime_outcome *outcome = &round->outcome;
    struct prime_job *job = prime_find_job(prime, round->question.name);
    if (job)
        job->n_units = 0;
    if (!job || !prime_questions_meet(&job->question, &round->question))
        return;
    bool differs = outcome->batch.n_events;
    if (differs && !prime_add_result(prime, round))
        outcome->r = err_set(&outcome->err, -ENOMEM, "no memory");
    else if (differs)
        job->waits = round->number;
    if (job->asked != round->number || outcome->r == -ECANCELED)
        return;
    if (job->question.first && !round->question.first && round->question.gap_begin_us)
        tell_gap(&round->question);
    job->question.first = round->question.first; /* what was found out of the gap */
    job->question.gap_begin_us = round->question.gap_begin_us;
    if (outcome->r == -EAGAIN)
        job->due_us = 0;
    else
        take_outcome(prime, job, outcome);
    if (outcome->r >= 0 && differs)
        job->storing = round->number;
    else if (outcome->r >= 0)
        prime_job_primed(prime, job, round->number);
}

/* Of so many units that it takes more than a minute; nobody knows how many there are until the last has come. */
static void tell_long(struct prime_round *round, size_t n_units)
{
    if (round->told || round->n_pages < 2)
        return;
    round->told = true;
    log_line(LOG_NOTICE, LOG_ID_PRIMING,
             "session %s: the CAD has more than %zu units and may be asked for %d in a minute: names and missed calls "
             "are known once all have come",
             round->question.name, n_units, 2 * SESSION_REST_PAGE);
}

/* Until its key may be used for the next page; others are asked meanwhile. */
static void put_back(struct session_prime *prime, struct prime_round *take_round)
{
    struct prime_job *job = prime_find_job(prime, take_round->question.name);
    if (!job || !prime_questions_meet(&job->question, &take_round->question)) {
        prime_round_free(take_round);
        return;
    }
    job->round = take_round;
    job->n_units = take_round->n_pages ? take_round->n_pages * (SESSION_REST_PAGE - 1) + 1 : 0;
    job->page_us = take_round->due_us;
    tell_long(take_round, job->n_units);
}

/* Under the lock, which is let go of meanwhile: the job may be gone afterwards. */
static void go_on(struct session_prime *prime, struct prime_job *job)
{
    struct prime_round *round = job->round ? job->round : prime_round_new(prime, &job->question, job->asked);
    job->n_units = job->round ? job->n_units : 0;
    job->round = NULL;
    job->due_us = uptime_us() + PRIME_RETRY_US; /* whatever comes of it */
    if (!round)
        return;
    pthread_mutex_unlock(&prime->lock);
    bool over = prime_round_go_on(round);
    pthread_mutex_lock(&prime->lock);
    if (!over) {
        put_back(prime, round);
        return;
    }
    finish(prime, round);
    prime_round_free(round);
}

static void *run(void *argument)
{
    struct session_prime *prime = argument;
    usec_t until_us;
    pthread_setname_np(pthread_self(), "prime");
    pthread_mutex_lock(&prime->lock);
    while (!prime->stopping) {
        struct prime_job *job = next_job(prime, uptime_us(), &until_us);
        if (job)
            go_on(prime, job);
        else
            (void) wait_signal(&prime->changed, &prime->lock, until_us);
    }
    prime->ended = true;
    pthread_cond_broadcast(&prime->changed);
    pthread_mutex_unlock(&prime->lock);
    return NULL;
}

/* ---- from the main thread ---- */

int session_prime_new(struct session_prime **ret, const struct source_parts *parts, int wake_fd, struct err *err)
{
    struct session_prime *prime = calloc(1, sizeof(*prime));
    char *path = strdup(parts->config->store.path);
    if (!prime || !path) {
        free(prime);
        free(path);
        return err_set(err, -ENOMEM, "no memory");
    }
    prime->parts = *parts;
    prime->store_path = path;
    prime->wake_fd = wake_fd;
    prime->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&prime->lock, NULL);
    pthread_cond_init(&prime->changed, NULL);
    int r = prime->cancel_fd < 0 ? -errno : -pthread_create(&prime->thread, NULL, run, prime);
    prime->running = r == 0;
    if (r < 0) {
        session_prime_free(prime);
        return err_set(err, r, "cannot start to ask the CAD: %s", strerror(-r));
    }
    *ret = prime;
    return 0;
}

int session_prime_stop(struct session_prime *prime, usec_t timeout_us)
{
    usec_t until_us = uptime_us() + timeout_us;
    if (!prime || !prime->running)
        return 0;
    pthread_mutex_lock(&prime->lock);
    prime->stopping = true;
    pthread_cond_broadcast(&prime->changed);
    (void) !write(prime->cancel_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
    while (!prime->ended && wait_signal(&prime->changed, &prime->lock, until_us))
        continue;
    bool ended = prime->ended;
    pthread_mutex_unlock(&prime->lock);
    if (!ended)
        return -ETIMEDOUT;
    pthread_join(prime->thread, NULL);
    prime->running = false;
    return 0;
}

struct session_prime *session_prime_free(struct session_prime *prime)
{
    if (!prime)
        return NULL;
    assert(!prime->running);
    prime_jobs_end(prime);
    for (struct prime_pace *pace = prime->paces, *next; pace; pace = next) {
        next = pace->next;
        free(pace);
    }
    cleanup_close(&prime->cancel_fd);
    pthread_mutex_destroy(&prime->lock);
    pthread_cond_destroy(&prime->changed);
    free(prime->store_path);
    free(prime);
    return NULL;
}
