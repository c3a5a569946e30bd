/* streams_status.c - streams in the status object, in /health, on the board and in the metrics. */
#include <string.h>

#include "streams_private.h"

#define OBJECT "streams"
#define GAP_SHOWN_US (3600 * USEC_PER_SEC)

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
};

static const struct report_table streams_report = { rows, ARRAY_SIZE(rows) };

/* Ids of one life count events, of which a node may publish some only: at most so many. */
static uint64_t lag_of(const struct streams_stream *stream)
{
    struct streams_place last = streams_known_last(&stream->known), end = stream->end;
    bool comparable = streams_is_read(stream) && end.ms == last.ms;
    return comparable && end.seq > last.seq ? end.seq - last.seq : 0;
}

/* Under the lock, like what follows. */
static struct streams_values values_of(const struct streams_row *row)
{
    struct streams_values values = row->values;
    values.lag = 0;
    for (const struct streams_stream *stream = row->list; stream; stream = stream->next)
        values.lag += lag_of(stream);
    return values;
}

static void add_stream(const struct streams_stream *stream, struct json_writer *out)
{
    char place[STREAMS_PLACE_BYTES];
    struct streams_place last = streams_known_last(&stream->known);
    json_begin_object(out, NULL);
    json_add_text(out, "key", stream->key);
    json_add_text(out, "node", stream->node);
    json_add_text(out, "last_id", streams_place_write(last, place));
    json_add_text(out, "end_id", streams_place_write(stream->end, place));
    json_add_int(out, "lag", (int64_t) lag_of(stream));
    json_add_bool(out, "behind", stream->behind);
    json_add_bool(out, "read", streams_is_read(stream));
    if (!streams_is_read(stream) && stream->why[0])
        json_add_text(out, "trouble", stream->why);
    json_add_int(out, "gaps", (int64_t) stream->n_gaps);
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

void streams_add_report(void *self, struct report_list *list)
{
    struct streams *all = self;
    pthread_mutex_lock(&all->lock);
    for (const struct streams_row *row = all->rows; row; row = row->next) {
        const struct streams_values values = values_of(row);
        report_list_add(list,
                        &(struct report_part){ .table = &streams_report,
                                               .values = &values,
                                               .labels = { { "streams", row->settings.name } } },
                        sizeof(values));
    }
    pthread_mutex_unlock(&all->lock);
}

/* Since when something may be missing that a board would show; 0: nothing. What was lost is shown for a while. */
static usec_t cut_since_us(const struct streams_values *values)
{
    bool lost = values->last_gap_us && now_us() - values->last_gap_us < GAP_SHOWN_US;
    return values->cut_us ? values->cut_us : lost ? values->last_gap_us : 0;
}

static void add_words(const struct streams_row *row, struct text *out)
{
    if (row->values.cut_us)
        text_addf(out, "streams %s: no connection to Redis, events of other nodes may be missing", row->settings.name);
    else if (cut_since_us(&row->values))
        text_addf(out, "streams %s: events of other nodes are lost, %llu time%s since the start", row->settings.name,
                  (unsigned long long) row->values.gaps, text_plural(row->values.gaps));
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
        json_begin_object(out, NULL);
        json_add_text(out, "source", STREAMS_SOURCE);
        json_add_text(out, "name", row->settings.name);
        json_add_null(out, "community");
        json_add_known_time(out, "cut_since", cut_since_us(&row->values));
        add_words(row, &words);
        json_add_text(out, "words", words.s);
        out->out->failed |= words.failed;
        json_end(out);
    }
    pthread_mutex_unlock(&all->lock);
}
