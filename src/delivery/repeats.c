/* repeats.c - lines about an action, and what is told once and then counted: failures of one kind, and what its target
 * answers. */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include <sonoran-pushd/log.h>

#include "delivery_private.h"

#define MINUTE_US (60 * USEC_PER_SEC)

void worker_tell(const struct worker *worker, int level, const char *message_id, uint64_t event_id, unsigned attempts,
                 const char *format, ...)
{
    const char *name = worker->action->name;
    struct text line CLEANUP(text_free) = TEXT_INIT;
    struct log_field fields[3];
    char sentence[1024];
    size_t n = 0;
    va_list args;
    if (!log_wants(level))
        return;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    text_addf(&line, "action %s: ", name);
    text_add_safe(&line, sentence, strlen(sentence), 0);
    fields[n++] = log_text("SONORAN_ACTION", name);
    if (event_id)
        fields[n++] = (struct log_field){ .name = "SONORAN_EVENT_ID", .number = (int64_t) event_id };
    if (attempts)
        fields[n++] = (struct log_field){ .name = "SONORAN_ATTEMPT", .number = attempts };
    log_write(&(struct log_record){
        .level = level, .message_id = message_id, .line = line.s, .fields = fields, .n_fields = n });
}

/* Numbers in a sentence are of one event or one try; the rest is of the kind. */
static bool same_kind(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char) *a) && isdigit((unsigned char) *b)) {
            a += strspn(a, "0123456789");
            b += strspn(b, "0123456789");
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

bool worker_is_news(struct worker *worker, bool failed, uint64_t event_id, const char *sentence)
{
    assert(wait_is_locked(&worker->lock));
    for (size_t i = 0; i < REPEATS_KINDS; i++) {
        struct repeat *kind = &worker->repeats[i];
        if (!kind->sentence[0]) {
            kind->failed = failed;
            snprintf(kind->sentence, sizeof(kind->sentence), "%s", sentence);
            return true;
        }
        bool last = i == REPEATS_KINDS - 1; /* what finds no place is counted here */
        if (last || (kind->failed == failed && same_kind(kind->sentence, sentence))) {
            kind->n_more++;
            kind->last_id = event_id;
            return false;
        }
    }
    return false;
}

static void tell_sum(const struct worker *worker, const struct repeat *kind)
{
    const char *what = kind->failed ? "on the list of failed ones" : "not delivered at the first attempt";
    worker_tell(worker, kind->failed ? LOG_ERR : LOG_WARNING,
                kind->failed ? LOG_ID_DELIVERY_FAILED : LOG_ID_DELIVERY_RETRIED, kind->last_id, 0,
                "%llu more like this in the last minute, the last is event %llu: %s: %s",
                (unsigned long long) kind->n_more, (unsigned long long) kind->last_id, what, kind->sentence);
}

void worker_tell_too_old(struct worker *worker)
{
    if (worker->n_too_old)
        worker_tell(worker, LOG_NOTICE, LOG_ID_DELIVERY_SKIPPED, 0, 0, "%llu event%s skipped, older than max_age",
                    (unsigned long long) worker->n_too_old, text_plural(worker->n_too_old));
    worker->n_too_old = 0;
}

void worker_sum_up(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker_tell_too_old(worker);
    for (size_t i = 0; i < REPEATS_KINDS; i++)
        if (worker->repeats[i].n_more)
            tell_sum(worker, &worker->repeats[i]);
    memset(worker->repeats, 0, sizeof(worker->repeats));
    pthread_mutex_unlock(&worker->lock);
}

/* What a good answer says is news where it is another than before, at most once a minute; that of a failure stands in
 * the line of the failure. Without words it is the least that is expected. */
static bool is_other_answer(const struct worker *worker, const char *answer, usec_t now)
{
    bool first = !worker->told_answer[0];
    if (first ? !strchr(answer, ' ') : same_kind(worker->told_answer, answer))
        return false;
    return first || now >= worker->answer_told_us + MINUTE_US;
}

void worker_note_answer(struct worker *worker, const struct item *item, const struct action_outcome *outcome)
{
    usec_t now = uptime_us();
    if (!outcome->answer[0])
        return;
    snprintf(worker->status.answer, sizeof(worker->status.answer), "%s", outcome->answer);
    if (outcome->result != ACTION_DONE || !is_other_answer(worker, outcome->answer, now))
        return;
    snprintf(worker->told_answer, sizeof(worker->told_answer), "%s", outcome->answer);
    worker->answer_told_us = now;
    worker_tell(worker, LOG_INFO, LOG_ID_ANSWER, item->id, 0, "the receiver answers %s", outcome->answer);
}
