/* streams_entry.c - from an entry of a stream to a batch of one event. */
#include "streams_entry.h"

#include <errno.h>
#include <string.h>

#include <sonoran-pushd/action_type.h>

static struct span text_of(const struct redis_reply *members, const char *name)
{
    const struct redis_reply *member = redis_member(members, name);
    return member && member->type == REDIS_TEXT ? member->text : (struct span){ 0 };
}

int streams_entry_read(const struct redis_reply *reply, struct streams_entry *ret)
{
    *ret = (struct streams_entry){ 0 };
    if (reply->type != REDIS_LIST || reply->n_elements != 2 || reply->elements[0].type != REDIS_TEXT ||
        !redis_id_read(reply->elements[0].text, &ret->place))
        return -EINVAL;
    const struct redis_reply *members = &reply->elements[1];
    if (members->type != REDIS_LIST) /* one that was deleted */
        return 0;
    (void) redis_id_read(text_of(members, "prev"), &ret->before);
    ret->record = text_of(members, "record");
    ret->node = text_of(members, "node");
    return 0;
}

void streams_node_of(const char *key, char ret[NAME_MAX_BYTES + 1])
{
    const char *colon = strrchr(key, ':');
    const char *name = colon && colon[1] ? colon + 1 : key;
    text_copy(ret, NAME_MAX_BYTES + 1, name);
    for (char *p = ret; *p; p++) {
        char one[] = { *p, '\0' };
        *p = event_is_node(one) ? *p : '-';
    }
    if (!*ret)
        text_copy(ret, NAME_MAX_BYTES + 1, "node");
}

static bool is_wanted(const struct streams_wishes *wishes, const char *community)
{
    bool wanted = !wishes->n_communities;
    for (size_t i = 0; i < wishes->n_communities && !wanted; i++)
        wanted = glob_matches(span_of(wishes->communities[i]), span_of(community));
    return wanted;
}

/* Where the event was stored first: what its record says of that, else where the record itself is from. */
static struct event_home home_of(const struct event *event, const char *node)
{
    return event->home.node ? event->home : (struct event_home){ node, event->log, event->id };
}

/* home and all else of the batch is changed by taking it, so what is taken stands elsewhere. */
static int take(struct batch *batch, const struct event_home *home, usec_t now_us, struct description *take_decided)
{
    char node[NAME_MAX_BYTES + 1], log[NAME_MAX_BYTES + 1];
    const usec_t time_us = batch->events[0].time_us;
    const int64_t age_s = (int64_t) (now_us / USEC_PER_SEC) - (int64_t) (time_us / USEC_PER_SEC);
    text_copy(node, sizeof(node), home->node);
    text_copy(log, sizeof(log), home->log);
    int64_t told_s; /* by another */
    const bool told = description_read_late((struct span){ take_decided->known.s, take_decided->known.size }, &told_s);
    int r = told || age_s > STREAMS_LATE_S || age_s < -STREAMS_LATE_S ? description_set_late(take_decided, age_s) : 0;
    if (r < 0)
        return r;
    return batch_take_home(batch, STREAMS_SOURCE, &(struct event_home){ node, log, home->id }, take_decided);
}

static int make(struct batch *batch, const char *node, const struct streams_wishes *wishes, usec_t now_us,
                struct description *take_decided, struct err *err)
{
    const struct event *event = &batch->events[0];
    const struct event_home home = home_of(event, node);
    if (!home.log || !event_is_log(home.log)) {
        err_set(err, -EINVAL, home.log ? "log: expected hex digits" : "log: missing");
        return STREAMS_UNREADABLE;
    }
    int r = wishes->is_ours(wishes->context, home.log, err);
    if (r != 0)
        return r < 0 ? r : STREAMS_OURS;
    if (!is_wanted(wishes, event->community))
        return STREAMS_UNWANTED;
    r = take(batch, &home, now_us, take_decided);
    return r < 0 ? err_set(err, r, "no memory") : STREAMS_EVENT;
}

int streams_entry_make(const struct streams_entry *entry, const char *node, const struct streams_wishes *wishes,
                       usec_t now_us, struct batch *ret, struct err *err)
{
    struct description decided CLEANUP(description_free) = DESCRIPTION_INIT;
    char said[NAME_MAX_BYTES + 1] = "";
    if (entry->node.size && entry->node.size <= NAME_MAX_BYTES)
        memcpy(said, entry->node.s, entry->node.size);
    said[entry->node.size <= NAME_MAX_BYTES ? entry->node.size : 0] = '\0';
    if (!entry->record.size) {
        err_set(err, -EINVAL, "it has no record");
        return STREAMS_UNREADABLE;
    }
    int r = event_read_record(entry->record, wishes->families, ret, &decided, err);
    if (r < 0)
        return r == -ENOMEM ? r : STREAMS_UNREADABLE;
    r = make(ret, event_is_node(said) ? said : node, wishes, now_us, &decided, err);
    if (r != STREAMS_EVENT)
        batch_done(ret);
    return r;
}
