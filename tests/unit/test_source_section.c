/* test_source_section.c - a source whose row has a section of the configuration: opened, moved and closed with it while
 * the writer runs. */
#include "source_helpers.h"

/* ---- a row with a section, which comes and goes with it ---- */

struct guest_settings {
    char *room;
};

struct guest {
    struct source_parts parts;
    struct envelope_rules *rules;
    char room[16];
};

static struct guest *guest; /* the one that was opened last, until it is closed */
static size_t n_opened, n_stopped, n_closed;
static _Atomic size_t n_answers;

static const struct config_option guest_options[] = {
    { .group = "guest",
      CONFIG_MEMBER(struct guest_settings, room),
      .name = "room",
      .type = CONFIG_NAME,
      .fallback = "attic",
      .help = "Where." },
};

static const struct source_type source_guest;

static void guest_move(struct guest *self, const struct config *next)
{
    const struct guest_settings *settings = config_section_get(next, &source_guest.section).elements;
    snprintf(self->room, sizeof(self->room), "%s", settings->room);
}

static int guest_open(void *self, const struct source_parts *parts, struct err *error)
{
    guest = self;
    guest->parts = *parts;
    guest->rules = source_rules_new(parts->config, parts->families);
    guest_move(guest, parts->config);
    n_opened++;
    return strcmp(guest->room, "full") == 0 ? err_set(error, -EBUSY, "no room") : 0;
}

static int guest_prepare(void *self, const struct config *next, void **ret_change, struct err *error)
{
    (void) self;
    (void) error;
    *ret_change = (void *) (uintptr_t) next;
    return 0;
}

static void guest_apply(void *self, void *change)
{
    guest_move(self, change);
}

static void guest_drop(void *self, void *change)
{
    (void) self;
    (void) change;
}

static int guest_stop(void *self, usec_t timeout_us)
{
    (void) self;
    (void) timeout_us;
    n_stopped++;
    return 0;
}

static void guest_close(void *self)
{
    struct guest *closed = self;
    free(closed->rules);
    n_closed++;
}

static void guest_settled(void *self, void *ticket, const struct event *first, int r)
{
    (void) self;
    (void) ticket;
    (void) first;
    n_answers += r == 0;
}

static void guest_add_status(void *self, struct json_writer *out)
{
    const struct guest *shown = self;
    json_add_text(out, "guest", shown->room);
}

static const struct source_type source_guest = {
    .name = "guest",
    .section = { .group = "guest",
                 .options = guest_options,
                 .n_options = ARRAY_SIZE(guest_options),
                 .settings_size = sizeof(struct guest_settings) },
    .instance_size = sizeof(struct guest),
    .open = guest_open,
    .prepare = guest_prepare,
    .apply = guest_apply,
    .drop = guest_drop,
    .stop = guest_stop,
    .close = guest_close,
    .settled = guest_settled,
    .add_status = guest_add_status,
};

static void guest_gathers(const char *type)
{
    static const struct origin origin = { "guest", "room", "192.0.2.8" };
    static const char data[] = "{\"callIds\":[1]}";
    struct batch batch;
    assert_int_equal(envelope_make_one(span_of(type), span_of(data), guest->rules, "default", &origin, now_us(), &batch,
                                       &err),
                     ENVELOPE_OK);
    assert_int_equal(pipeline_submit(guest->parts.way_in, &batch, guest), 0);
}

static void guest_says(const char *type)
{
    guest_gathers(type);
    pipeline_flush(guest->parts.way_in);
}

/* ---- the configuration ---- */

static const struct config_section *const sections[] = { &source_guest.section, &source_picky.section };
static struct config *seen[8]; /* that were made, to be freed */
static size_t n_seen;

/* It is in force, or r is what it was refused with. */
static void configure(const char *text, int r)
{
    static struct config_schema schema;
    struct config_problems problems;
    char file[160], whole[256];
    schema = daemon_schema;
    schema.sections = sections;
    schema.n_sections = ARRAY_SIZE(sections);
    snprintf(file, sizeof(file), "%s/next.yaml", folder);
    snprintf(whole, sizeof(whole), "communities: [ { api_key: \"" KEY "\" } ]\n%s", text);
    FILE *out = fopen(file, "we");
    assert_non_null(out);
    fputs(whole, out);
    fclose(out);
    chmod(file, 0600);
    assert_int_equal(config_load(file, &schema, NULL, &seen[n_seen], &problems), 0);
    config_problems_free(&problems);
    assert_int_equal(source_set_configure(set, seen[n_seen++], &err), r);
}

