/* http.h - a server: whole requests in, answers out, by a table of routes. Knows nothing of what they are for.
 *
 * Shape:   one instance is one door: listening sockets, TCP or Unix, a table of routes, limits. What no row is for, and
 *          what is over the limits, is refused here, in the words of callbacks.refusal.
 * Units:   in the name.
 * Owner:   listening sockets stay the caller's, also where http_start fails, and open until http_stop or
 *          http_set_listeners without them has returned. The table of routes outlives http. A request's members live
 *          until the handler returns, except the body, which the handler may keep, and its ticket, which it hands back.
 * Threads: one thread runs everything, handlers and callbacks included. The functions here are for other threads,
 *          except http_configure and http_set_listeners, and those about a request, which are for its handler.
 * Errors:  negative errno and a sentence from http_start; afterwards problems are answers, told to refused().
 * Source:  microhttpd.h, libmicrohttpd's manual; the traps are named in the code beside what avoids them.
 */
#pragma once

#include <netinet/in.h>
#include <sonoran-pushd/report.h>
#include <sys/types.h>

struct http;

/* libmicrohttpd's, as it is in use. */
const char *http_library_version(void);

struct http_listener {
    char name[NAME_MAX_BYTES + 1];
    int fd; /* bound and listening */
};

struct http_settings {
    const char *thread; /* what its thread is called, a constant; looked at by http_start */
    uint64_t body_bytes;
    uint64_t connections;
    uint64_t connections_per_ip; /* served at a time, of a host that is not known; the others wait */
    uint64_t request_time_us;    /* for one request from its first line to its last byte, and for idling */
    uint64_t in_flight_bytes;    /* bodies held at one time; those up to 16 KiB are not counted */
    uint64_t answers_bytes;      /* bodies of answers held at one time, likewise; one there may be anyway. 0: any */
    uint64_t streams;            /* answers that go on, at one time */
    uint64_t streams_per_ip;     /* of them, of one host */
};

/* Who sent it. Copied around freely. */
struct http_origin {
    char listener[NAME_MAX_BYTES + 1];
    char peer[INET6_ADDRSTRLEN]; /* an address; on a Unix socket "user 1000" */
};

/* ---- answers ---- */

#define HTTP_TEXT "text/plain; charset=utf-8"
#define HTTP_ANSWER_HEADERS 6

struct http_header {
    const char *name, *value;
};

struct http_answer {
    unsigned status;               /* 0: it comes later, by http_answer_later */
    unsigned retry_after_s;        /* 0: no such header */
    const char *type;              /* a constant; NULL: HTTP_TEXT */
    const char *body;              /* NULL: none */
    size_t body_size;              /* 0: up to its NUL */
    void (*free_body)(void *body); /* by its owner, when it was sent; NULL: a constant, like all that is in it */
    struct http_header headers[HTTP_ANSWER_HEADERS]; /* up to the first without a name; they live as long as body */

    /* An answer that goes on, of a row with stream: asked as long as it has something and the client can take it, and
     * after an http_wake. Writes up to size bytes; 0: there is nothing now, and until then the stream costs nothing;
     * HTTP_STREAM_END: that was all. What the client has not taken is the only piece that is held for it, and where it
     * takes none for request_time_us, its connection ends, as it does with the answer. */
    ssize_t (*more)(void *stream, char *buffer, size_t size);
    usec_t idle_us; /* it is also asked after so long a silence, up to a second later; 0: never */
    void *stream;
    void (*free_stream)(void *stream); /* the client is gone, or has all of it; in the HTTP thread, or in http_stop */
};

#define HTTP_STREAM_END ((ssize_t) -1)

/* A request whose answer comes later. Whoever got it from a handler hands it back, answered, unless overdue() took it
 * back; whether the client is still there is no business of theirs. */
struct http_ticket {
    struct http_answer answer;
    uint64_t event_id;                 /* for the handler */
    char listener[NAME_MAX_BYTES + 1]; /* that its request came by */
    bool overdue;                      /* of the HTTP thread: its request was answered without it */
    struct http_ticket *next;          /* for whoever holds it */
    struct connection *connection;     /* of the HTTP thread; NULL: the client is gone */
};

/* ---- routes ---- */

/* What somebody may do, each more than the one before. */
enum http_role { HTTP_ROLE_OPEN, HTTP_ROLE_READ, HTTP_ROLE_ADMIN };

/* Whether a route is also for those who may see one community only. */
enum http_scope { HTTP_SCOPE_ALL, HTTP_SCOPE_COMMUNITY };

