/* admin_events.c - events of the log, as whoever watches may see them.
 *
 * Nobody else is answered meanwhile: so what no index finds is looked for in pieces, and when the time is up, that is
 * the answer; whoever wants more asks on from there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "routes.h"

#define LIMIT 100
#define LIMIT_MAX 1000
#define PIECE 10000 /* events that are one statement looks at */
#define ANSWER_MAX_BYTES ((size_t) 1 << 20)

struct asked {
    struct store_filter filter;
    struct store_ref refs[3];
    char number[32]; /* of a unit, in capitals */
    int64_t from, limit;
    bool has_from, data;
};

struct found {
    struct admin *admin;
    const struct asked *asked;
    struct store_reader *reader;
    struct json_writer *out;
    struct description description;
    uint64_t newest_id, oldest_id, next_id;
    int64_t n;
    uint64_t n_read;
    uint64_t searched_id; /* behind it all was looked for, where the newest are asked for */
    bool incomplete;      /* the time was up before there were enough of them */
};

/* ---- what is asked for ---- */

static int add_ref(struct asked *asked, const struct http_request *request, const char *name, const char *kind,
                   struct err *err)
{
    struct store_ref *ref = &asked->refs[asked->filter.n_refs];
    int r = admin_ask_number(request, name, INT64_MIN, INT64_MAX, &ref->id, err);
    ref->kind = kind;
    ref->has_id = true;
    asked->filter.n_refs += r > 0;
    return r;
}

/* By id or by number; a whole number may be either. */
static int add_unit(struct asked *asked, const struct http_request *request, struct err *err)
{
    const char *word = http_query(request, "unit");
    struct store_ref *ref = &asked->refs[asked->filter.n_refs];
    if (!word)
        return 0;
    if (!*word || strlen(word) >= sizeof(asked->number))
        return err_set(err, -EINVAL, "unit: expected the id or the number of a unit");
    for (size_t i = 0; word[i]; i++)
        asked->number[i] = (char) (word[i] >= 'a' && word[i] <= 'z' ? word[i] - 'a' + 'A' : word[i]);
    *ref = (struct store_ref){ .kind = "unit", .number = asked->number };
    ref->has_id = admin_ask_number(request, "unit", INT64_MIN, INT64_MAX, &ref->id, NULL) > 0;
    asked->filter.n_refs++;
    return 0;
}

/* Ids are those of one community. */
static int find_community(const struct admin *admin, struct asked *asked, struct err *err)
{
    const struct config *config = admin->parts.config;
    asked->filter.refs = asked->refs;
    if (!asked->filter.n_refs || asked->filter.community)
        return 0;
    if (config->n_communities != 1)
        return err_set(err, -EINVAL, "ids are those of one community: add community=NAME");
    asked->filter.community = config->communities[0].name;
    return 0;
}

static int read_verdict(struct asked *asked, const struct http_request *request, struct err *err)
{
    const char *word = http_query(request, "verdict");
    asked->filter.verdict = word;
    enum event_verdict verdict;
    bool known = !word || event_verdict_read(word, &verdict) >= 0;
    return known ? 0 : err_set(err, -EINVAL, "verdict: " EVENT_VERDICTS_EXPECTED);
}

static int read_asked(const struct admin *admin, const struct http_request *request, struct asked *ret, struct err *err)
{
    *ret = (struct asked){ .limit = LIMIT, .filter.type = http_query(request, "type") };
    int r = admin_ask_community(request, &ret->filter.community, err);
    if (r >= 0)
        r = admin_ask_data(request, &ret->data, err);
    if (r >= 0)
        r = admin_ask_number(request, "limit", 0, INT64_MAX, &ret->limit, err);
    if (r >= 0)
        r = admin_ask_number(request, "from", 0, INT64_MAX, &ret->from, err);
    ret->has_from = r > 0;
    if (r >= 0)
        r = read_verdict(ret, request, err);
    if (r >= 0)
        r = add_ref(ret, request, "call", "call", err);
    if (r >= 0)
        r = add_ref(ret, request, "call911", "911", err);
    if (r >= 0)
        r = add_unit(ret, request, err);
    if (r >= 0)
        r = find_community(admin, ret, err);
    if (ret->limit > LIMIT_MAX)
        ret->limit = LIMIT_MAX;
    return r;
}

/* ---- the answer ---- */

static bool is_full(const struct found *found)
{
    return found->n >= found->asked->limit || found->out->out->size > ANSWER_MAX_BYTES;
}

static bool is_over_time(const struct found *found)
{
    return admin_is_over_time(found->admin);
}

/* However slow it is, an answer gets on by a row. */
static bool is_done(const struct found *found)
{
    return is_full(found) || (found->n_read && is_over_time(found));
}

static void add_record(struct found *found, const struct event *event)
{
    struct text record CLEANUP(text_free) = TEXT_INIT;
    size_t data_at, data_bytes;
    event_write_view(event, &found->description, &record, &data_at, &data_bytes);
    if (!found->asked->data && !record.failed) {
        memmove(record.s + data_at, record.s + data_at + data_bytes, record.size - data_at - data_bytes + 1);
        record.size -= data_bytes;
    }
    found->out->out->failed |= record.failed;
    json_add_raw(found->out, NULL, (struct span){ record.s, record.size });
    found->n++;
}

/* All that is told of it is in the row, and what was sent is not even read. */
static void add_told(struct found *found, const struct store_row *row)
{
    const struct event_family family = { .name = row->family };
    struct origin origin;
    struct event event = store_row_event(row, &origin);
    event.family = *row->family ? &family : NULL;
    event.test = row->test;
    store_row_describe(row, &event, &found->description);
    add_record(found, &event);
}

