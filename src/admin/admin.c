/* admin.c - the two doors: their sockets, the instance of http behind them, and answers that come later. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/log.h>

#include "admin_private.h"

#define SOCKET_MODE 0660
#define STOP_MAX_US USEC_PER_SEC
#define STOP_PATIENCE_US USEC_PER_SEC /* for a read that is under way */
#define CONFIGURE_MAX_US (2 * USEC_PER_SEC)
#define IN_FLIGHT_BYTES ((uint64_t) 64 << 20)
#define ANSWERS_BYTES ((uint64_t) 16 << 20)

/* ---- callbacks of http ---- */

static void refused(void *userdata, const struct http_origin *origin, enum http_refusal kind, const char *what,
                    const char *path)
{
    (void) userdata;
    (void) kind;
    (void) path;
    log_line(LOG_DEBUG, NULL, "%s: refused a request of %s: %s", origin->listener, origin->peer, what);
}

static bool knows(void *userdata, const struct in6_addr *host)
{
    const struct admin *admin = userdata;
    return gate_knows(admin->door, host, uptime_us());
}

static bool overdue(void *userdata, struct http_ticket *ticket, struct http_answer *ret)
{
    const struct admin *admin = userdata;
    struct text sentence CLEANUP(text_free) = TEXT_INIT;
    text_addf(&sentence, "the daemon has not reloaded its configuration within %d s; its log will say whether it does",
              (int) (ADMIN_PATIENCE_US / USEC_PER_SEC));
    admin_answer_error(ret, 504, sentence.s);
    return admin->parts.give_up_reload(admin->parts.userdata, ticket);
}

static void late(void *userdata, const struct http_ticket *ticket)
{
    (void) userdata;
    (void) ticket;
}

void admin_answer_reload(struct admin *admin, void *ticket, bool in_force, struct json_writer *answer)
{
    struct http_ticket *answered = ticket;
    admin_answer(&answered->answer, in_force ? 200 : 422, answer);
    answered->next = NULL;
    http_answer_later(admin->http, answered);
}

void admin_refuse_reload(struct admin *admin, void *ticket, const char *why)
{
    struct http_ticket *answered = ticket;
    admin_answer_error(&answered->answer, 503, why);
    answered->next = NULL;
    http_answer_later(admin->http, answered);
}

/* ---- its life ---- */

static struct http_settings settings(const struct config *config)
{
    const struct config_connections allowed = config_connections(config, HTTP_SPARE_CONNECTIONS);
    return (struct http_settings){ .thread = "admin",
                                   .body_bytes = ADMIN_BODY_MAX_BYTES,
                                   .connections = allowed.admin + allowed.streams,
                                   .connections_per_ip = allowed.admin + allowed.streams,
                                   .request_time_us = ADMIN_PATIENCE_US,
                                   .in_flight_bytes = IN_FLIGHT_BYTES,
                                   .answers_bytes = ANSWERS_BYTES,
                                   .streams = allowed.streams,
                                   .streams_per_ip = config->admin.streams_per_ip };
}

static void wake_streams(void *userdata)
{
    const struct admin *admin = userdata;
    http_wake(admin->http);
}

static void add_sources(void *userdata, const char *community, struct json_writer *out)
{
    const struct admin *admin = userdata;
    admin_add_sources(admin, community, out);
}

void admin_note_sources(struct admin *admin)
{
    if (admin)
        sse_note_sources(admin->sse);
}

static int start_streams(struct admin *admin, struct err *err)
{
    const struct sse_parts parts = { .feed = admin->parts.feed,
                                     .families = admin->parts.families,
                                     .state = admin->parts.state,
                                     .heartbeat_us = SSE_HEARTBEAT_US,
                                     .wake = wake_streams,
                                     .userdata = admin,
                                     .round_us = ADMIN_ROUND_US,
                                     .stop = admin_is_to_end,
                                     .add_sources = add_sources };
    return sse_new(&admin->sse, &parts, admin->parts.config, err);
}

/* ---- another configuration ---- */

struct admin_change {
    struct config *config;
    struct admin_tokens tokens;
};

static void change_free(struct admin_change *change)
{
    if (!change)
        return;
    admin_tokens_done(&change->tokens);
    config_free(change->config);
    free(change);
}

/* In the thread of http: the newest that was asked for, if it is not taken yet. */
static void take_config(void *argument)
{
    struct admin *admin = argument;
    struct admin_change *change = atomic_exchange(&admin->change, NULL);
    if (!change)
        return;
    const struct admin_change old = { admin->parts.config, admin->tokens };
    const struct http_settings limits = settings(change->config);
    bool same_tokens = admin_tokens_are_same(&old.tokens, &change->tokens);
    admin->parts.config = change->config;
    admin->tokens = change->tokens;
    http_configure(admin->http, &limits);
    sse_configure(admin->sse, admin->parts.config, !same_tokens);
    admin->n_configured++;
    *change = old;
    change_free(change);
}

/* Where it is not called for long, because of what it reads, it looks by itself at the end of that. */
static void end_round(void *userdata)
{
    struct admin *admin = userdata;
    admin_end_round(admin);
    if (atomic_load_explicit(&admin->change, memory_order_relaxed))
        take_config(admin);
}

/* ---- its start ---- */

static int start_http(struct admin *admin, struct err *err)
{
    struct http_listener listeners[ADMIN_LISTENERS_MAX];
    size_t n = 0;
    if (admin->listen_fd >= 0)
        listeners[n++] = (struct http_listener){ .name = "control", .fd = admin->listen_fd };
    if (admin->board_fd >= 0)
        listeners[n++] = (struct http_listener){ .name = "board", .fd = admin->board_fd };
    const struct http_settings limits = settings(admin->parts.config);
    const struct http_callbacks callbacks = { .userdata = admin,
                                              .who = admin_who,
                                              .refusal = admin_answer_refusal,
                                              .round = end_round,
                                              .refused = refused,
                                              .overdue = overdue,
                                              .late = late,
                                              .known = knows };
    return http_start(&admin->http, listeners, n, &limits, &admin_routes, &callbacks, err);
}

