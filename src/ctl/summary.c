/* summary.c - what the event log tells at a glance, daemon or not. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "summary.h"

#define HOUR_US (3600 * USEC_PER_SEC)
#define RECENT_EVENTS 200

static bool is_near4(uint32_t address)
{
    static const struct {
        uint32_t network, mask;
    } near[] = {
        { 0x7f000000, 0xff000000 }, { 0x0a000000, 0xff000000 }, { 0xac100000, 0xfff00000 },
        { 0xc0a80000, 0xffff0000 }, { 0xa9fe0000, 0xffff0000 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(near); i++)
        if ((address & near[i].mask) == near[i].network)
            return true;
    return false;
}

/* This machine or a private network, which the CAD is in neither of. */
static bool is_near(const char *peer)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, peer, &v4) == 1)
        return is_near4(ntohl(v4.s_addr));
    return inet_pton(AF_INET6, peer, &v6) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) || (v6.s6_addr[0] & 0xfe) == 0xfc);
}

static void take_row(struct summary *summary, const struct store_row *row)
{
    summary->from_near = (summary->from_near || !summary->n_recent) && is_near(row->peer);
    summary->n_recent++;
    summary->newest_us = row->time_us;
    snprintf(summary->peer, sizeof(summary->peer), "%s", row->peer);
    text_reset(&summary->newest_type);
    text_add_bytes(&summary->newest_type, row->type, strlen(row->type));
}

static int read_recent(struct store_reader *reader, struct summary *summary, struct err *err)
{
    struct store_filter filter = { .last_id = summary->newest_id };
    struct store_row row;
    if (summary->newest_id > RECENT_EVENTS)
        filter.after_id = summary->newest_id - RECENT_EVENTS;
    int r = store_seek(reader, &filter, err);
    while (r >= 0 && (r = store_read(reader, &row, err)) > 0)
        take_row(summary, &row);
    store_rest(reader);
    return r;
}

static int find_oldest(struct store_reader *reader, uint64_t *ret_id, struct err *err)
{
    struct store_row row;
    int r = store_seek(reader, &(struct store_filter){ .came = true }, err);
    if (r >= 0)
        r = store_read(reader, &row, err);
    if (r > 0)
        *ret_id = row.id;
    store_rest(reader);
    return r;
}

/* Ids have no gaps. Found with a few looks: the log may have millions of events. */
static int count_last_hour(struct store_reader *reader, usec_t now, struct summary *summary, struct err *err)
{
    uint64_t oldest_id = 0, before_id = 0;
    int r = find_oldest(reader, &oldest_id, err);
    if (r > 0)
        r = store_last_until(reader, now > HOUR_US ? now - HOUR_US : 0, &before_id, err);
    if (r < 0 || !oldest_id)
        return r;
    if (before_id < oldest_id)
        before_id = oldest_id - 1;
    summary->last_hour = before_id < summary->newest_id ? summary->newest_id - before_id : 0;
    return 0;
}

static uint64_t size_of(const char *store, const char *suffix)
{
    struct text path CLEANUP(text_free) = TEXT_INIT;
    struct stat st;
    text_addf(&path, "%s%s", store, suffix);
    return stat(path.s, &st) == 0 ? (uint64_t) st.st_size : 0;
}

int summary_read(const char *store, usec_t now, struct summary *ret, struct err *err)
{
    struct summary summary = SUMMARY_INIT;
    struct store_reader *reader = NULL;
    int r = store_reader_open(&reader, store, err);
    if (r >= 0)
        r = store_newest(reader, &summary.newest_id, err);
    if (r >= 0 && summary.newest_id)
        r = read_recent(reader, &summary, err);
    if (r >= 0 && summary.newest_id)
        r = count_last_hour(reader, now, &summary, err);
    store_reader_close(reader);
    if (r >= 0 && summary.newest_type.failed)
        r = err_set(err, -ENOMEM, "no memory");
    if (r < 0) {
        summary_free(&summary);
        return r;
    }
    summary.size_bytes = size_of(store, "") + size_of(store, "-wal");
    *ret = summary;
    return 0;
}

void summary_free(struct summary *summary)
{
    text_free(&summary->newest_type);
}
