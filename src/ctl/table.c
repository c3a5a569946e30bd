/* table.c - words for people: columns, how long ago, how large, what failed. */
#include <stdlib.h>
#include <string.h>

#include "ctl_private.h"

int ctl_fail(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs(CTL_NAME ": ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

static size_t column_width(const char *const *cells, size_t n_rows, size_t n_columns, size_t column)
{
    size_t width = 0;
    for (size_t row = 0; row < n_rows; row++) {
        size_t chars = wrap_chars(cells[row * n_columns + column]);
        width = chars > width ? chars : width;
    }
    return width;
}

void table_write(const char *const *cells, const char *const *notes, size_t n_rows, size_t n_columns, struct text *out)
{
    size_t indent = column_width(cells, n_rows, n_columns, 0) + 2, width = wrap_width();
    for (size_t row = 0; row < n_rows; row++) {
        for (size_t column = 0; column < n_columns; column++) {
            const char *cell = cells[row * n_columns + column];
            size_t room = column_width(cells, n_rows, n_columns, column) + 2;
            text_add(out, cell);
            if (column + 1 < n_columns)
                text_addf(out, "%*s", (int) (room - wrap_chars(cell)), "");
        }
        while (out->size && out->s[out->size - 1] == ' ')
            out->s[--out->size] = '\0';
        text_add(out, "\n");
        if (!*notes[row])
            continue;
        text_addf(out, "%*s", (int) indent, "");
        wrap_write(out, notes[row], indent, width);
    }
}

struct text *table_cells_new(size_t n_rows, size_t n_columns, struct text *out)
{
    struct text *cells = calloc(n_rows * n_columns, sizeof(*cells));
    out->failed |= !cells;
    for (size_t i = 0; cells && i < n_rows * n_columns; i++)
        cells[i] = (struct text) TEXT_INIT;
    return cells;
}

void table_cells_write(struct text *take_cells, size_t n_rows, size_t n_columns, struct text *out)
{
    size_t n = n_rows * n_columns;
    const char **words = calloc(n, sizeof(*words)), **notes = calloc(n_rows, sizeof(*notes));
    out->failed |= !words || !notes;
    for (size_t i = 0; i < n && !out->failed; i++) {
        words[i] = take_cells[i].s;
        out->failed |= take_cells[i].failed;
    }
    for (size_t i = 0; i < n_rows && !out->failed; i++)
        notes[i] = "";
    if (!out->failed)
        table_write(words, notes, n_rows, n_columns, out);
    for (size_t i = 0; i < n; i++)
        text_free(&take_cells[i]);
    free(take_cells);
    free(words);
    free(notes);
}

void table_write_line(const char *label, const struct text *line, struct text *out)
{
    text_addf(out, "%-12s", label);
    wrap_write(out, line->s, 12, wrap_width());
    out->failed |= line->failed;
}

void table_write_ago(struct text *out, usec_t time_us, usec_t now)
{
    if (time_us > now + USEC_PER_SEC) {
        text_add(out, "in ");
        text_add_about(out, time_us - now);
        return;
    }
    text_add_about(out, time_us < now ? now - time_us : 0);
    text_add(out, " ago");
}

void table_write_size(struct text *out, uint64_t bytes)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    size_t i = 0;
    double size = (double) bytes;
    for (; size >= 1024 && i < ARRAY_SIZE(units) - 1; i++)
        size /= 1024;
    text_addf(out, i ? "%.1f %s" : "%.0f %s", size, units[i]);
}

void table_write_safe(struct text *out, const char *words, size_t chars_max)
{
    text_add_safe(out, words, strlen(words), chars_max);
}

int table_write_stdout(const struct text *out)
{
    if (out->failed)
        return ctl_fail(EXIT_FAILURE, "no memory");
    if (fwrite(out->s, 1, out->size, stdout) == out->size && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    return EXIT_FAILURE;
}
