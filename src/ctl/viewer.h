/* viewer.h - inside src/ctl: the board in a terminal: what it knows, and how that is drawn.
 *
 * Shape:   a thread (viewer_link.c) hears the daemon and changes what is known; the main one draws it and reads keys
 *          (viewer_screen.c). Order, words and limits of an item are the daemon's (board.h): a viewer only draws.
 * Units:   times of the daemon's wall clock, but for heard_us, of uptime_us.
 * Threads: whoever looks at items, feed or link holds the lock.
 */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/json_get.h>

#include "canvas.h"
#include "ctl_private.h"

enum viewer_kind { VIEWER_CALL911, VIEWER_CALL, VIEWER_UNIT, VIEWER_FEED, VIEWER_N_PANES };
#define VIEWER_N_KINDS 3 /* of which there are items */

struct viewer_item {
    cJSON *json; /* as it came; what follows is in it */
    const char *community, *node, *rank, *label;
    int64_t id;
    usec_t since_us, warn_us, late_us; /* 0: not known, never */
    bool heard;                        /* a panic that somebody here acknowledged */
};

struct viewer_list {
    struct viewer_item *v; /* by rank */
    size_t n, room;
};

struct viewer_line {
    usec_t time_us;
    struct text text; /* safe for a terminal */
    int level;        /* syslog */
    bool test;
};

#define VIEWER_FEED_MAX 64

struct viewer {
    pthread_mutex_t lock;
    struct viewer_list lists[VIEWER_N_KINDS];
    cJSON *sources;                           /* a list: how events come in; NULL: not known */
    struct viewer_line feed[VIEWER_FEED_MAX]; /* a ring */
    size_t n_feed;                            /* since the beginning */
    uint64_t line_id;                         /* of the newest of them */
    uint64_t newest;                          /* event */
    int community_columns;                    /* that names of communities take in rows; 0: there is one */
    bool loaded;                              /* there was a state */
    bool live;                                /* the stream is open */
    usec_t heard_us;
    int64_t clock_us;    /* the daemon's, less ours */
    struct text trouble; /* why it is not live, safe; "": nothing to say */
    unsigned n_alarms;   /* panics and emergencies that came since the first state */
    int changed_fd;      /* readable when something changed; -1: nobody waits */
};

void viewer_init(struct viewer *viewer);
void viewer_done(struct viewer *viewer);

/* ---- viewer_items.c: under the lock ---- */

/* An answer of /api/state. What was known is forgotten. -EPROTO: it is none. */
int viewer_take_state(struct viewer *viewer, const cJSON *state, struct err *err) MUST_CHECK;
/* An item of the stream, or the end of one; takes json. What has no id is left out. */
void viewer_take_item(struct viewer *viewer, enum viewer_kind kind, cJSON *json);
/* An event record. */
void viewer_take_record(struct viewer *viewer, const cJSON *record);
/* NULL: not known here. */
const struct viewer_item *viewer_find(const struct viewer *viewer, enum viewer_kind kind,
                                      const struct viewer_item *near, int64_t id);
/* A text of an item, safe; a whole number of it. */
void viewer_write_text(struct text *out, const struct viewer_item *item, const char *name);
int64_t viewer_number(const struct viewer_item *item, const char *name, int64_t otherwise);
/* A list in it, or NULL. */
const cJSON *viewer_array(const cJSON *json, const char *name);
/* All of it, as it is. false: no memory, and ret is empty. */
bool viewer_copy(struct viewer *ret, const struct viewer *from) MUST_CHECK;
/* Another one, with a JSON of its own; without memory that is NULL. */
struct viewer_item viewer_copy_item(const struct viewer_item *item);
/* The same one at another time. */
bool viewer_is_same(const struct viewer_item *a, const struct viewer_item *b);
/* Whether a board shows it: units on duty, calls that are open. */
bool viewer_is_shown(enum viewer_kind kind, const struct viewer_item *item);
/* A 911 call that a dispatch call was made from: it is shown, dimmed, and waits for nobody. */
bool viewer_is_settled(enum viewer_kind kind, const struct viewer_item *item);
const struct viewer_line *viewer_line(const struct viewer *viewer, size_t back); /* 0: the newest; NULL: no more */

/* ---- viewer_link.c ---- */

struct viewer_source {
    const char *store;     /* path of the event log */
    const char *community; /* NULL: all */
    int stop_fd;           /* readable when it has to end */
};

/* One look. */
int viewer_load(struct viewer *viewer, const struct viewer_source *source, struct err *err) MUST_CHECK;
/* Goes on until stop_fd is readable: the thread. */
void viewer_follow(struct viewer *viewer, const struct viewer_source *source);

/* ---- viewer_panics.c: under the lock ---- */

#define VIEWER_PANICS_SHOWN 3

bool viewer_is_panic(const struct viewer_item *unit);
int viewer_count_panics(const struct viewer *viewer);
/* Those that nobody has acknowledged come first; NULL: there are not so many. */
const struct viewer_item *viewer_panic(const struct viewer *viewer, int i);
bool viewer_has_unheard(const struct viewer *viewer);
/* The same panic, not another one of that unit: nobody there has to know of it. */
void viewer_hear(struct viewer *viewer, const struct viewer_item *panic);

