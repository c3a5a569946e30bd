/* actions.h - the list of action types: one file of src/actions each, or a file with its parts beside it.
 *
 * Shape, owner, threads and errors: see action_type.h.
 */
#pragma once

#include <sonoran-pushd/action_type.h>

/* All types, and the one place to add one: each is the object action_NAME of a file of src/actions. */
#define ACTION_TYPES(X) X(exec) X(forward) X(discord) X(redis)

#define ACTION_TYPE(name) extern const struct action_type action_##name;
ACTION_TYPES(ACTION_TYPE)
