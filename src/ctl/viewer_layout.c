/* viewer_layout.c - what stands where, for any size of a terminal. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "viewer.h"

#define SMALL_ROWS 15 /* below, and below so many columns, one list at a time */
#define SMALL_COLUMNS 60
#define BESIDE_COLUMNS 110 /* from which on units stand beside calls */
#define FEED_ROWS 4
#define ONCE_FEED_ROWS 10

/* ---- the first line ---- */

static bool is_narrow(const struct canvas *canvas)
{
    return canvas->columns < SMALL_COLUMNS;
}

static void write_counts(const struct viewer *viewer, const struct viewer_look *look, bool narrow, struct text *out)
{
    const char *blank = narrow ? " " : "  ";
    text_addf(out, "911 %d%scalls %d%sunits %d", viewer_count_told(viewer, look, VIEWER_CALL911), blank,
              viewer_count_told(viewer, look, VIEWER_CALL), blank, viewer_count_told(viewer, look, VIEWER_UNIT));
}

/* How much came that the picture does not show; most of all who is in panic since. */
static void put_paused(const struct viewer_look *look, int *column, struct canvas *canvas)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    unsigned long long events = look->n_events_since, alarms = look->n_alarms_since;
    if (is_narrow(canvas))
        text_addf(&words, " PAUSED %llu%s ", events, alarms ? "!" : "");
    else
        text_addf(&words, " PAUSED, %llu event%s since ", events, text_plural(events));
    if (alarms && !is_narrow(canvas))
        text_addf(&words, "with %llu ALARM%s ", alarms, alarms == 1 ? "" : "S");
    *column += canvas_put(canvas, 0, *column, canvas->columns - *column, alarms ? STYLE_PANIC : STYLE_STALE, words.s) +
               !is_narrow(canvas);
}

static void put_link(const struct viewer *viewer, const struct viewer_look *look, int *column, struct canvas *canvas)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    enum canvas_style style = STYLE_BAR;
    if (look->paused)
        put_paused(look, column, canvas);
    if (!viewer->live && !look->once) {
        usec_t lost_us = look->uptime_us > viewer->heard_us ? look->uptime_us - viewer->heard_us : 0;
        text_addf(&words, viewer->loaded ? " STALE %llu s " : " NO LINK ",
                  (unsigned long long) (lost_us / USEC_PER_SEC));
        style = STYLE_STALE;
    } else if (!look->once && !look->paused) {
        text_add(&words, " live ");
    }
    if (words.size)
        *column += canvas_put(canvas, 0, *column, canvas->columns - *column, style, words.s) + !is_narrow(canvas);
}

/* Returns its columns. */
static int put_clock(const struct viewer_look *look, struct canvas *canvas)
{
    char clock[32];
    time_t seconds = (time_t) (look->now_us / USEC_PER_SEC);
    struct tm tm;
    localtime_r(&seconds, &tm);
    size_t n = look->once          ? strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M:%S", &tm)
               : is_narrow(canvas) ? strftime(clock, sizeof(clock), " %H:%M", &tm)
                                   : strftime(clock, sizeof(clock), " %H:%M:%S ", &tm);
    int columns = (int) n;
    canvas_put_right(canvas, 0, canvas->columns - columns, columns, STYLE_BAR, clock);
    return columns;
}

static void put_header(const struct viewer *viewer, const struct viewer_look *look, struct canvas *canvas)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    int column = is_narrow(canvas) ? 0 : 1;
    canvas_fill(canvas, 0, 0, canvas->columns, STYLE_BAR);
    int end = canvas->columns - put_clock(look, canvas);
    if (look->community)
        column += canvas_put(canvas, 0, column, canvas->columns / 4, STYLE_BAR, look->community) + 1;
    put_link(viewer, look, &column, canvas);
    write_counts(viewer, look, is_narrow(canvas), &words);
    if (look->bell && !is_narrow(canvas))
        text_add(&words, "  bell on");
    canvas_put(canvas, 0, column, end - column, STYLE_BAR, words.s);
}

/* ---- panics ---- */

static const char heard[] = " acknowledged";

