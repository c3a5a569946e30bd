/* play.h - inside src/ctl: what "play" plays, one event after the other.
 *
 * Shape:   demo.c makes events of the built-in shift, recording.c reads those of "events --json".
 * Owner:   the caller has an event, PLAY_EVENT_INIT at first, and gives back what is in it (play_event_done) before the
 *          next one.
 */
#pragma once

#include <sonoran-pushd/event.h>

#include "ctl_private.h"

struct play_event {
    struct batch batch; /* of one event */
    struct description description;
    usec_t at_us; /* by the clock of those who were there; only differences count */
};

#define PLAY_EVENT_INIT                                                                                                \
    {                                                                                                                  \
        .description = DESCRIPTION_INIT                                                                                \
    }

void play_event_done(struct play_event *event);

/* ---- demo.c ---- */

struct demo {
    struct state *state; /* the evening as far as it has been told: what names a line knows */
    size_t next;
    unsigned first_id; /* ids are this and the number in C_01 or E_01, and so many more */
};

#define DEMO_IDS 20 /* of one shift: no two shifts that follow each other share one */

/* round: each has ids of its own. */
int demo_begin(struct demo *ret, uint64_t round, struct err *err) MUST_CHECK;
/* 1: there is one, 0: that was all. */
int demo_next(struct demo *demo, struct play_event *ret, struct err *err) MUST_CHECK;
void demo_end(struct demo *demo);

/* ---- recording.c ---- */

struct recording {
    const char *path; /* borrowed */
    FILE *file;       /* stdin: of "-" */
    char *line;       /* of getline */
    size_t room;
    uint64_t n_lines;   /* read */
    uint64_t n_skipped; /* that were refused when they came */
};

int recording_open(struct recording *ret, const char *path, struct err *err) MUST_CHECK;
/* 1: there is one, 0: that was all. -EINVAL: a line that is no event record; err names it. -EINTR: a signal came. */
int recording_next(struct recording *recording, struct play_event *ret, struct err *err) MUST_CHECK;
void recording_close(struct recording *recording);
