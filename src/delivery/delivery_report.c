/* delivery_report.c - what is counted of an action. */
#include "delivery_private.h"

#define STATUS(field) REPORT_OFFSET(struct delivery_status, field)
#define SETTLED(RESULT, FIELD, ...)                                                                                    \
    {                                                                                                                  \
        .name = "action_settled", .kind = REPORT_COUNTER, .label = "result", .value = (RESULT),                        \
        .help = "Events that an action is done with; skipped: older than max_age.", .offset = STATUS(FIELD),           \
        __VA_ARGS__                                                                                                    \
    }
#define LEFT_OUT(OPTION, WHY)                                                                                          \
    {                                                                                                                  \
        .name = "action_left_out", .kind = REPORT_COUNTER, .label = "option", .value = (OPTION),                       \
        .help = "Events of an action's types that it did not get, by the option that said so.", .object = "left_out",  \
        .member = (OPTION), .offset = STATUS(n_left_out[WHY])                                                          \
    }

const struct report_limits delivery_try_limits = {
    { 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000 }, 11
};
static const char *const states[] = { "idle", "busy", "failing", "off", NULL }; /* by enum delivery_state */

static const struct report_row report_rows[] = {
    { .name = "action_cursor_event_id",
      .kind = REPORT_GAUGE,
      .help = "Id of the newest event before which an action has settled all.",
      .member = "cursor",
      .offset = STATUS(cursor) },
    { .name = "action_lag_events",
      .kind = REPORT_GAUGE,
      .help = "Events that an action has yet to look at.",
      .member = "lag",
      .words = "LAG",
      .offset = STATUS(lag) },
    { .name = "action_lag_seconds",
      .unit = "seconds",
      .kind = REPORT_GAUGE,
      .help = "How old the oldest event is that an action has in hand.",
      .offset = STATUS(lag_us) },
    { .name = "action_state",
      .kind = REPORT_STATE,
      .states = states,
      .help = "What an action does: nothing, deliver, try again, or nothing because it is switched off.",
      .offset = STATUS(state_shown) },
    { .name = "action_seconds",
      .unit = "seconds",
      .kind = REPORT_HISTOGRAM,
      .limits = &delivery_try_limits,
      .help = "How long one try at delivering took.",
      .offset = REPORT_OFFSET_HISTOGRAM(struct delivery_status, try_us) },
    { .name = "action_attempts",
      .kind = REPORT_COUNTER,
      .help = "Tries at delivering.",
      .member = "attempts",
      .offset = STATUS(n_attempts) },
    SETTLED("delivered", n_delivered, .member = "delivered", .words = "DELIVERED"),
    SETTLED("failed", n_failed, .member = "failed", .words = "FAILED",
            .doubt = { "delivery", "deliveries", "has given up",
                       "sonoran-pushctl failed shows those that are left, sonoran-pushctl retry ACTION all tries them "
                       "once more; of type redis, sonoran-pushctl replay ACTION --from the first of them" }),
    SETTLED("skipped", n_left_out[LEFT_OUT_MAX_AGE]),
    { .name = "action_failed_events",
      .kind = REPORT_GAUGE,
      .help = "Events on an action's list of failed deliveries, until they are tried once more or too old for the log.",
      .member = "listed",
      .offset = STATUS(n_listed) },
    LEFT_OUT("communities", LEFT_OUT_COMMUNITIES),
    LEFT_OUT("listeners", LEFT_OUT_LISTENERS),
    LEFT_OUT("when", LEFT_OUT_WHEN),
    LEFT_OUT("test", LEFT_OUT_TEST),
    LEFT_OUT("late", LEFT_OUT_LATE),
    LEFT_OUT("cooldown", LEFT_OUT_COOLDOWN),
    LEFT_OUT("max_age", LEFT_OUT_MAX_AGE),
    { .name = "action_last_success_timestamp_seconds",
      .unit = "seconds",
      .kind = REPORT_TIME,
      .help = "When an action delivered last, 0: not since the start.",
      .offset = STATUS(delivered_us) },
};

const struct report_table delivery_report = { report_rows, ARRAY_SIZE(report_rows) };