/* ---- viewer_sources.c: under the lock ---- */

#define VIEWER_CUTS_SHOWN 3

/* A list; what is cut of it has a row below the first line. */
void viewer_take_sources(struct viewer *viewer, cJSON *take_sources);
int viewer_count_cuts(const struct viewer *viewer);

/* ---- viewer_layout.c, viewer_panes.c, viewer_page.c: pure ---- */

#define VIEWER_FILTER_MAX_BYTES 63

/* What is open: one item, whatever becomes of it, and its story. */
struct viewer_detail {
    enum viewer_kind kind;
    struct viewer_item item; /* a copy; json NULL: nothing is open */
    bool gone;               /* the daemon has it no more */
    cJSON *story;            /* as /api/story answers; NULL: none */
    struct text trouble;     /* why there is none, safe; "": it is asked for */
    int top;                 /* the first row that is shown; drawing brings it back */
};

/* An item, by name. */
struct viewer_key {
    bool known;
    char community[NAME_MAX_BYTES + 1], node[NAME_MAX_BYTES + 1];
    int64_t id;
};

struct viewer_look {
    usec_t now_us;    /* of the daemon's clock */
    usec_t uptime_us; /* of ours */
    const char *community;
    bool once; /* printed, not on a screen: all of it, without keys */
    bool paused, bell, help, typing;
    enum viewer_kind focus;
    bool chooses;                             /* the arrows were used: one item is marked */
    int chosen[VIEWER_N_PANES];               /* from 0 */
    struct viewer_key marked[VIEWER_N_KINDS]; /* which one that is: the mark goes with it */
    struct viewer_detail *detail;             /* NULL: nothing is open */
    usec_t held_us;                           /* paused: when the picture was taken */
    uint64_t n_events_since, n_alarms_since;  /* paused: what it does not show */
    char filter[VIEWER_FILTER_MAX_BYTES + 1];
};

/* What of a canvas a part has. */
struct viewer_box {
    int row, column, rows, columns;
};

/* Everything. chosen is brought back into its list. */
void viewer_draw(const struct viewer *viewer, struct viewer_look *look, struct canvas *canvas);
/* As many rows as everything takes, for a look that is printed. */
int viewer_rows(const struct viewer *viewer, const struct viewer_look *look);

/* The one that is marked in the list of the focus; the first where none is. NULL: there is none to mark. */
const struct viewer_item *viewer_marked(const struct viewer *viewer, struct viewer_look *look);

/* The whole of what is open. */
void viewer_draw_detail(const struct viewer *viewer, const struct viewer_look *look, struct viewer_box box,
                        struct canvas *canvas);

/* Returns how many rows it took. */
int viewer_put_cuts(const struct viewer *viewer, const struct viewer_look *look, int row, struct canvas *canvas);

/* A list with its title. */
void viewer_draw_pane(const struct viewer *viewer, struct viewer_look *look, enum viewer_kind kind,
                      struct viewer_box box, struct canvas *canvas);
/* What is told as the number of the shown ones that the filter lets through: without those that are settled. */
int viewer_count_told(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind);
/* The rows that they take in so many columns. */
int viewer_wanted_rows(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind, int columns);

/* ---- viewer_rows.c: one item, in its row ---- */

#define VIEWER_WIDE_COLUMNS 60 /* from so many on a call tells its place in its line */

struct viewer_place {
    struct canvas *canvas;
    int row, column, columns;
    int community_columns; /* for the name of its community */
    bool chosen;
};

void viewer_put_call911(const struct viewer_place *at, const struct viewer_look *look, const struct viewer_item *item);
void viewer_put_call(const struct viewer_place *at, const struct viewer *viewer, const struct viewer_look *look,
                     const struct viewer_item *item);
void viewer_put_call_in_two(const struct viewer_place *at, const struct viewer *viewer, const struct viewer_look *look,
                            const struct viewer_item *item);
void viewer_put_unit(const struct viewer_place *at, const struct viewer_look *look, const struct viewer_item *item,
                     int number_width);
void viewer_put_line(const struct viewer_place *at, const struct viewer_line *line);
enum canvas_style viewer_style_of(const char *label);
/* "00:42", "1h02m", "3d04h"; since 0: "". */
void viewer_write_age(struct text *out, usec_t since_us, usec_t now_us);
/* "3-L-27 Mara Ellison"; of one that is not known "unit 4127". */
void viewer_write_unit(struct text *out, const struct viewer *viewer, const struct viewer_item *near, int64_t id,
                       bool with_name);
/* ---- viewer_screen.c: the terminal ---- */

/* Until somebody leaves it. -ENOTTY: the terminal cannot do it. */
struct viewer_stories; /* viewer_desk.h */
int viewer_show(struct viewer *viewer, struct viewer_look *look, struct viewer_stories *stories, bool ascii,
                bool colours, int stop_fd, struct err *err) MUST_CHECK;
