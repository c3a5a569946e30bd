/* loops.c - whether what an action sends comes back to us, to be sent again, for ever.
 *
 * That the same event comes again, and right after it was sent, proves nothing: a panic button that is pressed ten
 * times does that, and sixty updates of one status. So from the seventh time in 10 s on, nothing of it is sent for 4 s:
 * from a sender of its own it goes on coming, and is left in peace for a minute. What does not come in that silence may
 * be a loop, and each action that has it in hand is tried: it sends it once, alone. Whose does not come back at once is
 * cleared and goes on; whose comes back in seven rounds of silence and trial, is a loop.
 *
 *            often                         silence over, nobody came          came back, 7th time
 *   free ------------> silence (a round) ----------------------------> trial ---------------------> guilty: told, off
 *     ^                   | came | ^                                    |  | did not come back
 *     +----- in peace ----+      | +---- all had their turn, some -----+  +---> cleared: sends on
 *     +--------------------------+-------- none is left ----------------+
 *
 * What comes is counted when it is stored, not when it is sent on: several loops multiply what they bring back, and
 * whoever has a thousand of it in hand would learn of the next one too late. In peace the pace is still looked at. */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "delivery_private.h"

#define BACK_MAX_US (2 * USEC_PER_SEC) /* after something of it was sent */
#define WINDOW_US (10 * USEC_PER_SEC)
#define BACK_MAX 5 /* times in the window are still in order */
#define ROUNDS 7
#define SILENCE_US (4 * USEC_PER_SEC)
#define ON_ITS_WAY_US USEC_PER_SEC /* what was sent just before a silence may come back in it */
#define TRIAL_US (1500 * USEC_PER_MSEC)
#define BETWEEN_US (500 * USEC_PER_MSEC) /* two turns, for what comes back twice */
#define LOOK_AGAIN_US (50 * USEC_PER_MSEC)
#define PEACE_US (60 * USEC_PER_SEC)
#define PEACE_WINDOW_US USEC_PER_SEC
#define PEACE_LEAST 20 /* in a second of peace are in order, whatever came in the silence */

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
    uint64_t hash = add_bytes(0, span_of(event->type));
    hash = add_bytes(hash, event->data_text);
    hash = add_bytes(hash, event->extra_text);
    return hash ? hash : 1;
}

/* NULL: it was not sent of late. */
static struct loop *find(struct loops *loops, uint64_t hash)
{
    for (size_t i = 0; i < LOOPS_MAX; i++)
        if (loops->hashes[i] == hash)
            return &loops->rows[i];
    return NULL;
}

/* In the place of what is there for longest and was sent once; not of what is under suspicion, unless nobody asks for
 * it any more. NULL: there is none. */
static struct loop *make(struct loops *loops, uint64_t hash, usec_t now)
{
    for (size_t i = 0; i < 2 * LOOPS_MAX; i++) {
        size_t place = loops->next;
        struct loop *row = &loops->rows[place];
        bool again = row->again, suspected = row->silent_us && now < row->asked_us + PEACE_US;
        loops->next = (place + 1) % LOOPS_MAX;
        row->again = false;
        if (again || suspected)
            continue;
        loops->hashes[place] = hash;
        *row = (struct loop){ .asked_us = now };
        return row;
    }
    return NULL;
}

/* ---- rounds ---- */

static void begin_silence(struct loop *row, usec_t now)
{
    row->silent_us = now;
    row->n_came = 0;
    row->n_rounds++;
    row->turn = NULL;
}

/* Whoever is guilty has still to be told. */
static void begin_rounds(struct loop *row, usec_t now)
{
    size_t n = 0;
    for (size_t i = 0; i < row->n_suspects; i++)
        if (row->suspects[i].guilty)
            row->suspects[n++] = row->suspects[i];
    row->n_suspects = n;
    row->n_rounds = 0;
    begin_silence(row, now);
}

static void end_rounds(struct loop *row, usec_t now)
{
    row->silent_us = 0;
    row->window_us = now;
    row->n_back = 0;
    row->turn = NULL;
}

/* In its own time it may come a few times faster than it just did. */
static void leave_in_peace(struct loop *row, usec_t now)
{
    end_rounds(row, now);
    row->peace_until_us = now + PEACE_US;
    row->peace_max = PEACE_LEAST + 2 * row->n_came;
}

/* The next one in this round; a different one begins each round, so that what one brings back late is not always taken
 * for the next one's. NULL: all had their turn. */
static struct suspect *next_turn(struct loop *row)
{
    for (size_t i = 0; i < row->n_suspects; i++) {
        struct suspect *suspect = &row->suspects[(row->n_rounds + i) % row->n_suspects];
        if (!suspect->cleared && !suspect->guilty && suspect->n_rounds != row->n_rounds)
            return suspect;
    }
    return NULL;
}

