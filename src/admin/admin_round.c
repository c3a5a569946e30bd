/* admin_round.c - the time that all who are answered in one round of the loop share. */
#include <stdatomic.h>

#include "admin_private.h"

bool admin_is_over_time(const struct admin *admin)
{
    return admin->round_since_us && uptime_us() - admin->round_since_us >= admin->round_us;
}

bool admin_has_time(struct admin *admin, struct http_answer *ret)
{
    if (admin_is_over_time(admin)) {
        admin_answer_error(ret, 503, "busy with what others ask for: ask again in a second");
        return false;
    }
    if (!admin->round_since_us)
        admin->round_since_us = uptime_us();
    return true;
}

void admin_end_round(struct admin *admin)
{
    admin->round_since_us = 0;
    sse_end_round(admin->sse);
}

/* ---- what is read ---- */

static _Atomic bool ends;

bool admin_is_to_end(void)
{
    return ends;
}

void admin_end_reads(bool end)
{
    ends = end;
}

int admin_open_log(const struct admin *admin, struct store_reader **ret, struct err *err)
{
    int r = store_reader_open(ret, admin->parts.store_path, err);
    if (r >= 0)
        store_stop_if(*ret, admin_is_to_end);
    return r;
}
