/* forward.h - inside the forward action: what an answer comes to.
 *
 * Shape:   "expect" is NULL: a status 2xx is done as soon as it is there. "sent": the request is out. Else a glob for
 *          the first bytes of the body of a 2xx.
 * Source:  design section 11.
 */
#pragma once

#include "web.h"

#define FORWARD_EXPECT_BYTES 200             /* of an answer's body are compared with "expect", and shown */
#define FORWARD_ANSWER_BYTES ((size_t) 4096) /* are kept: a key that is taken out has to be whole */

/* ---- forward_template.c: of body = "template" ---- */

void forward_render_template(const struct config_action *config, const struct action_record *record, struct text *out);
void forward_check_template(const struct config_action *config, const struct event_families *families,
                            config_complain *complain, void *context);
void forward_doubt_template(const struct config_action *config, const struct event_families *families,
                            config_complain *warn, void *context);

/* ---- forward_answer.c ---- */

enum web_wait forward_wait(const struct config_action *config);

/* key: what the answer may repeat; "": none. */
void forward_judge(const struct config_action *config, const struct web_answer *answer, const char *key,
                   struct action_outcome *ret);
