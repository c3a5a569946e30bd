/* redis_batch.c - a batch: for each stream in it one call of a script, which adds all or nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "redis_action.h"

/* KEYS[1]: the stream. ARGV: what it should end with, how many entries it may have about, and for each entry six words.
 * Answers what it ends with afterwards. Of a key that is no stream, or where nothing may be added, XINFO or the first
 * XADD fails, before anything was added. */
const char redis_batch_script[] =
    "local last = '0-0'\n"
    "local info = redis.pcall('XINFO', 'STREAM', KEYS[1])\n"
    "if info.err then\n"
    "  if not string.find(info.err, 'no such key', 1, true) then return info end\n"
    "else\n"
    "  for i = 1, #info, 2 do\n"
    "    if info[i] == 'last-generated-id' then last = info[i + 1] end\n"
    "  end\n"
    "end\n"
    "if ARGV[1] ~= last then return last end\n"
    "for i = 3, #ARGV, 6 do\n"
    "  local add = { 'XADD', KEYS[1] }\n"
    "  if i + 6 > #ARGV and ARGV[2] ~= '0' then\n"
    "    add[3], add[4], add[5] = 'MAXLEN', '~', ARGV[2]\n"
    "  end\n"
    "  for _, word in ipairs({ ARGV[i], 'type', ARGV[i + 1], 'community', ARGV[i + 2], 'time', ARGV[i + 3],\n"
    "      'node', ARGV[i + 4], 'prev', last, 'record', ARGV[i + 5] }) do\n"
    "    add[#add + 1] = word\n"
    "  end\n"
    "  local done = redis.pcall(unpack(add))\n"
    "  if type(done) == 'table' and done.err then return done end\n"
    "  last = ARGV[i]\n"
    "end\n"
    "return last\n";

#define HEAD_WORDS 6
#define ENTRY_WORDS 6

/* The events of a batch that go to one stream. */
struct part {
    size_t stream; /* its place among streams */
    size_t first;  /* of the batch: that is to be added; n: none is */
    size_t end;    /* behind the last */
    struct redis_id last;
    bool is_asked;
    bool is_left;          /* the stream has a trouble of its own, and takes none of them */
    bool is_doubted;       /* the stream has events that the log has not, and ends with */
    struct redis_id found; /* this */
};

struct round {
    struct redis_link *link;
    struct redis_streams *streams;
    const struct action_payload *payloads;
    size_t n;
    struct action_outcome *outcomes;
    struct part parts[REDIS_BATCH_MAX];
    size_t n_parts;
    size_t part_of[REDIS_BATCH_MAX];
    enum redis_verdict verdict; /* of the last reply of the script */
    bool again, is_too_large;
};

static struct redis_stream *stream_of(const struct round *round, const struct part *part)
{
    return &round->streams->v[part->stream];
}

static const char *word_of(const struct action_payload *payload, enum redis_word word)
{
    return payload->words.v[word];
}

/* ---- parts ---- */

static struct part *find_part(struct round *round, size_t stream, size_t i)
{
    size_t k = 0;
    while (k < round->n_parts && round->parts[k].stream != stream)
        k++;
    if (k == round->n_parts)
        round->parts[round->n_parts++] = (struct part){ .stream = stream, .first = i };
    round->part_of[i] = k;
    return &round->parts[k];
}

static bool divide(struct round *round)
{
    redis_streams_trim(round->streams);
    for (size_t i = 0; i < round->n; i++) {
        size_t stream = redis_streams_find(round->streams, word_of(&round->payloads[i], REDIS_WORD_KEY));
        if (stream == SIZE_MAX) {
            round->outcomes[0].result = ACTION_RETRY;
            err_set(&round->outcomes[0].err, -ENOMEM, "no memory");
            return false;
        }
        find_part(round, stream, i)->end = i + 1;
    }
    return true;
}

/* ---- one call ---- */

