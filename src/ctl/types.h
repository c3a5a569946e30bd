/* types.h - inside src/ctl: what "sonoran-pushctl types" prints of a type. */
#pragma once

#include <sonoran-pushd/facts.h>

#include "private.h"

/* What makes the CAD send it, in a few words. */
const char *type_about(const struct event_type *type);

/* An example, its line, its facts. */
int type_write(const struct event_type *type, struct text *out, struct err *err) MUST_CHECK;

/* The same as one JSON object. */
int type_write_json(const struct event_type *type, const struct event_family *family, struct text *out,
                    struct err *err) MUST_CHECK;