static void assert_status(const char *expected)
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    struct json_writer status = json_writer(&said);
    json_begin_object(&status, NULL);
    source_set_add_status(set, &status);
    json_end(&status);
    assert_string_equal(said.s, expected);
}

static int begin(void **state)
{
    n_opened = n_stopped = n_closed = 0;
    n_answers = 0;
    return begin_sources(state, &source_guest);
}

static int end(void **state)
{
    assert_int_equal(source_set_stop(set, PATIENCE_US), 0);
    assert_int_equal(pipeline_stop(pipeline, PATIENCE_US), 0);
    set = source_set_free(set);
    assert_int_equal(n_closed, n_opened);
    assert_int_equal(n_stopped, n_opened);
    while (n_seen)
        config_free(seen[--n_seen]);
    return tear_down(state);
}

/* ---- the tests ---- */

static void wait_answers(size_t n)
{
    usec_t until = uptime_us() + PATIENCE_US;
    while (n_answers < n && uptime_us() < until)
        usleep(100);
    assert_int_equal(n_answers, n);
}

static void a_section_opens_and_closes_it(void **unused)
{
    (void) unused;
    assert_int_equal(n_opened, 0);
    assert_status("{}");
    configure("guest: { }\n", 0);
    assert_int_equal(n_opened, 1);
    assert_status("{\"guest\":\"attic\"}");
    guest_says("EVENT_REMOVE_911");
    wait_answers(1);
    assert_int_equal(store_last_id(store), 1);
    configure("guest: { room: cellar }\n", 0);
    assert_status("{\"guest\":\"cellar\"}");
    assert_int_equal(n_opened, 1);
    configure("", 0);
    assert_status("{}");
    assert_int_equal(n_stopped, 1);
    configure("guest: { }\n", 0);
    guest_says("EVENT_REMOVE_911");
    wait_answers(2);
    assert_int_equal(n_opened, 2);
}

/* Nobody waits for a slow disk: a new one may be open before the old one has all its answers. */
static void a_closed_one_still_gets_its_answers(void **unused)
{
    (void) unused;
    configure("guest: { }\n", 0);
    commit_waits = true;
    guest_says("EVENT_REMOVE_911");
    configure("", 0);
    assert_int_equal(n_stopped, 1);
    configure("guest: { room: cellar }\n", 0);
    source_set_tick(set);
    assert_int_equal(n_closed, 0);
    commit_waits = false;
    guest_says("EVENT_REMOVE_911");
    wait_answers(2);
    for (usec_t until = uptime_us() + PATIENCE_US; !n_closed && uptime_us() < until; usleep(100))
        source_set_tick(set);
    assert_int_equal(n_closed, 1);
    assert_status("{\"guest\":\"cellar\"}");
}

static void what_a_closed_one_gathered_is_not_lost(void **unused)
{
    (void) unused;
    configure("guest: { }\n", 0);
    guest_gathers("EVENT_REMOVE_911");
    configure("", 0);
    wait_answers(1);
    assert_int_equal(store_last_id(store), 1);
}

/* Then nothing of the configuration is in force, and what was opened for it is closed again. */
static void one_that_cannot_be_opened(void **unused)
{
    (void) unused;
    configure("guest: { room: full }\n", -EBUSY);
    assert_string_equal(err.msg, "no room");
    assert_int_equal(n_stopped, 1);
    assert_int_equal(n_closed, 1);
    assert_int_equal(n_dropped, 1);
    assert_int_equal(n_applied, 0);
    refuses = true; /* before anything is opened */
    configure("guest: { }\n", -EADDRINUSE);
    refuses = false;
    assert_int_equal(n_opened, 1);
    assert_status("{}");
}

#define set_test(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        set_test(a_section_opens_and_closes_it),
        set_test(a_closed_one_still_gets_its_answers),
        set_test(what_a_closed_one_gathered_is_not_lost),
        set_test(one_that_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
