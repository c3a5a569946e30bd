/* player.h - inside src/ctl: events posted one after the other, at their time.
 *
 * Shape:   what cannot be posted now is tried again until it can, and all that follows waits.
 */
#pragma once

#include <sonoran-pushd/net.h>

#include <sonoran-pushd/log.h>

#include "destination.h"
#include "play.h"

struct player {
    const struct destination *to;
    const struct destination_choice *choice;
    double speed;      /* 2: twice as fast */
    usec_t longest_us; /* no pause longer than that, before speed counts */
    int interrupt_fd;  /* of interrupt_begin */
    struct web *web;   /* kept from event to event */
    bool unreachable;  /* told so */
    bool begun;        /* there was an event before */
    usec_t last_us;    /* its time in the recording */
    usec_t due_us;     /* and when it was due, of uptime_us */
    uint64_t n_accepted, n_refused;
};

/* Waits until it is due, posts it, says so on stdout. -EINTR: a signal came; -EPIPE: nobody reads what is said;
 * -EACCES: the daemon does not take the key, or nothing of ours answers there. */
int player_play(struct player *player, const struct play_event *event, struct err *err) MUST_CHECK;

/* A pause, and a new beginning: the next event has nothing to do with those before. */
void player_rest(struct player *player, usec_t pause_us);
void player_done(struct player *player);