static bool is_anyone_left(const struct loop *row)
{
    for (size_t i = 0; i < row->n_suspects; i++)
        if (!row->suspects[i].cleared && !row->suspects[i].guilty)
            return true;
    return false;
}

static void give_turn(struct loop *row, usec_t now)
{
    row->turn = next_turn(row);
    row->turn_us = now;
    row->tried = row->came_back = false;
    if (row->turn)
        row->turn->n_rounds = row->n_rounds;
    else if (is_anyone_left(row))
        begin_silence(row, now);
    else
        end_rounds(row, now);
}

/* From one turn to the next, once it is known what came of it. Whoever does not take his turn has nothing to send any
 * more. */
static void go_on(struct loop *row, usec_t now)
{
    if (!row->silent_us || now < row->silent_us + SILENCE_US)
        return;
    if (now > row->asked_us + PEACE_US) { /* those who asked are gone */
        end_rounds(row, now);
    } else if (!row->turn && row->n_came) {
        leave_in_peace(row, now);
    } else if (!row->turn) {
        give_turn(row, now);
    } else if (row->came_back) {
        row->turn->guilty = row->turn->n_back >= ROUNDS;
        if (now >= row->turn_us + BETWEEN_US || !next_turn(row))
            give_turn(row, now);
    } else if (now > row->turn_us + TRIAL_US) {
        row->turn->cleared = true;
        give_turn(row, now);
    }
}

/* ---- what comes, what goes ---- */

static void count_back(struct loop *row, usec_t now)
{
    bool peace = now < row->peace_until_us;
    if (now > row->sent_us + BACK_MAX_US)
        return;
    if (now > row->window_us + (peace ? PEACE_WINDOW_US : WINDOW_US)) {
        row->window_us = now;
        row->n_back = 0;
    }
    if (++row->n_back > (peace ? row->peace_max : BACK_MAX))
        begin_rounds(row, now);
}

bool loops_care(struct loops *loops, usec_t now)
{
    usec_t asked_us = atomic_load_explicit(&loops->asked_us, memory_order_relaxed);
    return asked_us && now < asked_us + WINDOW_US;
}

void loops_came(struct loops *loops, uint64_t hash, usec_t now)
{
    pthread_mutex_lock(&loops->lock);
    struct loop *row = find(loops, hash);
    if (row && !row->silent_us) {
        count_back(row, now);
    } else if (row && now < row->silent_us + SILENCE_US) {
        row->n_came += now >= row->silent_us + ON_ITS_WAY_US;
    } else if (row && row->tried && !row->came_back && now <= row->turn_us + TRIAL_US) {
        assert(row->turn);
        row->came_back = true;
        row->turn_us = now;
        row->turn->n_back++;
    }
    pthread_mutex_unlock(&loops->lock);
}

/* NULL: there are too many. */
static struct suspect *suspect_of(struct loop *row, uint64_t who)
{
    for (size_t i = 0; i < row->n_suspects; i++)
        if (row->suspects[i].who == who)
            return &row->suspects[i];
    if (!row->silent_us || row->n_suspects == SUSPECTS_MAX)
        return NULL;
    row->suspects[row->n_suspects] = (struct suspect){ .who = who };
    return &row->suspects[row->n_suspects++];
}

/* Under suspicion: how long to wait; 0: it may be sent. */
static usec_t wait_for_turn(struct loop *row, const struct suspect *suspect, usec_t now)
{
    go_on(row, now);
    if (!row->silent_us || suspect->cleared)
        return 0;
    if (now < row->silent_us + SILENCE_US)
        return row->silent_us + SILENCE_US - now;
    if (row->turn != suspect || row->tried)
        return LOOK_AGAIN_US;
    row->tried = true;
    row->turn_us = now;
    return 0;
}

/* How long to wait, or *ret_loop. */
static usec_t ask(struct loop *row, uint64_t who, usec_t now, bool *ret_loop)
{
    struct suspect *suspect = suspect_of(row, who);
    usec_t wait = suspect ? wait_for_turn(row, suspect, now) : 0;
    row->asked_us = now;
    *ret_loop = suspect && suspect->guilty;
    if (*ret_loop) {
        suspect->guilty = false;
        suspect->cleared = true; /* until it is found again, when somebody has switched it on */
        return 0;
    }
    if (!wait) {
        row->again = row->sent_us;
        row->sent_us = now;
    }
    return wait;
}

usec_t loops_pass(struct loops *loops, uint64_t hash, uint64_t who, usec_t now, bool *ret_loop)
{
    *ret_loop = false;
    atomic_store_explicit(&loops->asked_us, now, memory_order_relaxed);
    pthread_mutex_lock(&loops->lock);
    struct loop *row = find(loops, hash);
    if (!row)
        row = make(loops, hash, now);
    usec_t wait = row ? ask(row, who, now, ret_loop) : 0;
    pthread_mutex_unlock(&loops->lock);
    return wait;
}
