/* redis_replies.h - inside src/net: replies out of bytes, wherever these come from.
 *
 * Shape:   feed what came, then take replies until there is none. hiredis reads the protocol; its replies are made
 * here, in one piece of memory for each, so that none is larger, deeper or longer than it may be. Threads, errors: as
 * in redis.h.
 */
#pragma once

#include <hiredis/read.h>
#include <sonoran-pushd/redis.h>

struct redis_piece;

struct redis_replies {
    redisReader *reader;
    size_t max_bytes, n_bytes; /* n_bytes: that came since the last whole reply */
    struct redis_piece *pieces;
    size_t n_elements; /* of the reply under way */
    int failure;       /* why it could not be made, else 0 */
    struct redis_reply root;
};

int redis_replies_open(struct redis_replies *replies, size_t max_bytes, struct err *err) MUST_CHECK;
void redis_replies_close(struct redis_replies *replies);

/* -ENOMEM */
int redis_replies_feed(struct redis_replies *replies, const char *bytes, size_t size, struct err *err) MUST_CHECK;

/* 1: *ret, until the next call; -EAGAIN; -EPROTO, -EMSGSIZE, -ENOMEM: from then on. */
int redis_replies_next(struct redis_replies *replies, const struct redis_reply **ret, struct err *err) MUST_CHECK;
