/* session_prime_round.c - one round of questions: calls and units of a server, beside what is known, as one event. */
#include <errno.h>
#include <sonoran-pushd/primed.h>
#include <stdlib.h>
#include <string.h>

#include "session_prime_private.h"

#define TIMEOUT_US (20 * USEC_PER_SEC)
#define GRACE_US USEC_PER_SEC /* for an event that is on its way while the list has what it tells */
#define RECENT_EVENTS 1000
#define GAP_MIN_US USEC_PER_SEC

/* ---- the question ---- */

static char *copy_text(const char *text)
{
    return text ? strdup(text) : NULL;
}

int prime_question_read(struct prime_question *ret, const struct session_prime_ask *ask)
{
    struct text base = TEXT_INIT;
    usec_t login_us = now_us(), gap_us = ask->gap_us < GAP_MIN_US ? GAP_MIN_US : ask->gap_us;
    int r = session_rest_base(ask->url, &base);
    *ret = (struct prime_question){ .base = r < 0 ? NULL : strdup(base.s),
                                    .key = strdup(ask->key),
                                    .ca_file = copy_text(ask->ca_file),
                                    .server = ask->server,
                                    .login_us = login_us,
                                    .gap_begin_us = ask->gap_us ? login_us - gap_us : 0,
                                    .first = !ask->gap_us };
    text_free(&base);
    text_copy(ret->name, sizeof(ret->name), ask->name);
    text_copy(ret->community, sizeof(ret->community), ask->community);
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

/* ---- what the log knows ---- */

struct round {
    struct session_prime *prime;
    struct prime_question *question;
    struct prime_pace *pace;
    struct prime_outcome *outcome;
    struct store_reader *reader; /* NULL: the log cannot be read */
    struct primed_question asked;
    cJSON *calls, *pages[PRIME_PAGES_MAX];
    size_t n_pages;
    bool whole; /* all units there are */
};

static bool is_of_session(const struct round *round, const struct store_row *row)
{
    return strcmp(row->source, "session") == 0 && strcmp(row->listener, round->question->name) == 0 &&
           row->time_us < round->question->login_us;
}

/* Of the newest events, 0: none is of this session. After a crash nothing else tells how long it was heard. */
static usec_t last_event_us(const struct round *round)
{
    struct store_row row;
    struct err err;
    uint64_t newest_id = 0;
    usec_t last_us = 0;
    int r = store_newest(round->reader, &newest_id, &err);
    const struct store_filter filter = { .after_id = newest_id > RECENT_EVENTS ? newest_id - RECENT_EVENTS : 0,
                                         .told = true };
    if (r >= 0)
        r = store_seek(round->reader, &filter, &err);
    while (r >= 0 && (r = store_read(round->reader, &row, &err)) > 0)
        if (is_of_session(round, &row) && row.time_us > last_us)
            last_us = row.time_us;
    store_rest(round->reader);
    return last_us;
}

/* At the first login of this process. A session that was never heard before has missed nothing. */
static void find_gap(struct round *round)
{
    struct prime_question *question = round->question;
    char key[PRIME_KEY_BYTES], value[24] = "";
    struct err err;
    if (!question->first || !round->reader)
        return;
    question->first = false;
    snprintf(key, sizeof(key), "heard:%s", question->name);
    int r = store_get_position(round->reader, "session", key, value, sizeof(value), &err);
    usec_t heard_us = r < 0 ? 0 : strtoull(value, NULL, 10), event_us = last_event_us(round);
    heard_us = event_us > heard_us ? event_us : heard_us;
    if (!heard_us)
        return;
    usec_t latest_us = question->login_us - GAP_MIN_US;
    heard_us = heard_us < latest_us ? heard_us : latest_us;
    if (!question->gap_begin_us || heard_us < question->gap_begin_us)
        question->gap_begin_us = heard_us;
}

/* Before the gap; where the log cannot be read nothing is called missed. */
static bool was_heard(void *context, enum state_kind kind, int64_t id)
{
    struct round *round = context;
    struct store_row row;
    struct err err;
    const struct store_ref ref = { .kind = kind == STATE_KIND_CALL911 ? "911" : "call", .has_id = true, .id = id };
    const struct store_filter filter = { .until_us = round->question->gap_begin_us,
                                         .community = round->question->community,
                                         .refs = &ref,
                                         .n_refs = 1,
                                         .counts = true };
    if (!round->reader)
        return true;
    int r = store_seek(round->reader, &filter, &err);
    if (r >= 0)
        r = store_read(round->reader, &row, &err);
    store_rest(round->reader);
    return r != 0;
}

/* ---- asking ---- */

static int ask_calls(struct round *round, const struct session_rest *rest)
{
    struct prime_outcome *outcome = round->outcome;
    int r = prime_wait(round->prime, round->pace, PRIME_CALLS);
    return r < 0 ? r : session_rest_get_calls(rest, &round->calls, &outcome->problem, &outcome->err);
}

static bool are_same(const cJSON *a, const cJSON *b)
{
    return cJSON_Compare(json_get(a, "id"), json_get(b, "id"), true);
}

/* Each page begins with the last of the one before: where it does not, some moved while it was asked, and one may stand
 * on none of them. */
static int ask_units(struct round *round, const struct session_rest *rest)
{
    struct prime_outcome *outcome = round->outcome;
    bool more = true;
    round->whole = true;
    for (size_t offset = 0; more && round->n_pages < PRIME_PAGES_MAX; offset += SESSION_REST_PAGE - 1) {
        cJSON *page = NULL, *before = round->n_pages ? round->pages[round->n_pages - 1] : NULL;
        int r = prime_wait(round->prime, round->pace, PRIME_UNITS);
        if (r >= 0)
            r = session_rest_get_units(rest, offset, &page, &outcome->problem, &outcome->err);
        if (r < 0) {
            round->whole = false;
            return r;
        }
        more = cJSON_GetArraySize(page) >= SESSION_REST_PAGE;
        round->whole &= !before || are_same(before->child->prev, page->child); /* cJSON: the first's prev is the last */
        round->pages[round->n_pages++] = page;
    }
    round->whole &= !more;
    return 0;
}

/* Of a refusal the other list is asked for all the same: a plan may have one of them. */
static int ask_both(struct round *round)
{
    struct session_prime *prime = round->prime;
    struct prime_outcome *outcome = round->outcome;
    const struct web_settings settings = {
        .timeout_us = TIMEOUT_US, .cancel_fd = prime->cancel_fd, .ca_file = round->question->ca_file, .use_proxy = true
    };
    struct session_rest rest = { .base = round->question->base,
                                 .key = round->question->key,
                                 .server = round->question->server };
    int r = web_open(&rest.web, &settings, &outcome->err);
    if (r < 0)
        return r;
    r = ask_calls(round, &rest);
    bool go_on = r >= 0 || (r != -ECANCELED && outcome->problem.failure == SESSION_REST_REFUSED);
    struct session_rest_problem problem = outcome->problem;
    struct err err = outcome->err;
    int units_r = go_on ? ask_units(round, &rest) : 0;
    web_close(rest.web);
    if (r < 0) { /* what is told is the first of two problems */
        outcome->problem = problem;
        outcome->err = err;
    }
    return r < 0 ? r : units_r;
}

/* ---- the event ---- */

static int compare(struct round *round, struct text *ret)
{
    const struct session_prime *prime = round->prime;
    const cJSON *pages[PRIME_PAGES_MAX];
    struct state_snapshot *known;
    memcpy(pages, round->pages, sizeof(pages));
    const struct primed_answers answers = {
        .calls = round->calls, .units = pages, .n_units = round->n_pages, .units_whole = round->whole && round->n_pages
    };
    int r = state_snapshot(prime->parts.state, round->question->community, &known);
    if (r < 0)
        return r;
    text_reset(ret);
    r = primed_diff(&round->asked, &answers, known, was_heard, round, ret);
    state_snapshot_free(known);
    return r;
}

static int make_batch(struct round *round, const struct text *data)
{
    struct origin origin = { .source = "session" };
    struct prime_outcome *outcome = round->outcome;
    const char *host = strstr(round->question->base, "://") + strlen("://");
    text_copy(origin.name, sizeof(origin.name), round->question->name);
    snprintf(origin.peer, sizeof(origin.peer), "%.*s", (int) strcspn(host, ":"), host);
    const struct event event = { .type = PRIMED_TYPE,
                                 .time_us = now_us(),
                                 .community = round->question->community,
                                 .origin = &origin,
                                 .verdict = EVENT_INTERNAL,
                                 .data_text = { data->s, data->size } };
    int r = batch_restore(&outcome->batch, &event, round->prime->parts.families);
    if (r >= 0)
        outcome->n_missed = primed_count_missed(outcome->batch.events[0].data);
    return r;
}

/* Whatever would be called missed is looked at once more, a moment later. */
static int tell_what_differs(struct round *round)
{
    struct text data CLEANUP(text_free) = TEXT_INIT;
    int r = compare(round, &data);
    if (r > 0 && strstr(data.s, "\"missed\":true")) {
        r = prime_pause(round->prime, uptime_us() + GRACE_US);
        if (r >= 0)
            r = compare(round, &data);
    }
    return r > 0 ? make_batch(round, &data) : r;
}

static void rest_key(const struct round *round)
{
    const struct session_rest_problem *problem = &round->outcome->problem;
    usec_t pause_us = problem->retry_after_us > PRIME_PACE_US ? problem->retry_after_us : PRIME_PACE_US;
    if (problem->failure == SESSION_REST_LIMITED)
        round->pace->rest_until_us = uptime_us() + pause_us;
}

static void ask_and_compare(struct round *round)
{
    struct prime_outcome *outcome = round->outcome;
    const struct prime_question *question = round->question;
    usec_t login_us = question->login_us, begin_us = question->gap_begin_us;
    const struct state *state = round->prime->parts.state;
    round->asked = (struct primed_question){ .asked_id = state_as_of(state),
                                             .asked_us = now_us(),
                                             .server = question->server,
                                             .source = primed_source(state, "session", question->name),
                                             .gap_us = begin_us && begin_us < login_us ? login_us - begin_us : 0 };
    outcome->r = ask_both(round);
    if (outcome->r == -ECANCELED)
        return;
    if (outcome->r < 0)
        rest_key(round);
    int r = round->calls || round->n_pages ? tell_what_differs(round) : 0;
    if (outcome->r >= 0 && r < 0) {
        outcome->r = r;
        err_set(&outcome->err, r, "no memory");
    }
    if (outcome->r >= 0)
        session_prime_heard(round->prime, question->name, login_us);
}

/* Of this thread, while it reads. */
static _Thread_local const struct session_prime *reading;

static bool is_to_end(void)
{
    return reading->stopping;
}

static struct store_reader *open_log(const struct session_prime *prime)
{
    struct store_reader *reader;
    struct err err;
    if (store_reader_open(&reader, prime->store_path, &err) < 0)
        return NULL;
    reading = prime;
    store_stop_if(reader, is_to_end);
    return reader;
}

void prime_round(struct session_prime *prime, struct prime_question *question, struct prime_outcome *ret)
{
    struct round round = { .prime = prime, .question = question, .outcome = ret };
    round.pace = prime_pace_of(prime, question->community);
    if (!round.pace) {
        ret->r = err_set(&ret->err, -ENOMEM, "no memory");
        return;
    }
    round.reader = open_log(prime);
    if (round.reader && !round.pace->read)
        prime_read_pace(round.pace, round.reader);
    find_gap(&round);
    if (prime_ready_us(prime, question->community) > uptime_us())
        ret->r = -EAGAIN;
    else
        ask_and_compare(&round);
    store_reader_close(round.reader);
    cJSON_Delete(round.calls);
    for (size_t i = 0; i < round.n_pages; i++)
        cJSON_Delete(round.pages[i]);
}
