/* private.h - inside src/http: one loop, its connections, the request that each is in. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <sonoran-pushd/http.h>
#include <stdatomic.h>

#define HTTP_POOL_BYTES 8192                   /* libmicrohttpd's memory for the head of a request */
#define HTTP_DRAIN_BYTES ((uint64_t) 16 << 20) /* of a body too large, read on so that the answer gets through */
#define HTTP_SMALL_BYTES 16384                 /* so much of in_flight each connection is sure of */
#define HTTP_CACHED_ANSWERS 16

/* Of one request; a connection has one at a time. */
struct request {
    bool push_path;   /* its first line names one */
    bool seen;        /* its head was looked at */
    bool reading;     /* its first line is here, its answer is not out yet */
    bool close;       /* the connection ends with the answer */
    unsigned refusal; /* status, decided before the body was read; 0: none */
    const char *text; /* of the refusal */
    const char *what; /* for refused(); NULL: no refusal to speak of */
    unsigned retry_after_s;
    char *body;
    size_t body_size, body_room;
    uint64_t drained_bytes;
    struct http_ticket *ticket; /* waits for its answer, or has it */
    bool answered;
};

struct connection {
    struct connection *next, *previous;
    struct http *http;
    struct request request;
    struct http_origin origin;
    struct in6_addr host; /* http_host_of its address */
    struct in6_addr address;
    int fd;
    bool ending;         /* shut down, waiting for libmicrohttpd to notice */
    usec_t peer_done_us; /* uptime; 0: the peer may still send */
    usec_t since_us;     /* uptime: connected, last answered, or start of the request it is in */
    usec_t progress_us;  /* uptime: the last time something of a request came or went */
};

struct cached_answer {
    unsigned status;
    const char *text;
    struct MHD_Response *response;
};

struct http {
    struct MHD_Daemon *daemon;
    int loop_fd; /* epoll over the listeners, libmicrohttpd's own epoll and the eventfd */
    int wake_fd;
    struct http_listener *listeners;
    size_t n_listeners;
    bool accepting;
    struct http_settings settings;
    char **paths;
    struct http_callbacks callbacks;

    struct connection *connections; /* newest first */
    _Atomic size_t n_connections;
    struct connection *incoming; /* between accept and libmicrohttpd's word that it has it */
    uint64_t in_flight_bytes;
    struct cached_answer cached[HTTP_CACHED_ANSWERS];

    size_t n_waiting;          /* requests whose answer comes later */
    _Atomic uint64_t n_rounds; /* of the loop */
    uint64_t seen_rounds;      /* by http_alive */
    uint64_t n_steps;          /* grows with everything that gets a request on */
    usec_t now_us;             /* uptime of this round of the loop */
    usec_t rest_until_us;      /* uptime: accepting failed, not to be tried before */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t called;
    void (*call)(void *);
    void *call_argument;
    struct http_ticket *answered; /* handed back by other threads */
    bool stopping;
    usec_t stop_at_us;
};

/* connection.c */
void connection_peer_done(struct connection *connection);
void connection_accept(struct http *http, const struct http_listener *listener);
void connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);
void connections_make_room(struct http *http, usec_t uptime_us);
void connections_check(struct http *http, usec_t uptime_us);
void connections_end_idle(struct http *http);
bool connections_reading(const struct http *http);
void connection_end(struct connection *connection);

/* request.c */
void *request_first_line(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls);
void request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode code);
void requests_answered(struct http *http, struct http_ticket *tickets);
void request_done(struct http *http, struct request *request);
