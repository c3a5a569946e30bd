/* doctor_daemon.c - does it run, does it listen, and what do those who speak to it get wrong? */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/http.h>

#include "doctor.h"
#include "post.h"
#include "settings.h"

#define ERROR_MAX_CHARS 200

void check_running(struct doctor *doctor, struct daemon_answer *ret_answer)
{
    struct err err;
    int r = daemon_ask(doctor->store, "status", ret_answer, &err);
    doctor->running = r != DAEMON_NOT_RUNNING;
    doctor->told = ret_answer->json;
    if (r == DAEMON_NOT_RUNNING) {
        finding_add(&doctor->findings, FINDING_FAIL, "running",
                    "systemctl start " PROGRAM_NAME "; why it ended: journalctl -u " PROGRAM_NAME " -e", "%s", err.msg);
        return;
    }
    if (r < 0) {
        finding_add(&doctor->findings, r == -EACCES ? FINDING_WARN : FINDING_FAIL, "running",
                    r == -EACCES ? NULL : "journalctl -u " PROGRAM_NAME " -e tells what it was doing last", "%s",
                    err.msg);
        return;
    }
    const char *version = json_text(doctor->told, "version");
    if (*version && strcmp(version, PROGRAM_VERSION) != 0)
        finding_add(&doctor->findings, FINDING_WARN, "running", "systemctl restart " PROGRAM_NAME,
                    "the daemon that runs is version %s, what is installed is %s", version, PROGRAM_VERSION);
    else
        finding_add(&doctor->findings, FINDING_OK, "running", NULL, "the daemon runs");
}

static bool is_loopback(const struct config_listener *listener)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    memcpy(&v6, &listener->socket_address, sizeof(v6));
    memcpy(&v4, &listener->socket_address, sizeof(v4));
    if (listener->socket_address.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
    return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Whether the page is ours that people see who open the address in a browser; *ret_status 0: nothing answers. */
static bool is_our_page(const char *url, long *ret_status, struct err *err)
{
    struct text answer CLEANUP(text_free) = TEXT_INIT;
    *ret_status = 0;
    return http_ask(url, NULL, ret_status, &answer, err) >= 0 && *ret_status == 200 && strstr(answer.s, PROGRAM_NAME);
}

static void find_taken(struct doctor *doctor, const struct config_listener *listener, const char *sentence)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    long status;
    bool ours = settings_url(doctor->config, listener, NULL, &url, &err) >= 0 && is_our_page(url.s, &status, &err);
    if (ours)
        finding_add(&doctor->findings, FINDING_FAIL, "listener",
                    "name its configuration with -c, or end it: systemctl status " PROGRAM_NAME,
                    "listener %s: a " PROGRAM_NAME " with another event log has the port, and answers at %s",
                    listener->name, url.s);
    else
        finding_add(&doctor->findings, FINDING_FAIL, "listener",
                    "a FiveM server has 30120 by default; two programs cannot share a port: take another one here, and "
                    "enter it in the CAD",
                    "listener %s: %s", listener->name, sentence);
}

/* The same that the daemon would do at its start. */
static void check_port(struct doctor *doctor, const struct config_listener *listener)
{
    struct err err;
    int fd CLEANUP(cleanup_close) =
        http_listen((const struct sockaddr *) &listener->socket_address, listener->socket_address_size, &err);
    if (fd >= 0)
        finding_add(&doctor->findings, FINDING_OK, "listener", NULL, "listener %s: the port of %s is free",
                    listener->name, listener->address);
    else if (fd == -EADDRINUSE)
        find_taken(doctor, listener, err.msg);
    else
        finding_add(&doctor->findings, fd == -EACCES ? FINDING_WARN : FINDING_FAIL, "listener", NULL, "listener %s: %s",
                    listener->name, err.msg);
}

static void check_page(struct doctor *doctor, const struct config_listener *listener)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    long status;
    if (settings_url(doctor->config, listener, doctor->told, &url, &err) < 0)
        finding_add(&doctor->findings, FINDING_WARN, "listener", NULL, "%s", err.msg);
    else if (is_our_page(url.s, &status, &err))
        finding_add(&doctor->findings, FINDING_OK, "listener", NULL, "listener %s answers at %s", listener->name,
                    url.s);
    else if (status == 0)
        finding_add(&doctor->findings, FINDING_FAIL, "listener",
                    "a changed listener counts only after a restart: systemctl restart " PROGRAM_NAME,
                    "listener %s: the daemon runs, but nothing answers at %s: %s", listener->name, url.s, err.msg);
    else
        finding_add(&doctor->findings, FINDING_FAIL, "listener",
                    "find it with ss -ltnp, and give one of the two another port",
                    "listener %s: something else than " PROGRAM_NAME " answers at %s, with status %ld", listener->name,
                    url.s, status);
}

static void check_paths(struct doctor *doctor)
{
    bool event = false, root = false;
    for (size_t i = 0; i < doctor->config->n_paths; i++) {
        event |= strcmp(doctor->config->paths[i], "/sonorancad/event") == 0;
        root |= strcmp(doctor->config->paths[i], "/") == 0;
    }
    if (!event)
        finding_add(&doctor->findings, FINDING_FAIL, "paths", "add it to paths in the configuration",
                    "the CAD posts to /sonorancad/event, which is none of the configured paths");
    if (!root)
        finding_add(&doctor->findings, FINDING_WARN, "paths", NULL,
                    "\"/\" is none of the configured paths: a forwarder that is given only http://IP:PORT posts there");
}