struct texts {
    char expected[REDIS_ID_BYTES], max_len[24], entries[REDIS_BATCH_MAX][REDIS_ID_BYTES];
};

static bool send_call(struct round *round, const struct part *part, const char *expected, bool with_entries)
{
    CLEANUP(cleanup_free) struct span *words = calloc(HEAD_WORDS + ENTRY_WORDS * round->n, sizeof(*words));
    CLEANUP(cleanup_free) struct texts *texts = malloc(sizeof(*texts));
    const struct redis_stream *stream = stream_of(round, part);
    struct action_outcome *outcome = &round->outcomes[part->first];
    size_t n = 0;
    if (!words || !texts) {
        outcome->result = ACTION_RETRY;
        err_set(&outcome->err, -ENOMEM, "no memory");
        redis_link_close(round->link);
        return false;
    }
    snprintf(texts->max_len, sizeof(texts->max_len), "%llu",
             (unsigned long long) redis_options(round->streams->config)->max_len);
    words[n++] = span_of("EVALSHA");
    words[n++] = span_of(round->link->script);
    words[n++] = span_of("1");
    words[n++] = span_of(stream->key);
    words[n++] = span_of(expected);
    words[n++] = span_of(texts->max_len);
    for (size_t i = part->first; with_entries && i < part->end; i++) {
        const struct action_payload *payload = &round->payloads[i];
        if (round->part_of[i] != (size_t) (part - round->parts))
            continue;
        redis_id_write(redis_streams_id(round->streams, stream, payload->event_id), texts->entries[i]);
        words[n++] = span_of(texts->entries[i]);
        for (enum redis_word word = REDIS_WORD_TYPE; word <= REDIS_WORD_NODE; word++)
            words[n++] = span_of(word_of(payload, word));
        words[n++] = (struct span){ payload->body.s, payload->body.size };
    }
    return redis_link_send(round->link, words, n, outcome);
}

/* What the stream is found to end with. Whether that is known now. */
static bool read_last(struct round *round, const struct part *part, const struct redis_reply *reply,
                      struct redis_id *ret)
{
    struct action_outcome *outcome = &round->outcomes[part->first];
    round->verdict = redis_link_judge(round->link, reply, outcome, &round->again);
    round->is_too_large |= round->verdict == REDIS_TOO_LARGE;
    if (round->verdict == REDIS_NOT_THIS_KEY)
        err_wrap(&outcome->err, 0, "the stream %s", stream_of(round, part)->key);
    if (round->verdict != REDIS_DONE)
        return false;
    outcome->result = ACTION_CANCELLED; /* of the event nothing is known yet */
    if (reply->type == REDIS_TEXT && redis_id_read(reply->text, ret))
        return true;
    outcome->result = ACTION_RETRY;
    err_set(&outcome->err, 0, "the script's answer is no id of an entry: is this Redis?");
    return false;
}

/* Where nothing can be added to this stream before somebody puts it right, the events of others are not held up: those
 * of this one are given up, and come again behind that. */
static bool leave(struct round *round, struct part *part)
{
    const struct action_outcome outcome = round->outcomes[part->first];
    bool is_its_own = round->verdict == REDIS_NOT_THIS_KEY || round->verdict == REDIS_DONE;
    if (outcome.result != ACTION_OFF || !is_its_own || !round->streams->are_several)
        return false;
    redis_streams_miss(stream_of(round, part));
    part->is_left = true;
    for (size_t i = part->first; i < part->end; i++) {
        if (round->part_of[i] != (size_t) (part - round->parts))
            continue;
        round->outcomes[i] = outcome;
        round->outcomes[i].result = ACTION_GIVE_UP;
    }
    return true;
}

/* ---- what streams end with ---- */

static bool ask(struct round *round)
{
    for (size_t k = 0; k < round->n_parts; k++) {
        struct part *part = &round->parts[k];
        part->is_asked = !stream_of(round, part)->is_known;
        if (part->is_asked && !send_call(round, part, "", false))
            return false;
    }
    return true;
}

