/* ctl_daemon.h - inside src/ctl: what the running daemon says (admin.h). Every member of it may be absent. */
#pragma once

#include <errno.h>
#include <sonoran-pushd/json_get.h>

#include "ctl_private.h"

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

struct daemon_question {
    const char *path; /* "/api/retry?action=siren&id=17" */
    bool post;
    const struct text *body; /* NULL: none */
    const char *type;        /* of the body */
    usec_t takes_us;         /* so much longer than others may the answer take */
    const int *cancel_fd;    /* readable: nobody waits for it any more; NULL: that does not happen */
};

/* DAEMON_NOT_RUNNING; -EACCES; -ETIMEDOUT; -EREMOTEIO: it refused, err is its sentence. A daemon of another version is
 * told of on stderr, once. */
int daemon_ask(const char *store, const struct daemon_question *question, struct daemon_answer *ret,
               struct err *err) MUST_CHECK;
int daemon_get(const char *store, const char *path, struct daemon_answer *ret, struct err *err) MUST_CHECK;
/* Where daemon_get found it last, yours to free; NULL: no memory. And nothing is said any more of another version, by
 * those who have the terminal for something else. */
char *daemon_socket(const char *store) MUST_CHECK;
void daemon_be_quiet(void);
/* The sentence of what web_open and the like returned for it. */
int daemon_explain(int r, const char *socket, struct err *err);
void daemon_answer_free(struct daemon_answer *answer);

/* The same, of the daemon that the options mean; problems go to stderr. Returns the exit status. */
int daemon_get_for(const struct ctl_common *common, const char *path, struct daemon_answer *ret) MUST_CHECK;

/* As the getters of json_get.h. */
usec_t daemon_get_time(const cJSON *object, const char *name);

/* actions.c: what the daemon tells of its actions. */
void actions_write(const cJSON *actions, usec_t now, struct text *out);
