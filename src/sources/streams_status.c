/* streams_status.c - streams in the status object, in /health, on the board and in the metrics. */
#include <string.h>

#include "streams_private.h"

#define OBJECT "streams"
#define ONE "stream"
#define SHOWN_MAX 256 /* of a row, in the metrics: no more than anybody draws */
#define GAP_SHOWN_US (3600 * USEC_PER_SEC)
#define BEHIND_US (60 * USEC_PER_SEC) /* and boards show it */

static const struct report_row rows[] = {
    { .name = "streams_entries",
      .kind = REPORT_COUNTER,
      .help = "Entries that were read of streams of other nodes.",
      .object = OBJECT,
      .member = "entries",
      .offset = REPORT_OFFSET(struct streams_values, entries) },
    { .name = "streams_events",
      .kind = REPORT_COUNTER,
      .help = "Events that they brought.",
      .object = OBJECT,
      .member = "events",
      .offset = REPORT_OFFSET(struct streams_values, events) },
    { .name = "streams_late_events",
      .kind = REPORT_COUNTER,
      .help = "Of these, events that were older than 10 minutes when they came.",
      .object = OBJECT,
      .member = "late",
      .offset = REPORT_OFFSET(struct streams_values, late) },
    { .name = "streams_lag_entries",
      .kind = REPORT_GAUGE,
      .help = "Entries of the streams that are not read yet, by where they ended when that was asked last.",
      .object = OBJECT,
      .member = "lag",
      .offset = REPORT_OFFSET(struct streams_values, lag) },
    { .name = "streams_lag_seconds",
      .unit = "seconds",
      .kind = REPORT_GAUGE,
      .help = "How old the newest event that was read is where there are more; of the stream that is furthest behind.",
      .offset = REPORT_OFFSET(struct streams_values, lag_us) },
    { .name = "streams_gaps",
      .kind = REPORT_COUNTER,
      .help = "How often entries were lost before they were read.",
      .object = OBJECT,
      .member = "gaps",
      .offset = REPORT_OFFSET(struct streams_values, gaps) },
    { .name = "streams_passed_entries",
      .kind = REPORT_COUNTER,
      .label = "reason",
      .value = "ours",
      .help = "Entries that brought no event.",
      .object = OBJECT,
      .member = "ours",
      .offset = REPORT_OFFSET(struct streams_values, ours) },
    { .name = "streams_passed_entries",
      .kind = REPORT_COUNTER,
      .label = "reason",
      .value = "community",
      .help = "Entries that brought no event.",
      .object = OBJECT,
      .member = "unwanted",
      .offset = REPORT_OFFSET(struct streams_values, unwanted) },
    { .name = "streams_passed_entries",
      .kind = REPORT_COUNTER,
      .label = "reason",
      .value = "unreadable",
      .help = "Entries that brought no event.",
      .object = OBJECT,
      .member = "unreadable",
      .offset = REPORT_OFFSET(struct streams_values, unreadable) },
    { .name = "streams_connects",
      .kind = REPORT_COUNTER,
      .help = "Connections to the Redis server.",
      .object = OBJECT,
      .member = "connects",
      .offset = REPORT_OFFSET(struct streams_values, connects) },
    { .name = "streams_cut_since_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "Since when there is no connection to the Redis server, 0 while there is one.",
      .object = OBJECT,
      .member = "cut_since",
      .offset = REPORT_OFFSET(struct streams_values, cut_us) },
    { .name = "streams_last_event_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When the last event came by it.",
      .object = OBJECT,
      .member = "last_event",
      .offset = REPORT_OFFSET(struct streams_values, last_event_us) },
    { .name = "streams_last_trouble_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When something was wrong with it last, 0: not since the start.",
      .object = OBJECT,
      .member = "last_trouble",
      .offset = REPORT_OFFSET(struct streams_values, last_trouble_us) },
};

static const struct report_table streams_report = { rows, ARRAY_SIZE(rows) };

struct stream_values {
    uint64_t read_id, end_id, lag, lag_us, gaps;
};

