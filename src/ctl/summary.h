/* summary.h - inside src/ctl: what the event log tells at a glance. */
#pragma once

#include <netinet/in.h>

#include "ctl_private.h"

struct summary {
    uint64_t newest_id; /* 0: the log is empty */
    usec_t newest_us;
    struct text newest_type;
    uint64_t last_hour; /* events that came in it */
    uint64_t size_bytes;
    uint64_t n_recent;           /* that peers are of: the newest ones */
    char peer[INET6_ADDRSTRLEN]; /* of the newest event */
    bool from_near;              /* all of them from this machine or a private network */
};

#define SUMMARY_INIT                                                                                                   \
    {                                                                                                                  \
        .newest_type = TEXT_INIT                                                                                       \
    }

int summary_read(const char *store, usec_t now, struct summary *ret, struct err *err) MUST_CHECK;
void summary_free(struct summary *summary);