static void put_panic(const struct viewer *viewer, const struct viewer_look *look, const struct viewer_item *unit,
                      int row, struct canvas *canvas)
{
    struct text words CLEANUP(text_free) = TEXT_INIT, place CLEANUP(text_free) = TEXT_INIT;
    struct text age CLEANUP(text_free) = TEXT_INIT;
    const cJSON *calls = viewer_array(unit->json, "calls");
    enum canvas_style style = unit->heard ? STYLE_ALERT : STYLE_PANIC;
    canvas_fill(canvas, row, 0, canvas->columns, style);
    text_add(&words, json_get_flag(unit->json, "test") ? "TEST PANIC  " : "PANIC  ");
    viewer_write_unit(&words, viewer, unit, unit->id, true);
    viewer_write_text(&place, unit, "location");
    if (viewer->community_columns) {
        text_add(&words, ", ");
        viewer_write_text(&words, unit, "community");
    }
    if (place.size)
        text_addf(&words, ", last at %s", place.s);
    if (calls && json_is(calls->child, cJSON_Number))
        text_addf(&words, ", call %.0f", calls->child->valuedouble);
    viewer_write_age(&age, unit->since_us, look->now_us);
    int end = canvas->columns - 9;
    if (unit->heard) {
        canvas_put(canvas, row, end - (int) strlen(heard), end, style, heard);
        end -= (int) strlen(heard);
    }
    canvas_put(canvas, row, 1, end - 1, style, words.s);
    canvas_put_right(canvas, row, canvas->columns - 8, 7, style, age.s);
}

/* Whatever the filter is. Returns how many rows it took. */
static int put_panics(const struct viewer *viewer, const struct viewer_look *look, int row, struct canvas *canvas)
{
    int n = viewer_count_panics(viewer), i = 0;
    const struct viewer_item *unit;
    for (; i < VIEWER_PANICS_SHOWN && (unit = viewer_panic(viewer, i)); i++)
        put_panic(viewer, look, unit, row + i, canvas);
    if (n > VIEWER_PANICS_SHOWN) {
        char more[48];
        snprintf(more, sizeof(more), " and %d more in panic ", n - VIEWER_PANICS_SHOWN);
        canvas_put_right(canvas, row + i - 1, 0, canvas->columns - 9, STYLE_PANIC, more);
    }
    return i;
}

/* ---- the last line ---- */

static void put_keys(const struct viewer *viewer, const struct viewer_look *look, struct canvas *canvas)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    int row = canvas->rows - 1;
    if (look->typing)
        text_addf(&words, "filter: %s_   (Enter keeps it, Esc forgets it)", look->filter);
    else if (!viewer->live && viewer->trouble.size)
        text_addf(&words, "%s", viewer->trouble.s);
    else if (look->detail)
        text_add(&words, is_narrow(canvas) ? "Esc back  arrows scroll  ? help"
                                           : "Esc back  arrows, PgUp, PgDn scroll  a acknowledge  p pause  ? help");
    else if (viewer_has_unheard(viewer))
        text_add(&words, is_narrow(canvas) ? "a acknowledge  q quit  ? help"
                                           : "a acknowledge the panic  q quit  Tab list  Enter open  ? help");
    else if (look->filter[0])
        text_addf(&words, "filter: %s   (/ another, Esc all)", look->filter);
    else
        text_add(&words, is_narrow(canvas) ? "q quit  Tab list  / filter  ? help"
                                           : "q quit  Tab list  Enter open  / filter  p pause  b bell  ? help");
    canvas_put(canvas, row, 1, canvas->columns - 1, look->typing || look->filter[0] ? STYLE_BOLD : STYLE_DIM, words.s);
}

static void put_help(struct viewer_box box, struct canvas *canvas)
{
    static const char *const lines[] = {
        "q, Ctrl-C     leave",
        "Tab           the next list",
        "arrows        move in the list; PgUp, PgDn, Home, End too",
        "Enter         all of that call or unit, and its story; Esc or q closes it",
        "/             show only what has these words in it; Esc shows all again",
        "p             pause: the picture stays as it is; p again goes on",
        "b             a bell for each panic and 911 emergency",
        "a             acknowledge the panics that are shown: the bell rings for",
        "              them no more, else again every 30 s",
        "",
        "AVL available, BSY busy, ENR en route, SCN on scene, UNV unavailable,",
        "S7 a status of the community's own",
        "* the primary unit, >55120 the call a unit is on, P1 a priority",
        "12:04! waits too long (limits: board in sonoran-pushd.yaml)",
        "t made of test events",
    };
    for (int i = 0; i < box.rows; i++)
        canvas_fill(canvas, box.row + i, box.column, box.columns, STYLE_PLAIN);
    for (int i = 0; i < (int) ARRAY_SIZE(lines) && i < box.rows; i++)
        canvas_put(canvas, box.row + i, box.column + 2, box.columns - 2, STYLE_PLAIN, lines[i]);
}

