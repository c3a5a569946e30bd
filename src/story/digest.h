/* digest.h - inside src/story: what an event means for who was on duty and at which call, from its row where that tells
 * it, which takes a tenth of what parsing takes. */
#pragma once

#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

/* Requests that wait for the disk are stored in another order than they came: that is no clock set back. */
#define DIGEST_DISORDER_US (60 * USEC_PER_SEC)

static inline bool digest_is_set_back(usec_t before_us, usec_t time_us)
{
    return before_us > time_us && before_us - time_us > DIGEST_DISORDER_US;
}

enum digest_kind {
    DIGEST_OTHER,
    DIGEST_911,
    DIGEST_REMOVED,
    DIGEST_OPENED,
    DIGEST_LISTED, /* a call's units are these from now on */
    DIGEST_ATTACHED,
    DIGEST_DETACHED,
    DIGEST_CLOSED,
    DIGEST_LOGIN,
    DIGEST_LOGOUT,
    DIGEST_STATUS, /* a unit told something of itself */
};

struct digest_unit {
    int64_t id;
    int32_t status;           /* STATE_UNSET: not told */
    int8_t panic;             /* 1 it begins, 0 it ended, -1 not told */
    struct span number, name; /* strings of JSON, borrowed until the next row; size 0: not told */
};

struct digest {
    enum digest_kind kind;
    uint64_t id;
    usec_t time_us;
    const char *community; /* and node: the realm; borrowed until the next row */
    int64_t call, call911; /* the first that it is about; STATE_UNSET_ID: none */
    struct ids calls;      /* all that it is about; of 911 calls where it is about these */
    struct digest_unit *units;
    size_t n_units;
};

struct digest_period {
    usec_t since_us, until_us; /* 0: from its beginning, to its end */
    const char *community;     /* NULL: all */
};

/* Those of a period, without those that were made up and those that were refused; and of the day before it, which tells
 * who was where when it began. Negative: also what take returned, which is for want of memory. */
int digest_read_period(struct store_reader *reader, const struct digest_period *period,
                       int (*take)(void *pass, const struct digest *digest), void *pass, struct err *err) MUST_CHECK;
