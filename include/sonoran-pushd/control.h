/* control.h - the door for sonoran-pushctl: a Unix socket beside the event log, whose file permissions are its lock.
 *
 * Shape:   a client sends one line of words, "status", "actions", "retry ACTION ID|all", "replay ACTION ID",
 *          "reload [SIZE]", gets one line with a JSON object, and the connection ends. "error" in it is a sentence for
 *          people; else what was asked for: "actions" has a list of that name, "status" the same and what the daemon
 *          knows of itself. Behind the line of "reload" come SIZE bytes of secrets, as config_secrets_write makes them,
 *          instead of all of before, which are taken from root and the daemon's own user only; the answer says whether
 * the configuration is in force ("reloaded"), and all "lines" that were told about it. "test ACTION SIZE" has an event
 * record behind it and begins to give that to the action (delivery_try); "tested" tells what came of the last one, or
 *          "under_way".
 * Owner:   borrows its parts, which outlive it.
 * Threads: one of its own, which serves one client after the other and waits for none longer than CONTROL_PATIENCE_US
 *          (for a reload: CONTROL_RELOAD_PATIENCE_US).
 * Errors:  negative errno and a sentence.
 */
#pragma once

#include <sonoran-pushd/delivery.h>
#include <sys/un.h>

#define CONTROL_PATIENCE_US (2 * USEC_PER_SEC)
#define CONTROL_RELOAD_PATIENCE_US (20 * USEC_PER_SEC)
#define CONTROL_LINE_BYTES 256
#define CONTROL_SECRETS_MAX_BYTES ((size_t) 4 << 20)

struct control;

struct control_parts {
    struct delivery *delivery;
    const struct event_families *families;
    /* Members for the answer to "status", each with a comma in front. */
    void (*add_status)(void *userdata, struct text *out);
    /* Takes the bytes, which are wiped (NULL: no secrets are handed over, those of before stay); members for the
     * answer, or a negative errno and a sentence. */
    int (*reload)(void *userdata, struct text *secrets, struct text *out, struct err *err);
    void *userdata;
};

/* Members of an answer, each with a comma in front; of a time 0, none. */
void control_add_text(struct text *out, const char *name, const char *value);
void control_add_time(struct text *out, const char *name, usec_t time_us);

/* Where the socket of the daemon with this log is. The address is good while *ret_folder_fd is open: -1 where the path
 * is short enough to need none. */
int control_address(const char *store_path, struct sockaddr_un *ret, int *ret_folder_fd, struct err *err) MUST_CHECK;

/* store_path: of a log that this process holds, so that a socket left there is nobody's. */
int control_start(struct control **ret, const char *store_path, const struct control_parts *parts,
                  struct err *err) MUST_CHECK;
struct control *control_stop(struct control *control);
