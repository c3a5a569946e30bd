/* test_session_lines.c - the CAD's own words in a line: no key in them, and no work for what is not shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session_private.h"

#define MANY_BYTES ((size_t) 1 << 20)
#define SHOWN_CHARS 8
#define KEY "Secret-Key-1234567890"

static const struct event_community communities[] = { { "a", "k" }, { "b", KEY } };
static const struct envelope_rules rules = { .communities = communities, .n_communities = 2 };
static size_t looked_at_bytes;

bool __real_event_hide_keys(const struct envelope_rules *its, struct span text, struct text *out);
bool __wrap_event_hide_keys(const struct envelope_rules *its, struct span text, struct text *out);
bool __wrap_event_hide_keys(const struct envelope_rules *its, struct span text, struct text *out)
{
    looked_at_bytes += text.size;
    return __real_event_hide_keys(its, text, out);
}

static void assert_shown(struct span words, const char *shown)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    session_add_words(&out, &rules, words, SHOWN_CHARS);
    assert_string_equal(out.s, shown);
}

static void keys_are_hidden(void **unused)
{
    (void) unused;
    assert_shown(span_of("no"), "no");
    assert_shown(span_of("so " KEY), "so [key]");
}

/* With hundreds of keys megabytes of them would hold the thread for minutes. */
static void what_is_not_shown_is_not_looked_at(void **unused)
{
    (void) unused;
    char *words = malloc(MANY_BYTES);
    assert_non_null(words);
    memset(words, 'x', MANY_BYTES);
    looked_at_bytes = 0;
    assert_shown((struct span){ words, MANY_BYTES }, "xxxxxxxx…");
    assert_in_range(looked_at_bytes, SHOWN_CHARS, 256);
    free(words);
}

/* Wherever a key begins, no part of it is shown, also where what is not shown itself stands before it. */
static void no_part_of_a_key_is_shown(void **unused)
{
    (void) unused;
    char words[512];
    for (size_t at = 0; at < 128; at++) {
        struct text out CLEANUP(text_free) = TEXT_INIT;
        memset(words, ' ', sizeof(words));
        memcpy(words + at, KEY, strlen(KEY));
        session_add_words(&out, &rules, (struct span){ words, sizeof(words) }, SHOWN_CHARS);
        assert_true(!out.s || !strstr(out.s, "Secr"));
    }
}

/* As net cuts them: many whole ones before leave its begin among the first that are shown, or it is longer than all
 * that is kept. */
static void no_part_of_a_key_in_a_refusal(void **unused)
{
    (void) unused;
    char word[WEBSOCKET_REFUSAL_BYTES] = "", key[2 * WEBSOCKET_REFUSAL_BYTES] = "";
    for (size_t size = strlen(KEY); size < sizeof(key); size++) {
        const struct event_community long_one = { "a", key };
        const struct envelope_rules its = { .communities = &long_one, .n_communities = 1 };
        memset(key, 'x', size);
        memcpy(key, KEY, strlen(KEY));
        for (size_t at = 0; at < sizeof(word) - 1; at++)
            word[at] = key[at % size];
        struct text out CLEANUP(text_free) = TEXT_INIT;
        session_add_refusal(&out, &its, word);
        if (out.s && strstr(out.s, "Secr"))
            fail_msg("%zu: %s", size, out.s);
    }
}

static void a_refusal_is_shown(void **unused)
{
    (void) unused;
    struct text out CLEANUP(text_free) = TEXT_INIT;
    char word[WEBSOCKET_REFUSAL_BYTES] = KEY;
    memset(word + strlen(KEY), 'x', sizeof(word) - 1 - strlen(KEY));
    session_add_refusal(&out, &rules, "Not for " KEY);
    assert_string_equal(out.s, "Not for [key]");
    text_reset(&out);
    session_add_refusal(&out, &rules, word);
    assert_non_null(strstr(out.s, "[key]xxx"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_hidden),           cmocka_unit_test(what_is_not_shown_is_not_looked_at),
        cmocka_unit_test(no_part_of_a_key_is_shown), cmocka_unit_test(no_part_of_a_key_in_a_refusal),
        cmocka_unit_test(a_refusal_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
