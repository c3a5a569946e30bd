/* actions.h - the list of action types: exec, forward, discord. One file of src/actions each. */
#pragma once

#include <sonoran-pushd/action.h>

extern const struct action_type action_exec, action_forward, action_discord;
extern const struct action_types all_action_types;
