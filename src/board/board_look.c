/* board_look.c - the word, the place in the order, the age and the limits of an item. */
#include <inttypes.h>
#include <string.h>

#include <sonoran-pushd/board.h>

/* The CAD's numbers (events.md 2.6). */
enum { UNAVAILABLE, BUSY, AVAILABLE, EN_ROUTE, ON_SCENE, OFFLINE = 100 };
#define PENDING 0
#define URGENT 1 /* the highest priority */

/* Of a unit, in the order of a board. */
enum group { GROUP_PANIC, GROUP_ON_SCENE, GROUP_EN_ROUTE, GROUP_BUSY, GROUP_AVAILABLE, GROUP_OTHER, GROUP_OFF };

/* Numbers as texts whose bytes are in the same order. */
static uint32_t ordered32(int32_t n)
{
    return (uint32_t) n ^ (UINT32_C(1) << 31);
}

static uint64_t ordered64(int64_t n)
{
    return (uint64_t) n ^ (UINT64_C(1) << 63);
}

/* 0: not known, so first. */
static void set_rank(struct board_look *ret, unsigned group, int32_t before, usec_t since_us, int64_t id)
{
    snprintf(ret->rank, sizeof(ret->rank), "%u%08" PRIx32 "%014" PRIx64 "%016" PRIx64, group, ordered32(before),
             since_us & ((UINT64_C(1) << 56) - 1), ordered64(id));
}

static usec_t not_ahead(const struct board *board, usec_t time_us)
{
    return time_us > board->now_us ? board->now_us : time_us;
}

static void set_limits(struct board_look *ret, uint64_t warn_us, uint64_t late_us)
{
    if (!ret->since_us)
        return;
    ret->warn_us = warn_us ? ret->since_us + warn_us : 0;
    ret->late_us = late_us ? ret->since_us + late_us : 0;
}

/* ---- units ---- */

static const struct {
    int32_t status;
    enum group group;
    const char *label;
} statuses[] = {
    { UNAVAILABLE, GROUP_OTHER, "UNV" }, { BUSY, GROUP_BUSY, "BSY" },         { AVAILABLE, GROUP_AVAILABLE, "AVL" },
    { EN_ROUTE, GROUP_EN_ROUTE, "ENR" }, { ON_SCENE, GROUP_ON_SCENE, "SCN" }, { OFFLINE, GROUP_OFF, "OFF" },
    { STATE_UNSET, GROUP_OTHER, "---" },
};

static enum group set_status(struct board_look *ret, int32_t status)
{
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        if (statuses[i].status == status) {
            snprintf(ret->label, sizeof(ret->label), "%s", statuses[i].label);
            return statuses[i].group;
        }
    snprintf(ret->label, sizeof(ret->label), "S%" PRId32, status);
    return GROUP_OTHER;
}

void board_look_unit(const struct board *board, const struct state_unit *unit, struct board_look *ret)
{
    *ret = (struct board_look){ 0 };
    const struct config_board *limits = board->limits;
    enum group group = set_status(ret, unit->status);
    usec_t since_us = unit->status_since_us;
    if (unit->panic) {
        group = GROUP_PANIC;
        since_us = unit->panic_since_us;
        snprintf(ret->label, sizeof(ret->label), "%s", "PANIC");
    } else if (!unit->online) {
        group = GROUP_OFF;
        since_us = unit->duty_since_us;
        snprintf(ret->label, sizeof(ret->label), "%s", "OFF");
    }
    ret->since_us = not_ahead(board, since_us);
    set_rank(ret, group, 0, since_us, unit->id);
    if (group == GROUP_EN_ROUTE)
        set_limits(ret, limits->en_route_warn_us, limits->en_route_late_us);
    if (group == GROUP_ON_SCENE)
        set_limits(ret, limits->on_scene_warn_us, limits->on_scene_late_us);
}

/* ---- calls ---- */

static const char *call_label(const struct state_call *call, size_t n_attached)
{
    if (call->status == STATE_CALL_CLOSED)
        return "CLOSED";
    if (n_attached == 0)
        return "NO UNIT";
    return call->status == PENDING ? "PENDING" : "ACTIVE";
}

void board_look_call(const struct board *board, const struct state_call *call, size_t n_attached,
                     struct board_look *ret)
{
    *ret = (struct board_look){ .since_us = not_ahead(board, call->opened_us) };
    const struct config_board *limits = board->limits;
    bool closed = call->status == STATE_CALL_CLOSED;
    snprintf(ret->label, sizeof(ret->label), "%s", call_label(call, n_attached));
    set_rank(ret, closed ? 2 : n_attached > 0, call->priority == STATE_UNSET ? INT32_MAX : call->priority,
             call->opened_us, call->id);
    if (closed || n_attached)
        return;
    if (call->priority == URGENT)
        set_limits(ret, limits->unassigned_urgent_warn_us, limits->unassigned_urgent_late_us);
    else
        set_limits(ret, limits->unassigned_warn_us, limits->unassigned_late_us);
}

static const char *call911_label(const struct state_call911 *call)
{
    if (call->call != STATE_UNSET_ID)
        return "DISPATCHED";
    if (call->emergency == 1)
        return "EMERGENCY";
    return call->silent == 1 ? "SILENT" : "911";
}

/* One that a dispatch call was made from does not wait any more. */
void board_look_call911(const struct board *board, const struct state_call911 *call, struct board_look *ret)
{
    *ret = (struct board_look){ .since_us = not_ahead(board, call->opened_us) };
    bool dispatched = call->call != STATE_UNSET_ID;
    snprintf(ret->label, sizeof(ret->label), "%s", call911_label(call));
    set_rank(ret, dispatched ? 2 : call->emergency != 1, 0, call->opened_us, call->id);
    if (!dispatched)
        set_limits(ret, board->limits->call911_warn_us, board->limits->call911_late_us);
}
