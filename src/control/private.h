/* private.h - inside src/control. */
#pragma once

#include <sonoran-pushd/control.h>

/* What a client asks for. */
struct control_request {
    char line[CONTROL_LINE_BYTES]; /* terminated; may be changed */
    struct text more;              /* what came behind it: secrets, or a record */
    bool trusted;                  /* root, or our own user */
};

/* answers.c: out becomes an object and a line end. */
void control_answer(const struct control_parts *parts, struct control_request *request, struct text *out);

/* How many bytes come behind line; 0: none. */
size_t control_more_size(const char *line);
