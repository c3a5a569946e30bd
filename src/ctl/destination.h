/* destination.h - inside src/ctl: where a verb posts to, and with which key.
 *
 * Owner:   a destination is the caller's: DESTINATION_INIT at first, destination_done at the end, which wipes the key.
 */
#pragma once

#include <sonoran-pushd/config.h>

#include "ctl_private.h"

/* As the options have it; each may be NULL. */
struct destination_choice {
    const char *community, *listener, *key_file, *url;
};

struct destination {
    struct config *config; /* NULL: none was needed */
    char *key;
    struct text url;
};

#define DESTINATION_INIT                                                                                               \
    {                                                                                                                  \
        .url = TEXT_INIT                                                                                               \
    }

int destination_check_url(const char *value, struct err *err) MUST_CHECK;

/* Returns the exit status, and says why on stderr. */
int destination_find(const struct ctl_common *common, const struct destination_choice *choice,
                     struct destination *ret) MUST_CHECK;
void destination_done(struct destination *destination);

/* The key of what came from this community once: that of the same name where there is one and none was chosen. It is
 * the destination's. */
const char *destination_key_of(const struct destination *destination, const struct destination_choice *choice,
                               const char *community);