struct http_caller {
    enum http_role role;
    char community[NAME_MAX_BYTES + 1]; /* the only one that is theirs; "": all */
    bool data;                          /* they may have what was sent as well, and not only what is told of it */

    /* The request is refused with this status whatever its row is, and if there is none; 0: it is not. */
    unsigned refused;
    const char *what; /* the reason, a constant */
    unsigned retry_after_s;

    char *set_cookie; /* the header of its answer, from malloc, taken over; NULL: none */
};

struct http_request {
    const struct http_route *route; /* NULL, in callbacks.who: there is none */
    const struct http_origin *origin;
    const struct in6_addr *peer_address; /* IPv4 as ::ffff:a.b.c.d */
    const struct http_caller *caller;
    char **take_body; /* from malloc, terminated; the handler may keep it, leaving NULL */
    size_t body_size;
    struct http_ticket *ticket; /* the handler's, if it sets status 0 */
    void *inside;               /* http's own */
};

struct http_route {
    const char *method; /* a row with "GET" is for HEAD too */
    const char *path;   /* NULL: those for which matches() is true. Never with what comes from the first ? on */
    bool (*matches)(void *userdata, struct span path);
    enum http_role role; /* at least */
    bool (*opens)(void *userdata,
                  const struct http_request *request); /* NULL, or: to this one it is open all the same */
    enum http_scope scope;
    bool stream;                /* its answer may go on */
    const char *content_type;   /* a body has to have; NULL: any */
    uint64_t body_bytes;        /* it may have, 0: as the settings say */
    const char *const *headers; /* the handler looks at these, up to NULL */
    const char *const *query;   /* and at these members of the query */
    void (*handle)(void *userdata, struct http_request *request, struct http_answer *ret);
};

/* A row's path is that of the row before it where they are the same pointer: routes of one path stand together. */
struct http_routes {
    const struct http_route *rows;
    size_t n;                   /* up to HTTP_ROUTES_MAX */
    const char *const *headers; /* that callbacks.who looks at, up to NULL */

    /* What goes with every answer, refusals included, but for those that have a header of this name themselves: up to
     * the first without a name; NULL: nothing does. libmicrohttpd's own answers, to what is no request, have none. */
    const struct http_header *answer_headers;
};

#define HTTP_ROUTES_MAX 64

/* Whether it came by a Unix socket, and of which user. */
bool http_peer_user(const struct http_request *request, uid_t *ret_user);

/* What the request's row (or, in callbacks.who, the table) asked for; NULL: it is not there, or was not asked for. */
const char *http_header(const struct http_request *request, const char *name);
const char *http_query(const struct http_request *request, const char *name);
const char *http_cookie(const struct http_request *request, const char *name); /* NULL: it is not there */

/* Beyond settings.connections, for a moment: one that comes before another has gone. */
#define HTTP_SPARE_CONNECTIONS 8

/* Refusals that say something about how the sender is set up. */
enum http_refusal {
    HTTP_REFUSAL_OTHER,
    HTTP_REFUSAL_PATH, /* posted to a path that no row has */
    HTTP_REFUSAL_TOO_LARGE,
    HTTP_REFUSAL_ADDRESS,     /* callbacks.allowed says so; nothing was read */
    HTTP_REFUSAL_CONNECTIONS, /* limits.connections or limits.connections_per_ip */
    HTTP_REFUSAL_NOT_HTTP,    /* another protocol, or nothing that could be read as a request */
};

/* Why it refuses whoever asks. */
#define HTTP_STRANGER "not allowed to strangers"
#define HTTP_NOT_ALLOWED "not allowed to who asks"
#define HTTP_ONE_COMMUNITY "not allowed to those of one community"

struct http_callbacks {
    void *userdata;
    /* Who asks, of whatever route, and if there is none; NULL: nobody may do anything but what is open. */
    void (*who)(void *userdata, const struct http_request *request, struct http_caller *ret);
    /* The words of an answer that http gives by itself; what: the reason, a constant. */
    void (*refusal)(void *userdata, unsigned status, const char *what, struct http_answer *ret);
    /* After each round of the loop, however many requests it had. */
    void (*round)(void *userdata);
    /* A request that was refused here. what: "path not found" and the like; path: of it, as it was sent, "" for
     * other refusals. */
    void (*refused)(void *userdata, const struct http_origin *origin, enum http_refusal kind, const char *what,
                    const char *path);
    /* A ticket has not come back within request_time, and its request is to be answered now. True: the handler gives
     * the ticket up. False: it comes back later, and is told of by late(). */
    bool (*overdue)(void *userdata, struct http_ticket *ticket, struct http_answer *ret);
    void (*late)(void *userdata, const struct http_ticket *ticket);
    /* Whether this host (http_host_of) has shown a right key of late, so that it comes last where things are scarce.
     * NULL: nobody has. */
    bool (*known)(void *userdata, const struct in6_addr *host);
    /* Whether who is at the address may connect to the listener; asked again when listeners are set. Not asked of
     * connections from this machine. NULL: everybody may. */
    bool (*allowed)(void *userdata, const char *listener, const struct in6_addr *address);
};

