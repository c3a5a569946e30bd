/* json_private.h - inside src/json: parts of a value, of which a copy for cJSON is made. */
#pragma once

#include <sonoran-pushd/json.h>

/* Each passes one such thing. *ret_code: the character, or the replacement character for half of a surrogate pair. */
int json_scan_escape(struct json_scan *scan, uint32_t *ret_code, struct err *err);
int json_scan_number(struct json_scan *scan, struct err *err);
