/* session_prime_jobs.c - what each session wants to be primed with, and what came of it: handed out, settled, shown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session_prime_private.h"

/* ---- the question ---- */

static char *copy_text(const char *text)
{
    return text ? strdup(text) : NULL;
}

int prime_question_read(struct prime_question *ret, const struct session_prime_ask *ask)
{
    struct text base = TEXT_INIT;
    usec_t login_us = now_us(), gap_us = ask->gap_us < PRIME_GAP_MIN_US ? PRIME_GAP_MIN_US : ask->gap_us;
    int r = session_rest_base(ask->url, &base);
    *ret = (struct prime_question){ .base = r < 0 ? NULL : strdup(base.s),
                                    .key = strdup(ask->key),
                                    .ca_file = copy_text(ask->ca_file),
                                    .server = ask->server,
                                    .place = ask->place,
                                    .login_us = login_us,
                                    .gap_begin_us = ask->gap_us ? login_us - gap_us : 0,
                                    .first = !ask->gap_us };
    text_free(&base);
    text_copy(ret->name, sizeof(ret->name), ask->name);
    text_copy(ret->community, sizeof(ret->community), ask->community);
    text_copy(ret->host, sizeof(ret->host), ask->host);
    if (r >= 0 && (!ret->base || !ret->key || (ask->ca_file && !ret->ca_file)))
        r = -ENOMEM;
    if (r < 0)
        prime_question_done(ret);
    return r;
}

int prime_question_copy(struct prime_question *ret, const struct prime_question *from)
{
    *ret = *from;
    ret->base = strdup(from->base);
    ret->key = strdup(from->key);
    ret->ca_file = copy_text(from->ca_file);
    if (ret->base && ret->key && (!from->ca_file || ret->ca_file))
        return 0;
    prime_question_done(ret);
    return -ENOMEM;
}

void prime_question_done(struct prime_question *question)
{
    if (question->key)
        explicit_bzero(question->key, strlen(question->key));
    free(question->key);
    free(question->base);
    free(question->ca_file);
    question->key = question->base = question->ca_file = NULL;
}

static bool are_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool prime_questions_meet(const struct prime_question *a, const struct prime_question *b)
{
    return are_equal(a->community, b->community) && are_equal(a->base, b->base) && are_equal(a->key, b->key) &&
           a->server == b->server && a->place == b->place;
}

/* ---- what belongs to one session; all under the lock ---- */

struct prime_job *prime_find_job(struct session_prime *prime, const char *name)
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
    prime_round_free(job->round);
    prime_question_done(&job->question);
    free(job);
    return NULL;
}

