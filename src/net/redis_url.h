/* redis_url.h - inside src/net: what a URL of Redis says. */
#pragma once

#include <sonoran-pushd/redis.h>
#include <sonoran-pushd/text.h>

struct redis_url {
    bool is_tls;
    char *unix_path;       /* NULL: host and port */
    char *host;            /* "example.org", "[::1]" */
    unsigned port;         /* 6379 where it says none */
    char *user, *password; /* NULL: it says none */
    uint64_t database;
};

/* Done with redis_url_free, also where it fails: -EINVAL, -ENOMEM. */
int redis_url_read(struct redis_url *ret, const char *url, struct err *err) MUST_CHECK;
void redis_url_free(struct redis_url *url);
