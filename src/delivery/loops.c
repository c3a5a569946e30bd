/* loops.c - whether what an action sends comes back to us, to be sent again, for ever.
 *
 * That the same event comes again, and right after it was sent, proves nothing: a panic button that is pressed ten
 * times does that, and sixty updates of one status. So from the seventh time in 10 s on, nothing of it is sent for 3 s:
 * from a sender of its own it goes on coming, and is left in peace for a minute. What stops coming while nothing is
 * sent, and comes at once when it is sent again, five times one after the other, is a loop.
 *
 * The pause is for all actions that send it, since one that goes on would hide what another one does; after it they
 * send one by one, so that none is blamed for what another one brings back. */
#include <string.h>

#include "private.h"

#define BACK_MAX_US (2 * USEC_PER_SEC) /* after it was sent */
#define BACK_PROBED_MAX_US USEC_PER_SEC
#define WINDOW_US (10 * USEC_PER_SEC)
#define BACK_MAX 5 /* times in the window are still in order */
#define PROBES 5
#define PROBE_US (3 * USEC_PER_SEC)
#define ON_ITS_WAY_US (500 * USEC_PER_MSEC) /* what was sent just before a pause may come back in it */
#define PEACE_US (60 * USEC_PER_SEC)

/* As FNV-1a, but by eight bytes; what stands in the high half has to reach the low one. */
static uint64_t add_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 32;
}

static uint64_t add_bytes(uint64_t hash, struct span bytes)
{
    uint64_t word;
    for (; bytes.size >= sizeof(word); bytes.s += sizeof(word), bytes.size -= sizeof(word)) {
        memcpy(&word, bytes.s, sizeof(word));
        hash = add_word(hash, word);
    }
    word = bytes.size;
    for (size_t i = 0; i < bytes.size; i++)
        word = word << 8 | (unsigned char) bytes.s[i];
    return add_word(hash, word);
}

uint64_t loops_hash(const struct event *event)
{
    uint64_t hash = add_bytes(0, (struct span){ event->type, strlen(event->type) });
    hash = add_bytes(hash, event->data_text);
    return add_bytes(hash, event->extra_text);
}

/* NULL: it was not sent of late. */
static struct loop *find(struct loops *loops, uint64_t hash)
{
    for (size_t i = 0; i < LOOPS_MAX; i++)
        if (loops->rows[i].sent_us && loops->rows[i].hash == hash)
            return &loops->rows[i];
    return NULL;
}

static void leave_in_peace(struct loop *row, usec_t peace_until_us)
{
    row->n_back = row->n_probes = 0;
    row->pause_us = 0;
    row->suspect = 0;
    row->guilty = false;
    row->peace_until_us = peace_until_us;
}

static usec_t pause(struct loop *row, uint64_t who, usec_t now)
{
    if (!row->suspect)
        row->suspect = who;
    row->pause_us = now;
    return PROBE_US;
}

/* What came before the pause may be sent after it: by the suspect first, by another one when nothing came of that. */
static usec_t wait_for_turn(struct loop *row, uint64_t who, usec_t now)
{
    usec_t end_us = row->pause_us + PROBE_US;
    usec_t turn_us = (row->sent_us > end_us ? row->sent_us : end_us) + BACK_PROBED_MAX_US;
    if (row->suspect == who)
        return 0;
    if (now < turn_us)
        return turn_us - now;
    row->suspect = who;
    row->n_probes = 0;
    return 0;
}

/* An event that came after the pause began tells whose it is. */
static usec_t look_probed(struct loop *row, uint64_t who, usec_t came_us, usec_t now)
{
    usec_t end_us = row->pause_us + PROBE_US;
    if (came_us < end_us || came_us > row->sent_us + BACK_PROBED_MAX_US) {
        leave_in_peace(row, now + PEACE_US);
        return 0;
    }
    row->guilty = ++row->n_probes >= PROBES;
    return pause(row, who, now);
}

static usec_t look_unprobed(struct loop *row, uint64_t who, usec_t came_us, usec_t now)
{
    bool back = came_us > row->sent_us && came_us <= row->sent_us + BACK_MAX_US;
    if (!back || now < row->peace_until_us || came_us <= row->counted_us) /* counted: for another action */
        return 0;
    row->counted_us = came_us;
    if (now > row->window_us + WINDOW_US || now < row->window_us) {
        row->window_us = now;
        row->n_back = 0;
    }
    return ++row->n_back > BACK_MAX ? pause(row, who, now) : 0;
}

static usec_t look(struct loop *row, uint64_t who, usec_t came_us, usec_t now)
{
    if (!row->pause_us)
        return look_unprobed(row, who, came_us, now);
    if (now >= row->pause_us && now < row->pause_us + PROBE_US)
        return row->pause_us + PROBE_US - now;
    if (came_us < row->pause_us + ON_ITS_WAY_US)
        return wait_for_turn(row, who, now);
    return look_probed(row, who, came_us, now);
}

usec_t loops_look(struct loops *loops, uint64_t hash, uint64_t who, usec_t came_us, usec_t now, bool *ret_loop)
{
    pthread_mutex_lock(&loops->lock);
    struct loop *row = find(loops, hash);
    usec_t wait = row ? look(row, who, came_us, now) : 0;
    *ret_loop = row && row->guilty && row->suspect == who;
    if (*ret_loop) {
        leave_in_peace(row, 0);
        wait = 0;
    }
    pthread_mutex_unlock(&loops->lock);
    return wait;
}

/* Of several actions the first counts: what it brings back may come before the others have sent. In a probe it is the
 * suspect. */
void loops_sent(struct loops *loops, uint64_t hash, uint64_t who, usec_t came_us, usec_t now)
{
    pthread_mutex_lock(&loops->lock);
    struct loop *row = find(loops, hash);
    if (!row) {
        row = &loops->rows[0];
        for (size_t i = 1; i < LOOPS_MAX; i++)
            if (loops->rows[i].sent_us < row->sent_us)
                row = &loops->rows[i];
        *row = (struct loop){ .hash = hash };
    }
    if (row->pause_us ? who == row->suspect : came_us > row->came_us || now < row->sent_us) {
        row->came_us = came_us;
        row->sent_us = now;
    }
    pthread_mutex_unlock(&loops->lock);
}
