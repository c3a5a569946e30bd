/* forward.h - inside the forward action: what an answer comes to.
 *
 * Shape:   "expect" is NULL: a status 2xx is done as soon as it is there. "sent": the request is out. Else a glob for
 *          the first bytes of the body of a 2xx.
 * Source:  design section 11.
 */
#pragma once

#include <sonoran-pushd/action_type.h>
#include <sonoran-pushd/net.h>

#define FORWARD_EXPECT_BYTES 200             /* of an answer's body are compared with "expect", and shown */
#define FORWARD_ANSWER_BYTES ((size_t) 4096) /* are kept: a key that is taken out has to be whole */

enum forward_body { FORWARD_BODY_ORIGINAL, FORWARD_BODY_RECORD, FORWARD_BODY_TEMPLATE };

struct forward_settings {
    char *url;
    int body;             /* enum forward_body */
    char *template;       /* a text with {placeholders}; NULL: none */
    char *content_type;   /* of template */
    char *api_key;        /* of original: instead of the community's; NULL: none */
    char *signing_secret; /* for Sonoran-Signature; NULL: none */
    char **headers;       /* "Name: value" */
    size_t n_headers;
    char *ca_file;            /* whose certificates vouch for an https URL; NULL: the system's */
    char *expect;             /* a glob for the answer's body, or "sent"; NULL: a status 2xx is enough */
    uint64_t *retry_statuses; /* to be tried again, beside those that always are */
    size_t n_retry_statuses;
};

/* Of an action of this type. */
static inline const struct forward_settings *forward_settings(const struct config_action *config)
{
    return config->settings;
}

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
