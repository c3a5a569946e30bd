/* net_target.h - inside src/net: whom libcurl connects to, and why it could not. */
#pragma once

#include <sonoran-pushd/text.h>

#include "web_library.h"

struct net_target {
    CURL *easy;
    const char *url;             /* that is asked now, borrowed */
    usec_t connect_us;           /* the longest that name, TCP and TLS may take together */
    char unix_path[108];         /* as in sockaddr_un; "": the URL's host is asked */
    bool use_proxy;              /* where the environment names one */
    unsigned port;               /* that was connected to last, the proxy's too; 0: none */
    bool tls_begun;              /* there is a connection, and TLS on it was begun */
    bool by_folder;              /* of the system's certificates only those that are needed are read */
    char words[CURL_ERROR_SIZE]; /* libcurl's own on the last failure */
};

/* With what holds for whatever is asked: certificates are checked, by ca_file alone where there is one. Either of the
 * two may be NULL. Ends with curl_easy_cleanup. -ENAMETOOLONG: unix_path. */
int net_target_open(struct net_target *target, const char *unix_path, const char *ca_file, struct err *err) MUST_CHECK;

/* Those that the environment names: https_proxy, no_proxy, as libcurl reads them. */
void net_target_use_proxy(struct net_target *target);

/* Another URL is asked, or the same again: nothing is known of it. */
void net_target_begin(struct net_target *target, const char *url);

/* False: it failed for good; true: it may succeed the next time, at once, with all of the system's certificates. */
bool net_target_try_all(struct net_target *target, CURLcode code);

/* Why there is no connection. */
int net_target_explain(struct net_target *target, CURLcode code, struct err *err) MUST_CHECK;

/* "example.org", and ":443" where with_port. */
void net_target_add_host(struct text *out, const struct net_target *target, bool with_port);

/* The Unix socket, or host and port. */
void net_target_add_end(struct text *out, const struct net_target *target);

/* Of its URL; 0: there is none. */
unsigned net_target_port(const struct net_target *target);

/* Whys: "no answer within 10s"; "connection refused", of an errno; of TLS. */
void net_target_add_no_answer(struct text *out, const struct net_target *target);
void net_target_add_system(struct text *out, long system);
void net_target_add_tls(struct text *out, const struct net_target *target, CURLcode code);
