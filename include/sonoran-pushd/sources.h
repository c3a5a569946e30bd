/* sources.h - the kinds of sources there are, each in a file of src/sources (a few, where it needs them): the one place
 * to add one. */
#pragma once

#include <sonoran-pushd/source_type.h>

#define SOURCE_TYPES(X) X(push) X(session) X(streams)

#define SOURCE_TYPE(name) extern const struct source_type source_##name;
SOURCE_TYPES(SOURCE_TYPE)
#undef SOURCE_TYPE

extern const struct source_types source_types_all;
