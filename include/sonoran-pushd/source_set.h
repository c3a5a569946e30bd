/* source_set.h - all sources together: opened, configured and taken down as one.
 *
 * Owner:   borrows the table and the pipeline, which outlive it, and the config until another is in force. One that
 *          is closed while the writer still has something of it goes when that is settled.
 * Threads: the main thread; source_set_add_status, _add_health, _add_report and _add_board any. Of the pipeline it is
 *          made after pipeline_new, opened before pipeline_start, and freed after pipeline_stop.
 * Errors:  negative errno and a sentence.
 */
#pragma once

#include <sonoran-pushd/source_type.h>

struct source_set;

int source_set_new(struct source_set **ret, const struct source_types *types, const struct config *config,
                   const struct event_families *families, const struct state *state,
                   struct pipeline *pipeline) MUST_CHECK;
struct source_set *source_set_free(struct source_set *set);

/* For pipeline_recover: what the log tells of who had a right key. */
void source_set_heard(void *set, const char *source, const char *peer, usec_t time_us);

/* Those that the config wants, in the order of the table; where one fails, all are to be stopped and freed. */
int source_set_open(struct source_set *set, struct err *err) MUST_CHECK;
void source_set_ready(struct source_set *set);

/* In force at all of them, or at none; those of which it has the section, or no longer, are opened and closed. The old
 * config may go afterwards, or the new one after a failure. */
int source_set_configure(struct source_set *set, const struct config *config, struct err *err) MUST_CHECK;

/* Once a minute, and at the end. */
void source_set_tick(struct source_set *set);

/* Whether all get on; else *ret_thread is what does not. */
bool source_set_alive(struct source_set *set, const char **ret_thread);

/* The one that all of them share; the set's. */
struct gate *source_set_gate(struct source_set *set);

/* Members of the status object; elements of the list of sources that /health has. */
void source_set_add_status(struct source_set *set, struct json_writer *out);
void source_set_add_health(struct source_set *set, struct json_writer *out);
void source_set_add_report(struct source_set *set, struct report_list *list);

/* Elements of the list that a board has. watch: is called when that is another one, by any thread, and must not wait;
 * NULL: nobody wants to know, and no call is under way any more. */
void source_set_add_board(struct source_set *set, const char *community, struct json_writer *out);
void source_set_watch(struct source_set *set, void (*watch)(void *userdata), void *userdata);

/* Nothing is handed in any more; all of them within timeout_us. NULL: nothing to do. -ETIMEDOUT: a disk that does not
 * answer holds one of them; nothing that it uses may be freed then, and only the end of the process ends it. */
int source_set_stop(struct source_set *set, usec_t timeout_us) MUST_CHECK;
