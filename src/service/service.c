/* service.c - the main loop on sd-event, and the words to systemd. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include <sonoran-pushd/child.h>

#include "service_private.h"

#define MEMORY_REST_US (100 * USEC_PER_MSEC)
#define MINUTE_US (60 * USEC_PER_SEC)
#define START_STEP_MAX_US (60 * USEC_PER_SEC) /* of a start, between two calls of service_stop_requested */

static void unref_event(sd_event **event)
{
    sd_event_unref(*event);
}

/* Who starts us with a standard stream closed must not find a socket in its place: lines would be written into it. */
static int fill_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

int service_prepare(struct err *err)
{
    int streams = fill_standard_streams();
    if (streams < 0)
        return err_set(err, streams, "cannot open /dev/null: %s", strerror(-streams));

    prctl(PR_SET_DUMPABLE, 0);
    service_open_terminal();
    child_raise_own_limit();
    return 0;
}

bool service_stop_requested(void)
{
    static _Atomic usec_t told_us;
    usec_t now = uptime_us();
    if (now >= told_us + USEC_PER_SEC) {
        (void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long) START_STEP_MAX_US);
        told_us = now;
    }
    return signals_stop_waits();
}

struct ticks {
    const struct service_callbacks *callbacks;
    bool watchdog; /* has to be fed */
    usec_t interval_us, minute_at_us;
};

static int on_call(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    const struct service_callbacks *callbacks = userdata;
    (void) source;
    (void) fd;
    (void) events;
    callbacks->call(callbacks->userdata);
    return 0;
}

/* The next one is counted from now: after a pause of the machine those that were missed would come all at once. */
static int on_tick(sd_event_source *source, uint64_t time_us, void *userdata)
{
    struct ticks *ticks = userdata;
    const struct service_callbacks *callbacks = ticks->callbacks;
    usec_t now = uptime_us();
    (void) time_us;
    if (ticks->watchdog && callbacks->healthy(callbacks->userdata))
        (void) sd_notify(0, "WATCHDOG=1");
    if (now >= ticks->minute_at_us) {
        callbacks->minute(callbacks->userdata);
        ticks->minute_at_us = now + MINUTE_US;
    }
    int r = sd_event_source_set_time_relative(source, ticks->interval_us);
    return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ON);
}

/* One timer, so that an idle daemon wakes for nothing but the watchdog. */
static int add_ticks(sd_event *event, struct ticks *ticks)
{
    uint64_t timeout_us;
    ticks->watchdog = sd_watchdog_enabled(0, &timeout_us) > 0;
    ticks->interval_us = ticks->watchdog && timeout_us / 2 < MINUTE_US ? timeout_us / 2 : MINUTE_US;
    ticks->minute_at_us = uptime_us() + MINUTE_US;
    return sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, ticks->interval_us, ticks->interval_us / 10,
                                      on_tick, ticks);
}

/* Without memory for what has happened it is asked again, a little later. */
static int run(sd_event *event)
{
    int r = 0;
    while (r >= 0 && sd_event_get_state(event) != SD_EVENT_FINISHED) {
        r = sd_event_run(event, UINT64_MAX);
        if (r != -ENOMEM)
            continue;
        (void) usleep(MEMORY_REST_US);
        r = 0;
    }
    return r;
}

int service_run(const struct service_callbacks *callbacks, struct err *err)
{
    sd_event *event CLEANUP(unref_event) = NULL;
    struct service_callbacks calls = *callbacks;
    struct ticks ticks = { .callbacks = &calls };

    int r = sd_event_new(&event);
    if (r >= 0)
        r = signals_watch(event, &calls);
    if (r >= 0)
        r = sd_event_add_io(event, NULL, calls.call_fd, EPOLLIN, on_call, &calls);
    if (r >= 0)
        r = add_ticks(event, &ticks);
    if (r >= 0)
        r = run(event);
    return r < 0 ? err_set(err, r, "the main loop failed: %s", strerror(-r)) : 0;
}

void service_tell_ready(const char *status)
{
    (void) sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_tell_status(const char *status)
{
    (void) sd_notifyf(0, "STATUS=%s", status);
}

void service_tell_reloading(void)
{
    (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long) uptime_us());
}

void service_tell_stopping(void)
{
    (void) sd_notify(0, "STOPPING=1");
}
