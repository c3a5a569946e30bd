/* session_prime.c - who wants to be primed, when it may be asked, and what came of it: the thread of it all. A round of
 * questions: session_prime_round.c. */
#include "session_prime.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "session_prime_private.h"

#define RETRY_MIN_US (60 * USEC_PER_SEC)
#define RETRY_MAX_US (5 * 60 * USEC_PER_SEC)
#define REFUSED_MIN_US (10 * 60 * USEC_PER_SEC) /* it heals when somebody does something */
#define REFUSED_MAX_US (60 * 60 * USEC_PER_SEC)

/* ---- what belongs to one session ---- */

static struct prime_job *find_job(struct session_prime *prime, const char *name)
{
    struct prime_job *job = prime->jobs;
    while (job && strcmp(job->name, name) != 0)
        job = job->next;
    return job;
}

static struct prime_job *job_free(struct prime_job *job)
{
    if (!job)
        return NULL;
    prime_question_done(&job->question);
    free(job);
    return NULL;
}

static struct prime_job *find_or_add_job(struct session_prime *prime, const char *name)
{
    struct prime_job *job = find_job(prime, name);
    if (job)
        return job;
    job = calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    text_copy(job->name, sizeof(job->name), name);
    job->next = prime->jobs;
    prime->jobs = job;
    return job;
}

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

/* ---- from the session's thread ---- */

/* Until this one is answered what was missed in the gap before is not known either. */
static void join_gaps(struct prime_question *next, const struct prime_job *job)
{
    const struct prime_question *before = &job->question;
    if (!job->wanted)
        return;
    next->first |= before->first;
    if (before->gap_begin_us && (!next->gap_begin_us || before->gap_begin_us < next->gap_begin_us))
        next->gap_begin_us = before->gap_begin_us;
}

int session_prime_ask(struct session_prime *prime, const struct session_prime_ask *ask)
{
    struct prime_question question;
    int r = prime_question_read(&question, ask);
    if (r < 0)
        return r;
    pthread_mutex_lock(&prime->lock);
    struct prime_job *job = find_or_add_job(prime, ask->name);
    if (job) {
        join_gaps(&question, job);
        prime_question_done(&job->question);
        job->question = question;
        job->wanted = true;
        job->asked++;
        if (!job->refused)
            job->due_us = 0;
        pthread_cond_signal(&prime->changed);
    } else {
        prime_question_done(&question);
    }
    pthread_mutex_unlock(&prime->lock);
    return job ? 0 : -ENOMEM;
}

void session_prime_forget(struct session_prime *prime, const char *name)
{
    pthread_mutex_lock(&prime->lock);
    struct prime_job **link = &prime->jobs;
    while (*link && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    struct prime_job *job = *link;
    if (job)
        *link = job->next;
    pthread_mutex_unlock(&prime->lock);
    job_free(job);
}

void session_prime_heard(struct session_prime *prime, const char *name, usec_t heard_us)
{
    char key[PRIME_KEY_BYTES], value[24];
    snprintf(key, sizeof(key), "heard:%s", name);
    snprintf(value, sizeof(value), "%llu", (unsigned long long) heard_us);
    (void) pipeline_keep_position(prime->parts.way_in, "session", key, value); /* without it a gap is longer */
}

bool session_prime_take(struct session_prime *prime, struct batch *ret)
{
    pthread_mutex_lock(&prime->lock);
    struct prime_result *result = prime->results;
    if (result)
        prime->results = result->next;
    pthread_mutex_unlock(&prime->lock);
    if (!result)
        return false;
    *ret = result->batch;
    free(result);
    return true;
}

/* ---- the thread ---- */

/* The one that has waited longest, and whose key may be used; else when to look again. */
static struct prime_job *next_job(struct session_prime *prime, usec_t now, usec_t *ret_until_us)
{
    struct prime_job *best = NULL;
    *ret_until_us = UINT64_MAX;
    for (struct prime_job *job = prime->jobs; job; job = job->next) {
        if (!job->wanted)
            continue;
        usec_t ready_us = prime_ready_us(prime, job->question.community), due_us = job->due_us;
        due_us = ready_us > due_us ? ready_us : due_us;
        if (due_us > now)
            *ret_until_us = due_us < *ret_until_us ? due_us : *ret_until_us;
        else if (!best || job->due_us < best->due_us)
            best = job;
    }
    return best;
}

static usec_t retry_us(const struct session_rest_problem *problem, unsigned n_failed)
{
    bool refused = problem->failure == SESSION_REST_REFUSED;
    usec_t wait = refused ? REFUSED_MIN_US : RETRY_MIN_US, max = refused ? REFUSED_MAX_US : RETRY_MAX_US;
    for (unsigned i = 1; i < n_failed && wait < max; i++)
        wait *= 2;
    wait = wait < max ? wait : max;
    return problem->retry_after_us > wait && problem->retry_after_us <= REFUSED_MAX_US ? problem->retry_after_us : wait;
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
        job->primed_us = now_us();
        return;
    }
    report_count(&prime->values.failures[outcome->problem.failure], 1);
    long status = outcome->problem.status ? outcome->problem.status : -1;
    bool again = job->told_status == status;
    usec_t wait_us = retry_us(&outcome->problem, job->n_failed + 1);
    tell(job, outcome, again, wait_us);
    job->n_failed++;
    job->told_status = status;
    job->refused = outcome->problem.failure == SESSION_REST_REFUSED;
    job->due_us = uptime_us() + wait_us;
    text_copy(job->problem, sizeof(job->problem), outcome->err.msg);
}

