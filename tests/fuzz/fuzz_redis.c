/* fuzz_redis.c - any bytes as what comes from a server of Redis, and as a URL of one. libFuzzer's target.
 *
 * Looked for besides crashes: a reply that is deeper or longer than it may be, words that a terminal would obey, and a
 * difference between bytes that come at once and in pieces. */
#include <errno.h>
#include <stdlib.h>

#include "redis_replies.h"
#include "redis_url.h"
#include <sonoran-pushd/text.h>

#define MAX_BYTES ((size_t) 1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What came of them, in numbers that can be compared. */
struct story {
    uint64_t replies;
    int end;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_safe(const char *words)
{
    size_t size = strlen(words);
    uint32_t code;
    for (size_t n; size; words += n, size -= n) {
        require((n = utf8_read(words, size, &code)) > 0);
        require(!text_is_unsafe(code));
    }
}

static uint64_t hash_reply(uint64_t hash, const struct redis_reply *reply, size_t depth, size_t *n)
{
    struct err err = { "" };
    require(depth <= REDIS_DEPTH_MAX && ++*n <= REDIS_ELEMENTS_MAX + 1);
    hash = hash_bytes(hash, &reply->type, sizeof(reply->type));
    if (reply->type == REDIS_NUMBER)
        return hash_bytes(hash, &reply->number, sizeof(reply->number));
    if (reply->type == REDIS_TEXT || reply->type == REDIS_FAULT) {
        require(reply->text.s[reply->text.size] == '\0');
        require((redis_judge(reply, &err) == REDIS_DONE) == (reply->type == REDIS_TEXT));
        require_safe(err.msg);
        return hash_bytes(hash, reply->text.s, reply->text.size);
    }
    (void) redis_member(reply, "a");
    for (size_t i = 0; reply->type == REDIS_LIST && i < reply->n_elements; i++)
        hash = hash_reply(hash, &reply->elements[i], depth + 1, n);
    return hash;
}

static struct story tell(const char *bytes, size_t size, size_t piece, size_t max_bytes)
{
    struct story story = { HASH_START, -EAGAIN };
    struct redis_replies replies = { 0 };
    const struct redis_reply *reply;
    struct err err = { "" };
    require(redis_replies_open(&replies, max_bytes, &err) == 0);
    for (size_t at = 0; at < size && story.end == -EAGAIN; at += piece) {
        require(redis_replies_feed(&replies, bytes + at, size - at < piece ? size - at : piece, &err) == 0);
        while ((story.end = redis_replies_next(&replies, &reply, &err)) == 1) {
            size_t n = 0;
            story.replies = hash_reply(story.replies, reply, 0, &n);
        }
    }
    require_safe(err.msg);
    redis_replies_close(&replies);
    return story;
}

static void look_at_url(const char *text)
{
    struct redis_url url;
    struct err err = { "" };
    char name[32];
    if (redis_url_read(&url, text, &err) >= 0)
        require(!url.unix_path == (url.host && url.port));
    redis_url_free(&url);
    require_safe(err.msg);
    redis_name_url(text, name, sizeof(name));
}

/* The first byte says how the rest comes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *copy = size ? malloc(size) : NULL; /* of its own, so that a byte too far is found */
    if (!copy)
        return 0;
    memcpy(copy, bytes + 1, size - 1);
    copy[size - 1] = '\0';
    struct story whole = tell(copy, size - 1, size, MAX_BYTES);
    struct story pieces = tell(copy, size - 1, bytes[0] % 16 + 1, MAX_BYTES);
    require(whole.replies == pieces.replies && whole.end == pieces.end);
    (void) tell(copy, size - 1, bytes[0] % 16 + 1, 64);
    look_at_url(copy);
    free(copy);
    return 0;
}
