/* net_proxy.h - inside src/net: the proxy that the environment names, and what went wrong with it. */
#pragma once

#include "net_target.h"

struct net_proxy {
    char end[128]; /* "proxy.example.org:3128", safe, never with its login; "": its URL cannot be read */
    unsigned port;
    bool is_tls; /* it is spoken to in TLS */
};

/* The one for this URL, whether or not no_proxy takes it out. False: there is none. */
bool net_proxy_find(struct net_proxy *ret, const char *url);

/* Whether it was the proxy that failed, and not what lies behind it. */
bool net_proxy_failed(struct net_proxy *ret, const struct net_target *target, CURLcode code);

/* -ECONNRESET */
int net_proxy_explain(const struct net_proxy *proxy, const struct net_target *target, CURLcode code,
                      struct err *err) MUST_CHECK;
