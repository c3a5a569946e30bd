/* types.h - inside src/ctl: what "sonoran-pushctl types" prints of a type. */
#pragma once

#include <sonoran-pushd/facts.h>

#include "ctl_private.h"

/* What makes the CAD send it, in a few words. */
const char *types_about(const struct event_type *type);

/* An example, its line, its facts. */
int types_write(const struct event_type *type, struct text *out, struct err *err) MUST_CHECK;

/* The same as one JSON object. */
int types_write_json(const struct event_type *type, const struct event_family *family, struct json_writer *out,
                     struct err *err) MUST_CHECK;
