/* viewer_desk.h - inside src/ctl: what somebody at the board does there: picks a row, opens it, holds the picture,
 * acknowledges a panic.
 *
 * Shape:   viewer_screen.c has the terminal and hands keys in; viewer_stories.c has a thread that asks the daemon for
 *          the story of what is open, and nobody waits for it.
 * Owner:   a desk is the main thread's. What it shows is the viewer, or a copy of it while the picture is held.
 * Threads: the functions here take the viewer's lock themselves, but those that say "under the lock".
 */
#pragma once

#include "viewer.h"

/* ---- viewer_stories.c ---- */

struct viewer_stories {
    const struct viewer_source *source;
    struct viewer *viewer; /* told, when there is an answer */
    pthread_mutex_t lock;
    pthread_t thread;
    int wanted_fd;
    struct text path; /* what is wanted; "": nothing */
    cJSON *story;     /* its answer, until somebody takes it */
    struct text trouble;
    bool answered;
};

/* It ends when the stop_fd of source is readable; viewer_stories_end waits for that. */
int viewer_stories_begin(struct viewer_stories *stories, struct viewer *viewer, const struct viewer_source *source,
                         struct err *err) MUST_CHECK;
void viewer_stories_end(struct viewer_stories *stories);
/* Of a call; whatever else was wanted is not any more. NULL: nothing is. */
void viewer_stories_want(struct viewer_stories *stories, enum viewer_kind kind, const struct viewer_item *item);
/* Whether there was an answer: *ret is yours, NULL with a safe sentence in trouble where there is no story. */
bool viewer_stories_take(struct viewer_stories *stories, cJSON **ret, struct text *trouble);

/* ---- viewer_desk.c ---- */

struct viewer_desk {
    struct viewer *viewer;
    struct viewer_look *look;
    struct viewer_stories *stories; /* NULL: there are none */
    struct viewer held;             /* the copy */
    struct viewer_detail detail;
    usec_t rung_us;    /* 0: never */
    unsigned n_alarms; /* that it has rung for */
    bool left;         /* somebody wants to go */
    bool anew;         /* draw all of it: something else wrote on the terminal */
};

void viewer_desk_init(struct viewer_desk *desk, struct viewer *viewer, struct viewer_look *look);
void viewer_desk_done(struct viewer_desk *desk);

/* Under the lock. */
const struct viewer *viewer_desk_shown(const struct viewer_desk *desk);
/* Before each frame, under the lock: what is new of what is open, and what is told while the picture is held. */
void viewer_desk_prepare(struct viewer_desk *desk);
/* The same rule as the browser's (alarm.js): at what is new, and again every 30 s as long as nobody has acknowledged a
 * panic. Under the lock. */
bool viewer_desk_rings(struct viewer_desk *desk, usec_t uptime_us);

void viewer_desk_hold(struct viewer_desk *desk); /* the picture, or let it go on */
void viewer_desk_open(struct viewer_desk *desk); /* the row that is marked */
void viewer_desk_close(struct viewer_desk *desk);
/* The panics that are to be seen: nobody has seen the others. */
void viewer_desk_acknowledge(struct viewer_desk *desk);

/* ---- viewer_keys.c ---- */

/* function: it is one of ncurses' KEY_ codes. */
void viewer_obey(struct viewer_desk *desk, wint_t key, bool function);