/* Without it the daemon runs, but where another one has it: they would be taken for each other. */
static int open_control(struct admin *admin, struct err *err)
{
    admin->path = admin_socket_path(admin->parts.store_path);
    if (!admin->path)
        return err_set(err, -ENOMEM, "no memory");
    int fd = http_listen_unix(admin->path, SOCKET_MODE, err);
    if (fd == -EADDRINUSE)
        return err_wrap(err, fd, "the control socket %s", admin->path);
    if (fd < 0 && fd != -ENOMEM) {
        log_line(LOG_WARNING, LOG_ID_CONFIG, "no control socket %s: %s; sonoran-pushctl can ask this daemon nothing",
                 admin->path, err->msg);
        return 0;
    }
    admin->listen_fd = fd;
    if (fd >= 0 && lstat(admin->path, &admin->socket) < 0)
        admin->socket = (struct stat){ 0 };
    return fd;
}

/* Not kept by systemd over a restart: whoever looks connects again, and nothing is sent to us here that would be lost.
 */
static int open_board(struct admin *admin, struct err *err)
{
    const char *address = admin->parts.config->admin.address;
    struct sockaddr_storage where;
    socklen_t size;
    char name[INET6_ADDRSTRLEN + 16];
    if (!address)
        return 0;
    int r = config_address_read(address, &where, &size);
    r = r < 0 ? err_set(err, r, "%s is no address", address) : http_listen((struct sockaddr *) &where, size, err);
    if (r < 0)
        return err_wrap(err, r, "admin.address");
    admin->board_fd = r;
    admin->board_is_loopback = admin_is_loopback((struct sockaddr *) &where);
    http_socket_name(r, name, sizeof(name));
    log_line(LOG_INFO, LOG_ID_CONFIG, "the board is to be seen on http://%s/%s", name,
             admin->tokens.whole ? " with its token; sonoran-pushctl open shows the link" : "");
    return 0;
}

/* Without the one for all communities they are shown to nobody, and events are taken all the same. */
static void load_tokens(struct admin_tokens *ret, const struct config *config)
{
    struct err err;
    if (admin_tokens_load(ret, config, &err) < 0)
        log_line(LOG_ERR, LOG_ID_CONFIG, "%s; until a reload can make it, nobody sees all of the board by TCP",
                 err.msg);
}

static int open_all(struct admin *admin, struct err *err)
{
    int r = gate_door_new(&admin->door, admin->parts.gate, "admin");
    if (r < 0)
        return err_set(err, r, "no memory");
    r = open_control(admin, err);
    if (r < 0)
        return r;
    load_tokens(&admin->tokens, admin->parts.config);
    r = open_board(admin, err);
    if (r < 0 || (admin->listen_fd < 0 && admin->board_fd < 0))
        return r;
    r = start_streams(admin, err);
    return r < 0 ? r : start_http(admin, err);
}

int admin_start(struct admin **ret, const struct admin_parts *parts, struct err *err)
{
    struct admin *admin = calloc(1, sizeof(*admin));
    *ret = NULL;
    if (!admin)
        return err_set(err, -ENOMEM, "no memory");
    admin->parts = *parts;
    admin->started_us = now_us();
    admin->round_us = ADMIN_ROUND_US;
    admin_end_reads(false);
    config_ref(admin->parts.config);
    admin_session_name(feed_life(parts->feed)->log, admin->cookie);
    admin->listen_fd = admin->board_fd = -1;
    int r = open_all(admin, err);
    if (r < 0 || !admin->http)
        admin = admin_stop(admin);
    *ret = admin;
    return r;
}

int admin_configure(struct admin *admin, struct config *config, struct err *err)
{
    if (!admin)
        return 0;
    struct admin_change *change = calloc(1, sizeof(*change));
    if (!change)
        return err_set(err, -ENOMEM, "no memory: the board and the control socket keep the old configuration");
    load_tokens(&change->tokens, config);
    change->config = config_ref(config);
    change_free(atomic_exchange(&admin->change, change));
    int r = http_call(admin->http, take_config, admin, CONFIGURE_MAX_US);
    return r < 0 ? err_set(err, r,
                           "the board and the control socket wait for the disk, and take the configuration when it "
                           "answers")
                 : 0;
}

/* ---- its end ---- */

/* Who took it away may have let another daemon have its place. */
static void remove_socket(const struct admin *admin)
{
    struct stat now;
    if (lstat(admin->path, &now) == 0 && now.st_dev == admin->socket.st_dev && now.st_ino == admin->socket.st_ino)
        (void) unlink(admin->path);
}

struct admin *admin_stop(struct admin *admin)
{
    if (!admin)
        return NULL;
    admin_end_reads(true);
    sse_stop(admin->sse);
    if (http_stop(admin->http, STOP_MAX_US, STOP_PATIENCE_US) < 0)
        return admin;
    if (admin->listen_fd >= 0) {
        remove_socket(admin);
        close(admin->listen_fd);
    }
    cleanup_close(&admin->board_fd);
    http_free(admin->http);
    sse_free(admin->sse);
    gate_door_free(admin->door);
    change_free(atomic_load(&admin->change));
    admin_tokens_done(&admin->tokens);
    config_free(admin->parts.config);
    free(admin->path);
    free(admin);
    return NULL;
}
