/* ctl_daemon.c - a question to the running daemon: HTTP on its Unix socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sonoran-pushd/admin.h>
#include <sonoran-pushd/http.h>
#include <sonoran-pushd/machine.h>
#include <sonoran-pushd/net.h>

#include "ctl_daemon.h"

#define PATIENCE_US (6 * USEC_PER_SEC)
#define ANSWER_MAX_BYTES ((size_t) 16 << 20)
#define SERVER PROGRAM_NAME "/"
#define SERVICE_STORE "/var/lib/" PROGRAM_NAME "/events.db"

static void cleanup_web(struct web **web)
{
    web_close(*web);
}

/* "sonoran-pushd/0.1.0"; "": what answers is no sonoran-pushd. */
static void read_version(const struct web_answer *answer, char *ret, size_t size)
{
    const char *server = web_header(answer, "Server");
    size_t start = strlen(SERVER);
    *ret = '\0';
    if (server && strncmp(server, SERVER, start) == 0)
        snprintf(ret, size, "%.*s", (int) strspn(server + start, "0123456789."), server + start);
}

static int explain(int problem, const char *socket, struct err *err)
{
    if (problem == ENOENT || problem == ENOTDIR || problem == ECONNREFUSED)
        return err_set(err, DAEMON_NOT_RUNNING, "no daemon is running with this event log (%s): %s", socket,
                       strerror(problem));
    if (problem == EACCES || problem == EPERM)
        return err_set(err, -EACCES,
                       "this has to run as root, or in the group of the daemon (adduser YOU " PROGRAM_NAME
                       ", then log in anew): cannot ask it on %s: %s",
                       socket, strerror(problem));
    if (problem == EAGAIN || problem == ETIMEDOUT || problem == EINPROGRESS)
        return err_set(err, -ETIMEDOUT, "the daemon does not answer (%s)", socket);
    return err_set(err, -problem, "cannot ask the daemon (%s): %s", socket, strerror(problem));
}

/* What connect(2) says, and what came after it. */
int daemon_explain(int r, const char *socket, struct err *err)
{
    switch (-r) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case EACCES:
    case EPERM:
    case EAGAIN:
    case ETIMEDOUT:
    case ELOOP:
    case EPROTOTYPE:
        return explain(-r, socket, err);
    case ETIME: /* it took the request, and says nothing */
        return explain(ETIMEDOUT, socket, err);
    case ENOMEM:
        return err_set(err, -ENOMEM, "no memory");
    case ELIBACC:
        return r; /* err has the sentence */
    case EBADMSG: /* an answer without a head */
        return err_set(err, -EPROTO,
                       "the daemon that runs (%s) is older than this " CTL_NAME " (" PROGRAM_VERSION "): %s", socket,
                       machine_restart());
    default:
        return err_set(err, -EPROTO, "the daemon ended the connection without an answer (%s)", socket);
    }
}

