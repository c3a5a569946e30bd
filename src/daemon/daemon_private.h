/* daemon_private.h - inside src/daemon: the parts of the daemon. */
#pragma once

#include <pthread.h>

#include <sonoran-pushd/actions.h>
#include <sonoran-pushd/admin.h>
#include <sonoran-pushd/config.h>
#include <sonoran-pushd/daemon.h>
#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/log.h>
#include <sonoran-pushd/pipeline.h>
#include <sonoran-pushd/service.h>
#include <sonoran-pushd/source_set.h>
#include <sonoran-pushd/state.h>
#include <sonoran-pushd/store.h>

/* reload_desk.c */
struct reload_desk {
    pthread_mutex_t lock;
    int fd; /* readable: there is a request */
    bool closed;
    void *ticket; /* of who asks; NULL: nobody does */
    bool taken;   /* by the main thread */
    struct text secrets;
    bool handed_over; /* with secrets, though perhaps none */
};

int reload_desk_open(struct reload_desk *desk, struct err *err) MUST_CHECK;
void reload_desk_free(struct reload_desk *desk);

/* In another thread: takes the secrets (NULL: those of before stay). -EBUSY, -ESHUTDOWN: nobody will answer the ticket.
 * give_up: false: it is too late, the answer comes. */
int reload_desk_ask(struct reload_desk *desk, struct text *secrets, void *ticket, struct err *err) MUST_CHECK;
bool reload_desk_give_up(struct reload_desk *desk, const void *ticket);

/* In the main thread. done, close: the ticket that is to be answered now, NULL: none. After close whoever asks is
 * refused. */
bool reload_desk_take(struct reload_desk *desk, struct text *ret_secrets, bool *ret_handed_over);
void *reload_desk_done(struct reload_desk *desk);
void *reload_desk_close(struct reload_desk *desk);

/* Of the configuration, with metrics_reload_report. */
struct metrics_reload {
    uint64_t taken;    /* the last one was */
    uint64_t taken_us; /* when one was last */
};

struct program {
    const char *file;
    const struct source_types *source_types;
    struct config *config;
    struct config *started;          /* its store is the one in use */
    struct config_secrets **secrets; /* what the configuration is read with */
    char node[NAME_MAX_BYTES + 1];   /* how this machine calls itself */
    usec_t started_us;
    uint64_t n_heard; /* how many events there were at the last look, */
    usec_t heard_us;  /* and when, by boottime; 0: not looked yet */
    bool silence_told;
    struct store *store;
    struct state *state;
    struct pipeline *pipeline;
    struct feed *feed;
    struct delivery *delivery;
    struct source_set *sources;
    struct admin *admin; /* NULL: there is no control socket */
    struct reload_desk reload_desk;
    pthread_mutex_t lock;     /* what follows, except for reading it in the main thread */
    usec_t reload_refused_us; /* 0: the last reload, if any, was taken */
    char reload_problem[256]; /* the first of its mistakes */
    struct metrics_reload reload;
};

/* daemon.c */
struct store_settings limits_store_settings(const struct config *config);
struct pipeline_settings limits_pipeline_settings(const struct config *config);

/* reload.c: at SIGHUP; when somebody stands at the desk. */
void reload(void *program);

/* Once a minute: reads the configuration again where a secret that actions lack has come. */
void reload_missing(struct program *program);
void reload_asked(void *program);

/* metrics.c; metrics_process.c: of /proc; metrics_cad.c: of what is known, for each community. */
extern const struct report_table metrics_build_report, metrics_reload_report, metrics_disk_report,
    metrics_process_report, metrics_cad_report, metrics_calls_report;
void metrics_add(void *program, const struct config *config, struct report_list *list);
void metrics_cad_add(struct pipeline *pipeline, const struct state *state, const struct config *config,
                     struct report_list *list);
void metrics_process_add(usec_t started_us, struct report_list *list);

/* health.c: what systemd and sonoran-pushctl get to know. */
bool health_is_good(void *program);
void health_tell_status(struct program *program, bool ready);
void health_add_status(void *program, struct json_writer *out);
bool health_add(void *program, struct json_writer *out);
void health_check_silence(struct program *program);
void health_note_reload(struct program *program, const char *problem); /* NULL: it was taken */
