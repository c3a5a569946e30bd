/* session_prime_round.c - one round of questions: calls and units of a server, beside what is known, as one event. */
#include <errno.h>
#include <sonoran-pushd/primed.h>
#include <stdlib.h>
#include <string.h>

#include "session_prime_private.h"
#include "session_private.h"

#define TIMEOUT_US (20 * USEC_PER_SEC)
#define GRACE_US USEC_PER_SEC /* for an event that is on its way while the list has what it tells */
#define RECENT_EVENTS 1000

/* ---- what the log knows ---- */

static bool is_of_session(const struct prime_round *round, const struct store_row *row)
{
    return strcmp(row->source, "session") == 0 && strcmp(row->listener, round->question.name) == 0 &&
           row->time_us < round->question.login_us;
}

/* Of the newest events, 0: none is of this session. After a crash nothing else tells how long it was heard. */
static usec_t last_event_us(const struct prime_round *round)
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

/* At the first login of this process. A session that was never heard before, or of another CAD, has missed nothing. */
static void find_gap(struct prime_round *round)
{
    struct prime_question *question = &round->question;
    char key[PRIME_KEY_BYTES], value[24] = "";
    struct err err;
    if (!question->first || !round->reader)
        return;
    question->first = false;
    prime_heard_key(key, question->name, question->place);
    int r = store_get_position(round->reader, "session", key, value, sizeof(value), &err);
    usec_t heard_us = r < 0 ? 0 : strtoull(value, NULL, 10);
    if (!heard_us)
        return;
    usec_t event_us = last_event_us(round);
    heard_us = event_us > heard_us ? event_us : heard_us;
    usec_t latest_us = question->login_us - PRIME_GAP_MIN_US;
    heard_us = heard_us < latest_us ? heard_us : latest_us;
    if (!question->gap_begin_us || heard_us < question->gap_begin_us)
        question->gap_begin_us = heard_us;
}

