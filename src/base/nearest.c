/* nearest.c - which of the known names an unknown one may have meant. */
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/text.h>

#define DISTANCE_MAX_BYTES 64

/* Letters to change, add or leave out to make b of a (Levenshtein), whatever their case; SIZE_MAX: b is too long. In
 * one row of the usual table. */
static size_t distance(const char *a, const char *b)
{
    size_t row[DISTANCE_MAX_BYTES + 1] = { 0 }, n = strlen(b);
    if (n > DISTANCE_MAX_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (; *a; a++) {
        size_t diagonal = row[0]++;
        for (size_t j = 1; j <= n; j++) {
            size_t best = diagonal + (strncasecmp(a, &b[j - 1], 1) != 0);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
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
