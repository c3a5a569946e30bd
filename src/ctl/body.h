/* body.h - inside src/ctl: bodies to post, with the key in them. */
#pragma once

#include "private.h"

#define BODY_MAX_BYTES ((size_t) 64 << 20) /* the most that limits.body can be */

/* A file, or "-": stdin. */
int body_read(const char *path, struct text *ret, struct err *err) MUST_CHECK;

/* {"key":…,"type":…,"data":…} and top; data and top may be NULL. */
int body_make(const char *key, const char *type, const char *data, const char *top, struct text *ret,
              struct err *err) MUST_CHECK;

/* A JSON object as it is, byte for byte, but with this key. -EINVAL: not one. */
int body_with_key(const struct text *json, const char *key, struct text *ret, struct err *err) MUST_CHECK;

/* Of a file with nothing else in it, yours to wipe and free. */
int key_read(const char *path, char **ret, struct err *err) MUST_CHECK;

/* For CLEANUP: what may hold a key. */
void wipe_text(struct text *text);
void wipe_key(char **secret);
