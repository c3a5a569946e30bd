/* session_prime_pace.c - how often the CAD may be asked with one key: at most one round of calls and units in a minute,
 * and of units, which come in pages, two requests. A game server that asks with the same key has as much for itself. */
#include <errno.h>
#include <stdlib.h>

#include "session_prime_private.h"

static usec_t behind(usec_t request_us)
{
    return request_us ? request_us + PRIME_PACE_US : 0;
}

usec_t prime_ready_us(struct session_prime *prime, const char *community)
{
    const struct prime_pace *pace = prime_pace_of(prime, community);
    if (!pace)
        return 0;
    usec_t units_us = usec_later(pace->units_us[0], pace->units_us[1]);
    return usec_later(usec_later(behind(pace->calls_us), behind(units_us)), pace->rest_until_us);
}

int prime_pause(struct session_prime *prime, usec_t until_us)
{
    pthread_mutex_lock(&prime->lock);
    while (!prime->stopping && uptime_us() < until_us)
        (void) wait_signal(&prime->changed, &prime->lock, until_us);
    bool stopping = prime->stopping;
    pthread_mutex_unlock(&prime->lock);
    return stopping ? -ECANCELED : 0;
}

/* A start may come soon after a stop. */
static void keep(struct session_prime *prime, const struct prime_pace *pace)
{
    char key[PRIME_KEY_BYTES], value[24];
    snprintf(key, sizeof(key), "asked:%s", pace->community);
    snprintf(value, sizeof(value), "%llu", (unsigned long long) now_us());
    (void) pipeline_keep_position(prime->parts.way_in, "session", key, value);
}

static usec_t *oldest_units(struct prime_pace *pace)
{
    return pace->units_us[0] <= pace->units_us[1] ? &pace->units_us[0] : &pace->units_us[1];
}

usec_t prime_page_us(const struct prime_pace *pace)
{
    usec_t oldest_us = pace->units_us[0] <= pace->units_us[1] ? pace->units_us[0] : pace->units_us[1];
    return usec_later(behind(oldest_us), pace->rest_until_us);
}

void prime_note_request(struct session_prime *prime, struct prime_pace *pace, enum prime_request request)
{
    *(request == PRIME_UNITS ? oldest_units(pace) : &pace->calls_us) = uptime_us();
    report_count(&prime->values.requests, 1);
    keep(prime, pace);
}

usec_t prime_asked_rest_us(const struct session_rest_problem *problem)
{
    return problem->retry_after_us < PRIME_WAIT_MAX_US ? problem->retry_after_us : PRIME_WAIT_MAX_US;
}

void prime_note_problem(struct prime_pace *pace, const struct session_rest_problem *problem)
{
    usec_t rest_us = usec_later(prime_asked_rest_us(problem), PRIME_PACE_US);
    if (problem->failure == SESSION_REST_LIMITED)
        pace->rest_until_us = usec_later(pace->rest_until_us, uptime_us() + rest_us);
}

void prime_read_pace(struct prime_pace *pace, struct store_reader *reader)
{
    char key[PRIME_KEY_BYTES], value[24] = "";
    struct err err;
    pace->read = true;
    snprintf(key, sizeof(key), "asked:%s", pace->community);
    if (store_get_position(reader, "session", key, value, sizeof(value), &err) < 0)
        return;
    usec_t now = now_us(), asked_us = strtoull(value, NULL, 10), up_us = uptime_us();
    usec_t ago_us = now > asked_us ? now - asked_us : 0;
    if (ago_us >= PRIME_PACE_US)
        return;
    usec_t at_us = up_us > ago_us ? up_us - ago_us : 1;
    pace->calls_us = usec_later(pace->calls_us, at_us);
    pace->units_us[0] = pace->units_us[1] = usec_later(usec_later(pace->units_us[0], pace->units_us[1]), at_us);
}
