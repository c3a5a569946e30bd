/* canvas.h - inside src/ctl: a rectangle of characters, drawn on in memory and looked at as a whole.
 *
 * Shape:   rows and columns count from 0. What does not fit is cut, at a character; what is cut ends in "…"
 *          (ascii: "~"). A wide character has two cells, the second with code 0; marks above a letter go with it.
 * Text:    UTF-8 that is safe for a terminal already (text_add_prose). Widths are those of wcwidth(3), so of the
 *          locale.
 * Errors:  without memory a canvas has no cells, and drawing does nothing.
 * Threads: none; one canvas belongs to one thread.
 */
#pragma once

#include <sonoran-pushd/text.h>
#include <wchar.h>

enum canvas_style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_BAR,   /* the first line and titles */
    STYLE_STALE, /* what is shown is old */
    STYLE_PANIC,
    STYLE_ALERT, /* an emergency, a call without a unit */
    STYLE_WARN,  /* later than it should be */
    STYLE_LATE,
    STYLE_AVL,
    STYLE_BSY,
    STYLE_ENR,
    STYLE_SCN,
    STYLE_UNV,
    STYLE_CHOSEN, /* where the arrows are */
    STYLE_N
};

#define CANVAS_MARKS 2 /* that one letter can have */

struct canvas_cell {
    wchar_t code; /* 0: the second half of the one before it */
    wchar_t marks[CANVAS_MARKS];
    unsigned char style;
};

struct canvas {
    int rows, columns;
    bool ascii; /* nothing else is drawn */
    struct canvas_cell *cells;
};

/* All blanks. */
int canvas_open(struct canvas *ret, int rows, int columns, bool ascii) MUST_CHECK;
void canvas_close(struct canvas *canvas);

/* At most so many columns of it. Returns how many it took. */
int canvas_put(struct canvas *canvas, int row, int column, int columns, enum canvas_style style, const char *text);
/* The same, at the right end of these columns. */
void canvas_put_right(struct canvas *canvas, int row, int column, int columns, enum canvas_style style,
                      const char *text);
/* Blanks of this style, whatever was there. */
void canvas_fill(struct canvas *canvas, int row, int column, int columns, enum canvas_style style);

/* How many columns a text takes. */
int canvas_width(const struct canvas *canvas, const char *text);
/* How many bytes of it stand in a row of so many: up to a blank where there is one, and at least one letter. */
size_t canvas_fit(const struct canvas *canvas, const char *text, int columns) MUST_CHECK;

/* A row as UTF-8, without the blanks at its end. */
void canvas_write_row(const struct canvas *canvas, int row, struct text *out);
