/* test_redis_replies.c - replies out of bytes in whatever pieces, what is none, what is too much; what each error comes
 * to; URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sonoran-pushd/text.h>

#include "redis_replies.h"
#include "redis_url.h"

#define MAX_BYTES ((size_t) 1 << 20)

static struct redis_replies replies;
static struct err err;

static void begin(size_t max_bytes)
{
    replies = (struct redis_replies){ 0 };
    err.msg[0] = '\0';
    assert_int_equal(redis_replies_open(&replies, max_bytes, &err), 0);
}

/* "[1,'a',nil]" */
static void show(struct text *out, const struct redis_reply *reply)
{
    switch (reply->type) {
    case REDIS_NOTHING:
        text_add(out, "nil");
        break;
    case REDIS_TEXT:
        text_addf(out, "'%s'", reply->text.s);
        break;
    case REDIS_NUMBER:
        text_add_int(out, reply->number);
        break;
    case REDIS_FAULT:
        text_addf(out, "!%s", reply->text.s);
        break;
    case REDIS_LIST:
        text_add(out, "[");
        for (size_t i = 0; i < reply->n_elements; i++) {
            text_add(out, i ? "," : "");
            show(out, &reply->elements[i]);
        }
        text_add(out, "]");
        break;
    }
}

static const size_t pieces[] = { 1, 2, 7, 1 << 16 };

/* All of it in pieces of a size: how it ends; what came until then is in out, each with a blank behind it. */
static int take_all(const char *bytes, size_t size, size_t piece, struct text *out)
{
    const struct redis_reply *reply;
    int r = -EAGAIN;
    for (size_t at = 0; at < size && r == -EAGAIN; at += piece) {
        assert_int_equal(redis_replies_feed(&replies, bytes + at, size - at < piece ? size - at : piece, &err), 0);
        while ((r = redis_replies_next(&replies, &reply, &err)) == 1) {
            show(out, reply);
            text_add(out, " ");
        }
    }
    return r;
}

static void expect(const char *bytes, size_t max_bytes, int r, const char *shown)
{
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        struct text out CLEANUP(text_free) = TEXT_INIT;
        begin(max_bytes);
        assert_int_equal(take_all(bytes, strlen(bytes), pieces[i], &out), r);
        assert_string_equal(out.s, shown);
        redis_replies_close(&replies);
    }
}

static void test_whole(void **state)
{
    (void) state;
    expect("+OK\r\n", MAX_BYTES, -EAGAIN, "'OK' ");
    expect(":-7\r\n$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n", MAX_BYTES, -EAGAIN, "-7 nil nil '' [] ");
    expect("-WRONGTYPE no\r\n", MAX_BYTES, -EAGAIN, "!WRONGTYPE no ");
    expect("*2\r\n*2\r\n$3\r\na\r\n\r\n:1\r\n*1\r\n-ERR x\r\n+OK\r\n", MAX_BYTES, -EAGAIN,
           "[['a\r\n',1],[!ERR x]] 'OK' ");
    expect("*2\r\n$3\r\nab", MAX_BYTES, -EAGAIN, "");
}

/* A NUL is a byte like others. */
static void test_bytes(void **state)
{
    (void) state;
    const struct redis_reply *reply;
    begin(MAX_BYTES);
    assert_int_equal(redis_replies_feed(&replies, "$3\r\na\0b\r\n", 9, &err), 0);
    assert_int_equal(redis_replies_next(&replies, &reply, &err), 1);
    assert_int_equal(reply->text.size, 3);
    assert_memory_equal(reply->text.s, "a\0b", 4);
    redis_replies_close(&replies);
}

static void test_not_redis(void **state)
{
    (void) state;
    expect("HTTP/1.1 400 Bad Request\r\n", MAX_BYTES, -EPROTO, "");
    expect("+OK\r\n:seven\r\n", MAX_BYTES, -EPROTO, "'OK' ");
    /* RESP3, which nobody asked for. */
    expect("%1\r\n+a\r\n+b\r\n", MAX_BYTES, -EPROTO, "");
    expect(",1.5\r\n", MAX_BYTES, -EPROTO, "");
    expect("#t\r\n", MAX_BYTES, -EPROTO, "");
}

static void test_too_much(void **state)
{
    (void) state;
    struct text deep CLEANUP(text_free) = TEXT_INIT, long_text CLEANUP(text_free) = TEXT_INIT;
    for (int i = 0; i < REDIS_DEPTH_MAX; i++)
        text_add(&deep, "*1\r\n");
    text_add(&deep, ":1\r\n");
    expect(deep.s, MAX_BYTES, -EAGAIN, "[[[[[[1]]]]]] ");
    struct text deeper CLEANUP(text_free) = TEXT_INIT;
    text_addf(&deeper, "*1\r\n%s", deep.s);
    expect(deeper.s, MAX_BYTES, -EMSGSIZE, "");
    expect("*1000000\r\n", MAX_BYTES, -EMSGSIZE, "");
    expect("*2000000000\r\n", MAX_BYTES, -EMSGSIZE, "");
    expect("*2\r\n*262143\r\n", MAX_BYTES, -EMSGSIZE, "");

    text_add(&long_text, "$2000\r\n");
    while (long_text.size < 1500)
        text_add(&long_text, "0123456789");
    expect(long_text.s, 1000, -EMSGSIZE, "");
    expect(long_text.s, 4000, -EAGAIN, "");
    /* Each counts for itself. */
    expect("$10\r\n0123456789\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n", 20, -EAGAIN,
           "'0123456789' '0123456789' '0123456789' ");
}

