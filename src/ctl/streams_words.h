/* streams_words.h - inside src/ctl: how the rows of streams of the daemon are, for status and doctor. */
#pragma once

#include "ctl_private.h"

/* "open, 3 streams, 42 events, the last 3 s ago, 0 gaps"; "no connection since 5 min ago: …". row: as the status object
 * has it. */
void streams_words_write(struct text *out, const cJSON *row, usec_t now);

/* Of one stream what is not as it should be: "cad:events:edge1 ends at 5-7, before what was read (5-9)". "": nothing.
 */
void streams_words_of_one(struct text *out, const cJSON *stream);
