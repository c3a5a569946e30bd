/* actions.c - all action types; the one place to add one. */
#include <sonoran-pushd/actions.h>

static const struct action_type *const list[] = { &action_exec, &action_forward, &action_discord };

const struct action_types all_action_types = { list, ARRAY_SIZE(list) };
