/* sources.c - the list of all kinds of sources, as it is handed down. */
#include <sonoran-pushd/sources.h>

#define ROW(name) &source_##name,
static const struct source_type *const list[] = { SOURCE_TYPES(ROW) };

const struct source_types source_types_all = { list, ARRAY_SIZE(list) };