/* Each is heard, so that what follows is not taken for the answer. */
static bool hear(struct round *round)
{
    bool all_known = true;
    for (size_t k = 0; k < round->n_parts && round->link->redis; k++) {
        struct part *part = &round->parts[k];
        struct redis_stream *stream = stream_of(round, part);
        struct action_outcome *outcome = &round->outcomes[part->first];
        uint64_t event_id = round->payloads[part->first].event_id;
        const struct redis_reply *reply;
        if (!part->is_asked)
            continue;
        if (!redis_link_await(round->link, &reply, outcome))
            return false;
        bool is_read = read_last(round, part, reply, &part->found);
        part->is_doubted = is_read && redis_streams_doubt(round->streams, stream, part->found, event_id);
        if (part->is_doubted)
            continue;
        bool is_taken = is_read && redis_streams_take(round->streams, stream, part->found, event_id, outcome);
        all_known &= is_taken || leave(round, part);
    }
    return all_known && round->link->redis;
}

static bool is_member(const struct redis_reply *members, const char *name, const char *value)
{
    const struct redis_reply *member = redis_member(members, name);
    return member && member->type == REDIS_TEXT && span_is(member->text, value);
}

/* One entry of a list: its id, and its members. */
static bool is_event(const struct redis_reply *entries, const struct action_payload *payload)
{
    if (entries->type != REDIS_LIST || entries->n_elements != 1 || entries->elements[0].n_elements != 2)
        return false;
    const struct redis_reply *members = &entries->elements[0].elements[1];
    return is_member(members, "time", word_of(payload, REDIS_WORD_TIME)) &&
           is_member(members, "type", word_of(payload, REDIS_WORD_TYPE));
}

/* Of the first event: whether it is what the stream has under its id. It is done then, and the others come again. */
static bool compare(struct round *round, const struct part *part)
{
    const struct action_payload *payload = &round->payloads[part->first];
    struct redis_stream *stream = stream_of(round, part);
    struct action_outcome *outcome = &round->outcomes[part->first];
    const struct redis_reply *reply;
    char id[REDIS_ID_BYTES];
    redis_id_write(redis_streams_id(round->streams, stream, payload->event_id), id);
    const struct span words[] = { span_of("XRANGE"), span_of(stream->key), span_of(id), span_of(id) };
    if (!redis_link_send(round->link, words, ARRAY_SIZE(words), outcome) ||
        !redis_link_await(round->link, &reply, outcome))
        return false;
    redis_link_judge(round->link, reply, outcome, &round->again);
    if (outcome->result != ACTION_DONE || is_event(reply, payload))
        return false;
    outcome->result = ACTION_CANCELLED;
    redis_streams_differ(stream, payload->event_id);
    return redis_streams_take(round->streams, stream, part->found, payload->event_id, outcome);
}

static bool compare_doubted(struct round *round)
{
    bool all_known = true;
    for (size_t k = 0; k < round->n_parts && round->link->redis; k++)
        if (round->parts[k].is_doubted)
            all_known &= compare(round, &round->parts[k]);
    return all_known && round->link->redis;
}

/* ---- adding ---- */

/* What the stream has already is done. */
static void pass_known(struct round *round)
{
    for (size_t k = 0; k < round->n_parts; k++)
        round->parts[k].first = round->n;
    for (size_t i = round->n; i-- > 0;) {
        struct part *part = &round->parts[round->part_of[i]];
        const struct redis_stream *stream = stream_of(round, part);
        struct redis_id id = redis_streams_id(round->streams, stream, round->payloads[i].event_id);
        if (part->is_left)
            continue;
        if (redis_id_compare(id, stream->last) <= 0) {
            round->outcomes[i].result = ACTION_DONE;
            continue;
        }
        if (part->first == round->n)
            part->last = id;
        part->first = i;
    }
}