void check_listeners(struct doctor *doctor)
{
    for (size_t i = 0; doctor->config && i < doctor->config->n_listeners; i++) {
        const struct config_listener *listener = &doctor->config->listeners[i];
        if (doctor->running)
            check_page(doctor, listener);
        else
            check_port(doctor, listener);
        if (is_loopback(listener))
            finding_add(&doctor->findings, FINDING_WARN, "listener",
                        "to be reached by the CAD itself: address = \"[::]:30120\"",
                        "listener %s is for programs of this machine only: %s", listener->name, listener->address);
    }
    if (doctor->config)
        check_paths(doctor);
}

static void check_wrong_keys(struct doctor *doctor, uint64_t n_accepted, uint64_t n_wrong)
{
    const cJSON *last = cJSON_GetObjectItemCaseSensitive(doctor->told, "last_wrong_key");
    usec_t at_us = json_time(last, "at");
    struct text when CLEANUP(text_free) = TEXT_INIT;
    if (at_us) {
        text_add(&when, ", the last ");
        write_ago(&when, at_us, doctor->now);
        text_addf(&when, " from %s", json_text(last, "from"));
    }
    bool only = n_accepted == 0;
    finding_add(&doctor->findings, only ? FINDING_FAIL : FINDING_WARN, "keys",
                only ? "compare api_key (or api_key_file) with the community's API key in the CAD's admin panel; upper "
                       "or lower case does not matter, blanks do"
                     : NULL,
                "%llu %s with a wrong key since the start%s%s", (unsigned long long) n_wrong,
                n_wrong == 1 ? "request came" : "requests came", when.s, only ? "; none with the right one" : "");
}

static void check_refused(struct doctor *doctor, const cJSON *requests, const char *name, const char *words,
                          const char *advice)
{
    uint64_t n = json_count(requests, name);
    if (n)
        finding_add(&doctor->findings, FINDING_WARN, "requests", advice, "since the start: %llu %s",
                    (unsigned long long) n, words);
}

void check_requests(struct doctor *doctor)
{
    const cJSON *requests = cJSON_GetObjectItemCaseSensitive(doctor->told, "requests");
    uint64_t n_accepted = json_count(requests, "accepted"), n_wrong = json_count(requests, "wrong_key");
    uint64_t n_other = json_count(requests, "unknown") + json_count(requests, "invalid") +
                       json_count(requests, "malformed") + json_count(requests, "busy");
    if (!requests)
        return;
    if (n_accepted)
        finding_add(&doctor->findings, FINDING_OK, "requests", NULL, "%llu requests were accepted since the start",
                    (unsigned long long) n_accepted);
    else if (!n_wrong && !n_other)
        finding_add(&doctor->findings, FINDING_WARN, "requests",
                    "nothing reaches this machine, or the CAD sends nothing: see the list below",
                    "not one request with an event has come since the start");
    if (n_wrong)
        check_wrong_keys(doctor, n_accepted, n_wrong);
    check_refused(doctor, requests, "unknown", "of a type not known here",
                  CTL_NAME " events --verdict unknown shows them; unknown_types = \"accept\" lets them through");
    check_refused(doctor, requests, "invalid", "with data that cannot be used",
                  CTL_NAME " events --verdict invalid shows them");
    check_refused(doctor, requests, "malformed", "that were no events at all",
                  "strangers who try open ports do that; journalctl -u " PROGRAM_NAME " has their addresses");
    check_refused(doctor, requests, "busy", "turned away because too much came at once, or nothing could be stored",
                  "journalctl -u " PROGRAM_NAME " -p warning");
}

void check_actions(struct doctor *doctor)
{
    const cJSON *action;
    cJSON_ArrayForEach (action, cJSON_GetObjectItemCaseSensitive(doctor->told, "actions")) {
        const char *name = json_text(action, "name"), *state = json_text(action, "state");
        const char *error = json_text(action, "last_error");
        unsigned long long lag = json_count(action, "lag"), failed = json_count(action, "failed");
        if (strcmp(state, "off") == 0)
            finding_add(&doctor->findings, FINDING_FAIL, "actions",
                        "put it right in the configuration, then systemctl reload " PROGRAM_NAME,
                        "action %s is off until the configuration is read again: %.*s", name, ERROR_MAX_CHARS, error);
        else if (strcmp(state, "failing") == 0)
            finding_add(&doctor->findings, FINDING_FAIL, "actions",
                        "it tries again by itself; later events wait behind",
                        "action %s fails, with %llu events waiting: %.*s", name, lag, ERROR_MAX_CHARS, error);
        else
            finding_add(&doctor->findings, FINDING_OK, "actions", NULL, "action %s works, %llu events waiting", name,
                        lag);
        if (failed)
            finding_add(&doctor->findings, FINDING_WARN, "actions",
                        CTL_NAME " failed shows them, " CTL_NAME " retry ACTION all tries them once more",
                        "action %s has given up %llu deliveries since the start", name, failed);
    }
}