/* Below 0: a is the older one. */
static int compare_versions(const char *a, const char *b)
{
    unsigned x[3] = { 0 }, y[3] = { 0 };
    (void) sscanf(a, "%u.%u.%u", &x[0], &x[1], &x[2]);
    (void) sscanf(b, "%u.%u.%u", &y[0], &y[1], &y[2]);
    for (size_t i = 0; i < ARRAY_SIZE(x); i++)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

static _Atomic bool told;

void daemon_be_quiet(void)
{
    told = true;
}

static void tell_versions(const char *version)
{
    int order = compare_versions(version, PROGRAM_VERSION);
    if (order == 0 || told)
        return;
    told = true;
    if (order < 0)
        ctl_fail(0, "the daemon that runs is " PROGRAM_NAME " %s, older than this " CTL_NAME " (%s): %s", version,
                 PROGRAM_VERSION, machine_restart());
    else
        ctl_fail(0,
                 "this " CTL_NAME " (%s) is older than the daemon that runs, " PROGRAM_NAME
                 " %s: use the one that was installed with it",
                 PROGRAM_VERSION, version);
}

static int parse(struct text *body, struct daemon_answer *ret, struct err *err)
{
    while (body->size && body->s[body->size - 1] == '\n')
        body->s[--body->size] = '\0';
    struct daemon_answer answer = { cJSON_Parse(body->s), *body };
    *body = (struct text) TEXT_INIT;
    const char *sentence = cJSON_GetStringValue(json_get(answer.json, "error"));
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    int r = 0;
    if (sentence)
        text_add_safe(&shown, sentence, strlen(sentence), 400);
    if (!cJSON_IsObject(answer.json))
        r = err_set(err, -EPROTO, "the daemon gave an answer that is no JSON object");
    else if (sentence)
        r = err_set(err, -EREMOTEIO, "%s", shown.s);
    if (r < 0)
        daemon_answer_free(&answer);
    else
        *ret = answer;
    return r;
}

static int ask_http(const char *socket, const struct daemon_question *question, struct web_answer *ret, struct err *err)
{
    const struct text *body = question->body;
    const struct web_settings settings = { .timeout_us = PATIENCE_US + question->takes_us,
                                           .cancel_fd = question->cancel_fd ? *question->cancel_fd : -1,
                                           .unix_path = socket,
                                           .user_agent = CTL_NAME "/" PROGRAM_VERSION };
    char url[256], type[64];
    char *const headers[] = { type };
    snprintf(url, sizeof(url), "http://localhost%s", question->path);
    /* Without a value: none is sent. */
    snprintf(type, sizeof(type), "Content-Type:%s%s", body && body->size ? " " : "",
             body && body->size ? question->type : "");
    const struct web_request request = { .url = url,
                                         .more_headers = headers,
                                         .n_more_headers = ARRAY_SIZE(headers),
                                         .body = { body ? body->s : NULL, body ? body->size : 0 },
                                         .max_answer_bytes = ANSWER_MAX_BYTES,
                                         .wait = WEB_WAIT_BODY };
    struct web *web CLEANUP(cleanup_web) = NULL;
    int r = web_open(&web, &settings, err);
    if (r < 0)
        return r;
    return question->post ? web_post(web, &request, ret, err) : web_get(web, &request, ret, err);
}

static int ask_at(const char *socket, const struct daemon_question *question, struct daemon_answer *ret,
                  struct err *err)
{
    struct web_answer answer CLEANUP(web_answer_free) = { .body = TEXT_INIT, .redirect = TEXT_INIT };
    char version[32];
    if (strlen(socket) > HTTP_UNIX_PATH_MAX_BYTES)
        return err_set(err, -ENAMETOOLONG, "the daemon has no control socket: %s is too long for one (%d bytes)",
                       socket, HTTP_UNIX_PATH_MAX_BYTES);
    int r = ask_http(socket, question, &answer, err);
    if (r >= 0 && !answer.whole)
        r = -ECONNRESET;
    if (r < 0)
        return daemon_explain(r, socket, err);
    read_version(&answer, version, sizeof(version));
    if (!version[0])
        return err_set(err, -EPROTO, "what answers there is no " PROGRAM_NAME " (%s)", socket);
    tell_versions(version);
    return parse(&answer.body, ret, err);
}

/* ---- which socket ---- */

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* Whether the daemon of the service has this event log. */
static bool is_of_service(const char *socket, const char *store)
{
    static const struct daemon_question status = { .path = "/api/status" };
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct err err;
    if (access(socket, F_OK) < 0 || ask_at(socket, &status, &answer, &err) < 0)
        return false;
    const char *path = json_get_text(json_get(answer.json, "store"), "path");
    return *path && same_file(path, store);
}

static _Atomic bool by_service;

static char *socket_of_service(void)
{
    const char *folders = getenv("RUNTIME_DIRECTORY");
    return admin_socket_of_service(folders && *folders ? folders : ADMIN_SERVICE_FOLDER);
}

char *daemon_socket(const char *store)
{
    return by_service ? socket_of_service() : admin_socket_beside(store);
}

/* Where nobody answers beside the log, it may be that of the service, which is then asked from now on. */
int daemon_ask(const char *store, const struct daemon_question *question, struct daemon_answer *ret, struct err *err)
{
    char *beside CLEANUP(cleanup_free) = admin_socket_beside(store);
    char *service CLEANUP(cleanup_free) = socket_of_service();
    if (!beside || !service)
        return err_set(err, -ENOMEM, "no memory");
    int r = by_service ? DAEMON_NOT_RUNNING : ask_at(beside, question, ret, err);
    if (r != DAEMON_NOT_RUNNING && r != -EACCES && r != -ENAMETOOLONG)
        return r;
    by_service = by_service || is_of_service(service, store);
    if (by_service)
        return ask_at(service, question, ret, err);
    if (strcmp(store, SERVICE_STORE) == 0 && access(service, W_OK) < 0 && errno == EACCES)
        return explain(EACCES, service, err);
    return r;
}

int daemon_get(const char *store, const char *path, struct daemon_answer *ret, struct err *err)
{
    return daemon_ask(store, &(struct daemon_question){ .path = path }, ret, err);
}

void daemon_answer_free(struct daemon_answer *answer)
{
    cJSON_Delete(answer->json);
    answer->json = NULL;
    text_free(&answer->line);
}

int daemon_get_for(const struct ctl_common *common, const char *path, struct daemon_answer *ret)
{
    char *store CLEANUP(cleanup_free) = NULL;
    struct err err;
    int status = settings_find_store(common, &store);
    if (status != EXIT_SUCCESS)
        return status;
    return daemon_get(store, path, ret, &err) < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

usec_t daemon_get_time(const cJSON *object, const char *name)
{
    bool second;
    usec_t time_us;
    const char *text = json_get_text(object, name);
    return *text && time_read(text, 0, &time_us, &second) == 0 ? time_us : 0;
}