/* ---- what an error comes to ---- */

static void expect_verdict(const char *words, enum redis_verdict verdict, const char *part)
{
    const struct redis_reply reply = { .type = REDIS_FAULT, .text = span_of(words) };
    err.msg[0] = '\0';
    if (redis_judge(&reply, &err) != verdict)
        fail_msg("%s is judged %d: %s", words, redis_judge(&reply, &err), err.msg);
    if (!strstr(err.msg, part))
        fail_msg("\"%s\" is not in \"%s\"", part, err.msg);
}

static void test_verdicts(void **state)
{
    (void) state;
    assert_int_equal(redis_judge(&(struct redis_reply){ .type = REDIS_TEXT, .text = span_of("OOM") }, &err),
                     REDIS_DONE);
    expect_verdict("OOM command not allowed when used memory > 'maxmemory'.", REDIS_LATER, "maxmemory");
    expect_verdict("MISCONF Redis is configured to save RDB snapshots, but …", REDIS_LATER, "its own disk");
    expect_verdict("BUSY Redis is busy running a script.", REDIS_LATER, "(BUSY)");
    expect_verdict("NOREPLICAS Not enough good replicas to write.", REDIS_LATER, "min-replicas-to-write");
    expect_verdict("ERR max number of clients reached", REDIS_LATER, "maxclients");
    expect_verdict("READONLY You can't write against a read only replica.", REDIS_ELSEWHERE, "master");
    expect_verdict("LOADING Redis is loading the dataset in memory", REDIS_ELSEWHERE, "(LOADING)");
    expect_verdict("MASTERDOWN Link with MASTER is down", REDIS_ELSEWHERE, "(MASTERDOWN)");
    expect_verdict("NOSCRIPT No matching script. Please use EVAL.", REDIS_NO_SCRIPT, "script");
    expect_verdict("MOVED 3999 127.0.0.1:6381", REDIS_NEVER, "Cluster");
    expect_verdict("ASK 3999 127.0.0.1:6381", REDIS_NEVER, "Cluster");
    expect_verdict("CROSSSLOT Keys in request don't hash to the same slot", REDIS_NEVER, "Cluster");
    expect_verdict("NOAUTH Authentication required.", REDIS_NEVER, "password_file");
    expect_verdict("WRONGPASS invalid username-password pair or user is disabled.", REDIS_NEVER, "password_file");
    expect_verdict("ERR invalid password", REDIS_NEVER, "password_file");
    expect_verdict("ERR AUTH <password> called without any password configured for the default user.", REDIS_NEVER,
                   "has no password");
    expect_verdict("ERR Client sent AUTH, but no password is set", REDIS_NEVER, "has no password");
    expect_verdict("NOPERM this user has no permissions to run the 'xadd' command", REDIS_NEVER, "'xadd'");
    expect_verdict("WRONGTYPE Operation against a key holding the wrong kind of value", REDIS_NOT_THIS_KEY,
                   "no stream");
    expect_verdict("NOPERM this user has no permissions to access one of the keys used as arguments",
                   REDIS_NOT_THIS_KEY, "one of the keys");
    expect_verdict("NOPERM No permissions to access a key", REDIS_NOT_THIS_KEY, "a key");
    expect_verdict("ERR unknown command 'XADD'", REDIS_NEVER, "unknown command");
    expect_verdict("ERR DB index is out of range", REDIS_NEVER, "database");
    expect_verdict("DENIED Redis is running in protected mode …", REDIS_NEVER, "protected mode");
    expect_verdict("ERR Protocol error: invalid bulk length", REDIS_TOO_LARGE, "proto-max-bulk-len");
    expect_verdict("ERR something new", REDIS_LATER, "\"ERR something new\"");
    expect_verdict("", REDIS_LATER, "it answers");
}

