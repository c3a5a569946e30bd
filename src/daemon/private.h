/* private.h - inside src/daemon: the parts of the daemon. */
#pragma once

#include <pthread.h>

#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/config.h>
#include <sonoran-pushd/control.h>
#include <sonoran-pushd/daemon.h>
#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/events.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/ingress.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/service.h>
#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

/* reload_desk.c */
struct reload_desk {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fd; /* readable: there is a request */
    bool closed;
    enum { RELOAD_NONE, RELOAD_ASKED, RELOAD_UNDER_WAY, RELOAD_ANSWERED, RELOAD_ABANDONED } state;
    struct text secrets, answer;
    bool handed_over; /* with secrets, though perhaps none */
};

int reload_desk_open(struct reload_desk *desk, struct err *err) MUST_CHECK;
void reload_desk_free(struct reload_desk *desk);

/* In another thread: takes the secrets (NULL: those of before stay), waits for the answer up to
 * CONTROL_RELOAD_PATIENCE_US. */
int reload_desk_ask(struct reload_desk *desk, struct text *secrets, struct text *out, struct err *err) MUST_CHECK;

/* In the main thread. answer is taken. After close nobody waits any more, and whoever asks is refused. */
bool reload_desk_take(struct reload_desk *desk, struct text *ret_secrets, bool *ret_handed_over);
void reload_desk_answer(struct reload_desk *desk, struct text *answer);
void reload_desk_close(struct reload_desk *desk);

/* A socket, and the name of its listener. */
struct listener {
    char name[256];
    bool lent; /* by an administrator's own .socket unit */
    int fd;
};

struct listeners {
    struct listener *all;
    size_t n;
};

struct program {
    const char *file;
    struct config *config;
    struct config *started;          /* its store is the one in use */
    struct config_secrets **secrets; /* what the configuration is read with */
    usec_t started_us;
    usec_t silent_since_us; /* told; 0: nothing to tell */
    struct store *store;
    struct state *state;
    struct pipeline *pipeline;
    struct delivery *delivery;
    struct ingress *ingress;
    struct http *http;
    struct control *control;
    struct reload_desk reload_desk;
    pthread_mutex_t lock; /* what follows, except for reading it in the main thread */
    struct listeners listeners;
    usec_t reload_refused_us; /* 0: the last reload, if any, was taken */
    char reload_problem[256]; /* the first of its mistakes */
};

struct store_settings store_settings(const struct config *config);

/* limits.c */
struct http_settings http_settings(const struct config *config);
void tell_few_descriptors(const struct config *config);

/* listen.c. LISTEN_MISMATCH: a .socket unit and the configuration do not agree, which no restart heals. */
#define LISTEN_MISMATCH (-EBADFD)
int listeners_open(struct listeners *ret, const struct config *config, struct err *err) MUST_CHECK;
void listeners_close(struct listeners *listeners);

/* The sockets for another configuration: those that fit, and new ones. Then, of both, one or the other goes. Sockets
 * that are given up may be silent already, and hear again when it comes to nothing. */
int listeners_arrange(const struct listeners *have, const struct config *config, struct listeners *ret_next,
                      struct err *err) MUST_CHECK;
void listeners_replace(struct listeners *have, struct listeners *take_next);
void listeners_go_back(const struct listeners *have, struct listeners *next);

/* From malloc; NULL: no memory. */
struct http_listener *listeners_for_http(const struct listeners *listeners);

/* daemon.c: of a listener that is open. */
void tell_ready(const struct listener *listener);

/* reload.c: at SIGHUP; when somebody stands at the desk. */
void reload(void *program);

/* Once a minute: reads the configuration again where a secret that actions lack has come. */
void reload_missing(struct program *program);
void reload_asked(void *program);

/* health.c: what systemd and sonoran-pushctl get to know. */
bool healthy(void *program);
void tell_status(struct program *program, bool ready);
void add_status(void *program, struct text *out);
void check_silence(struct program *program);
void note_reload(struct program *program, const char *problem); /* NULL: it was taken */
