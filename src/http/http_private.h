/* http_private.h - inside src/http: one loop, its connections, the request that each is in, who holds how much. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <sonoran-pushd/http.h>
#include <stdatomic.h>
#include <sys/queue.h>

#define HTTP_POOL_BYTES 16384                  /* libmicrohttpd's memory for a head, cleared for each: 8 KiB of text */
#define HTTP_STREAM_POOL_BYTES 12288           /* the same where there are streams, which keep it: 6 KiB of text */
#define HTTP_PIECE_BYTES 8192                  /* the first room for a body whose size is not known */
#define HTTP_DRAIN_BYTES ((uint64_t) 16 << 20) /* of a body too large, read on so that the answer gets through */
#define HTTP_SMALL_BYTES 16384                 /* so much of in_flight each connection is sure of */
#define HTTP_CACHED_ANSWERS 16
#define HTTP_STREAM_BYTES 2048 /* a piece for a client of HTTP/1.0; each stream has this memory */
#define HTTP_NEVER_US ((usec_t) -1)
#define HTTP_PATH_BYTES 128 /* so much of a path that no row has is told */

/* Of one request; a connection has one at a time. */
struct request {
    uint64_t rows;                  /* of the table, that have its path: bits */
    const struct http_route *route; /* of those, the one with its method */
    uint64_t n_configured;          /* of http, when it was judged */
    bool seen;                      /* its head was looked at */
    bool head;                      /* is all that is asked for */
    bool reading;                   /* its first line is here, its answer is not out yet */
    bool close;                     /* the connection ends with the answer */
    bool keeps;                     /* the connection stays after the answer, for all we know */
    bool sent;                      /* an answer of ours */
    unsigned refusal;               /* status, decided before the body was read; 0: none */
    const char *what;               /* the reason for it */
    enum http_refusal kind;
    unsigned retry_after_s;
    char *body;
    size_t body_size, body_room;
    uint64_t drained_bytes;
    struct http_ticket *ticket; /* waits for its answer, or has it */
    bool answered;
    size_t answer_bytes;    /* of its answer, as far as they are counted */
    bool streams;           /* counted as one whose answer goes on */
    bool streaming;         /* it does */
    bool paused;            /* with nothing to say: libmicrohttpd has it suspended */
    usec_t idle_us;         /* it is asked again after so long a silence; 0: never */
    usec_t silent_since_us; /* uptime: it said something, or was asked after a silence */
};

/* Who holds how much; exists as long as it has a connection. */
struct host {
    struct in6_addr address; /* http_host_of */
    bool known;              /* has shown a right key of late */
    size_t n_connections;
    size_t n_served; /* of them: handed over to libmicrohttpd */
    uint64_t in_flight_bytes;
    size_t n_streams;
};

/* http_report.c */
extern const struct report_limits http_body_limits;

/* lane.c: counted by the HTTP thread, and looked at by others. */
struct lane_values {
    uint64_t connections;
    struct report_histogram request_us;
};

struct lane {
    char listener[NAME_MAX_BYTES + 1];
    struct lane_values values;
};

struct connection {
    TAILQ_ENTRY(connection) link;
    TAILQ_ENTRY(connection) paused_link; /* while request.paused */
    struct http *http;
    struct host *host;
    struct lane *lane;
    struct MHD_Connection *mhd; /* once it is served */
    struct request request;
    struct http_caller caller; /* of the request */
    struct http_origin origin;
    struct in6_addr address;
    bool by_unix; /* and user is whose it is */
    uid_t user;
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
    const char *body, *type;
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
    bool accepting, some_watched;
    struct http_settings settings;
    struct http_routes routes;
    struct http_callbacks callbacks;

    struct connections connections; /* newest first */
    void *hosts;                    /* tsearch(3) */
    struct http_values values;      /* counted by its thread, and looked at by others */
    struct lane lanes[1 + HTTP_LANES_MAX];
    _Atomic size_t n_lanes;
    _Atomic size_t n_connections;
    size_t n_ending, n_not_served; /* of them */
    bool full;                     /* nothing can be evicted for another connection */
    bool room_changed;             /* one that waits may be served */
    uint64_t in_flight_bytes;
    uint64_t answers_bytes; /* of answers that are not out yet */
    struct cached_answer cached[HTTP_CACHED_ANSWERS];

