/* post.h - inside src/ctl: one HTTP request, with libcurl. */
#pragma once

#include "private.h"

/* body NULL: GET. The answer's text is cut at some KiB. Sentences do not name the URL, which may hold a secret. */
int http_ask(const char *url, const struct text *body, long *ret_status, struct text *ret_answer,
             struct err *err) MUST_CHECK;
