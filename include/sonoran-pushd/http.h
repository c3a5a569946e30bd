/* http.h - HTTP on the game port: whole requests in, short answers out. Knows nothing of events.
 *
 * Shape:   POST on one of the paths goes to the handler with its whole body; everything else of design section 3
 *          (other methods and paths, limits, malformed requests) is answered here.
 * Units:   in the name.
 * Owner:   listening sockets stay the caller's, open until http_stop or http_set_listeners without them has returned,
 *          as long as anything is asked of http; a request's members live until the handler
 *          returns, except the body, which the handler may keep.
 * Threads: one thread runs everything, the handler included. The functions here are for other threads, except
 *          http_configure and http_set_listeners.
 * Errors:  negative errno and a sentence from http_start; afterwards problems are answers, told to refused().
 * Source:  microhttpd.h, libmicrohttpd's manual; the traps are named in the code beside what avoids them.
 */
#pragma once

#include <netinet/in.h>
#include <sonoran-pushd/base.h>

struct http;

struct http_listener {
    char name[NAME_MAX_BYTES + 1];
    int fd; /* bound and listening */
};

struct http_settings {
    const char *const *paths; /* the push paths */
    size_t n_paths;
    uint64_t body_bytes;
    uint64_t connections;
    uint64_t connections_per_ip; /* served at a time, of a host that is not known; the others wait */
    uint64_t request_time_us;    /* for one request from its first line to its last byte, and for idling */
    uint64_t in_flight_bytes;    /* bodies held at one time; those up to 16 KiB are not counted */
};

/* Who sent it. Copied around freely. */
struct http_origin {
    char listener[NAME_MAX_BYTES + 1];
    char peer[INET6_ADDRSTRLEN];
};

struct http_answer {
    unsigned status;        /* 0: it comes later, by http_answer_later */
    const char *text;       /* a constant, or in text_buffer */
    unsigned retry_after_s; /* 0: no such header */
    char text_buffer[600];
};

/* A request whose answer comes later. Whoever got it from post() hands it back, answered, unless overdue() took it
 * back; whether the client is still there is no business of theirs. */
struct http_ticket {
    struct http_answer answer;
    uint64_t event_id;             /* for the handler */
    bool overdue;                  /* of the HTTP thread: its request was answered without it */
    struct http_ticket *next;      /* for whoever holds it */
    struct connection *connection; /* of the HTTP thread; NULL: the client is gone */
};

struct http_request {
    const struct http_origin *origin;
    const struct in6_addr *peer_address; /* IPv4 as ::ffff:a.b.c.d */
    char **take_body;                    /* from malloc, terminated; the handler may keep it, leaving NULL */
    size_t body_size;
    struct http_ticket *ticket; /* the handler's, if it sets status 0 */
};

/* Beyond settings.connections, for a moment: one that comes before another has gone. */
#define HTTP_SPARE_CONNECTIONS 8

/* Refusals that say something about how the sender is set up. */
enum http_refusal {
    HTTP_REFUSAL_OTHER,
    HTTP_REFUSAL_PATH, /* posted to a path that is none */
    HTTP_REFUSAL_TOO_LARGE,
    HTTP_REFUSAL_CONNECTIONS, /* limits.connections or limits.connections_per_ip */
    HTTP_REFUSAL_NOT_HTTP,    /* another protocol, or nothing that could be read as a request */
};

struct http_callbacks {
    void *userdata;
    void (*post)(void *userdata, struct http_request *request, struct http_answer *ret);
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
};

/* Opens a listening socket. IPv6's [::] takes IPv4 too, and is 0.0.0.0 where the machine has no IPv6. The sentence
 * names the program that has the port, where that can be seen. */
int http_listen(const struct sockaddr *address, socklen_t size, struct err *err) MUST_CHECK;

/* Is this the socket that http_listen would open for the address? Port 0 is any. */
bool http_listens_on(int fd, const struct sockaddr *address, socklen_t size);

/* A socket that stops listening for all who have a copy of it, which frees the address at once, and listens again. */
void http_silence(int fd);
int http_listen_again(int fd) MUST_CHECK;

/* Who counts as one: an IPv4 address, the 64 bits of IPv6 that one host has all to itself. */
struct in6_addr http_host_of(const struct in6_addr *address);

/* "[::]:30120": where a socket listens, with the real port. */
void http_socket_name(int fd, char *ret_name, size_t size);

int http_start(struct http **ret, const struct http_listener *listeners, size_t n_listeners,
               const struct http_settings *settings, const struct http_callbacks *callbacks,
               struct err *err) MUST_CHECK;

/* Answers a list of tickets, which http takes back. From any thread; wakes the HTTP thread once. */
void http_answer_later(struct http *http, struct http_ticket *take_tickets);

/* Runs function(argument) in the HTTP thread, between requests, and returns when it has run. */
void http_call(struct http *http, void (*function)(void *argument), void *argument);

/* Whether its thread got on since the last call, which also asks it to. For one thread (main). */
bool http_alive(struct http *http);

/* How many connections there are. */
size_t http_n_connections(struct http *http);

/* New settings, copied; to be used from inside http_call. */
int http_configure(struct http *http, const struct http_settings *settings) MUST_CHECK;

/* Other listeners, from malloc; to be used from inside http_call. Connections that came by the old ones stay. */
void http_set_listeners(struct http *http, struct http_listener *take_listeners, size_t n);

/* Stops listening, answers what was received, closes, all within timeout_us. Tickets may still come back after it,
 * until http_free, which returns NULL. */
void http_stop(struct http *http, usec_t timeout_us);
struct http *http_free(struct http *http);
