/* private.h - inside src/http: one loop, its connections, the request that each is in, who holds how much. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <sonoran-pushd/http.h>
#include <stdatomic.h>
#include <sys/queue.h>

#define HTTP_POOL_BYTES 16384                  /* libmicrohttpd's memory for a head, cleared for each: 8 KiB of text */
#define HTTP_PIECE_BYTES 8192                  /* the first room for a body whose size is not known */
#define HTTP_DRAIN_BYTES ((uint64_t) 16 << 20) /* of a body too large, read on so that the answer gets through */
#define HTTP_SMALL_BYTES 16384                 /* so much of in_flight each connection is sure of */
#define HTTP_CACHED_ANSWERS 16
#define HTTP_PATH_BYTES 128 /* so much of a path that is no push path is told */

/* Of one request; a connection has one at a time. */
struct request {
    bool push_path;   /* its first line names one */
    bool seen;        /* its head was looked at */
    bool reading;     /* its first line is here, its answer is not out yet */
    bool close;       /* the connection ends with the answer */
    bool keeps;       /* the connection stays after the answer, for all we know */
    bool sent;        /* an answer of ours */
    unsigned refusal; /* status, decided before the body was read; 0: none */
    const char *text; /* of the refusal */
    enum http_refusal kind;
    const char *what; /* for refused(); NULL: no refusal to speak of */
    unsigned retry_after_s;
    char *body;
    size_t body_size, body_room;
    uint64_t drained_bytes;
    struct http_ticket *ticket; /* waits for its answer, or has it */
    bool answered;
};

/* Who holds how much; exists as long as it has a connection. */
struct host {
    struct in6_addr address; /* http_host_of */
    bool known;              /* has shown a right key of late */
    size_t n_connections;
    size_t n_served; /* of them: handed over to libmicrohttpd */
    uint64_t in_flight_bytes;
};

struct connection {
    TAILQ_ENTRY(connection) link;
    struct http *http;
    struct host *host;
    struct request request;
    struct http_origin origin;
    struct in6_addr address;
    int fd;
    enum {
        CONNECTION_WAITS,       /* for its first bytes, or because its host has as many as it may */
        CONNECTION_HANDED_OVER, /* to libmicrohttpd, which has not told of it yet */
        CONNECTION_SERVED,
    } state;
    bool spoke;                 /* its first bytes are here */
    bool watched;               /* by our epoll */
    bool had_request;           /* a first line, at least */
    bool ending;                /* shut down, waiting for libmicrohttpd to notice */
    usec_t peer_done_us;        /* uptime; 0: the peer may still send */
    usec_t since_us;            /* uptime: connected, last answered, or start of the request it is in */
    usec_t progress_us;         /* uptime: connected, or the last time something of a request came or went */
    char path[HTTP_PATH_BYTES]; /* of a request that is refused for it */
};

TAILQ_HEAD(connections, connection);

struct cached_answer {
    unsigned status;
    const char *text;
    bool keeps;
    struct MHD_Response *response;
};

enum scarce { SCARCE_CONNECTIONS, SCARCE_BYTES };

struct http {
    struct MHD_Daemon *daemon;
    bool strict_library; /* it refuses malformed heads by itself: from 1.0 on */
    int loop_fd;         /* epoll over the listeners, libmicrohttpd's own epoll and the eventfd */
    int wake_fd;
    struct http_listener *listeners;
    size_t n_listeners;
    bool accepting;
    struct http_settings settings;
    char **paths;
    struct http_callbacks callbacks;

    struct connections connections; /* newest first */
    void *hosts;                    /* tsearch(3) */
    _Atomic size_t n_connections;
    size_t n_ending, n_not_served; /* of them */
    bool full;                     /* nothing gives way for another connection */
    bool room_changed;             /* one that waits may be served */
    uint64_t in_flight_bytes;
    struct cached_answer cached[HTTP_CACHED_ANSWERS];

    size_t n_waiting;          /* requests whose answer comes later */
    _Atomic uint64_t n_rounds; /* of the loop */
    uint64_t seen_rounds;      /* by http_alive */
    uint64_t n_steps;          /* grows with everything that gets a request on */
    usec_t now_us;             /* uptime of this round of the loop */
    usec_t checked_us;         /* uptime: the last connections_check */
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

/* listeners.c */
void listeners_watch(struct http *http);
bool listeners_have(const struct http *http, const void *mark);

/* holder.c: "nginx (process 812)". */
bool find_holder(const struct sockaddr *address, char *ret, size_t size);

/* accept.c */
void connection_accept(struct http *http, const struct http_listener *listener);
void connection_look(struct connection *connection);
bool connections_make_room(struct http *http);
void connections_serve(struct http *http);
void connections_drop(struct http *http);

/* connection.c */
void connection_watch(struct connection *connection, uint32_t events);
void connection_unwatch(struct connection *connection);
void connection_ready(struct connection *connection);
void connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);
void connection_forget(struct connection *connection);
void connection_end(struct connection *connection);
void connection_tell(const struct connection *connection, enum http_refusal kind, const char *what);
void connections_check(struct http *http, usec_t uptime_us);
void connections_end_idle(struct http *http);
bool connections_reading(const struct http *http);

/* hosts.c */
int host_enter(struct connection *connection);
void host_leave(struct connection *connection);
void host_look_again(struct connection *connection);
void host_hold_bytes(struct connection *connection, uint64_t before, uint64_t after);

/* Ends the request that gives way before all others. False: there is none, or its host is that of for_whom, which may
 * be NULL. */
bool hosts_give_way(struct http *http, enum scarce what, const struct connection *for_whom);

/* path.c */
struct span path_sent(const char *uri);
bool path_is_push(const struct http *http, struct span path);

/* protocol.c: what speaks if it is no HTTP/1, from its first bytes; NULL: perhaps it is. */
const char *protocol_find(const char *bytes, size_t size);

/* head.c */
struct head { /* beside method and path */
    unsigned n_lengths;
    uint64_t length;
    const char *transfer_encoding;
    const char *content_encoding;
    bool expects_continue;
    bool closes;            /* the client says so */
    bool malformed;         /* others may see another request than we do */
    const char *last_value; /* of the head's last line */
};

void head_read(struct MHD_Connection *mhd, const char *method, bool strict_library, struct head *ret);

/* answer.c */
enum MHD_Result answer_send(struct http *http, struct MHD_Connection *mhd, struct request *request,
                            const struct http_answer *answer);
void answers_drop(struct http *http);

/* request.c */
void *request_first_line(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls);
void request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode code);
void request_overdue(struct http *http, struct request *request);
void requests_answered(struct http *http, struct http_ticket *tickets);
void request_drop_body(struct connection *connection);
void request_done(struct connection *connection);
bool request_counts(size_t body_room);
