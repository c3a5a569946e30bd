/* text_secret.h - a growing text (text.h) that holds a secret.
 *
 * Shape, owner, errors, threads: text.h; at the end text_wipe.
 */
#pragma once

#include <sonoran-pushd/text.h>

/* As text_add_bytes; nothing is left in the memory that it was in before it grew. */
void text_add_secret(struct text *text, const char *s, size_t size);