/* ---- who gets how many rows ---- */

/* Row by row to the one that has least of its share, as long as it wants more; what nobody wants is the last one's. */
static void share_rows(int rows, const int *wanted, const int *shares, int n, int *ret)
{
    for (int i = 0; i < n; i++)
        ret[i] = 0;
    for (; rows > 0; rows--) {
        int best = n - 1;
        bool found = false;
        for (int i = 0; i < n; i++)
            if (ret[i] < wanted[i] && (!found || ret[i] * shares[best] < ret[best] * shares[i])) {
                best = i;
                found = true;
            }
        ret[best]++;
    }
}

static void put_stack(const struct viewer *viewer, struct viewer_look *look, const enum viewer_kind *kinds,
                      const int *shares, int n, struct viewer_box box, struct canvas *canvas)
{
    int wanted[VIEWER_N_PANES], rows[VIEWER_N_PANES];
    for (int i = 0; i < n; i++) {
        wanted[i] = viewer_wanted_rows(viewer, look, kinds[i], box.columns);
        if (kinds[i] == VIEWER_CALL && box.columns < 2 * VIEWER_WIDE_COLUMNS && box.columns != canvas->columns)
            wanted[i] *= 2; /* each in two rows, where there is room */
        if (kinds[i] == VIEWER_FEED && wanted[i] > FEED_ROWS && !look->once)
            wanted[i] = FEED_ROWS;
    }
    share_rows(box.rows - n, wanted, shares, n, rows);
    for (int i = 0; i < n; i++) {
        struct viewer_box part = { box.row, box.column, rows[i] + 1, box.columns };
        viewer_draw_pane(viewer, look, kinds[i], part, canvas);
        box.row += part.rows;
    }
}

static void put_body(const struct viewer *viewer, struct viewer_look *look, struct viewer_box box,
                     struct canvas *canvas)
{
    static const enum viewer_kind all[] = { VIEWER_CALL911, VIEWER_CALL, VIEWER_UNIT, VIEWER_FEED };
    static const int shares[] = { 3, 4, 4, 2 };
    struct viewer_box left = box, right = box;
    if (!look->once && (box.rows < SMALL_ROWS - 3 || box.columns < SMALL_COLUMNS)) {
        viewer_draw_pane(viewer, look, look->focus, box, canvas);
        return;
    }
    if (look->once || box.columns < BESIDE_COLUMNS) {
        put_stack(viewer, look, all, shares, VIEWER_N_PANES, box, canvas);
        return;
    }
    left.columns = box.columns * 11 / 20;
    right.column = left.columns + 1;
    right.columns = box.columns - right.column;
    put_stack(viewer, look, all, shares, 2, left, canvas);
    put_stack(viewer, look, all + 2, shares + 2, 2, right, canvas);
}

void viewer_draw(const struct viewer *viewer, struct viewer_look *look, struct canvas *canvas)
{
    if (canvas->rows < 3 || canvas->columns < 20)
        return;
    put_header(viewer, look, canvas);
    usec_t now_us = look->now_us; /* of the clock in the first line, which goes on */
    look->now_us = look->paused ? look->held_us : now_us;
    int row = 1 + viewer_put_cuts(viewer, look, 1, canvas);
    row += put_panics(viewer, look, row, canvas);
    struct viewer_box box = { row, 0, canvas->rows - row - !look->once, canvas->columns };
    if (box.rows > 0 && look->detail)
        viewer_draw_detail(viewer, look, box, canvas);
    else if (box.rows > 0)
        put_body(viewer, look, box, canvas);
    if (look->help)
        put_help(box, canvas);
    if (!look->once)
        put_keys(viewer, look, canvas);
    look->now_us = now_us;
}

int viewer_rows(const struct viewer *viewer, const struct viewer_look *look)
{
    int panics = viewer_count_panics(viewer);
    int rows =
        1 + viewer_count_cuts(viewer) + (panics < VIEWER_PANICS_SHOWN ? panics : VIEWER_PANICS_SHOWN) + VIEWER_N_PANES;
    for (enum viewer_kind kind = 0; kind < VIEWER_N_KINDS; kind++)
        rows += viewer_wanted_rows(viewer, look, kind, 1);
    int feed = viewer_wanted_rows(viewer, look, VIEWER_FEED, 1);
    return rows + (feed < ONCE_FEED_ROWS ? feed : ONCE_FEED_ROWS);
}