static void add_result(struct session_prime *prime, struct batch *take_batch)
{
    struct prime_result *result = malloc(sizeof(*result));
    if (!result) {
        batch_done(take_batch);
        return;
    }
    *result = (struct prime_result){ .batch = *take_batch };
    struct prime_result **end = &prime->results;
    while (*end)
        end = &(*end)->next;
    *end = result;
    (void) !write(prime->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

/* It may be gone, or asked anew, meanwhile: then what came of it is of no use, or of use beside a new question. */
static void finish(struct session_prime *prime, const struct prime_question *question, unsigned asked,
                   struct prime_outcome *outcome)
{
    struct prime_job *job = find_job(prime, question->name);
    bool wanted = job && strcmp(job->question.community, question->community) == 0;
    if (wanted && outcome->batch.n_events)
        add_result(prime, &outcome->batch);
    else if (outcome->batch.n_events)
        batch_done(&outcome->batch);
    if (wanted)
        report_count(&prime->values.missed, outcome->n_missed);
    if (!wanted || job->asked != asked || outcome->r == -ECANCELED)
        return;
    job->question.first = question->first; /* what was found out of the gap */
    job->question.gap_begin_us = question->gap_begin_us;
    if (outcome->r == -EAGAIN)
        job->due_us = 0;
    else
        take_outcome(prime, job, outcome);
}

static void *run(void *argument)
{
    struct session_prime *prime = argument;
    usec_t until_us;
    pthread_setname_np(pthread_self(), "prime");
    pthread_mutex_lock(&prime->lock);
    while (!prime->stopping) {
        struct prime_job *job = next_job(prime, uptime_us(), &until_us);
        if (!job) {
            (void) wait_signal(&prime->changed, &prime->lock, until_us);
            continue;
        }
        struct prime_question question;
        struct prime_outcome outcome = { 0 };
        unsigned asked = job->asked;
        job->due_us = uptime_us() + RETRY_MIN_US; /* whatever comes of it */
        if (prime_question_copy(&question, &job->question) < 0)
            continue;
        pthread_mutex_unlock(&prime->lock);
        prime_round(prime, &question, &outcome);
        pthread_mutex_lock(&prime->lock);
        finish(prime, &question, asked, &outcome);
        prime_question_done(&question);
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
    struct batch batch;
    if (!prime)
        return NULL;
    assert(!prime->running);
    while (session_prime_take(prime, &batch))
        batch_done(&batch);
    for (struct prime_job *job = prime->jobs, *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
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

/* ---- what is shown ---- */

void session_prime_add_status(struct session_prime *prime, const char *name, struct json_writer *out)
{
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = find_job(prime, name);
    json_add_known_time(out, "primed_at", job ? job->primed_us : 0);
    if (job && job->problem[0])
        json_add_text(out, "prime_problem", job->problem);
    pthread_mutex_unlock(&prime->lock);
}

#define FAILURES(VALUE, WHICH)                                                                                         \
    {                                                                                                                  \
        .name = "prime_failures", .kind = REPORT_COUNTER, .label = "reason", .value = (VALUE),                         \
        .help = "Times that calls and units could not be asked for.",                                                  \
        .offset = REPORT_OFFSET(struct prime_values, failures[WHICH])                                                  \
    }

static const struct report_row rows[] = {
    { .name = "prime_requests",
      .kind = REPORT_COUNTER,
      .help = "Requests to the CAD's REST interface.",
      .offset = REPORT_OFFSET(struct prime_values, requests) },
    { .name = "prime_missed_calls",
      .kind = REPORT_COUNTER,
      .help = "Calls and 911 calls of which no event came.",
      .offset = REPORT_OFFSET(struct prime_values, missed) },
    FAILURES("down", SESSION_REST_DOWN),
    FAILURES("strange", SESSION_REST_STRANGE),
    FAILURES("refused", SESSION_REST_REFUSED),
    FAILURES("limited", SESSION_REST_LIMITED),
};
static const struct report_table report = { rows, ARRAY_SIZE(rows) };

void session_prime_add_report(struct session_prime *prime, struct report_list *list)
{
    struct prime_values values;
    report_copy(&values, &prime->values, sizeof(values));
    report_list_add(list, &(struct report_part){ .table = &report, .values = &values }, sizeof(values));
}
