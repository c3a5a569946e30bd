/* test_key_wiped.c - no memory that is given back still holds the key, however it was written and whatever became of
 * the body. The program is linked with free and realloc replaced by those here. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/families.h>
#include <sonoran-pushd/text_secret.h>

#define SECRET "WATCHED-KEY-4711"
#define ESCAPED "\\u0057ATCHED-KEY-471\\u0031"

static size_t n_leaks;

void __real_free(void *memory);
void __wrap_free(void *memory);
void *__wrap_realloc(void *memory, size_t size);

void __wrap_free(void *memory)
{
    size_t size = memory ? malloc_usable_size(memory) : 0;
    n_leaks +=
        memory && (memmem(memory, size, SECRET, strlen(SECRET)) || memmem(memory, size, ESCAPED, strlen(ESCAPED)));
    __real_free(memory);
}

/* Always moves. */
void *__wrap_realloc(void *memory, size_t size)
{
    void *moved = malloc(size);
    size_t old_size = memory ? malloc_usable_size(memory) : 0;
    if (moved && memory)
        memcpy(moved, memory, old_size < size ? old_size : size);
    if (moved)
        __wrap_free(memory);
    return moved;
}

static void expect_wiped(const char *body, enum envelope_refusal wanted)
{
    static const struct event_community communities[] = { { "default", SECRET } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = {
        .communities = communities, .n_communities = 1, .families = &families_all, .max_stored_bytes = 4096
    };
    struct batch batch;
    struct err err = { "" };
    size_t size = strlen(body);
    char *copy = malloc(size + 1), claimed[EVENT_TYPE_MAX_BYTES + 1];
    memcpy(copy, body, size + 1);
    n_leaks = 0;
    assert_int_equal(envelope_parse(copy, size, &rules, &origin, 1, &batch, claimed, &err), wanted);
    if (wanted == ENVELOPE_OK)
        batch_done(&batch);
    if (n_leaks)
        print_error("%.200s\n", body);
    assert_int_equal(n_leaks, 0);
}

static void test_watched(void **state)
{
    (void) state;
    char *key = strdup("x " SECRET), *escaped = strdup(ESCAPED);
    n_leaks = 0;
    __wrap_free(key);
    __wrap_free(escaped);
    assert_int_equal(n_leaks, 2);
}

static void test_the_key_is_wiped(void **state)
{
    (void) state;
#define REST ",\"type\":\"EVENT_REMOVE_911\",\"data\":{\"callIds\":[1]}"
    expect_wiped("{\"key\":\"" SECRET "\"" REST "}", ENVELOPE_OK);
    expect_wiped("{\"key\":\"" ESCAPED "\"" REST "}", ENVELOPE_OK);
    expect_wiped("{\"key\":\"" SECRET "\"" REST ",\"Key\":\"" SECRET "\",\"KEY\":[\"" ESCAPED "\"]}", ENVELOPE_OK);
    expect_wiped("{\"key\":\"" SECRET "\",\"type\":5}", ENVELOPE_OK);
    expect_wiped("{\"key\":\"" SECRET "\"" REST ",\"x\":[1e400,\"\\ud800\"]}", ENVELOPE_OK);
    expect_wiped("{\"key\":\"" SECRET "x\"" REST "}", ENVELOPE_KEY);
    expect_wiped("{\"key\":\"" ESCAPED "x\"" REST "}", ENVELOPE_KEY);
    expect_wiped("{\"key\":[\"" SECRET "\"]" REST "}", ENVELOPE_KEY);
    expect_wiped("{\"key\":\"" SECRET "\",\"key\":\"" SECRET "\"" REST "}", ENVELOPE_JSON);
    expect_wiped("{\"key\":\"" SECRET "\"" REST, ENVELOPE_JSON);
    expect_wiped("{\"key\":\"x\",\"type\":\"T\",\"apiKey\":\"" SECRET "\"}", ENVELOPE_KEY);
    expect_wiped("{\"key\":\"" SECRET, ENVELOPE_JSON);
}

/* A list of events, and what else stands there, grow several texts. */
static void test_a_long_body(void **state)
{
    (void) state;
    struct text body CLEANUP(text_free) = TEXT_INIT;
    text_add(&body, "{\"key\":\"" ESCAPED "\",\"type\":\"EVENT_REMOVE_911\",\"data\":[{\"callId\":1}");
    for (int i = 0; i < 500; i++)
        text_addf(&body, ",{\"callId\":%d}", i);
    text_add(&body, "]");
    for (int i = 0; i < 500; i++)
        text_addf(&body, ",\"n%d\":1", i);
    text_add(&body, "}");
    expect_wiped(body.s, ENVELOPE_SIZE);
    explicit_bzero(body.s, body.size);
}

/* Whatever memory it stood in before, and however long the text was then. */
static void test_a_text_with_a_secret(void **state)
{
    (void) state;
    struct text text = TEXT_INIT;
    n_leaks = 0;
    text_add_secret(&text, "of many words " SECRET, strlen("of many words " SECRET));
    for (int i = 0; i < 1000; i++)
        text_add_secret(&text, " and more", strlen(" and more"));
    text_reset(&text);
    text_add_secret(&text, "short", strlen("short"));
    text_wipe(&text);
    assert_int_equal(n_leaks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watched),
        cmocka_unit_test(test_the_key_is_wiped),
        cmocka_unit_test(test_a_long_body),
        cmocka_unit_test(test_a_text_with_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
