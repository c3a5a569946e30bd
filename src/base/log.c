/* log.c - the queue of lines, and the thread that writes them. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log_private.h"

#define GATHER_US 2000

/* The one thing of the process that everything speaks to, and so the one static object with a life. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;  /* there is something to write, or to stop for */
    pthread_cond_t empty; /* everything is written */
    pthread_t thread;
    bool running, stopping, writing, waiting;
    enum log_target target;
    bool colour;
    struct text queue;
    uint64_t n_lost;
    atomic_int level;
    uint64_t queued_id;          /* newest event in the queue */
    _Atomic uint64_t written_id; /* newest event that left it */
} the_log = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER,
    .empty = PTHREAD_COND_INITIALIZER,
    .target = LOG_TARGET_TEXT,
    .queue = TEXT_INIT,
    .level = LOG_INFO,
};

/* Whether stderr is a stream of the journal: systemd.exec(5), $JOURNAL_STREAM. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           st.st_dev == device && st.st_ino == inode;
}

static bool stderr_has_colours(void)
{
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0 && !(no_colour && *no_colour);
}

static void write_all(const char *s, size_t size)
{
    while (size > 0) {
        ssize_t n = write(STDERR_FILENO, s, size);
        if (n >= 0) {
            s += n;
            size -= (size_t) n;
        } else if (errno == EAGAIN) {
            struct pollfd poll_stderr = { .fd = STDERR_FILENO, .events = POLLOUT };
            poll(&poll_stderr, 1, -1);
        } else if (errno != EINTR) {
            return;
        }
    }
}

static void write_out(enum log_target target, const struct text *records)
{
    if (target == LOG_TARGET_JOURNAL)
        log_send_journal(records->s, records->size);
    else
        write_all(records->s, records->size);
}

/* Under the lock. */
static void queue_record(const struct log_record *record)
{
    size_t before = the_log.queue.size;
    if (before < LOG_QUEUE_BYTES)
        log_format(the_log.target, the_log.colour, record, &the_log.queue);
    if (before < LOG_QUEUE_BYTES && !the_log.queue.failed)
        return;

    the_log.queue.size = before;
    the_log.queue.failed = false;
    the_log.n_lost++;
}

static void queue_loss(void)
{
    char line[80];
    snprintf(line, sizeof(line), "%llu log lines lost: whoever reads the log was too slow",
             (unsigned long long) the_log.n_lost);
    the_log.n_lost = 0;
    queue_record(&(struct log_record){
        .level = LOG_WARNING, .message_id = LOG_ID_LINES_LOST, .time_us = now_us(), .line = line });
}

/* Under the lock, which it lets go: lines that come close together are written together, so that under load the
 * thread is woken for many of them and not for each. */
static void gather(void)
{
    const struct timespec pause = { .tv_nsec = GATHER_US * 1000 };
    if (the_log.stopping)
        return;
    pthread_mutex_unlock(&the_log.lock);
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&the_log.lock);
}

static void *log_thread(void *unused)
{
    (void) unused;
    struct text writing = TEXT_INIT;

    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&the_log.lock);
    for (;;) {
        while (the_log.queue.size == 0 && !the_log.stopping) {
            the_log.waiting = true;
            pthread_cond_wait(&the_log.more, &the_log.lock);
            the_log.waiting = false;
        }
        if (the_log.queue.size == 0)
            break;
        gather();
        struct text filled = the_log.queue;
        the_log.queue = writing;
        writing = filled;
        enum log_target target = the_log.target;
        uint64_t id = the_log.queued_id;
        if (the_log.n_lost)
            queue_loss();
        the_log.writing = true;
        pthread_mutex_unlock(&the_log.lock);

        write_out(target, &writing);
        the_log.written_id = id;
        if (writing.room > LOG_QUEUE_BYTES / 8)
            text_free(&writing);
        text_reset(&writing);

        pthread_mutex_lock(&the_log.lock);
        the_log.writing = false;
        if (the_log.queue.size == 0) {
            the_log.written_id = the_log.queued_id;
            pthread_cond_broadcast(&the_log.empty);
        }
    }
    pthread_mutex_unlock(&the_log.lock);
    text_free(&writing);
    return NULL;
}

