/* table.c - words for people: columns, how long ago, how large. */
#include <stdlib.h>
#include <string.h>

#include "private.h"

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

void write_duration(struct text *out, usec_t us)
{
    static const struct {
        usec_t us;
        const char *name;
    } units[] = {
        { 24 * 3600 * USEC_PER_SEC, "d" },
        { 3600 * USEC_PER_SEC, "h" },
        { 60 * USEC_PER_SEC, "min" },
        { USEC_PER_SEC, "s" },
    };
    size_t i = 0;
    while (i < ARRAY_SIZE(units) - 1 && us < 2 * units[i].us)
        i++;
    text_addf(out, "%llu %s", (unsigned long long) (us / units[i].us), units[i].name);
}

void write_ago(struct text *out, usec_t time_us, usec_t now)
{
    if (time_us > now + USEC_PER_SEC) {
        text_add(out, "in ");
        write_duration(out, time_us - now);
        return;
    }
    write_duration(out, time_us < now ? now - time_us : 0);
    text_add(out, " ago");
}

void write_size(struct text *out, uint64_t bytes)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    size_t i = 0;
    double size = (double) bytes;
    for (; size >= 1024 && i < ARRAY_SIZE(units) - 1; i++)
        size /= 1024;
    text_addf(out, i ? "%.1f %s" : "%.0f %s", size, units[i]);
}

void write_safe(struct text *out, const char *words, size_t chars_max)
{
    text_add_safe(out, words, strlen(words), chars_max);
}

void write_member(struct text *out, const char *name, const char *words)
{
    text_addf(out, ",\"%s\":", name);
    text_add_json(out, words, strlen(words));
}

int write_stdout(const struct text *out)
{
    if (out->failed)
        return ctl_fail(EXIT_FAILURE, "no memory");
    if (fwrite(out->s, 1, out->size, stdout) == out->size && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    return EXIT_FAILURE;
}
