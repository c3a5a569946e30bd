/* daemon.c - a question to the running daemon: one line of words, one line of JSON back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <sonoran-pushd/control.h>

#include "daemon.h"

/* It serves one client after the other, and gives each of them CONTROL_PATIENCE_US. */
#define PATIENCE_US (3 * CONTROL_PATIENCE_US)
#define ANSWER_MAX_BYTES ((size_t) 16 << 20)

static int explain(int problem, const char *store, struct err *err)
{
    if (problem == ENOENT || problem == ENOTDIR || problem == ECONNREFUSED)
        return err_set(err, DAEMON_NOT_RUNNING, "no daemon is running with this event log (%s.control): %s", store,
                       strerror(problem));
    if (problem == EACCES || problem == EPERM)
        return err_set(err, -EACCES,
                       CTL_NAME " has to run as root, or as the user or group of the daemon (%s.control): %s", store,
                       strerror(problem));
    if (problem == EAGAIN || problem == ETIMEDOUT || problem == EINPROGRESS)
        return err_set(err, -ETIMEDOUT, "the daemon does not answer (%s.control)", store);
    return err_set(err, -problem, "cannot ask the daemon (%s.control): %s", store, strerror(problem));
}

/* On a Unix socket the time limit for sending bounds connect too. */
static int open_socket(const struct sockaddr_un *address, usec_t patience_us)
{
    const struct timeval patience = { .tv_sec = (time_t) (patience_us / USEC_PER_SEC) };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

/* The answer, without its line end; 0 or a negative errno. */
static int talk(int fd, const char *words, const struct text *more, usec_t patience_us, struct text *ret)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    usec_t end = uptime_us() + patience_us;
    char piece[4096];
    ssize_t n = 1;

    text_addf(&line, "%s\n", words);
    if (line.failed)
        return -ENOMEM;
    if (send(fd, line.s, line.size, MSG_NOSIGNAL) != (ssize_t) line.size ||
        (more && more->size && send(fd, more->s, more->size, MSG_NOSIGNAL) != (ssize_t) more->size))
        return -errno;
    while ((n = recv(fd, piece, sizeof(piece), 0)) > 0 && ret->size < ANSWER_MAX_BYTES) {
        const char *line_end = memchr(piece, '\n', (size_t) n);
        text_add_bytes(ret, piece, line_end ? (size_t) (line_end - piece) : (size_t) n);
        if (line_end)
            return ret->failed ? -ENOMEM : 0;
        if (uptime_us() > end)
            return -ETIMEDOUT;
    }
    return n < 0 ? -errno : -EPROTO;
}

static int parse(struct daemon_answer *answer, struct err *err)
{
    answer->json = cJSON_Parse(answer->line.s);
    if (!cJSON_IsObject(answer->json))
        return err_set(err, -EPROTO, "the daemon gave an answer that is no JSON object");
    const char *sentence = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer->json, "error"));
    if (!sentence)
        return 0;
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, sentence, strlen(sentence), 400);
    return err_set(err, -EREMOTEIO, "%s", shown.s);
}

int daemon_ask(const char *store, const char *words, struct daemon_answer *ret, struct err *err)
{
    return daemon_ask_with(store, words, NULL, 0, ret, err);
}

int daemon_ask_with(const char *store, const char *words, const struct text *more, usec_t takes_us,
                    struct daemon_answer *ret, struct err *err)
{
    struct sockaddr_un address;
    int folder_fd CLEANUP(cleanup_close) = -1;
    int r = control_address(store, &address, &folder_fd, err);
    if (r < 0)
        return r;
    int fd CLEANUP(cleanup_close) = open_socket(&address, PATIENCE_US + takes_us);
    if (fd < 0)
        return explain(-fd, store, err);

    struct daemon_answer answer = { .line = TEXT_INIT };
    r = talk(fd, words, more, PATIENCE_US + takes_us, &answer.line);
    if (r == -EPROTO)
        err_set(err, r, "the daemon ended the connection without an answer (%s.control)", store);
    else if (r < 0)
        r = explain(-r, store, err);
    else
        r = parse(&answer, err);
    if (r < 0) {
        daemon_answer_free(&answer);
        return r;
    }
    *ret = answer;
    return 0;
}

void daemon_answer_free(struct daemon_answer *answer)
{
    cJSON_Delete(answer->json);
    answer->json = NULL;
    text_free(&answer->line);
}

int daemon_ask_for(const struct ctl_common *common, const char *words, struct daemon_answer *ret)
{
    char *store CLEANUP(cleanup_free) = NULL;
    struct err err;
    int status = settings_find_store(common, &store);
    if (status != EXIT_SUCCESS)
        return status;
    return daemon_ask(store, words, ret, &err) < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

const char *json_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

uint64_t json_count(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble < 1e18 ? (uint64_t) item->valuedouble : 0;
}

usec_t json_time(const cJSON *object, const char *name)
{
    bool second;
    usec_t time_us;
    const char *text = json_text(object, name);
    return *text && time_read(text, 0, &time_us, &second) == 0 ? time_us : 0;
}
