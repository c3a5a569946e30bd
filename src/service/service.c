/* service.c - the main loop on sd-event, and the words to systemd. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include <sonoran-pushd/service.h>

#define MINUTE_US (60 * USEC_PER_SEC)

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

    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    int r = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (r > 0)
        return err_set(err, -r, "cannot block signals: %s", strerror(r));
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_DUMPABLE, 0);

    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &files);
    }
    return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void) info;
    (void) userdata;
    return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    const struct service_callbacks *callbacks = userdata;
    (void) source;
    (void) info;
    callbacks->reload(callbacks->userdata);
    return 0;
}

static int on_minute(sd_event_source *source, uint64_t time_us, void *userdata)
{
    const struct service_callbacks *callbacks = userdata;
    callbacks->minute(callbacks->userdata);
    int r = sd_event_source_set_time(source, time_us + MINUTE_US);
    return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ON);
}

int service_run(const struct service_callbacks *callbacks, struct err *err)
{
    sd_event *event CLEANUP(unref_event) = NULL;
    sd_event_source *minute = NULL;
    union {
        const struct service_callbacks *from;
        void *userdata;
    } callback = { .from = callbacks };

    int r = sd_event_new(&event);
    if (r >= 0)
        r = sd_event_add_signal(event, NULL, SIGTERM, on_stop, NULL);
    if (r >= 0)
        r = sd_event_add_signal(event, NULL, SIGINT, on_stop, NULL);
    if (r >= 0)
        r = sd_event_add_signal(event, NULL, SIGHUP, on_reload, callback.userdata);
    if (r >= 0)
        r = sd_event_add_time_relative(event, &minute, CLOCK_MONOTONIC, MINUTE_US, USEC_PER_SEC, on_minute,
                                       callback.userdata);
    if (r >= 0)
        r = sd_event_loop(event);
    sd_event_source_unref(minute);
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
