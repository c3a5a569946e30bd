/* admin_private.h - inside src/admin: the two doors, who is who there, and what is answered. */
#pragma once

#include <stdatomic.h>
#include <sys/stat.h>

#include <sonoran-pushd/admin.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/sse.h>

/* ---- admin_tokens.c ---- */

struct admin_token {
    const char *secret;
    char community[NAME_MAX_BYTES + 1]; /* which it opens; "": all */
    bool data;                          /* with what was sent */
};

struct admin_tokens {
    struct admin_token *all; /* the first is the one for all communities, where it is there */
    size_t n;
    bool whole; /* there is one for all, or should be: without it nobody sees all of them by TCP */
    char *made;
};

/* From a config that outlives it, and with the file of one that is not there yet, which is told. After a failure there
 * is none for all communities, and whole: who shows one of a community's still sees that. */
int admin_tokens_load(struct admin_tokens *ret, const struct config *config, struct err *err) MUST_CHECK;
void admin_tokens_done(struct admin_tokens *tokens);
bool admin_tokens_are_same(const struct admin_tokens *tokens, const struct admin_tokens *others);
const struct admin_token *admin_tokens_find(const struct admin_tokens *tokens, struct span sent);

/* ---- the admin side ---- */

#define ADMIN_SESSION_MAX_BYTES 4096 /* of a body from strangers */

#define ADMIN_LISTENERS_MAX 2
#define ADMIN_COOKIE_NAME_BYTES 16

struct admin {
    struct admin_parts parts;   /* its config: of the thread of http, once that runs, as are tokens */
    struct admin_tokens tokens; /* of that config */
    char *path;
    int listen_fd;          /* of the Unix door; negative: there is none */
    int board_fd;           /* of the TCP door, likewise */
    bool board_is_loopback; /* as it was opened, whatever the config says by now */
    struct stat socket;     /* the file at path, as it was made */
    char cookie[ADMIN_COOKIE_NAME_BYTES + 1];
    struct gate_door *door; /* for wrong tokens */
    struct http *http;
    struct sse *sse;
    usec_t started_us;
    _Atomic(struct admin_change *) change; /* that is not taken yet; NULL: none */
    usec_t round_us;                       /* ADMIN_ROUND_US */
    usec_t round_since_us;                 /* uptime: the first of this round that reads much began; 0: none yet */
    uint64_t n_configured;
    char tag[128 + REALM_MAX_BYTES]; /* of the state that was answered last */
};

/* admin_answer.c: an answer is one object, or a text. begin opens it in body, which is empty; the other two end it, and
 * take the text. error: a negative errno and its sentence, or 0 (of result) and what was written. */
struct json_writer admin_begin(struct text *body);
void admin_answer(struct http_answer *ret, unsigned status, struct json_writer *answer);
void admin_answer_text(struct http_answer *ret, const char *type, struct text *take_body); /* type: a constant */
void admin_answer_result(struct http_answer *ret, int error, const struct err *err, struct json_writer *answer);
void admin_answer_failure(struct http_answer *ret, int error, const struct err *err);
void admin_answer_error(struct http_answer *ret, unsigned status, const char *sentence);
void admin_answer_refusal(void *userdata, unsigned status, const char *what, struct http_answer *ret);

/* One header more, to an answer that has its body; value lives until the next request. unchanged: 304. */
void admin_add_header(struct http_answer *answer, const char *name, const char *value);
void admin_answer_unchanged(struct http_answer *ret, const char *tag);

/* admin_round.c: one round of the loop answers everybody who has asked by then, and a reload, a stop and the watchdog
 * wait for its end. So all who read much share one time. has_time: false, and the answer is 503, where it is up; called
 * first. is_over_time: to be asked with each row. */
#define ADMIN_ROUND_US (300 * USEC_PER_MSEC)
bool admin_has_time(struct admin *admin, struct http_answer *ret);
bool admin_is_over_time(const struct admin *admin);
void admin_end_round(struct admin *admin);

/* Opens the log for one answer. end_reads: it is the end, and whatever is read ends at once, with -ECANCELED; one admin
 * side there is in a process. */
int admin_open_log(const struct admin *admin, struct store_reader **ret, struct err *err) MUST_CHECK;
void admin_end_reads(bool end);
bool admin_is_to_end(void); /* for store_stop_if */

/* admin_ask.c: members of the query. community: the only one that is asked for or theirs to see, NULL: all of them;
 * configured: -ENOENT where there is none such. number: 1, or 0 where it is not there. */
int admin_ask_community(const struct http_request *request, const char **ret, struct err *err) MUST_CHECK;
int admin_ask_configured(const struct admin *admin, const struct http_request *request, const char **ret,
                         struct err *err) MUST_CHECK;
int admin_ask_data(const struct http_request *request, bool *ret, struct err *err) MUST_CHECK;
int admin_ask_number(const struct http_request *request, const char *name, int64_t min, int64_t max, int64_t *ret,
                     struct err *err) MUST_CHECK;

/* routes.c */
extern const struct http_routes admin_routes;

/* admin_who.c. By the Unix door everybody is an admin, but who comes with a browser is a reader, as is everybody by
 * TCP: of all communities with the token of admin, or without one on loopback where there is none; of one community
 * with one of its tokens. caller->community and caller->data say what a handler of role READ may show. */
extern const char *const admin_headers[]; /* that it looks at */
void admin_who(void *admin, const struct http_request *request, struct http_caller *ret);

/* Whose token it is; NULL: nobody's, which is told, counted and in ret. */
const struct admin_token *admin_take_token(struct admin *admin, const struct http_request *request, struct span sent,
                                           struct http_caller *ret);

/* admin_session.c. Whose cookie came along, NULL: nobody's; and a new one where it is a day old. */
void admin_session_name(const char *log, char ret[ADMIN_COOKIE_NAME_BYTES + 1]);
const struct admin_token *admin_session_find(const struct admin *admin, const struct http_request *request,
                                             char **ret_set_cookie);

/* Why somebody is sent away: for the log, and the answer. */
#define ADMIN_OTHER_HOST "asked for by a name that is not in admin.hosts"
#define ADMIN_OTHER_SITE "a page of another site may not ask for this"
#define ADMIN_WRONG_TOKEN "wrong token"
#define ADMIN_TOO_MANY_TOKENS "too many wrong tokens from this address"

/* admin_host.c. host: as in the header, or NULL. */
bool admin_host_is_ours(const struct admin_parts *parts, const char *host);
bool admin_host_is_origin(const char *host, const char *origin);
bool admin_is_loopback(const struct sockaddr *address);

/* What proxies tell of whom they ask for; nginx does so where it is told to. */
#define ADMIN_OF_PROXIES "X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"
bool admin_is_by_proxy(const struct http_request *request);

/* For the column opens of a route: the request is of this machine, by no proxy that tells, and asks for a name or
 * address of it. */
bool admin_is_local(void *admin, const struct http_request *request);

/* admin_state.c: elements of the list of sources. */
void admin_add_sources(const struct admin *admin, const char *community, struct json_writer *out);

/* admin_actions.c: what the actions do. */
void admin_add_actions(struct delivery *delivery, struct json_writer *out);