/* What is no JSON any more is left out. */
static int add_row(struct found *found, const struct store_row *row, struct err *err)
{
    struct batch batch;
    if (!found->asked->data && row->described && row->verdict == EVENT_ACCEPTED) {
        add_told(found, row);
        return 0;
    }
    int r = store_row_restore(row, found->admin->parts.families, &batch);
    if (r == -ENOMEM)
        return err_set(err, r, "no memory");
    if (r < 0)
        return 0;
    store_row_describe(row, &batch.events[0], &found->description);
    add_record(found, &batch.events[0]);
    batch_done(&batch);
    return 0;
}

/* Those of one piece; next_id comes to its end, or to where the answer is full. */
static int list_piece(struct found *found, uint64_t last_id, struct err *err)
{
    struct store_filter filter = found->asked->filter;
    struct store_row row = { 0 };
    filter.after_id = found->next_id;
    filter.last_id = last_id;
    filter.told = !found->asked->data;
    int r = store_seek(found->reader, &filter, err);
    while (r >= 0 && !is_done(found) && (r = store_read(found->reader, &row, err)) > 0) {
        found->next_id = row.id;
        found->n_read++;
        r = add_row(found, &row, err);
    }
    if (r == 0 && !is_done(found))
        found->next_id = last_id;
    store_rest(found->reader);
    return r;
}

static uint64_t piece_size(const struct found *found)
{
    return found->asked->filter.n_refs ? UINT64_MAX : PIECE;
}

static int list_on(struct found *found, struct err *err)
{
    bool timely = true; /* and what never occurs ends with a piece */
    int r = 0;
    while (r >= 0 && found->next_id < found->newest_id && timely && !is_full(found)) {
        uint64_t left = found->newest_id - found->next_id, piece = piece_size(found);
        r = list_piece(found, found->next_id + (left < piece ? left : piece), err);
        timely = !is_over_time(found);
    }
    return r;
}

/* The newest of one piece, as far as they are still wanted; *first_id: where all that were found begin. */
static int look_at_piece(struct found *found, const struct store_filter *piece, uint64_t *wanted, uint64_t *first_id,
                         struct err *err)
{
    uint64_t n = *wanted;
    int r = store_newest_n(found->reader, piece, &n, first_id, err);
    *wanted -= r < 0 ? 0 : n;
    return r == -ENOENT ? 0 : r;
}

/* Behind which event the newest begin: back from the end in pieces, until there are enough. */
static int find_newest(struct found *found, struct err *err)
{
    struct store_filter piece = found->asked->filter;
    uint64_t size = piece_size(found), first_id = 0, wanted = (uint64_t) found->asked->limit;
    int r = 0;
    found->searched_id = found->newest_id;
    while (r >= 0 && wanted && found->searched_id && found->searched_id >= found->oldest_id && !found->incomplete) {
        piece.last_id = found->searched_id;
        piece.after_id = found->searched_id > size ? found->searched_id - size : 0;
        r = look_at_piece(found, &piece, &wanted, &first_id, err);
        found->searched_id = piece.after_id;
        found->incomplete = wanted && found->searched_id >= found->oldest_id && is_over_time(found);
    }
    found->next_id = first_id ? first_id - 1 : found->newest_id;
    return r;
}

static int read_oldest(struct found *found, struct err *err)
{
    const struct store_filter all = { .came = true };
    struct store_row row = { 0 };
    int r = store_seek(found->reader, &all, err);
    if (r >= 0)
        r = store_read(found->reader, &row, err);
    if (r > 0)
        found->oldest_id = row.id;
    store_rest(found->reader);
    return r;
}

static int list(struct found *found, struct err *err)
{
    struct json_writer *out = found->out;
    int r = store_newest(found->reader, &found->newest_id, err);
    if (r >= 0)
        r = read_oldest(found, err);
    if (r >= 0)
        r = found->asked->has_from ? 0 : find_newest(found, err);
    if (found->asked->has_from)
        found->next_id = (uint64_t) found->asked->from;
    json_begin_array(out, "events");
    if (r >= 0)
        r = list_on(found, err);
    if (!found->asked->has_from && found->n >= found->asked->limit)
        found->next_id = found->newest_id; /* behind the newest so many there are none */
    json_end(out);
    json_add_int(out, "next", (int64_t) found->next_id);
    json_add_int(out, "newest", (int64_t) found->newest_id);
    json_add_int(out, "oldest", (int64_t) found->oldest_id);
    if (found->incomplete)
        json_add_int(out, "searched_after", (int64_t) found->searched_id);
    json_add_bool(out, "complete", !found->incomplete && found->next_id >= found->newest_id);
    return r;
}

static int answer(struct admin *admin, const struct asked *asked, struct json_writer *out, struct err *err)
{
    struct found found = { .admin = admin, .asked = asked, .out = out, .description = DESCRIPTION_INIT };
    int r = admin_open_log(admin, &found.reader, err);
    if (r >= 0)
        r = list(&found, err);
    store_reader_close(found.reader);
    description_free(&found.description);
    return r;
}

void admin_get_events(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct admin *admin = userdata;
    if (!admin_has_time(admin, ret))
        return;
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    struct asked asked;
    struct err err;
    int r = read_asked(admin, request, &asked, &err);
    if (r >= 0)
        r = answer(admin, &asked, &out, &err);
    admin_answer_result(ret, r, &err, &out);
}
