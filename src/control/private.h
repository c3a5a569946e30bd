/* private.h - inside src/control. */
#pragma once

#include <sonoran-pushd/control.h>

/* answers.c: line is terminated and may be changed; out becomes an object and a line end. */
void control_answer(const struct control_parts *parts, char *line, struct text *out);
