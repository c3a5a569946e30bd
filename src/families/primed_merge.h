/* primed_merge.h - inside src/families: what an object of the CAD tells beside what is known, for those who write
 * STATE_PRIMED and for those who read it.
 *
 * Texts of what is known may be NULL or "": nothing is known then.
 */
#pragma once

#include <sonoran-pushd/ids.h>
#include <sonoran-pushd/primed.h>

#include "fields.h"

#define PRIMED_FOR_EACH(json, event, name)                                                                             \
    for (const cJSON *list_ = field_get((event)->data, name), *json = field_first_of(list_); json;                     \
         json = field_next_of(list_, json))

void primed_describe(const struct event *event, const struct state *state, struct description *out);
uint64_t primed_count(const cJSON *data, const char *name);
const cJSON *primed_gone_of(const struct event *event, const char *name);
bool primed_is_missed(const cJSON *json);

/* When it was asked, and what was made of the answer. */
struct primed_moment {
    uint64_t asked_id;
    usec_t asked_us, told_us;
};

struct primed_moment primed_moment_of(const struct event *event);

/* Whether something that was changed and spoken of then is older. What lies ahead of the time that it is told was seen
 * before the clock was set back. */
bool primed_is_older(const struct primed_moment *moment, uint64_t changed_id, usec_t seen_us);

/* An object, of the CAD or of STATE_PRIMED, as a patch. It points into itself and the JSON: not to be copied. */
struct primed_unit {
    struct state_unit told;
    struct text api_ids;
};

struct primed_call {
    struct state_call told;
    struct ids units;
    bool lists_units;
};

struct primed_call911 {
    struct state_call911 told;
    char position[POSITION_MAX_BYTES];
};

/* False: it has no id. */
MUST_CHECK bool primed_read_unit(const cJSON *json, struct primed_unit *ret);
MUST_CHECK bool primed_read_call(const cJSON *json, struct primed_call *ret);
MUST_CHECK bool primed_read_call911(const cJSON *json, struct primed_call911 *ret);
void primed_unit_done(struct primed_unit *unit);
void primed_call_done(struct primed_call *call);

/* What is known of it is newer: only what nobody told yet is left of the patch. */
void primed_spare_unit(struct state_unit *told, const struct state_unit *known);
void primed_spare_call(struct primed_call *call, const struct state_call *known);
void primed_spare_call911(struct state_call911 *told, const struct state_call911 *known);

/* Whether it would change something. units: who is known to be at the call. */
bool primed_is_other_unit(const struct state_unit *told, const struct state_unit *known);
bool primed_is_other_call(const struct primed_call *call, const struct state_call *known, const int64_t *units,
                          size_t n_units);
bool primed_is_other_call911(const struct state_call911 *told, const struct state_call911 *known);

/* One object with what is told; missed: it is marked so. */
void primed_write_unit(struct json_writer *out, const struct state_unit *told);
void primed_write_call(struct json_writer *out, const struct primed_call *call, bool missed);
void primed_write_call911(struct json_writer *out, const struct state_call911 *told, bool missed);
