/* admin_series.c - how many events came in each minute of the last hour. The log knows behind which event each minute
 * begins, and ids grow by one, so that nothing has to be counted but for whoever may see one community only. */
#include <string.h>

#include "routes.h"

#define MINUTES 60
#define MINUTE_US (60 * USEC_PER_SEC)
#define COUNTED_MAX 20000 /* of the newest events; nobody else is answered while they are read */

struct series {
    usec_t begin_us;
    int64_t counts[MINUTES]; /* the last is the minute under way; -1: not known */
};

static struct series series_of(usec_t time_us)
{
    usec_t minute_us = time_us / MINUTE_US * MINUTE_US;
    return (struct series){ .begin_us = minute_us - (MINUTES - 1) * MINUTE_US };
}

/* A clock that was set makes some minutes empty. */
static int count_all(struct store_reader *reader, struct series *ret, struct err *err)
{
    uint64_t before_id, end_id, newest_id;
    int r = store_newest(reader, &newest_id, err);
    if (r >= 0)
        r = store_last_until(reader, ret->begin_us - 1, &before_id, err);
    for (size_t i = 0; r >= 0 && i < MINUTES; i++) {
        end_id = newest_id;
        if (i < MINUTES - 1)
            r = store_last_until(reader, ret->begin_us + (i + 1) * MINUTE_US - 1, &end_id, err);
        ret->counts[i] = end_id > before_id ? (int64_t) (end_id - before_id) : 0;
        before_id = end_id > before_id ? end_id : before_id;
    }
    return r;
}

static void count_row(struct series *series, const struct store_row *row)
{
    usec_t minute = row->time_us < series->begin_us ? MINUTES : (row->time_us - series->begin_us) / MINUTE_US;
    if (minute < MINUTES)
        series->counts[minute]++;
    else if (row->time_us > series->begin_us)
        series->counts[MINUTES - 1]++; /* ahead counts as now */
}

/* Of more than are read, those of the first minutes are not known. */
static int count_community(struct store_reader *reader, const char *community, struct series *ret, struct err *err)
{
    struct store_filter filter = { .community = community, .since_us = ret->begin_us, .came = true };
    struct store_row row = { 0 };
    uint64_t newest_id;
    int r = store_newest(reader, &newest_id, err);
    if (r < 0)
        return r;
    filter.after_id = newest_id > COUNTED_MAX ? newest_id - COUNTED_MAX : 0;
    uint64_t before_id = 0;
    r = store_last_until(reader, ret->begin_us - 1, &before_id, err);
    bool cut = before_id < filter.after_id;
    if (r >= 0 && before_id > filter.after_id)
        filter.after_id = before_id;
    if (r >= 0)
        r = store_seek(reader, &filter, err);
    while (r >= 0 && (r = store_read(reader, &row, err)) > 0)
        count_row(ret, &row);
    for (size_t i = 0; cut && i < MINUTES && ret->counts[i] == 0; i++)
        ret->counts[i] = -1;
    return r;
}

static void write_series(const struct series *series, usec_t time_us, struct json_writer *out)
{
    json_add_time(out, "time", time_us);
    json_begin_array(out, "minutes");
    for (size_t i = 0; i < MINUTES; i++)
        if (series->counts[i] < 0)
            json_add_null(out, NULL);
        else
            json_add_int(out, NULL, series->counts[i]);
    json_end(out);
}

static int answer(const struct admin *admin, const struct http_request *request, struct json_writer *out,
                  struct err *err)
{
    struct store_reader *reader = NULL;
    usec_t time_us = now_us();
    struct series series = series_of(time_us);
    const char *community;
    int r = admin_ask_configured(admin, request, &community, err);
    if (r >= 0)
        r = admin_open_log(admin, &reader, err);
    if (r >= 0)
        r = community ? count_community(reader, community, &series, err) : count_all(reader, &series, err);
    store_reader_close(reader);
    write_series(&series, time_us, out);
    return r;
}

void admin_get_series(void *userdata, struct http_request *request, struct http_answer *ret)
{
    if (!admin_has_time(userdata, ret))
        return;
    struct text body = TEXT_INIT;
    struct json_writer out = admin_begin(&body);
    struct err err;
    int r = answer(userdata, request, &out, &err);
    admin_answer_result(ret, r, &err, &out);
}