    size_t n_waiting;          /* requests whose answer comes later */
    size_t n_streams;          /* and those whose answer goes on */
    struct connections paused; /* of those: nothing to say */
    size_t n_paused;
    bool resumed;              /* libmicrohttpd has to be run for some that are no more */
    usec_t idle_due_us;        /* uptime: one of the paused may have been silent for long enough */
    usec_t woken_us;           /* uptime: they were last asked, because of http_wake */
    size_t n_woken, part_size; /* how many of the paused, from the first on, are still to be asked then, and at once */
    usec_t part_due_us;        /* uptime: the next part of them is */
    _Atomic bool woken;        /* http_wake was called since */
    _Atomic uint64_t n_rounds; /* of the loop */
    uint64_t seen_rounds;      /* by http_alive */
    uint64_t n_configured;     /* http_configure was called so often */
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
    bool ended;                    /* its thread; under the lock */
    usec_t stopped_us, stop_at_us; /* uptime: told to stop, and by when it is to be done */
};

/* listeners.c */
void listeners_watch(struct http *http);
bool listeners_have(const struct http *http, const void *mark);

/* unix.c */
void unix_set_peer(struct connection *connection);

/* http_holder.c: "nginx (process 812)". */
bool http_holder_find(const struct sockaddr *address, char *ret, size_t size);

/* accept.c */
void connection_accept(struct http *http, const struct http_listener *listener);
void connections_end_strangers(struct http *http); /* who may not connect any more */
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

/* http_hosts.c */
int host_enter(struct connection *connection);
void host_leave(struct connection *connection);
void host_look_again(struct connection *connection);
void host_hold_bytes(struct connection *connection, uint64_t before, uint64_t after);

/* Ends the request that is the first to go (http_hosts.c tells which). False: there is none, or its host is that of
 * for_whom, which may be NULL. */
bool hosts_evict(struct http *http, enum scarce what, const struct connection *for_whom);

/* route.c */
struct span route_path(const char *uri);
uint64_t routes_with_path(const struct http *http, struct span path); /* bits: the rows */
const struct http_route *route_find(const struct http *http, uint64_t rows, const char *method);
void route_add_methods(const struct http *http, uint64_t rows, struct MHD_Response *response);
bool routes_stream(const struct http *http);                      /* some may */
struct http_request route_request(struct connection *connection); /* as its handler gets it */
void route_ask_who(struct connection *connection);                /* fills its caller */
void route_forget_caller(struct http_caller *caller);
unsigned route_refuses(struct connection *connection, const char **ret_what);     /* the status, 0: whoever asks may */
unsigned route_refuses_now(struct connection *connection, const char **ret_what); /* the same, once more */
uint64_t route_body_max(const struct connection *connection);
bool route_takes_type(const struct http_route *route, const char *content_type);

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
enum MHD_Result answer_send(struct connection *connection, struct MHD_Connection *mhd, struct http_answer *take_answer);
void answer_done(struct http_answer *answer);      /* of one that is not sent */
void answer_forget(struct connection *connection); /* it is out, or will not be */
void answers_drop(struct http *http);

/* lane.c. open: for the listeners that there are. */
void lanes_open(struct http *http);
void lane_enter(struct connection *connection);
void lane_leave(struct connection *connection);
void lane_answered(struct connection *connection, usec_t took_us);

/* stream.c */
bool stream_enter(struct connection *connection); /* false: there are too many */
void stream_leave(struct connection *connection);
struct MHD_Response *stream_response(struct connection *connection, struct http_answer *take_answer);

/* stream_pause.c */
void stream_pause(struct connection *connection); /* inside its reader */
void stream_resume(struct connection *connection);
void stream_forget_pause(struct connection *connection);
void streams_resume_due(struct http *http);
void streams_resume_all(struct http *http);
int streams_wait_ms(const struct http *http, int longest_ms); /* -1: for ever */

/* request.c */
void *request_first_line(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result request_handle(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls);
void request_completed(void *cls, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode code);
void request_overdue(struct connection *connection);
void request_answered_all(struct http *http, struct http_ticket *tickets);
void request_drop_body(struct connection *connection);
void request_done(struct connection *connection);
bool request_counts(size_t body_room);