/* Before Redis 7 what a script's command says stands behind the script's own words; 7 puts the code first. */
static void test_verdicts_of_scripts(void **state)
{
    (void) state;
    expect_verdict("ERR Error running script (call to f_1): @user_script:3: WRONGTYPE Operation against a key",
                   REDIS_NOT_THIS_KEY, "no stream");
    expect_verdict("ERR Error running script (call to f_1): @user_script: 3: -OOM command not allowed", REDIS_LATER,
                   "OOM");
    expect_verdict(
        "ERR Error running script (call to f_1): @user_script:12: @user_script: 12: -READONLY You can't write",
        REDIS_ELSEWHERE, "replica");
    expect_verdict("@user_script: 12: -MISCONF Redis is configured to save", REDIS_LATER, "its own disk");
    expect_verdict("ERR Error running script (call to f_1): @user_script:3: out of luck", REDIS_LATER, "out of luck");
    expect_verdict("ERR ACL failure in script: User e has no permissions to run the 'xinfo|stream' command",
                   REDIS_NEVER, "(ACL)");
    expect_verdict("OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
                   REDIS_LATER, "maxmemory");
    expect_verdict("WRONGTYPE Operation against a key script: 1, on @user_script:3.", REDIS_NOT_THIS_KEY, "no stream");
    expect_verdict("ERR The user executing the script can't run this command or subcommand", REDIS_NEVER, "(ACL)");
    expect_verdict("ERR Error running script: @user_script:1: Unknown Redis command called from Lua script",
                   REDIS_NEVER, "Unknown Redis command");
}

/* What it says is safe for a terminal. */
static void test_words_are_safe(void **state)
{
    (void) state;
    expect_verdict("ERR \x1b[31m", REDIS_LATER, "\\x1b[31m");
}

static void test_member(void **state)
{
    (void) state;
    const struct redis_reply elements[] = { { .type = REDIS_TEXT, .text = span_of("length") },
                                            { .type = REDIS_NUMBER, .number = 3 },
                                            { .type = REDIS_TEXT, .text = span_of("odd") } };
    const struct redis_reply list = { .type = REDIS_LIST, .elements = elements, .n_elements = 3 };
    assert_ptr_equal(redis_member(&list, "length"), &elements[1]);
    assert_null(redis_member(&list, "odd"));
    assert_null(redis_member(&elements[1], "length"));
}

/* ---- URLs ---- */

static void expect_url(const char *text, const char *shown)
{
    struct redis_url url CLEANUP(redis_url_free);
    char said[256];
    if (redis_url_read(&url, text, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    snprintf(said, sizeof(said), "%s %s %u %s %s %llu", url.is_tls ? "tls" : "-",
             url.unix_path ? url.unix_path : url.host, url.port, url.user ? url.user : "-",
             url.password ? url.password : "-", (unsigned long long) url.database);
    assert_string_equal(said, shown);
}

static void test_urls(void **state)
{
    (void) state;
    expect_url("redis://localhost", "- localhost 6379 - - 0");
    expect_url("redis://localhost/", "- localhost 6379 - - 0");
    expect_url("rediss://cache.example.org:6380/2", "tls cache.example.org 6380 - - 2");
    expect_url("redis://bob:s%40cr%3At@10.0.0.1:7000", "- 10.0.0.1 7000 bob s@cr:t 0");
    expect_url("redis://:pass@[::1]:7000/15", "- [::1] 7000 - pass 15");
    expect_url("redis://[fe80::1%eth0]", "- [fe80::1%eth0] 6379 - - 0");
    expect_url("redis://bob@host", "- host 6379 bob - 0");
    expect_url("redis://a:b@c@host", "- host 6379 a b@c 0");
    expect_url("unix:/run/redis/redis.sock", "- /run/redis/redis.sock 0 - - 0");
    expect_url("unix:///run/redis/redis.sock", "- /run/redis/redis.sock 0 - - 0");
}

static void test_no_urls(void **state)
{
    (void) state;
    static const char *const texts[] = { "",
                                         "localhost:6379",
                                         "http://localhost",
                                         "redis://",
                                         "redis://host:0",
                                         "redis://host:65536",
                                         "redis://host:",
                                         "redis://host:18446744073709551617",
                                         "redis://host/one",
                                         "redis://host/99999999999999999999",
                                         "redis://host?db=1",
                                         "redis://a b",
                                         "redis://:p%4@host",
                                         "redis://:p%00@host",
                                         "redis://h\"ost",
                                         "redis://[::1",
                                         "unix:redis.sock",
                                         "unix:/" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (redis_check_url(texts[i], &err) != -EINVAL)
            fail_msg("\"%s\" is taken", texts[i]);
}

static void test_names(void **state)
{
    (void) state;
    char name[32];
    redis_name_url("redis://:secret@host:1/2", name, sizeof(name));
    assert_string_equal(name, "host:1");
    redis_name_url("unix:/run/a", name, sizeof(name));
    assert_string_equal(name, "/run/a");
    redis_name_url("nonsense", name, sizeof(name));
    assert_string_equal(name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),          cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_not_redis),      cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_verdicts),       cmocka_unit_test(test_verdicts_of_scripts),
        cmocka_unit_test(test_words_are_safe), cmocka_unit_test(test_member),
        cmocka_unit_test(test_urls),           cmocka_unit_test(test_no_urls),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
