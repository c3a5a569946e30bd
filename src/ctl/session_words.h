/* session_words.h - inside src/ctl: how a session of the daemon is, for status and doctor. */
#pragma once

#include "ctl_private.h"

/* "open since 5 min ago, 42 events, the last 3 s ago, 1 refused, 0 gaps"; "no connection since 5 min ago, next try in
 * 20 s: the name api.sonorancad.com cannot be resolved". session: as the status object has it. */
void session_words_write(struct text *out, const cJSON *session, usec_t now);
