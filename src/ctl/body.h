/* body.h - inside src/ctl: bodies to post, with the key in them. */
#pragma once

#include "ctl_private.h"

#define BODY_MAX_BYTES ((size_t) 64 << 20) /* the most that limits.body can be */

/* A file, or "-": stdin. */
int body_read(const char *path, struct text *ret, struct err *err) MUST_CHECK;

/* {"key":…,"type":…,"data":…} and top; data and top may be NULL. test: marked as a test event. */
int body_make(const char *key, const char *type, const char *data, const char *top, bool test, struct text *ret,
              struct err *err) MUST_CHECK;

/* A JSON object as it is, byte for byte, but with this key; test: marked, where it says nothing of "test" itself.
 * -EINVAL: not one. */
int body_with_key(const struct text *body, const char *key, bool test, struct text *ret, struct err *err) MUST_CHECK;

/* Of a file with nothing else in it, yours to wipe and free. */
int body_read_key(const char *path, char **ret, struct err *err) MUST_CHECK;

/* For CLEANUP. */
void body_wipe_key(char **secret);
