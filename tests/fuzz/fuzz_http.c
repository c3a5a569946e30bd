/* fuzz_http.c - any bytes from a client of the game port: the push source as it is, on libmicrohttpd, with the pipeline
 * and a log in memory behind it. libFuzzer's target.
 *
 * The first byte says in which pieces the rest comes, and whether the client waits for answers or is gone. The port is
 * a Unix socket, so that clients cost no ports. Looked for besides crashes: an answer that is none, or that never
 * comes; one that says ok without an event in the log; a key in answers or in lines of the log; lines that a terminal
 * would obey; a sound request behind it that is not answered. */
#include "fuzz_checks.h"

#include <ctype.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "pipeline_helpers.h"

#include <sonoran-pushd/http.h>
#include <sonoran-pushd/source_set.h>
#include <sonoran-pushd/sources.h>

#define HOW_GONE 0x80

static struct source_set *set;
static char socket_path[100];

int __wrap_http_listen(const struct sockaddr *address, socklen_t size, struct err *ret_err);
void __wrap_log_write(const struct log_record *record);
void __wrap_log_line(int level, const char *message_id, const char *format, ...) PRINTF_LIKE(3, 4);

int __wrap_http_listen(const struct sockaddr *address, socklen_t size, struct err *ret_err)
{
    (void) address;
    (void) size;
    snprintf(socket_path, sizeof(socket_path), "%s/port", folder);
    return http_listen_unix(socket_path, 0600, ret_err);
}

/* From any thread. */
void __wrap_log_write(const struct log_record *record)
{
    require_safe(record->line);
    require_without(record->line, KEY);
    for (size_t i = 0; i < record->n_fields; i++)
        require(!record->fields[i].text || !memmem(record->fields[i].text, record->fields[i].size, KEY, strlen(KEY)));
}

void __wrap_log_line(int level, const char *message_id, const char *format, ...)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    va_list args;
    va_start(args, format);
    char *words = NULL;
    require(vasprintf(&words, format, args) >= 0);
    va_end(args);
    text_add(&line, words);
    free(words);
    __wrap_log_write(&(struct log_record){ .level = level, .message_id = message_id, .line = line.s });
}

/* ---- the daemon ---- */

static void open_set(void)
{
    static const struct source_type *const rows[] = { &source_push };
    static const struct source_types types = { rows, ARRAY_SIZE(rows) };
    require(source_set_new(&set, &types, config, &families_all, cad, pipeline) == 0);
    require(source_set_open(set, &err) == 0);
}

static void end(void)
{
    require(source_set_stop(set, PATIENCE_US) == 0);
    delivery_stop(delivery, USEC_PER_SEC);
    require(pipeline_stop(pipeline, PATIENCE_US) == 0);
    set = source_set_free(set);
    way_in = pipeline_source_free(way_in);
    pipeline = pipeline_free(pipeline);
    delivery = delivery_free(delivery);
    feed = feed_free(feed);
    cad = state_free(cad);
    store = store_close(store);
    config = config_free(config);
    require(remove_folder(NULL) == 0);
}

static void begin(void)
{
    before_writer = open_set;
    require(set_up(NULL) == 0);
    source_set_ready(set);
    atexit(end);
}

static uint64_t newest_id(void)
{
    static struct store_reader *reader;
    uint64_t id = 0;
    struct err problem = { "" };
    if (!reader)
        require(store_reader_open(&reader, path, &problem) == 0);
    require(store_newest(reader, &id, &problem) == 0);
    return id;
}

/* ---- a client ---- */

static int connect_client(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    text_copy(address.sun_path, sizeof(address.sun_path), socket_path);
    require(fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0);
    return fd;
}