static const struct report_row rows_of_one[] = {
    { .name = "stream_read_event_id",
      .kind = REPORT_GAUGE,
      .help = "Id of the newest event of a stream that was read, in the log of its node.",
      .offset = REPORT_OFFSET(struct stream_values, read_id) },
    { .name = "stream_end_event_id",
      .kind = REPORT_GAUGE,
      .help = "Id of the event with which a stream ended when that was asked last.",
      .offset = REPORT_OFFSET(struct stream_values, end_id) },
    { .name = "stream_lag_entries",
      .kind = REPORT_GAUGE,
      .help = "Entries of a stream that are not read yet, at most.",
      .object = ONE,
      .member = "lag",
      .offset = REPORT_OFFSET(struct stream_values, lag) },
    { .name = "stream_lag_seconds",
      .unit = "seconds",
      .kind = REPORT_GAUGE,
      .help = "How old the newest event of a stream that was read is where there are more.",
      .offset = REPORT_OFFSET(struct stream_values, lag_us) },
    { .name = "stream_gaps",
      .kind = REPORT_COUNTER,
      .help = "How often entries of a stream were lost before they were read.",
      .object = ONE,
      .member = "gaps",
      .offset = REPORT_OFFSET(struct stream_values, gaps) },
};

static const struct report_table one_report = { rows_of_one, ARRAY_SIZE(rows_of_one) };

/* Ids of one life count events, of which a node may publish some only: at most so many. */
static uint64_t lag_of(const struct streams_stream *stream)
{
    struct redis_id last = streams_known_last(&stream->known), end = stream->end;
    bool comparable = streams_is_read(stream) && end.ms == last.ms && redis_id_compare(end, stream->lost) != 0;
    return comparable && end.seq > last.seq ? end.seq - last.seq : 0;
}

/* 0: all is read, or nothing was since the start. A node's clock may be ahead of ours. */
static uint64_t lag_us_of(const struct streams_stream *stream)
{
    usec_t now = now_us();
    return lag_of(stream) && stream->read_us && stream->read_us < now ? now - stream->read_us : 0;
}

/* Under the lock, like what follows. */
static struct stream_values values_of_one(const struct streams_stream *stream)
{
    return (struct stream_values){ .read_id = streams_known_last(&stream->known).seq,
                                   .end_id = stream->end.seq,
                                   .lag = lag_of(stream),
                                   .lag_us = lag_us_of(stream),
                                   .gaps = stream->n_gaps };
}

static struct streams_values values_of(const struct streams_row *row)
{
    struct streams_values values = row->values;
    values.lag = values.lag_us = 0;
    for (const struct streams_stream *stream = row->list; stream; stream = stream->next) {
        uint64_t lag_us = lag_us_of(stream);
        values.lag += lag_of(stream);
        values.lag_us = lag_us > values.lag_us ? lag_us : values.lag_us;
    }
    return values;
}

static void add_stream(const struct streams_stream *stream, struct json_writer *out)
{
    char place[REDIS_ID_BYTES];
    const struct redis_id last = streams_known_last(&stream->known);
    const struct stream_values values = values_of_one(stream);
    json_begin_object(out, NULL);
    json_add_text(out, "key", stream->key);
    json_add_text(out, "node", stream->node);
    json_add_text(out, "last_id", redis_id_write(last, place));
    json_add_text(out, "end_id", redis_id_write(stream->end, place));
    json_add_known_time(out, "last_event", stream->read_us);
    report_add_members(out, &(struct report_part){ .table = &one_report, .values = &values }, ONE);
    json_add_int(out, "lag_s", (int64_t) (values.lag_us / USEC_PER_SEC));
    json_add_bool(out, "behind", stream->behind);
    json_add_bool(out, "read", streams_is_read(stream));
    if (!streams_is_read(stream) && stream->why[0])
        json_add_text(out, "trouble", stream->why);
    json_end(out);
}

static void add_row(const struct streams_row *row, struct json_writer *out)
{
    const struct streams_values values = values_of(row);
    const struct report_part part = { .table = &streams_report, .values = &values };
    json_begin_object(out, NULL);
    json_add_text(out, "name", row->settings.name);
    json_add_text(out, "host", row->host);
    json_add_text(out, "state", row->connected ? "open" : "waiting");
    report_add_members(out, &part, OBJECT);
    json_add_int(out, "lag_s", (int64_t) (values.lag_us / USEC_PER_SEC));
    if (row->trouble[0])
        json_add_text(out, "trouble", row->trouble);
    json_begin_array(out, "streams");
    for (const struct streams_stream *stream = row->list; stream; stream = stream->next)
        add_stream(stream, out);
    json_end(out);
    json_end(out);
}

