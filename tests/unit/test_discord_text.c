/* test_discord_text.c - text from outside for Discord: escaped, measured, cut; and the URL to post to. */
#include "discord.h"
#include "discord_checks.h"

static void expect(const char *text, enum discord_text kind, const char *wanted)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    discord_add(&out, text, strlen(text), kind);
    assert_string_equal(out.s, wanted);
}

static void test_markdown_is_shown(void **state)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        { "plain text, 10-70 (fire) #4 > 3", "plain text, 10-70 (fire) #4 > 3" },
        { "**bold** _it_ ~~gone~~ ||hidden|| `code`",
          "\\*\\*bold\\*\\* \\_it\\_ \\~\\~gone\\~\\~ \\|\\|hidden\\|\\| \\`code\\`" },
        { "back\\slash", "back\\\\slash" },
        { "# heading\n## two\n  # three", "\\# heading\n\\## two\n  \\# three" },
        { "> quote\n>>> all", "\\> quote\n\\>>> all" },
        { "- item\n-# small\n+ item\n-5 degrees", "\\- item\n\\-# small\n\\+ item\n-5 degrees" },
        { "1. first\n12) second\n3.14 pi", "1\\. first\n12\\) second\n3.14 pi" },
        { "[x](javascript:alert(1))", "\\[x\\]\\(javascript:alert(1))" },
        { "(https://evil.example)", "\\(https://evil.example)" }, /* behind "[text]" of a template */
        { "see https://files.example.net/a_b_c.pdf?x=1&y=_2_", "see https://files.example.net/a_b_c.pdf?x=1&y=_2_" },
        { "xhttps://a_b", "xhttps://a\\_b" },
        { "https://a.example/*b*", "https://a.example/\\*b\\*" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        expect(rows[i].text, DISCORD_LINES, rows[i].wanted);
        check_markdown(rows[i].wanted);
    }
}

static void test_mentions_are_broken(void **state)
{
    (void) state;
    expect("@everyone @here", DISCORD_LINES, "@\u200beveryone @\u200bhere");
    expect("<@123> <@&1> <#7> <:a:1> <t:1> </x:1> <id:guide>", DISCORD_LINES,
           "\\<@\u200b123> \\<@\u200b&1> \\<#7> \\<:a:1> \\<t:1> \\</x:1> \\<id:guide>");
    expect("@\u200beveryone @\u2060here @\ufeffhere", DISCORD_LINES, "@\u200beveryone @\u200bhere @\u200bhere");
    expect("https://x.example/@everyone", DISCORD_LINES, "https://x.example/@\u200beveryone");
    expect("@everyone <@1> *x*", DISCORD_PLAIN, "@\u200beveryone <\u200b@\u200b1> *x*");
}

static void test_what_nobody_sees_is_dropped(void **state)
{
    (void) state;
    expect("a\x01\x1b[31mb\x7f\xc2\x85"
           "c",
           DISCORD_LINES, "a\\[31mb\nc");
    expect("\u202eabc\u200f\u2066d\u2069", DISCORD_LINE, "abcd");
    expect("-\u200b item", DISCORD_LINES, "\\- item");
    expect("a\n\n\n\n\nb\r\nc\td", DISCORD_LINES, "a\n\nb\nc d");
    expect("a\nb", DISCORD_LINE, "a b");
    expect("a\nb", DISCORD_PLAIN, "a b");
    expect("\U0001f468\u200d\U0001f692 \u0645\u200c\u0645", DISCORD_LINES,
           "\U0001f468\u200d\U0001f692 \u0645\u200c\u0645");
    expect("broken \xff\xc3", DISCORD_LINES, "broken \ufffd\ufffd");
}

static void test_length(void **state)
{
    (void) state;
    assert_int_equal(discord_length("aä€\U0001f6a8", strlen("aä€\U0001f6a8")), 5);
    assert_int_equal(discord_length("", 0), 0);
}

static void test_blank(void **state)
{
    static const char *const blank[] = { "", " \n\t", "\u00a0\u3000", "\u200b\u200d", "\u3164", "\u2800" };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(blank); i++)
        assert_true(text_is_blank(blank[i], strlen(blank[i])));
    assert_false(text_is_blank(" .", 2));
    assert_false(text_is_blank("\U0001f6a8", 4));
}

static void test_cut(void **state)
{
    static const struct {
        const char *text;
        size_t from, max;
        const char *wanted;
    } rows[] = {
        { "abcdef", 0, 6, "abcdef" },
        { "abcdef", 0, 5, "abcd…" },
        { "äöüßéà", 0, 5, "äöüß…" },
        { "ab\U0001f6a8\U0001f6a8", 0, 6, "ab\U0001f6a8\U0001f6a8" },
        { "ab\U0001f6a8\U0001f6a8", 0, 5, "ab\U0001f6a8…" },
        { "ab\U0001f6a8\U0001f6a8", 0, 4, "ab…" },
        { "ab\\*cd", 0, 4, "ab…" },         /* no half escape */
        { "ab\\*cd", 0, 5, "ab\\*…" },      /* a whole one */
        { "ab\\\\\\*cd", 0, 6, "ab\\\\…" }, /* an escaped backslash, half an escaped star */
        { "ab  cd", 0, 5, "ab…" },
        { "\U0001f468\u200d\U0001f692xyz", 0, 5, "\U0001f468…" }, /* no joiner without its other half */
        { "<@&1> abcdef", 6, 3, "<@&1> ab…" },
        { "abc", 0, 1, "…" },
        { "abc", 0, 0, "" },
        { "abc", 1, 0, "a" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        text_add(&text, rows[i].text);
        discord_cut(&text, rows[i].from, rows[i].max);
        assert_string_equal(text.s, rows[i].wanted);
        assert_int_equal(text.size, strlen(rows[i].wanted));
    }
    struct text empty = TEXT_INIT;
    discord_cut(&empty, 0, 0);
    discord_cut(&empty, 0, 10);
    assert_string_equal(empty.s, "");
}

static void test_url(void **state)
{
    static const struct {
        const char *url, *thread_id, *wanted;
    } rows[] = {
        { "https://d.example/api/webhooks/1/t", NULL, "https://d.example/api/webhooks/1/t?wait=true" },
        { "https://d.example/1/t", "77", "https://d.example/1/t?wait=true&thread_id=77" },
        { "https://d.example/1/t?a=b", "77", "https://d.example/1/t?a=b&wait=true&thread_id=77" },
        { "https://d.example/1/t?", NULL, "https://d.example/1/t?wait=true" },
        { "https://d.example/1/t?a=b&", NULL, "https://d.example/1/t?a=b&wait=true" },
        { "https://d.example/1/t?a=b#c?d", NULL, "https://d.example/1/t?a=b&wait=true" },
        { "https://d.example/1/t#c?d", NULL, "https://d.example/1/t?wait=true" },
    };
    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct text url CLEANUP(text_free) = TEXT_INIT;
        discord_add_url(&url, rows[i].url, rows[i].thread_id);
        assert_string_equal(url.s, rows[i].wanted);
    }
    assert_int_equal(discord_webhook_key("https://d.example/1/t?thread_id=1"),
                     discord_webhook_key("https://d.example/1/t"));
    assert_int_not_equal(discord_webhook_key("https://d.example/1/t"), discord_webhook_key("https://d.example/1/u"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markdown_is_shown),
        cmocka_unit_test(test_mentions_are_broken),
        cmocka_unit_test(test_what_nobody_sees_is_dropped),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_blank),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