/* False: the other side takes no more. */
static bool send_piece(int fd, struct span *left, size_t piece)
{
    size_t size = left->size < piece ? left->size : piece;
    ssize_t n = send(fd, left->s, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN;
    *left = (struct span){ left->s + n, left->size - (size_t) n };
    return true;
}

/* All that comes back, until the other side closes. */
static void talk(int fd, struct span left, size_t piece, struct text *ret)
{
    char block[4096];
    bool is_sending = true;
    for (ssize_t n = 1; n > 0;) {
        struct pollfd ready = { .fd = fd, .events = (short) (POLLIN | (is_sending ? POLLOUT : 0)) };
        if (poll(&ready, 1, -1) < 1) /* libFuzzer has the patience, and knows of a process that was stopped */
            continue;
        if (is_sending && ready.revents & POLLOUT) {
            is_sending = left.size && send_piece(fd, &left, piece);
            if (!is_sending)
                shutdown(fd, SHUT_WR);
        }
        if (!(ready.revents & ~POLLOUT))
            continue;
        n = recv(fd, block, sizeof(block), MSG_DONTWAIT);
        if (n > 0)
            text_add_bytes(ret, block, (size_t) n);
        else if (n < 0 && errno == EAGAIN)
            n = 1;
    }
}

/* ---- answers ---- */

struct answer {
    unsigned status;
    size_t body_bytes;
    const char *body;
};

static bool is_field(const char *line, const char *line_end)
{
    const char *colon = memchr(line, ':', (size_t) (line_end - line));
    for (const char *p = line; p < line_end; p++)
        if ((unsigned char) *p < 0x20 || *p == 0x7f)
            return false;
    return colon && colon > line;
}

/* The head at *p, which it passes. */
static void read_head(const char **p, const char *rest_end, struct answer *ret)
{
    const char *head_end = memmem(*p, (size_t) (rest_end - *p), "\r\n\r\n", 4), *line = *p;
    require(head_end && strncmp(line, "HTTP/1.", 7) == 0 && (line[7] == '0' || line[7] == '1') && line[8] == ' ');
    for (int i = 9; i < 12; i++)
        require(isdigit((unsigned char) line[i]));
    *ret = (struct answer){ .status = (unsigned) strtoul(line + 9, NULL, 10), .body = head_end + 4 };
    line = (char *) memmem(line, (size_t) (head_end + 2 - line), "\r\n", 2) + 2;
    while (line < head_end) {
        const char *line_end = memmem(line, (size_t) (head_end + 2 - line), "\r\n", 2);
        require(line_end && is_field(line, line_end));
        if (strncasecmp(line, "Content-Length:", strlen("Content-Length:")) == 0)
            ret->body_bytes = strtoull(line + strlen("Content-Length:"), NULL, 10);
        line = line_end + 2;
    }
    *p = ret->body;
}

/* How many say that an event is stored. with_bodies: none of them is that to a HEAD. */
static size_t look_at_answers(const struct text *all, bool with_bodies)
{
    size_t n_ok = 0;
    struct answer answer;
    for (const char *p = all->s, *all_end = all->s + all->size; p < all_end;) {
        read_head(&p, all_end, &answer);
        require(answer.status >= 100 && answer.status < 600);
        if (!with_bodies)
            return 0;
        if (answer.status < 200)
            continue;
        if (answer.status >= 400 && (size_t) (all_end - p) > 9 && memcmp(p, "HTTP/1.", 7) == 0)
            continue; /* libmicrohttpd 0.9 says the head of some of its own twice */
        require((size_t) (all_end - p) >= answer.body_bytes);
        n_ok += answer.status == 200 && answer.body_bytes == 2 && memcmp(p, "ok", 2) == 0;
        p += answer.body_bytes;
    }
    return n_ok;
}

/* Beside whatever the other one has left behind. */
static void ask_soundly(void)
{
    static const char body[] = "{\"key\":\"" KEY "\",\"type\":\"EVENT_911\",\"data\":{\"call\":{\"callId\":7}}}";
    struct text request CLEANUP(text_free) = TEXT_INIT, answers CLEANUP(text_free) = TEXT_INIT;
    uint64_t before = newest_id();
    int fd = connect_client();
    text_addf(&request, "POST /sonorancad/event HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
              body);
    talk(fd, (struct span){ request.s, request.size }, SIZE_MAX, &answers);
    close(fd);
    require(look_at_answers(&answers, true) == 1 && newest_id() > before);
}

static void look_at(struct span bytes, unsigned how)
{
    static const size_t pieces[] = { SIZE_MAX, 1, 2, 7, 64, 1000, 4096, 65536 };
    struct text answers CLEANUP(text_free) = TEXT_INIT;
    uint64_t before = newest_id();
    int fd = connect_client();
    if (how & HOW_GONE) {
        (void) send_piece(fd, &bytes, SIZE_MAX);
        close(fd);
        return;
    }
    talk(fd, bytes, bytes.size < 2048 ? pieces[how & 7] : SIZE_MAX, &answers);
    close(fd);
    require(!memmem(answers.s, answers.size, KEY, strlen(KEY)));
    size_t n_ok = look_at_answers(&answers, !memmem(bytes.s, bytes.size, "HEAD", 4));
    require(newest_id() - before >= n_ok);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!set)
        begin();
    if (!size)
        return 0;
    look_at((struct span){ (const char *) bytes + 1, size - 1 }, bytes[0]);
    ask_soundly();
    return 0;
}
