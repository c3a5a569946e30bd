/* doctor_listeners.c - does it listen where the configuration says, and does anybody else? */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/http.h>
#include <sonoran-pushd/session_probe.h>

#include "doctor.h"
#include "post.h"
#include "settings.h"

#define CAD_PATH "/sonorancad/event"
#define HELD_BY_SYSTEMD "systemd (process 1)" /* as http_listen names it */

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
    return post_ask(url, NULL, ret_status, &answer, err) >= 0 && *ret_status == 200 && strstr(answer.s, PROGRAM_NAME);
}

static void find_taken(struct doctor *doctor, const struct config_listener *listener, const char *sentence)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    long status;
    if (strstr(sentence, HELD_BY_SYSTEMD)) {
        finding_add(&doctor->findings, FINDING_OK, "listener", NULL, "listener %s: systemd keeps the port of %s for it",
                    listener->name, listener->address);
        return;
    }
    bool ours = settings_url(doctor->config, listener, NULL, &url, &err) >= 0 && is_our_page(url.s, &status, &err);
    if (ours)
        finding_add(&doctor->findings, FINDING_FAIL, "listener",
                    "name its configuration with -c, or end it; ss -ltnp shows it",
                    "listener %s: a " PROGRAM_NAME " with another event log has the port, and answers at %s",
                    listener->name, url.s);
    else
        finding_add(&doctor->findings, FINDING_FAIL, "listener",
                    "a FiveM server has 30120 by default; two programs cannot share a port: take another one here, and "
                    "enter it in the CAD",
                    "listener %s: %s", listener->name, sentence);
}

/* The CAD is not here; it need not reach any where its events come by sessions. */
static void check_reach(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    if (session_probe_count(config))
        return;
    for (size_t i = 0; i < config->n_listeners; i++)
        if (!is_loopback(&config->listeners[i]))
            return;
    for (size_t i = 0; i < config->n_listeners; i++)
        finding_add(&doctor->findings, FINDING_WARN, "listener",
                    "to be reached by the CAD itself: address: \"[::]:30120\"",
                    "listener %s is for programs of this machine only: %s", config->listeners[i].name,
                    config->listeners[i].address);
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

static void check_page(struct doctor *doctor, const char *name, const char *url)
{
    struct err err;
    long status;
    if (is_our_page(url, &status, &err))
        finding_add(&doctor->findings, FINDING_OK, "listener", NULL, "listener %s answers at %s", name, url);
    else if (status)
        finding_add(&doctor->findings, FINDING_FAIL, "listener",
                    "find it with ss -ltnp, and give one of the two another port",
                    "listener %s: something else than " PROGRAM_NAME " answers at %s, with status %ld", name, url,
                    status);
    else if (doctor->told)
        finding_add(&doctor->findings, FINDING_FAIL, "listener",
                    "where the listener was changed in the configuration: " CTL_NAME " reload",
                    "listener %s: the daemon runs, but nothing answers at %s: %s", name, url, err.msg);
    else
        finding_add(&doctor->findings, FINDING_WARN, "listener", doctor->root ? NULL : AS_ROOT,
                    "listener %s: nothing answers at %s: %s", name, url, err.msg);
}

static const char *port_of(const char *address)
{
    const char *port = strrchr(address, ':');
    return port ? port : "";
}

/* It was changed since the daemon read it. */
static void compare(struct doctor *doctor, const struct config_listener *listener, const char *told)
{
    if (told &&
        (strcmp(port_of(listener->address), ":0") == 0 || strcmp(port_of(listener->address), port_of(told)) == 0))
        return;
    finding_add(&doctor->findings, FINDING_WARN, "listener", "let the daemon read it again: " CTL_NAME " reload",
                "listener %s: the configuration says %s, the daemon listens %s%s", listener->name, listener->address,
                told ? "on " : "nowhere for it", told ? told : "");
}

/* Where the daemon says that it is, else where the configuration says. */
static void check_open(struct doctor *doctor, const struct config_listener *listener)
{
    struct text url CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    bool listed = cJSON_GetArraySize(json_get(doctor->told, "listeners")) > 0;
    const char *told = settings_address_told(doctor->told, listener->name);
    if (listed)
        compare(doctor, listener, told);
    if (listed && !told)
        return;
    if (settings_url(doctor->config, listener, doctor->told, &url, &err) < 0)
        finding_add(&doctor->findings, FINDING_WARN, "listener", NULL, "%s", err.msg);
    else
        check_page(doctor, listener->name, url.s);
}

/* Without a configuration, as far as the daemon tells. */
static void check_told(struct doctor *doctor)
{
    const cJSON *listener;
    cJSON_ArrayForEach (listener, json_get(doctor->told, "listeners")) {
        struct text url CLEANUP(text_free) = TEXT_INIT;
        const char *name = json_get_text(listener, "name"), *address = settings_address_told(doctor->told, name);
        if (!address)
            continue;
        settings_url_at(address, CAD_PATH, &url);
        check_page(doctor, name, url.s);
    }
}

static void check_paths(struct doctor *doctor)
{
    bool event = false, root = false;
    for (size_t i = 0; i < doctor->config->n_paths; i++) {
        event |= strcmp(doctor->config->paths[i], CAD_PATH) == 0;
        root |= strcmp(doctor->config->paths[i], "/") == 0;
    }
    if (!event)
        finding_add(&doctor->findings, FINDING_FAIL, "paths", "add it to paths in the configuration",
                    "the CAD posts to " CAD_PATH ", which is none of the configured paths");
    if (!root)
        finding_add(&doctor->findings, FINDING_WARN, "paths", NULL,
                    "\"/\" is none of the configured paths: a forwarder that is given only http://IP:PORT posts there");
}

void doctor_check_listeners(struct doctor *doctor)
{
    if (!doctor->config) {
        check_told(doctor);
        return;
    }
    for (size_t i = 0; i < doctor->config->n_listeners; i++) {
        const struct config_listener *listener = &doctor->config->listeners[i];
        if (doctor->running)
            check_open(doctor, listener);
        else
            check_port(doctor, listener);
    }
    check_reach(doctor);
    check_paths(doctor);
}
