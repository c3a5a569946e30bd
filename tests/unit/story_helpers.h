/* story_helpers.h - a log as the writer would leave it: events told one after the other, each at a time of its own. */
#pragma once

#include "store_helpers.h"

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#define T0 ((usec_t) 1795449600) /* 2026-11-23T16:00:00Z, in seconds */

static struct store *story_log;
static struct state *story_state;
static usec_t story_base_s = T0;

/* At so many seconds behind the base. data: JSON with ' for ". */
static inline void tell_event(int64_t at_s, const char *community, const char *type, const char *data, bool test)
{
    const struct envelope_rules rules = { .families = &families_all };
    const struct origin from = { .source = EVENT_SOURCE_PUSH, .name = "main", .peer = "192.0.2.1" };
    struct description description CLEANUP(description_free) = DESCRIPTION_INIT;
    char *json CLEANUP(cleanup_free) = strdup(data);
    struct batch batch;
    for (char *p = json; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    usec_t time_us = (usec_t) ((int64_t) story_base_s + at_s) * USEC_PER_SEC;
    assert_int_equal(envelope_make_one(span_of(type), span_of(json), &rules, community, &from, time_us, &batch, &err),
                     ENVELOPE_OK);
    struct event *event = &batch.events[0];
    event->id = store_last_id(story_log) + 1;
    event->test = test;
    event->extra_text = test ? span_of("{\"test\":true}") : event->extra_text;
    event_describe(event, story_state, &description);
    state_set_event(story_state, event->id, event->time_us);
    state_set_test(story_state, test);
    if (event->verdict == EVENT_ACCEPTED && event->handler && event->handler->apply)
        assert_true(event->handler->apply(event, story_state) >= 0);
    families_write_known(event, story_state, &description);
    assert_int_equal(store_begin(story_log, &err), 0);
    assert_int_equal(store_append(story_log, event, &description, &err), 0);
    assert_int_equal(store_commit(story_log, &err), 0);
    batch_done(&batch);
}

static inline void tell(int64_t at_s, const char *type, const char *data)
{
    tell_event(at_s, "a", type, data, false);
}

static inline int open_log(void **fixture)
{
    int r = make_folder(fixture);
    story_base_s = T0;
    story_state = state_new();
    story_log = r < 0 || !story_state ? NULL : open_store(0, 0);
    return story_log ? 0 : -1;
}

static inline int close_log(void **fixture)
{
    story_log = store_close(story_log);
    story_state = state_free(story_state);
    return remove_folder(fixture);
}

static inline struct store_reader *read_log(void)
{
    struct store_reader *reader = NULL;
    if (store_reader_open(&reader, path, &err) < 0)
        fail_msg("%s", err.msg);
    return reader;
}

#define log_test(function) cmocka_unit_test_setup_teardown(function, open_log, close_log)

static inline void tell_login(int64_t at_s, int unit, const char *number, int status)
{
    char data[200];
    snprintf(data, sizeof(data), "{'unit':{'id':%d,'status':%d,'data':{'unitNum':'%s','name':'Name %d'}}}", unit,
             status, number, unit);
    tell(at_s, "EVENT_UNIT_LOGIN", data);
}

static inline void tell_unit(int64_t at_s, const char *type, int unit, const char *more)
{
    char data[120];
    snprintf(data, sizeof(data), "{'identIds':[%d]%s}", unit, more);
    tell(at_s, type, data);
}

static inline void tell_status(int64_t at_s, int unit, int status)
{
    char more[40];
    snprintf(more, sizeof(more), ",'status':%d", status);
    tell_unit(at_s, "EVENT_UNIT_STATUS", unit, more);
}

static inline void tell_logout(int64_t at_s, int unit)
{
    tell_unit(at_s, "EVENT_UNIT_LOGOUT", unit, "");
}

static inline void tell_911(int64_t at_s, int call)
{
    char data[120];
    snprintf(data, sizeof(data), "{'call':{'callId':%d,'caller':'Zoe','location':'118 Lantern St'}}", call);
    tell(at_s, "EVENT_911", data);
}

/* call911 0: from none. */
static inline void tell_new(int64_t at_s, int call, int call911)
{
    char data[200], from[60] = "";
    if (call911)
        snprintf(from, sizeof(from), ",'metaData':{'origin911':%d}", call911);
    snprintf(data, sizeof(data), "{'dispatch':{'callId':%d,'status':1,'title':'Fire','idents':[]%s}}", call, from);
    tell(at_s, "EVENT_DISPATCH_NEW", data);
}

static inline void tell_move(int64_t at_s, const char *type, int call, int unit)
{
    char data[80];
    snprintf(data, sizeof(data), "{'callId':%d,'idents':[%d]}", call, unit);
    tell(at_s, type, data);
}

static inline void tell_attach(int64_t at_s, int call, int unit)
{
    tell_move(at_s, "EVENT_DISPATCH_UNIT_ATTACH", call, unit);
}

static inline void tell_closed(int64_t at_s, int call)
{
    char data[40];
    snprintf(data, sizeof(data), "{'callIds':[%d]}", call);
    tell(at_s, "EVENT_DISPATCH_CLOSED", data);
}
