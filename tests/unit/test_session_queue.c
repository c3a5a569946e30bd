/* test_session_queue.c - what a session brought on its way into the pipeline: with a writer that stores, fails and has
 * room as it is told, and connections that only count. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sonoran-pushd/families.h>
#include <stdlib.h>

#include "session_private.h"

#define HANDED_MAX 64
#define IN_FLIGHT ((uint64_t) 64 << 10)

/* ---- the writer ---- */

static struct {
    struct batch batch;
    struct session_item *item;
} handed[HANDED_MAX];
static size_t n_handed, room;
static unsigned n_tries, n_again, n_not_stored;

int __wrap_pipeline_submit(struct pipeline_source *source, struct batch *take_batch, void *ticket);
void __wrap_pipeline_flush(struct pipeline_source *source);
void __wrap_pipeline_source_again(struct pipeline_source *source);
void __wrap_gate_count(struct gate_door *door, const char *name, enum gate_count count);

int __wrap_pipeline_submit(struct pipeline_source *source, struct batch *take_batch, void *ticket)
{
    (void) source;
    n_tries++;
    if (n_handed == room)
        return -EBUSY;
    handed[n_handed].batch = *take_batch;
    handed[n_handed++].item = ticket;
    *take_batch = (struct batch){ 0 };
    return 0;
}

void __wrap_pipeline_flush(struct pipeline_source *source)
{
    (void) source;
}

void __wrap_pipeline_source_again(struct pipeline_source *source)
{
    (void) source;
    n_again++;
}

void __wrap_gate_count(struct gate_door *door, const char *name, enum gate_count count)
{
    (void) door;
    (void) name;
    n_not_stored += count == GATE_NOT_STORED;
}

/* ---- the connections ---- */

static char the_connection;

struct websocket *__wrap_websocket_close(struct websocket *websocket);
void __wrap_websocket_finish(struct websocket *websocket, enum websocket_code code);
usec_t __wrap_websocket_heard_us(const struct websocket *websocket);
void __wrap_session_prime_heard(struct session_prime *prime, const char *name, uint64_t place, usec_t heard_us);

struct websocket *__wrap_websocket_close(struct websocket *websocket)
{
    (void) websocket;
    return NULL;
}

void __wrap_websocket_finish(struct websocket *websocket, enum websocket_code code)
{
    (void) websocket;
    (void) code;
}

usec_t __wrap_websocket_heard_us(const struct websocket *websocket)
{
    (void) websocket;
    return uptime_us();
}

void __wrap_session_prime_heard(struct session_prime *prime, const char *name, uint64_t place, usec_t heard_us)
{
    (void) prime;
    (void) name;
    (void) place;
    (void) heard_us;
}

/* ---- sessions ---- */

static char names[][8] = { "default", "quiet", "busy" };
static const struct event_community community = { names[0], "KEY-1" };
static struct envelope_rules rules = { .communities = &community, .n_communities = 1, .families = &families_all };
static struct session_target targets[2];
static struct session quiet, busy;
static struct sessions all;

static void open_session(struct session *session, struct session_target *target, char *name)
{
    *target = (struct session_target){ .settings = { .name = name, .community = names[0] }, .host = "cad.example" };
    *session = (struct session){ .all = &all,
                                 .target = target,
                                 .state = SESSION_IS_OPEN,
                                 .websocket = (struct websocket *) &the_connection,
                                 .login_us = uptime_us(),
                                 .half = TEXT_INIT };
}

static int set_up(void **state)
{
    (void) state;
    n_handed = n_tries = n_again = n_not_stored = 0;
    room = HANDED_MAX;
    all = (struct sessions){ .rules = &rules, .body_bytes = IN_FLIGHT, .in_flight_bytes = IN_FLIGHT, .wake_fd = -1 };
    pthread_mutex_init(&all.lock, NULL);
    session_queue_begin(&all.queue);
    open_session(&quiet, &targets[0], names[1]);
    open_session(&busy, &targets[1], names[2]);
    all.list = &quiet;
    quiet.next = &busy;
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    for (size_t i = 0; i < n_handed; i++)
        batch_done(&handed[i].batch);
    session_queue_end(&all);
    pthread_mutex_destroy(&all.lock);
    return 0;
}

static void push(struct session *session, int id, size_t padding, const char *invocation)
{
    struct text record CLEANUP(text_free) = TEXT_INIT;
    text_addf(&record,
              "{\"type\":1,\"target\":\"pushEvent\",%s\"arguments\":[{\"type\":\"EVENT_REMOVE_911\",\"data\":{"
              "\"callIds\":[%d],\"x\":\"%*s\"}}]}\x1e",
              invocation, id, (int) padding, "");
    assert_false(record.failed);
    session_take_message(&all, session, (struct span){ record.s, record.size });
}

static size_t count_items(void)
{
    size_t n = 0;
    for (const struct session_item *item = TAILQ_FIRST(&all.queue.items); item; item = TAILQ_NEXT(item, entry))
        n++;
    return n;
}

/* What the writer has of it, in its order. */
static void is_handed(const char *ids)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    text_add(&text, "");
    for (size_t i = 0; i < n_handed; i++)
        text_addf(&text, "%d ", atoi(strchr(handed[i].item->body, '[') + 1));
    assert_string_equal(text.s ? text.s : "", ids);
}

