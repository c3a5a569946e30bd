/* admin.h - the doors for those who look after the daemon, and who look at events: HTTP on a Unix socket, whose file
 * permissions are its lock, and by TCP where the configuration has admin.address, with tokens.
 *
 * Shape:   GET / and the files it asks for: the board (src/admin/page), without data, open to all;
 *          GET /health, /metrics, /api/status, /api/actions, /api/failed?action=NAME, /api/test (what came of the last
 *          one), /api/story?call=ID or ?call911=ID, with community=NAME where the log has several (story.h).
 *          POST /api/retry?action=NAME&id=ID|all, /api/replay?action=NAME&from=ID, /api/test?action=NAME with an event
 *          record as body, /api/reload with nothing, or ?secrets=1 with secrets (config_secrets_write; perhaps none),
 *          which take the place of all that were handed over before, from root and the daemon's own user only.
 *          An answer is one line of JSON, and an object (of /metrics: text); "error" in it is a sentence for people.
 *          The header Server of each has the daemon's version.
 * Roles:   whoever may open the socket may do everything. But what a browser sends (Origin, Sec-Fetch-*) comes through
 *          ssh -L, from whatever page is open there: it has the role of a reader. By TCP everybody is a reader at most:
 *          of all communities, or with a community's own token of that one. Whoever asks by a name that is not ours is
 *          sent away (421), and so are pages of other sites (403), but from links to what is open.
 * Owner:   borrows its parts, which outlive it.
 * Threads: one of its own, with an http of its own: whoever asks here is in nobody's way. start, stop, configure and
 *          answer_reload belong to main; the functions of the parts are called in its thread.
 * Errors:  negative errno and a sentence.
 */
#pragma once

#include <sonoran-pushd/delivery.h>
#include <sonoran-pushd/json.h>
#include <sonoran-pushd/source_gate.h>

/* For a reload, and for a client that is slow. */
#define ADMIN_PATIENCE_US (20 * USEC_PER_SEC)
#define ADMIN_BODY_MAX_BYTES ((uint64_t) 16 << 20)

struct admin;

struct admin_parts {
    struct config *config; /* in force; admin takes a reference */
    const char *store_path;
    struct delivery *delivery;
    const struct state *state;
    struct feed *feed;
    struct gate *gate; /* of all sources: who sends wrong tokens is one who sends wrong keys */
    const struct event_families *families;
    void *userdata;

    /* Members of the object that is open. health: whether events can be stored. */
    void (*add_status)(void *userdata, struct json_writer *out);
    bool (*add_health)(void *userdata, struct json_writer *out);

    /* Elements of the list of sources that a board has, of a community (NULL: of all). */
    void (*add_sources)(void *userdata, const char *community, struct json_writer *out);

    /* All that is counted; config: the one in force. */
    void (*add_metrics)(void *userdata, const struct config *config, struct report_list *list);

    /* Takes the secrets, which may be none (NULL: none are handed over, those of before stay). 0: admin_answer_reload
     * comes with the ticket, unless give_up_reload took it back, which says false where it comes all the same. */
    int (*reload)(void *userdata, struct text *secrets, void *ticket, struct err *err);
    bool (*give_up_reload)(void *userdata, void *ticket);
};

/* Where its socket is: what systemd made for it, else beside the event log. Yours to free; NULL: no memory. */
#define ADMIN_SERVICE_FOLDER "/run/" PROGRAM_NAME /* what that is in the unit */
char *admin_socket_path(const char *store_path);
char *admin_socket_beside(const char *store_path);
char *admin_socket_of_service(const char *folders); /* of $RUNTIME_DIRECTORY */

/* store_path: of a log that this process holds. 0 and *ret NULL: there can be no socket, which is told. */
int admin_start(struct admin **ret, const struct admin_parts *parts, struct err *err) MUST_CHECK;
/* NULL; or admin still, where its thread waits for a disk that does not answer: only the end of the process ends that,
 * and nothing that it uses may be freed. In either case within three seconds. */
struct admin *admin_stop(struct admin *admin) MUST_CHECK;

/* The configuration that is in force from now on; takes a reference. Within two seconds: -ETIMEDOUT: its thread reads
 * the log and does not get on, and takes the configuration when it does. -ENOMEM: it keeps the old one. */
int admin_configure(struct admin *admin, struct config *config, struct err *err) MUST_CHECK;

/* What add_sources adds is another one. Any thread; NULL is taken. */
void admin_note_sources(struct admin *admin);

/* The answer: an object that is open, in a text of its own, which is taken. in_force: is the configuration? */
void admin_answer_reload(struct admin *admin, void *ticket, bool in_force, struct json_writer *answer);
void admin_refuse_reload(struct admin *admin, void *ticket, const char *why);

/* Of a time 0, nothing. */
void admin_add_time(struct json_writer *out, const char *name, usec_t time_us);
