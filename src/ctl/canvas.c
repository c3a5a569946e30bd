/* canvas.c - cells. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

int canvas_open(struct canvas *ret, int rows, int columns, bool ascii)
{
    *ret = (struct canvas){ .rows = rows, .columns = columns, .ascii = ascii };
    if (rows <= 0 || columns <= 0)
        ret->rows = ret->columns = 0;
    ret->cells = calloc((size_t) ret->rows * (size_t) ret->columns + 1, sizeof(*ret->cells));
    if (!ret->cells) {
        ret->rows = ret->columns = 0;
        return -ENOMEM;
    }
    for (int row = 0; row < ret->rows; row++)
        canvas_fill(ret, row, 0, ret->columns, STYLE_PLAIN);
    return 0;
}

void canvas_close(struct canvas *canvas)
{
    free(canvas->cells);
    *canvas = (struct canvas){ 0 };
}

static struct canvas_cell *cell_at(struct canvas *canvas, int row, int column)
{
    return &canvas->cells[(size_t) row * (size_t) canvas->columns + (size_t) column];
}

/* Half of a wide character is none. */
static void clear_neighbour(struct canvas *canvas, int row, int column)
{
    struct canvas_cell *cell = cell_at(canvas, row, column);
    if (cell->code == 0 && column > 0)
        cell_at(canvas, row, column - 1)->code = L' ';
    if (column + 1 < canvas->columns && cell_at(canvas, row, column + 1)->code == 0)
        cell_at(canvas, row, column + 1)->code = L' ';
}

void canvas_fill(struct canvas *canvas, int row, int column, int columns, enum canvas_style style)
{
    if (row < 0 || row >= canvas->rows)
        return;
    for (int i = column < 0 ? 0 : column; i < column + columns && i < canvas->columns; i++) {
        clear_neighbour(canvas, row, i);
        *cell_at(canvas, row, i) = (struct canvas_cell){ .code = L' ', .style = (unsigned char) style };
    }
}

/* ---- characters ---- */

struct letter {
    wchar_t code;
    int columns; /* 0: it goes with the one before */
};

/* What a terminal may draw in any width, or not at all, is a question mark, as is what ascii has not. */
static size_t read_letter(const struct canvas *canvas, const char *text, size_t size, struct letter *ret)
{
    uint32_t code;
    size_t n = utf8_read(text, size, &code);
    if (!n || text_is_unsafe(code)) {
        *ret = (struct letter){ L'?', 1 };
        return n ? n : 1;
    }
    int columns = wcwidth((wchar_t) code);
    *ret = (struct letter){ (wchar_t) code, columns < 0 ? 1 : columns };
    if (columns < 0 || (canvas->ascii && code > 0x7e && columns > 0))
        *ret = (struct letter){ L'?', 1 };
    return n;
}

int canvas_width(const struct canvas *canvas, const char *text)
{
    struct letter letter;
    int columns = 0;
    for (size_t i = 0, size = strlen(text); i < size; columns += letter.columns)
        i += read_letter(canvas, text + i, size - i, &letter);
    return columns;
}

size_t canvas_fit(const struct canvas *canvas, const char *text, int columns)
{
    struct letter letter;
    size_t size = strlen(text), at_blank = 0;
    int used = 0;
    for (size_t i = 0, n; i < size; i += n, used += letter.columns) {
        n = read_letter(canvas, text + i, size - i, &letter);
        at_blank = text[i] == ' ' ? i : at_blank;
        if (i > 0 && used + letter.columns > columns)
            return at_blank ? at_blank : i;
    }
    return size;
}

static void add_mark(struct canvas_cell *cell, wchar_t code)
{
    for (size_t i = 0; i < CANVAS_MARKS; i++)
        if (!cell->marks[i]) {
            cell->marks[i] = code;
            return;
        }
}

static void put_letter(struct canvas *canvas, int row, int column, struct letter letter, enum canvas_style style)
{
    for (int i = 0; i < letter.columns; i++) {
        clear_neighbour(canvas, row, column + i);
        *cell_at(canvas, row, column + i) =
            (struct canvas_cell){ .code = i ? 0 : letter.code, .style = (unsigned char) style };
    }
}

int canvas_put(struct canvas *canvas, int row, int column, int columns, enum canvas_style style, const char *text)
{
    int end = column + columns < canvas->columns ? column + columns : canvas->columns, at = column;
    if (row < 0 || row >= canvas->rows || column < 0 || at >= end)
        return 0;
    bool whole = canvas_width(canvas, text) <= end - column;
    int room = whole ? end : end - 1; /* the last is for what says that it goes on */
    struct letter letter;
    struct canvas_cell *last = NULL;
    for (size_t i = 0, size = strlen(text); i < size;) {
        i += read_letter(canvas, text + i, size - i, &letter);
        if (letter.columns == 0) {
            if (last && !canvas->ascii)
                add_mark(last, letter.code);
            continue;
        }
        if (at + letter.columns > room)
            break;
        put_letter(canvas, row, at, letter, style);
        last = cell_at(canvas, row, at);
        at += letter.columns;
    }
    if (!whole) {
        put_letter(canvas, row, at, (struct letter){ canvas->ascii ? L'~' : L'…', 1 }, style);
        at++;
    }
    return at - column;
}

void canvas_put_right(struct canvas *canvas, int row, int column, int columns, enum canvas_style style,
                      const char *text)
{
    int width = canvas_width(canvas, text);
    int blank = width < columns ? columns - width : 0;
    canvas_put(canvas, row, column + blank, columns - blank, style, text);
}

/* ---- as text ---- */

static void write_code(wchar_t wide, struct text *out)
{
    uint32_t code = (uint32_t) wide;
    char bytes[4];
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char heads[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n; i-- > 1; code >>= 6)
        bytes[i] = (char) (0x80 | (code & 0x3f));
    bytes[0] = (char) (heads[n] | code);
    text_add_bytes(out, bytes, n);
}

void canvas_write_row(const struct canvas *canvas, int row, struct text *out)
{
    const struct canvas_cell *cells = &canvas->cells[(size_t) row * (size_t) canvas->columns];
    int n = canvas->columns;
    while (n > 0 && cells[n - 1].code == L' ')
        n--;
    for (int i = 0; i < n; i++) {
        if (cells[i].code)
            write_code(cells[i].code, out);
        for (size_t j = 0; j < CANVAS_MARKS && cells[i].marks[j]; j++)
            write_code(cells[i].marks[j], out);
    }
}