/* Of all that it has; then the sessions go on. */
static void settle(int r)
{
    size_t n = n_handed;
    n_handed = 0;
    for (size_t i = 0; i < n; i++) {
        session_settled(&all, handed[i].item, &handed[i].batch.events[0], r);
        batch_done(&handed[i].batch);
    }
    session_settled_all(&all);
    session_queue_go_on(&all);
}

/* ---- the tests ---- */

static void what_failed_is_handed_in_again_in_its_order(void **state)
{
    (void) state;
    push(&quiet, 1, 0, "");
    push(&busy, 2, 0, "");
    session_queue_go_on(&all);
    is_handed("1 2 ");
    push(&busy, 3, 0, "");
    settle(-ENOSPC);
    is_handed("1 2 3 ");
    assert_int_equal(n_again, 1);
    settle(0);
    assert_int_equal(count_items(), 0);
    assert_int_equal(n_again, 1);
}

/* However often: it is worth a loss only where there is no memory for it. */
static void a_disk_that_fails_is_no_reason_to_lose(void **state)
{
    static const int reasons[] = { -ENOSPC, -EIO, -EROFS, -EUCLEAN, -ENOMEM, -EMFILE };
    (void) state;
    for (int id = 1; id <= 3; id++)
        push(&quiet, id, 0, "");
    session_queue_go_on(&all);
    for (int i = 0; i < 100; i++) {
        is_handed("1 2 3 ");
        settle(reasons[i % (int) ARRAY_SIZE(reasons)]);
    }
    settle(0);
    assert_int_equal(count_items(), 0);
    assert_int_equal(n_not_stored, 0);
}

/* Nobody knows which one it is; and with it may have failed what another source brought. */
static void of_those_that_failed_the_one_is_lost_that_fails_alone(void **state)
{
    (void) state;
    for (int id = 1; id <= 4; id++)
        push(&quiet, id, 0, "");
    session_queue_go_on(&all);
    settle(-EFBIG);
    push(&quiet, 5, 0, "");
    session_queue_go_on(&all);
    is_handed("1 ");
    settle(0);
    for (int i = 0; i < 5; i++) {
        is_handed("2 ");
        assert_int_equal(n_not_stored, 0);
        settle(-EFBIG);
    }
    assert_int_equal(n_not_stored, 1);
    is_handed("3 4 5 ");
    settle(0);
    assert_int_equal(count_items(), 0);
}

static void who_found_no_room_waits_for_a_word(void **state)
{
    (void) state;
    room = 1;
    push(&quiet, 1, 0, "");
    push(&quiet, 2, 0, "");
    session_queue_go_on(&all);
    assert_int_equal(n_tries, 2);
    push(&busy, 3, 0, "");
    for (int i = 0; i < 10; i++)
        session_queue_go_on(&all);
    assert_int_equal(n_tries, 2);
    room = HANDED_MAX;
    session_resume(&all);
    session_queue_go_on(&all);
    is_handed("1 2 3 ");
    assert_int_equal(n_tries, 4);

    /* At the end there may be no word any more. */
    room = n_handed;
    push(&busy, 4, 0, "");
    session_queue_go_on(&all);
    all.stopping = true;
    room = HANDED_MAX;
    session_queue_go_on(&all);
    is_handed("1 2 3 4 ");
}

static void an_id_counts_too(void **state)
{
    struct text id CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    push(&quiet, 1, 0, "");
    uint64_t without = all.queue.bytes;
    text_addf(&id, "\"invocationId\":\"%0200d\",", 7);
    push(&quiet, 1, 0, id.s);
    assert_true(all.queue.bytes >= 2 * without + 200);
}

/* Longer than any id, and it would be kept until the commit. */
static void a_long_id_is_no_id(void **state)
{
    struct text id CLEANUP(text_free) = TEXT_INIT;
    (void) state;
    text_addf(&id, "\"invocationId\":\"%0300d\",", 7);
    push(&quiet, 1, 0, id.s);
    assert_null(quiet.websocket);
    assert_int_equal(count_items(), 0);
}

static void who_brings_too_much_is_closed(void **state)
{
    int id = 0;
    (void) state;
    room = 0;
    while (busy.websocket && id < 100) {
        push(&busy, ++id, 4096, "");
        session_queue_go_on(&all);
    }
    assert_null(busy.websocket);
    assert_true(id > 4);
    assert_true(all.queue.bytes <= IN_FLIGHT);
    size_t n = count_items();
    for (int i = 0; i < 2; i++)
        push(&quiet, ++id, 4096, "");
    assert_non_null(quiet.websocket);
    assert_int_equal(count_items(), n + 2);
    assert_true(all.queue.bytes <= IN_FLIGHT);
}

/* All of it is for one that is alone. */
static void one_session_may_fill_it(void **state)
{
    int id = 0;
    (void) state;
    all.list = &busy;
    room = 0;
    while (busy.websocket && id < 100)
        push(&busy, ++id, 4096, "");
    assert_null(busy.websocket);
    assert_true(all.queue.bytes > IN_FLIGHT - 8192 && all.queue.bytes <= IN_FLIGHT + 4096);
}

#define queue_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        queue_test(what_failed_is_handed_in_again_in_its_order),
        queue_test(a_disk_that_fails_is_no_reason_to_lose),
        queue_test(of_those_that_failed_the_one_is_lost_that_fails_alone),
        queue_test(who_found_no_room_waits_for_a_word),
        queue_test(an_id_counts_too),
        queue_test(a_long_id_is_no_id),
        queue_test(who_brings_too_much_is_closed),
        queue_test(one_session_may_fill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
