/* daemon.h - inside src/ctl: what the running daemon says (control.h). Every member of it may be absent. */
#pragma once

#include <cjson/cJSON.h>
#include <errno.h>

#include "private.h"

#define DAEMON_NOT_RUNNING (-ECONNREFUSED)
#define EXIT_NOT_RUNNING 3 /* as that of systemctl status */

struct daemon_answer {
    cJSON *json;      /* an object */
    struct text line; /* the same as it came */
};

#define DAEMON_ANSWER_INIT                                                                                             \
    {                                                                                                                  \
        .line = TEXT_INIT                                                                                              \
    }

/* words: "retry siren 17". DAEMON_NOT_RUNNING; -EACCES; -ETIMEDOUT; -EREMOTEIO: it refused, err is its sentence. */
int daemon_ask(const char *store, const char *words, struct daemon_answer *ret, struct err *err) MUST_CHECK;

/* With bytes behind the words (NULL: none), and an answer that may take so much longer. */
int daemon_ask_with(const char *store, const char *words, const struct text *more, usec_t takes_us,
                    struct daemon_answer *ret, struct err *err) MUST_CHECK;
void daemon_answer_free(struct daemon_answer *answer);

/* The same, of the daemon that the options mean; problems go to stderr. Returns the exit status. */
int daemon_ask_for(const struct ctl_common *common, const char *words, struct daemon_answer *ret) MUST_CHECK;

/* Members of an object: "" or 0 where there is none. */
const char *json_text(const cJSON *object, const char *name);
uint64_t json_count(const cJSON *object, const char *name);
usec_t json_time(const cJSON *object, const char *name);

/* actions.c: what the daemon tells of its actions. */
void actions_write(const cJSON *actions, usec_t now, struct text *out);
