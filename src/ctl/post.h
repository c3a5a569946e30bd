/* post.h - inside src/ctl: one HTTP request. */
#pragma once

#include "ctl_private.h"

/* body NULL: GET. The answer's text is cut at some KiB. Sentences name host and port of the URL alone, which may hold a
 * secret. Errors: those of web_post (net.h). */
int post_ask(const char *url, const struct text *body, long *ret_status, struct text *ret_answer,
             struct err *err) MUST_CHECK;
