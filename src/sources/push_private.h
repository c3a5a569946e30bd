/* push_private.h - inside the push source: the endpoint that the CAD posts to (design section 3). */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/sources.h>

/* A socket, and the name of its listener. */
struct push_listener {
    char name[256];
    bool lent; /* by an administrator's own .socket unit */
    int fd;
};

struct push_listeners {
    struct push_listener *all;
    size_t n;
};

struct push {
    const struct config *config;        /* of the HTTP thread, once it runs */
    const struct envelope_rules *rules; /* likewise */
    const struct event_families *families;
    struct pipeline_source *way_in;
    struct gate_door *door;
    struct http *http;
    struct http_ticket *answered, **answered_end; /* of the writer: a transaction's answers */
    unsigned n_late;                              /* of the HTTP thread, in this round of its loop */
    uint64_t first_late_id;
    pthread_mutex_t lock; /* what follows, except for reading it in the main thread */
    struct push_listeners listeners;
};

/* ---- push_requests.c: what http has to know, and what becomes of what was posted ---- */

extern const struct http_routes push_routes;
struct http_callbacks push_callbacks(struct push *push);
void push_settled(void *push, void *ticket, const struct event *first, int r);
void push_settled_all(void *push);
void push_tell_late(struct push *push); /* those that came back since the last call */

/* ---- push_status.c ---- */

void push_add_status(void *push, struct json_writer *out);
void push_add_health(void *push, struct json_writer *out);
void push_name_listeners(struct push *push, const struct push_listeners *listeners); /* to be counted apart */
void push_add_report(void *push, struct report_list *list);

/* ---- push_answers.c: the words that a sender gets ---- */

void push_answer(struct http_answer *ret, unsigned status, const char *text); /* a constant */
void push_answer_invalid(struct http_answer *ret, const char *reason);
void push_answer_verdict(const struct event *event, struct http_answer *ret);
void push_answer_refusal(void *userdata, unsigned status, const char *what, struct http_answer *ret);
void push_show_page(void *userdata, struct http_request *request, struct http_answer *ret);

/* ---- push_path.c: whether a request is for one of the push paths ---- */

bool push_path_is_meant(const char *const *push_paths, size_t n, struct span path);

/* ---- push_shown_path.c: made safe, without the keys that may stand in it, also as %4B%65%79 ---- */

void push_shown_path_add(const struct envelope_rules *rules, const char *path, struct text *out);

/* ---- push_limits.c ---- */

struct http_settings push_limits_for_http(const struct config *config);
void push_limits_tell_few_descriptors(const struct config *config);

/* ---- push_listeners.c. SOURCE_NEEDS_HELP: a .socket unit and the configuration do not agree ---- */

int push_listeners_open(struct push_listeners *ret, const struct config *config, struct err *err) MUST_CHECK;
void push_listeners_close(struct push_listeners *listeners);

/* The sockets for another configuration: those that fit, and new ones. Then, of both, one or the other goes. Sockets
 * that are given up may have stopped listening already, and listen again when it comes to nothing. */
int push_listeners_arrange(const struct push_listeners *have, const struct config *config,
                           struct push_listeners *ret_next, struct err *err) MUST_CHECK;
void push_listeners_replace(struct push_listeners *have, struct push_listeners *take_next);
void push_listeners_go_back(const struct push_listeners *have, struct push_listeners *next);

/* From malloc; NULL: no memory. */
struct http_listener *push_listeners_for_http(const struct push_listeners *listeners);
