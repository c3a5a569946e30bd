/* private.h - inside src/daemon: the parts of the daemon. */
#pragma once

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

struct program {
    const char *file;
    struct config *config;
    struct config *started; /* what listens is of this one */
    usec_t started_us;
    usec_t silent_since_us; /* told; 0: nothing to tell */
    struct store *store;
    struct state *state;
    struct pipeline *pipeline;
    struct delivery *delivery;
    struct ingress *ingress;
    struct http *http;
    struct control *control;
    struct http_listener *listeners;
    size_t n_listeners;
};

struct http_settings http_settings(const struct config *config);
struct store_settings store_settings(const struct config *config);

/* listen.c: sockets from systemd by the names of listeners, else our own. */
int open_listeners(struct program *program, struct err *err) MUST_CHECK;

/* reload.c: at SIGHUP. */
void reload(void *program);

/* health.c: what systemd and sonoran-pushctl get to know. */
bool healthy(void *program);
void tell_status(struct program *program, bool ready);
void add_status(void *program, struct text *out);
void check_silence(struct program *program);
