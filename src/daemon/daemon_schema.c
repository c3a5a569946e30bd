/* daemon_schema.c - what the tables add to the configuration. */
#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/daemon.h>
#include <sonoran-pushd/sources.h>

#define KIND(name) &action_##name.kind,
#define SECTION(name) &source_##name.section,
static const struct config_kind *const kinds[] = { ACTION_TYPES(KIND) };
static const struct config_section *const sections[] = { SOURCE_TYPES(SECTION) };

const struct config_schema daemon_schema = { kinds, ARRAY_SIZE(kinds), sections, ARRAY_SIZE(sections) };
