/* nearest.c - which of the known names an unknown one may have meant. */
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/text.h>

#define DISTANCE_MAX_BYTES 64

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to change, add, leave out or swap with the next one to make b of a, whatever their case (Damerau's distance,
 * no letter twice); SIZE_MAX: b is too long. Of the usual table the last three rows are kept. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][DISTANCE_MAX_BYTES + 1] = { 0 }, n = strlen(b), i = 0;
    if (n > DISTANCE_MAX_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        rows[0][j] = j;
    for (; a[i]; i++) {
        const size_t *above = rows[i % 3], *higher = rows[(i + 2) % 3];
        size_t *row = rows[(i + 1) % 3];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            bool same = strncasecmp(&a[i], &b[j], 1) == 0;
            bool swapped =
                i > 0 && j > 0 && strncasecmp(&a[i - 1], &b[j], 1) == 0 && strncasecmp(&a[i], &b[j - 1], 1) == 0;
            row[j + 1] = smaller(above[j] + !same, smaller(above[j + 1], row[j]) + 1);
            if (swapped)
                row[j + 1] = smaller(row[j + 1], higher[j - 1] + 1);
        }
    }
    return rows[i % 3][n];
}

struct nearest nearest_to(const char *written)
{
    size_t size = strlen(written);
    size_t near = size > NEAREST_MAX_BYTES ? 0 : size < 5 ? 2 : size < 9 ? 3 : 4;
    return (struct nearest){ .written = written, .distance = near };
}

void nearest_try(struct nearest *nearest, const char *name, int size)
{
    char known[NEAREST_MAX_BYTES + 1];
    if (size == 0 || (size_t) size >= sizeof(known) || !nearest->distance)
        return;
    memcpy(known, name, (size_t) size);
    known[size] = '\0';

    size_t found = distance(nearest->written, known);
    if (found < nearest->distance) {
        nearest->name = name;
        nearest->size = size;
        nearest->distance = found;
    }
}
