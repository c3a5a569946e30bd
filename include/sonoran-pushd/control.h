/* control.h - the door for sonoran-pushctl: a Unix socket beside the event log, whose file permissions are its lock.
 *
 * Shape:   a client sends one line of words, "status", "actions", "retry ACTION ID|all", "replay ACTION ID", gets one
 *          line with a JSON object, and the connection ends. "error" in it is a sentence for people; else what was
 *          asked for: "actions" has a list of that name, "status" the same and what the daemon knows of itself.
 * Owner:   borrows its parts, which outlive it.
 * Threads: one of its own, which serves one client after the other and waits for none longer than CONTROL_PATIENCE_US.
 * Errors:  negative errno and a sentence.
 */
#pragma once

#include <sonoran-pushd/delivery.h>
#include <sys/un.h>

#define CONTROL_PATIENCE_US (2 * USEC_PER_SEC)
#define CONTROL_LINE_BYTES 256

struct control;

struct control_parts {
    struct delivery *delivery;
    /* Members for the answer to "status", each with a comma in front. */
    void (*add_status)(void *userdata, struct text *out);
    void *userdata;
};

/* Where the socket of the daemon with this log is. The address is good while *ret_folder_fd is open: -1 where the path
 * is short enough to need none. */
int control_address(const char *store_path, struct sockaddr_un *ret, int *ret_folder_fd, struct err *err) MUST_CHECK;

/* store_path: of a log that this process holds, so that a socket left there is nobody's. */
int control_start(struct control **ret, const char *store_path, const struct control_parts *parts,
                  struct err *err) MUST_CHECK;
struct control *control_stop(struct control *control);