/* Where the log cannot be read nothing is called missed. */
static bool is_in_log(const struct prime_round *round, const struct store_ref *ref, const char *type, usec_t until_us)
{
    struct store_row row;
    struct err err;
    const struct store_filter filter = { .until_us = until_us,
                                         .type = type,
                                         .community = round->question.community,
                                         .refs = ref,
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

/* Before the gap; and of a 911 call, which is not known any more once it is removed, whether it ever came. */
static bool was_heard(void *context, enum state_kind kind, int64_t id)
{
    const struct prime_round *round = context;
    bool is_911 = kind == STATE_KIND_CALL911;
    const struct store_ref ref = { .kind = is_911 ? "911" : "call", .has_id = true, .id = id };
    return is_in_log(round, &ref, NULL, round->question.gap_begin_us) ||
           (is_911 && is_in_log(round, &ref, "EVENT_911", 0));
}

/* ---- asking ---- */

/* Not for one that is gone meanwhile, or to be asked of another. */
static bool is_wanted(const struct prime_round *round)
{
    struct session_prime *prime = round->prime;
    pthread_mutex_lock(&prime->lock);
    const struct prime_job *job = prime_find_job(prime, round->question.name);
    bool wanted = !prime->stopping && job && prime_questions_meet(&job->question, &round->question);
    pthread_mutex_unlock(&prime->lock);
    return wanted;
}

static int begin_request(const struct prime_round *round, enum prime_request request)
{
    if (!is_wanted(round))
        return -ECANCELED;
    prime_note_request(round->prime, round->pace, request);
    return 0;
}

static int ask_calls(struct prime_round *round, const struct session_rest *rest)
{
    struct prime_outcome *outcome = &round->outcome;
    int r = begin_request(round, PRIME_CALLS);
    if (r < 0)
        return r;
    r = session_rest_get_calls(rest, &round->calls, &outcome->problem, &outcome->err);
    if (r < 0)
        prime_note_problem(round->pace, &outcome->problem);
    return r;
}

static bool are_same(const cJSON *a, const cJSON *b)
{
    return cJSON_Compare(json_get(a, "id"), json_get(b, "id"), true);
}

/* cJSON: the first's prev is the last. */
static const cJSON *last_of(const cJSON *list)
{
    return list->child ? list->child->prev : NULL;
}

/* Each page begins with the last of the one before: where it does not, some moved while it was asked, and one may stand
 * on none of them. */
static int ask_page(struct prime_round *round, const struct session_rest *rest, struct session_rest_problem *problem,
                    struct err *err)
{
    cJSON *page, *whole_page, *before = round->n_pages ? round->pages[round->n_pages - 1] : NULL;
    int r = begin_request(round, PRIME_UNITS);
    if (r < 0)
        return r;
    r = session_rest_get_units(rest, round->n_pages * (SESSION_REST_PAGE - 1), &whole_page, problem, err);
    if (r < 0) {
        prime_note_problem(round->pace, problem);
        return r;
    }
    round->more = cJSON_GetArraySize(whole_page) >= SESSION_REST_PAGE;
    page = primed_reduce_units(whole_page); /* it is kept until the last one has come */
    cJSON_Delete(whole_page);
    if (!page)
        return err_set(err, -ENOMEM, "no memory");
    round->whole &= !before || are_same(last_of(before), page->child);
    round->pages[round->n_pages++] = page;
    return 0;
}

/* -EINPROGRESS: the key has to rest before the next page. */
static int ask_units(struct prime_round *round, const struct session_rest *rest, struct session_rest_problem *problem,
                     struct err *err)
{
    int r = 0;
    while (r >= 0 && round->more && round->n_pages < PRIME_PAGES_MAX) {
        round->due_us = prime_page_us(round->pace);
        r = round->due_us > uptime_us() ? -EINPROGRESS : ask_page(round, rest, problem, err);
    }
    return r;
}

/* What is told is the first of two problems. */
static int ask_rest(struct prime_round *round, const struct session_rest *rest)
{
    struct prime_outcome *outcome = &round->outcome;
    struct session_rest_problem problem = { 0 };
    struct err err = { "" };
    if (!round->begun)
        outcome->r = ask_calls(round, rest);
    round->begun = true;
    /* Of a refusal the other list is asked for all the same: a plan may have one of them. */
    bool go_on = outcome->r >= 0 || (outcome->r != -ECANCELED && outcome->problem.failure == SESSION_REST_REFUSED);
    int r = go_on ? ask_units(round, rest, &problem, &err) : 0;
    if (r == -EINPROGRESS)
        return r;
    round->whole &= r >= 0 && !round->more;
    if (r == -ECANCELED || (r < 0 && outcome->r >= 0)) {
        outcome->r = r;
        outcome->problem = problem;
        outcome->err = err;
    }
    return r;
}

static int ask_both(struct prime_round *round)
{
    struct session_prime *prime = round->prime;
    const struct web_settings settings = { .timeout_us = TIMEOUT_US,
                                           .cancel_fd = prime->cancel_fd,
                                           .ca_file = round->question.ca_file,
                                           .use_proxy = session_may_use_proxy(round->question.base) };
    struct session_rest rest = { .base = round->question.base,
                                 .key = round->question.key,
                                 .server = round->question.server };
    int r = web_open(&rest.web, &settings, &round->outcome.err);
    if (r < 0) {
        round->outcome.r = r;
        return r;
    }
    r = ask_rest(round, &rest);
    web_close(rest.web);
    return r;
}

/* ---- the event ---- */

static int compare(struct prime_round *round, struct text *ret, size_t *ret_n_missed)
{
    const struct session_prime *prime = round->prime;
    const cJSON *pages[PRIME_PAGES_MAX];
    struct state_snapshot *known;
    memcpy(pages, round->pages, sizeof(pages));
    const struct primed_answers answers = {
        .calls = round->calls, .units = pages, .n_units = round->n_pages, .units_whole = round->whole && round->n_pages
    };
    int r = state_snapshot(prime->parts.state, round->question.community, &known);
    if (r < 0)
        return r;
    text_reset(ret);
    round->asked.now_us = now_us();
    r = primed_diff(&round->asked, &answers, known, was_heard, round, ret, ret_n_missed);
    state_snapshot_free(known);
    return r;
}

static int make_batch(struct prime_round *round, const struct text *data)
{
    struct origin origin = { .source = "session" };
    struct prime_outcome *outcome = &round->outcome;
    text_copy(origin.name, sizeof(origin.name), round->question.name);
    text_copy(origin.peer, sizeof(origin.peer), round->question.host);
    const struct event event = { .type = PRIMED_TYPE,
                                 .time_us = now_us(),
                                 .community = round->question.community,
                                 .origin = &origin,
                                 .verdict = EVENT_INTERNAL,
                                 .data_text = { data->s, data->size } };
    return batch_restore(&outcome->batch, &event, round->prime->parts.families);
}

/* Whatever would be called missed is looked at once more, a moment later. */
static int tell_what_differs(struct prime_round *round)
{
    struct text data CLEANUP(text_free) = TEXT_INIT;
    size_t n_missed = 0;
    int r = compare(round, &data, &n_missed);
    if (r > 0 && n_missed) {
        r = prime_pause(round->prime, uptime_us() + GRACE_US);
        if (r >= 0)
            r = compare(round, &data, &n_missed);
    }
    return r > 0 ? make_batch(round, &data) : r;
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

/* False: not now, or not at all. */
static bool begin(struct prime_round *round)
{
    struct session_prime *prime = round->prime;
    const struct prime_question *question = &round->question;
    const struct state *state = prime->parts.state;
    round->pace = prime_pace_of(prime, question->community);
    if (!round->pace) {
        round->outcome.r = err_set(&round->outcome.err, -ENOMEM, "no memory");
        return false;
    }
    if (round->reader && !round->pace->read)
        prime_read_pace(round->pace, round->reader);
    find_gap(round);
    if (prime_ready_us(prime, question->community) > uptime_us()) {
        round->outcome.r = -EAGAIN;
        return false;
    }
    usec_t login_us = question->login_us, begin_us = question->gap_begin_us;
    round->asked = (struct primed_question){ .asked_id = state_as_of(state),
                                             .asked_us = now_us(),
                                             .server = question->server,
                                             .source = primed_source(state, "session", question->name),
                                             .gap_us = begin_us && begin_us < login_us ? login_us - begin_us : 0 };
    return true;
}

static bool go_on(struct prime_round *round)
{
    struct prime_outcome *outcome = &round->outcome;
    if (!round->begun && !begin(round))
        return true;
    if (ask_both(round) == -EINPROGRESS)
        return false;
    if (outcome->r == -ECANCELED)
        return true;
    int r = round->calls || round->n_pages ? tell_what_differs(round) : 0;
    if (outcome->r >= 0 && r < 0)
        outcome->r = r == -ECANCELED ? r : err_set(&outcome->err, r, "no memory");
    return true;
}

bool prime_round_go_on(struct prime_round *round)
{
    round->reader = open_log(round->prime);
    bool over = go_on(round);
    round->reader = store_reader_close(round->reader);
    return over;
}

struct prime_round *prime_round_new(struct session_prime *prime, const struct prime_question *question, uint64_t number)
{
    struct prime_round *round = calloc(1, sizeof(*round));
    if (!round || prime_question_copy(&round->question, question) < 0) {
        free(round);
        return NULL;
    }
    round->prime = prime;
    round->number = number;
    round->more = round->whole = true;
    return round;
}

struct prime_round *prime_round_free(struct prime_round *round)
{
    if (!round)
        return NULL;
    if (round->outcome.batch.n_events)
        batch_done(&round->outcome.batch);
    cJSON_Delete(round->calls);
    for (size_t i = 0; i < round->n_pages; i++)
        cJSON_Delete(round->pages[i]);
    prime_question_done(&round->question);
    free(round);
    return NULL;
}