void streams_add_status(void *self, struct json_writer *out)
{
    struct streams *all = self;
    json_begin_array(out, "streams");
    pthread_mutex_lock(&all->lock);
    for (const struct streams_row *row = all->rows; row; row = row->next)
        add_row(row, out);
    pthread_mutex_unlock(&all->lock);
    json_end(out);
}

void streams_add_health(void *self, struct json_writer *out)
{
    struct streams *all = self;
    pthread_mutex_lock(&all->lock);
    for (const struct streams_row *row = all->rows; row; row = row->next) {
        json_begin_object(out, NULL);
        json_add_text(out, "source", STREAMS_SOURCE);
        json_add_text(out, "name", row->settings.name);
        json_add_text(out, "state", row->connected ? "open" : "waiting");
        json_end(out);
    }
    pthread_mutex_unlock(&all->lock);
}

static void add_report_of(const struct streams_row *row, struct report_list *list)
{
    const struct streams_values values = values_of(row);
    const struct report_label of = { "streams", row->settings.name };
    const struct streams_stream *stream = row->list;
    report_list_add(list, &(struct report_part){ &streams_report, &values, { of } }, sizeof(values));
    for (int n = 0; stream && n < SHOWN_MAX; stream = stream->next) {
        const struct stream_values one = values_of_one(stream);
        if (!streams_is_read(stream))
            continue;
        report_list_add(list, &(struct report_part){ &one_report, &one, { of, { "stream", stream->key } } },
                        sizeof(one));
        n++;
    }
}

void streams_add_report(void *self, struct report_list *list)
{
    struct streams *all = self;
    pthread_mutex_lock(&all->lock);
    for (const struct streams_row *row = all->rows; row; row = row->next)
        add_report_of(row, list);
    pthread_mutex_unlock(&all->lock);
}

static bool is_behind(const struct streams_values *values)
{
    return values->lag_us > BEHIND_US;
}

void streams_look_for_lag(struct streams_row *row)
{
    struct streams *all = row->all;
    pthread_mutex_lock(&all->lock);
    const struct streams_values values = values_of(row);
    bool changed = row->told_behind != is_behind(&values);
    row->told_behind = is_behind(&values);
    pthread_mutex_unlock(&all->lock);
    if (changed && all->parts.changed)
        all->parts.changed(all->parts.set);
}

/* Since when something may be missing that a board would show; 0: nothing. What was lost is shown for a while. */
static usec_t cut_since_us(const struct streams_values *values)
{
    usec_t now = now_us();
    bool lost = values->last_gap_us && now - values->last_gap_us < GAP_SHOWN_US;
    usec_t behind = is_behind(values) ? now - values->lag_us : 0;
    return values->cut_us ? values->cut_us : behind ? behind : lost ? values->last_gap_us : 0;
}

static void add_words(const struct streams_row *row, const struct streams_values *values, struct text *out)
{
    if (values->cut_us)
        text_addf(out, "streams %s: no connection to Redis, events of other nodes may be missing", row->settings.name);
    else if (is_behind(values))
        text_addf(out, "streams %s: events of other nodes come late, there are more than were read yet",
                  row->settings.name);
    else if (cut_since_us(values))
        text_addf(out, "streams %s: events of other nodes are lost, %llu time%s since the start", row->settings.name,
                  (unsigned long long) values->gaps, text_plural(values->gaps));
}

/* They are of many communities: for who sees all. */
void streams_add_board(void *self, const char *community, struct json_writer *out)
{
    struct streams *all = self;
    if (community)
        return;
    pthread_mutex_lock(&all->lock);
    for (const struct streams_row *row = all->rows; row; row = row->next) {
        struct text words CLEANUP(text_free) = TEXT_INIT;
        const struct streams_values values = values_of(row);
        json_begin_object(out, NULL);
        json_add_text(out, "source", STREAMS_SOURCE);
        json_add_text(out, "name", row->settings.name);
        json_add_null(out, "community");
        json_add_known_time(out, "cut_since", cut_since_us(&values));
        add_words(row, &values, &words);
        json_add_text(out, "words", words.s);
        out->out->failed |= words.failed;
        json_end(out);
    }
    pthread_mutex_unlock(&all->lock);
}