static enum log_target resolve(enum log_target target)
{
    if (target != LOG_TARGET_AUTO)
        return target;
    return stderr_is_journal() ? LOG_TARGET_JOURNAL : LOG_TARGET_TEXT;
}

int log_open(enum log_target target, int level, struct err *err)
{
    log_configure(target, level);
    int r = pthread_create(&the_log.thread, NULL, log_thread, NULL);
    if (r > 0)
        return err_set(err, -r, "cannot start the log's thread: %s", strerror(r));

    the_log.running = true;
    return 0;
}

static void wait_deadline(usec_t timeout_us, struct timespec *ret)
{
    usec_t end = now_us() + timeout_us;
    *ret = (struct timespec){ .tv_sec = (time_t) (end / USEC_PER_SEC), .tv_nsec = (long) (end % USEC_PER_SEC * 1000) };
}

/* Under the lock: what is queued has the old target's form. */
static void wait_until_empty(usec_t timeout_us)
{
    struct timespec end;
    wait_deadline(timeout_us, &end);
    while (the_log.running && (the_log.queue.size || the_log.writing))
        if (pthread_cond_timedwait(&the_log.empty, &the_log.lock, &end) == ETIMEDOUT)
            return;
}

void log_configure(enum log_target target, int level)
{
    enum log_target resolved = resolve(target);
    bool colour = stderr_has_colours();

    pthread_mutex_lock(&the_log.lock);
    if (resolved != the_log.target) {
        wait_until_empty(USEC_PER_SEC);
        text_reset(&the_log.queue);
        the_log.target = resolved;
    }
    the_log.colour = colour;
    pthread_mutex_unlock(&the_log.lock);
    the_log.level = level;
}

void log_close(usec_t timeout_us)
{
    if (!the_log.running)
        return;

    struct timespec end;
    wait_deadline(timeout_us, &end);
    pthread_mutex_lock(&the_log.lock);
    the_log.stopping = true;
    pthread_cond_signal(&the_log.more);
    pthread_mutex_unlock(&the_log.lock);
    if (pthread_timedjoin_np(the_log.thread, NULL, &end) != 0)
        return; /* stuck in a write; it goes with the process */

    the_log.running = the_log.stopping = false;
    text_free(&the_log.queue);
}

uint64_t log_written_id(void)
{
    return the_log.written_id;
}

void log_passed_id(uint64_t event_id)
{
    pthread_mutex_lock(&the_log.lock);
    the_log.queued_id = event_id;
    if (the_log.queue.size == 0 && !the_log.writing)
        the_log.written_id = event_id;
    pthread_mutex_unlock(&the_log.lock);
}

bool log_wants(int level)
{
    return level <= atomic_load_explicit(&the_log.level, memory_order_relaxed);
}

struct log_field log_text(const char *name, const char *text)
{
    return (struct log_field){ .name = name, .text = text, .size = strlen(text) };
}

void log_write(const struct log_record *record)
{
    struct log_record timed = *record;
    if (!record->always && !log_wants(record->level))
        return;
    if (!timed.time_us)
        timed.time_us = now_us();

    pthread_mutex_lock(&the_log.lock);
    queue_record(&timed);
    if (timed.event_id)
        the_log.queued_id = timed.event_id;
    if (the_log.running) {
        if (the_log.waiting)
            pthread_cond_signal(&the_log.more);
        the_log.waiting = false;
    } else {
        write_out(the_log.target, &the_log.queue);
        text_free(&the_log.queue);
    }
    pthread_mutex_unlock(&the_log.lock);
}

PRINTF_LIKE(3, 0)
static void log_formatted(int level, const char *message_id, const char *format, va_list args)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    char *words CLEANUP(cleanup_free) = NULL;
    int n = vasprintf(&words, format, args);
    if (n < 0) {
        words = NULL;
        return;
    }
    text_add_safe(&line, words, (size_t) n, 0);
    log_write(&(struct log_record){ .level = level, .message_id = message_id, .line = line.s });
}

void log_line(int level, const char *message_id, const char *format, ...)
{
    va_list args;
    if (!log_wants(level))
        return;
    va_start(args, format);
    log_formatted(level, message_id, format, args);
    va_end(args);
}

int log_problem(int r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_formatted(LOG_ERR, NULL, format, args);
    va_end(args);
    return r;
}