static struct prime_job *find_or_add_job(struct session_prime *prime, const char *name)
{
    struct prime_job *job = prime_find_job(prime, name);
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

static struct prime_result *result_free(struct prime_result *result)
{
    if (result->batch.n_events)
        batch_done(&result->batch);
    free(result);
    return NULL;
}

/* ---- when it was last heard ---- */

/* A row of some 60 bytes for each name and place that ever stood in the configuration: as many as somebody wrote. They
 * stay, so that one that comes back finds since when nobody listened for it. */
void prime_heard_key(char ret[PRIME_KEY_BYTES], const char *name, uint64_t place)
{
    snprintf(ret, PRIME_KEY_BYTES, "heard:%s:%016llx", name, (unsigned long long) place);
}

/* Never back: who was primed with its login may have been closed since. But where the clock was set back, what was kept
 * lies ahead, and would be right only once that time has come again. */
static void keep_heard(struct session_prime *prime, struct prime_job *job, uint64_t place, usec_t heard_us)
{
    char key[PRIME_KEY_BYTES], value[24];
    usec_t now = now_us();
    bool ahead = job->heard_us > now;
    if (heard_us > now)
        heard_us = now;
    if (heard_us <= job->heard_us && !ahead)
        return;
    job->heard_us = heard_us;
    prime_heard_key(key, job->name, place);
    snprintf(value, sizeof(value), "%llu", (unsigned long long) heard_us);
    (void) pipeline_keep_position(prime->parts.way_in, "session", key, value); /* without it a gap is longer */
}

/* What was missed is not stored yet, and would not be asked for any more after a restart. */
static bool has_gap(const struct prime_job *job)
{
    bool open = (job->wanted && !job->refused) || job->storing;
    return open && (job->question.first || job->question.gap_begin_us);
}

void session_prime_heard(struct session_prime *prime, const char *name, uint64_t place, usec_t heard_us)
{
    pthread_mutex_lock(&prime->lock);
    struct prime_job *job = find_or_add_job(prime, name);
    if (job && !has_gap(job))
        keep_heard(prime, job, place, heard_us);
    pthread_mutex_unlock(&prime->lock);
}

/* ---- asking ---- */

/* Until this one is answered, and that stored, what was missed in the gap before is not known either. */
static void join_gaps(struct prime_question *next, const struct prime_job *job)
{
    const struct prime_question *before = &job->question;
    if (!job->wanted && !job->storing)
        return;
    next->first |= before->first;
    if (before->gap_begin_us && (!next->gap_begin_us || before->gap_begin_us < next->gap_begin_us))
        next->gap_begin_us = before->gap_begin_us;
}

static void take_question(struct session_prime *prime, struct prime_job *job, struct prime_question *take_question)
{
    usec_t now = uptime_us();
    bool was_over = !job->wanted;
    join_gaps(take_question, job);
    if (job->round && !prime_questions_meet(&job->round->question, take_question)) {
        job->round = prime_round_free(job->round);
        job->n_units = 0;
    }
    prime_question_done(&job->question);
    job->question = *take_question;
    job->wanted = true;
    job->asked = ++prime->n_asked;
    if (!job->refused && (was_over || job->due_us > now)) /* who waits already keeps its turn */
        job->due_us = now;
}

int session_prime_ask(struct session_prime *prime, const struct session_prime_ask *ask)
{
    struct prime_question question;
    int r = prime_question_read(&question, ask);
    if (r < 0)
        return r;
    pthread_mutex_lock(&prime->lock);
    struct prime_job *job = find_or_add_job(prime, ask->name);
    if (job)
        take_question(prime, job, &question);
    else
        prime_question_done(&question);
    pthread_cond_broadcast(&prime->changed);
    pthread_mutex_unlock(&prime->lock);
    return job ? 0 : -ENOMEM;
}

void session_prime_hurry(struct session_prime *prime, const char *name)
{
    usec_t now = uptime_us();
    pthread_mutex_lock(&prime->lock);
    struct prime_job *job = prime_find_job(prime, name);
    if (job && job->refused) {
        job->due_us = job->rest_until_us > now ? job->rest_until_us : now;
        job->told_status = 0; /* whoever reloads wants to know */
    }
    pthread_cond_broadcast(&prime->changed);
    pthread_mutex_unlock(&prime->lock);
}

static void drop_results(struct session_prime *prime, const char *name)
{
    for (struct prime_result **link = &prime->results; *link;) {
        struct prime_result *result = *link;
        if (strcmp(result->name, name) != 0) {
            link = &result->next;
            continue;
        }
        *link = result->next;
        result_free(result);
    }
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
    drop_results(prime, name);
    pthread_mutex_unlock(&prime->lock);
    job_free(job);
}

/* ---- what came of it ---- */

bool prime_add_result(struct session_prime *prime, struct prime_round *round)
{
    struct prime_outcome *outcome = &round->outcome;
    struct prime_result *result = malloc(sizeof(*result));
    if (!result)
        return false;
    *result = (struct prime_result){ .batch = outcome->batch, .primed = { .number = round->number } };
    outcome->batch = (struct batch){ 0 };
    text_copy(result->name, sizeof(result->name), round->question.name);
    struct prime_result **end = &prime->results;
    while (*end)
        end = &(*end)->next;
    *end = result;
    (void) !write(prime->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
    return true;
}

bool session_prime_take(struct session_prime *prime, struct batch *ret, struct session_primed *ret_primed)
{
    pthread_mutex_lock(&prime->lock);
    struct prime_result *result = prime->results;
    if (result)
        prime->results = result->next;
    pthread_mutex_unlock(&prime->lock);
    if (!result)
        return false;
    *ret = result->batch;
    *ret_primed = result->primed;
    free(result);
    return true;
}

void prime_job_primed(struct session_prime *prime, struct prime_job *job, uint64_t number)
{
    job->storing = 0;
    job->primed_us = now_us();
    if (job->asked == number)
        keep_heard(prime, job, job->question.place, job->question.login_us);
}

/* Asked anew meanwhile, its turn has come. */
static void no_more_waits(struct session_prime *prime, struct prime_job *job, uint64_t number)
{
    if (!job || job->waits != number)
        return;
    job->waits = 0;
    pthread_cond_broadcast(&prime->changed);
}

void session_prime_settled(struct session_prime *prime, const char *name, const struct session_primed *primed)
{
    report_count(&prime->values.missed, primed->n_missed);
    pthread_mutex_lock(&prime->lock);
    struct prime_job *job = prime_find_job(prime, name);
    if (job && job->storing == primed->number)
        prime_job_primed(prime, job, primed->number);
    no_more_waits(prime, job, primed->number);
    pthread_mutex_unlock(&prime->lock);
}

void session_prime_again(struct session_prime *prime, const char *name, const struct session_primed *primed)
{
    pthread_mutex_lock(&prime->lock);
    struct prime_job *job = prime_find_job(prime, name);
    bool last = job && job->storing == primed->number;
    if (last && !job->wanted) {
        job->wanted = true;
        job->due_us = uptime_us() + PRIME_RETRY_US;
    }
    if (last) {
        job->storing = 0;
        text_copy(job->problem, sizeof(job->problem), "what the CAD knows could not be stored");
    }
    no_more_waits(prime, job, primed->number);
    pthread_mutex_unlock(&prime->lock);
}

void prime_jobs_end(struct session_prime *prime)
{
    for (struct prime_result *result = prime->results, *next; result; result = next) {
        next = result->next;
        result_free(result);
    }
    for (struct prime_job *job = prime->jobs, *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
}

/* ---- what is shown ---- */

/* How far it is with a large community. */
static void add_pages(const struct prime_job *job, struct json_writer *out)
{
    usec_t now = uptime_us();
    json_begin_object(out, "priming");
    json_add_int(out, "units", (int64_t) job->n_units);
    json_add_time(out, "next_at", now_us() + (job->page_us > now ? job->page_us - now : 0));
    json_end(out);
}

void session_prime_add_status(struct session_prime *prime, const char *name, struct json_writer *out)
{
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = prime_find_job(prime, name);
    json_add_known_time(out, "primed_at", job ? job->primed_us : 0);
    if (job && job->problem[0])
        json_add_text(out, "prime_problem", job->problem);
    if (job && job->n_units)
        add_pages(job, out);
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