/* Opens a listening socket, and returns it. IPv6's [::] takes IPv4 too, and is 0.0.0.0 where the machine has no IPv6.
 * The sentence names the program that has the port, where that can be seen. */
int http_listen(const struct sockaddr *address, socklen_t size, struct err *err) MUST_CHECK;

/* The same at a path, for who its mode (0660) lets in; the group is that of the process. One that nobody listens on any
 * more is replaced. -EADDRINUSE: somebody does. Others, -ENAMETOOLONG among them: there can be no socket. */
#define HTTP_UNIX_PATH_MAX_BYTES 107
int http_listen_unix(const char *path, unsigned mode, struct err *err) MUST_CHECK;

/* Is this the socket that http_listen would open for the address? Port 0 is any. */
bool http_listens_on(int fd, const struct sockaddr *address, socklen_t size);

/* A socket that stops listening for all who have a copy of it, which frees the address at once, and listens again. */
void http_silence(int fd);
int http_listen_again(int fd) MUST_CHECK;

/* Who counts as one: an IPv4 address, the 64 bits of IPv6 that one host has all to itself. */
struct in6_addr http_host_of(const struct in6_addr *address);

/* "[::]:30120": where a socket listens, with the real port; or a path. */
void http_socket_name(int fd, char *ret_name, size_t size);

int http_start(struct http **ret, const struct http_listener *listeners, size_t n_listeners,
               const struct http_settings *settings, const struct http_routes *routes,
               const struct http_callbacks *callbacks, struct err *err) MUST_CHECK;

/* Answers a list of tickets, which http takes back. From any thread; wakes the HTTP thread once. */
void http_answer_later(struct http *http, struct http_ticket *take_tickets);

/* There may be more for those whose answers go on: all are asked, at once where the last time is 50 ms ago, else when
 * it is. From any thread; takes no system call where one such call is under way, or nobody has a stream. */
void http_wake(struct http *http);

/* Runs function(argument) in the HTTP thread, between requests, and returns when it has run. One call at a time: for
 * one thread (main), and not for the HTTP thread itself, which would wait for ever. timeout_us: for handlers that may
 * be long under way, HTTP_NO_LIMIT where none may. -ETIMEDOUT: it has not run, and will not. */
#define HTTP_NO_LIMIT UINT64_MAX
int http_call(struct http *http, void (*function)(void *argument), void *argument, usec_t timeout_us) MUST_CHECK;

/* Whether its thread got on since the last call, which also asks it to. For one thread (main). */
bool http_alive(struct http *http);

/* What is measured, with http_report. From any thread. */
struct http_values {
    uint64_t connections; /* open now */
    uint64_t connections_limit;
    uint64_t in_flight_bytes, in_flight_limit_bytes; /* bodies held, those that are counted */
    struct report_histogram body_bytes;
};

extern const struct report_table http_report;
void http_get_values(struct http *http, struct http_values *ret);

/* The same, and by listener, with http_listener_report: each one that there ever was, the first HTTP_LANES_MAX of them,
 * and under "" what the others had. */
#define HTTP_LANES_MAX 32
extern const struct report_table http_listener_report;
void http_add_report(struct http *http, struct report_list *list);

/* New settings, copied; to be used from inside http_call. */
void http_configure(struct http *http, const struct http_settings *settings);

/* Other listeners, from malloc; to be used from inside http_call. Connections that came by the old ones stay. */
void http_set_listeners(struct http *http, struct http_listener *take_listeners, size_t n);

/* Stops listening, answers what was received, ends streams, closes, all within timeout_us. Tickets may still come back
 * after it, until http_free, which returns NULL. patience_us: as much longer may a handler take that is under way, or
 * HTTP_NO_LIMIT. -ETIMEDOUT: it goes on, and nothing of it or of what it uses may be freed. */
int http_stop(struct http *http, usec_t timeout_us, usec_t patience_us) MUST_CHECK;
struct http *http_free(struct http *http);