static bool add(struct round *round)
{
    for (size_t k = 0; k < round->n_parts; k++) {
        const struct part *part = &round->parts[k];
        char expected[REDIS_ID_BYTES];
        redis_id_write(stream_of(round, part)->last, expected);
        if (part->first < round->n && !send_call(round, part, expected, true))
            return false;
    }
    return true;
}

static void note_added(struct round *round, const struct part *part)
{
    struct action_outcome *last = NULL;
    stream_of(round, part)->last = part->last;
    for (size_t i = part->first; i < part->end; i++)
        if (round->part_of[i] == (size_t) (part - round->parts)) {
            last = &round->outcomes[i];
            last->result = ACTION_DONE;
        }
    if (last)
        redis_id_write(part->last, last->answer);
}

/* The stream is not as it was believed to be, and nothing was added: perhaps it has all of it already, since the answer
 * to another try was lost. */
static void take_other(struct round *round, struct part *part, struct redis_id found)
{
    struct redis_stream *stream = stream_of(round, part);
    struct action_outcome *outcome = &round->outcomes[part->first];
    uint64_t event_id = round->payloads[part->first].event_id;
    if (redis_streams_doubt(round->streams, stream, found, event_id)) {
        stream->is_known = false; /* so that it is asked */
        round->again = true;
        return;
    }
    if (redis_streams_take(round->streams, stream, found, event_id, outcome))
        round->again = true;
    else
        (void) leave(round, part);
}

static void hear_added(struct round *round)
{
    for (size_t k = 0; k < round->n_parts && round->link->redis; k++) {
        struct part *part = &round->parts[k];
        const struct redis_reply *reply;
        struct redis_id found;
        if (part->first == round->n)
            continue;
        if (!redis_link_await(round->link, &reply, &round->outcomes[part->first]))
            return;
        if (!read_last(round, part, reply, &found))
            (void) leave(round, part);
        else if (redis_id_compare(found, part->last) == 0)
            note_added(round, part);
        else
            take_other(round, part, found);
    }
}

static bool is_settled(const struct action_outcome *outcome)
{
    return outcome->result == ACTION_DONE || outcome->result == ACTION_GIVE_UP;
}

/* Of the events that have to come again, the outcome whose event is the oldest; n: none has to. */
static size_t find_back(const struct action_outcome *outcomes, size_t n)
{
    size_t ret = n;
    for (size_t i = 0; i < n; i++)
        if (outcomes[i].result == ACTION_BACK && (ret == n || outcomes[i].back_id < outcomes[ret].back_id))
            ret = i;
    return ret;
}

/* What stops one stream stops what stands before that event, of others, as well: it is their outcome. Going back goes
 * before all else: that a stream asked for it is not known of it any more. */
static void bring_forward(struct action_outcome *outcomes, size_t n)
{
    size_t first = 0, at = find_back(outcomes, n);
    while (first < n && is_settled(&outcomes[first]))
        first++;
    if (at == n)
        for (at = first; at < n && (is_settled(&outcomes[at]) || outcomes[at].result == ACTION_CANCELLED);)
            at++;
    if (at < n && at != first)
        outcomes[first] = outcomes[at];
}

bool redis_batch_deliver(struct redis_link *link, struct redis_streams *streams, const struct action_payload *payloads,
                         size_t n, struct action_outcome *outcomes, bool *ret_too_large)
{
    CLEANUP(cleanup_free) struct round *round = calloc(1, sizeof(*round));
    if (!round) {
        outcomes[0].result = ACTION_RETRY;
        err_set(&outcomes[0].err, -ENOMEM, "no memory");
        return true;
    }
    round->link = link;
    round->streams = streams;
    round->payloads = payloads;
    round->n = n;
    round->outcomes = outcomes;
    if (divide(round) && ask(round) && hear(round) && compare_doubted(round)) {
        pass_known(round);
        if (add(round))
            hear_added(round);
    }
    *ret_too_large = n > 1 && round->is_too_large;
    bring_forward(outcomes, n);
    return !round->again;
}
