/* admin_round.c - the time that all who are answered in one round of the loop share. */
#include "admin_private.h"

bool admin_is_over_time(const struct admin *admin)
{
    return admin->round_since_us && uptime_us() - admin->round_since_us >= ADMIN_ROUND_US;
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
