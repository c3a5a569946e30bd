/* log.c - the queue of lines, and the thread that writes them. */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/wait.h>

#include "log_private.h"

#define GATHER_US 2000
#define AGAIN_US USEC_PER_SEC

/* The one thing of the process that everything speaks to, and so the one static object with a life. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;  /* there is something to write, or to stop for */
    pthread_cond_t empty; /* everything is written */
    pthread_t thread;
    bool running, stopping, writing, waiting;
    bool starting; /* errors go to stderr as well */
    bool works;    /* what was written last was written whole */
    enum log_target target;
    bool colour, stream;
    struct text queue;
    uint64_t n_queued; /* in it */
    uint64_t n_lost;   /* not told yet */
    uint64_t n_told;   /* by a line in the queue */
    struct log_values values;
    atomic_int level;
    uint64_t queued_ticket;          /* of the newest record in the queue that has one */
    _Atomic uint64_t written_ticket; /* of the newest that left it */
} the_log = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER,
    .empty = PTHREAD_COND_INITIALIZER,
    .works = true,
    .target = LOG_TARGET_TEXT,
    .queue = TEXT_INIT,
    .level = LOG_INFO,
};

/* Between two tries at a full disk. false: there is no time for another one. */
static bool pause_before_again(void)
{
    usec_t until = uptime_us() + AGAIN_US;
    pthread_mutex_lock(&the_log.lock);
    while (!the_log.stopping && wait_signal(&the_log.more, &the_log.lock, until))
        ;
    bool again = !the_log.stopping;
    pthread_mutex_unlock(&the_log.lock);
    return again;
}

/* Returns how many lines are lost. */
static uint64_t write_out(enum log_target target, const struct text *records, bool (*again)(void))
{
    if (target != LOG_TARGET_JOURNAL)
        return log_write_stderr(records->s, records->size, again);
    struct text text CLEANUP(text_free) = TEXT_INIT;
    uint64_t n_lost = log_send_journal(records->s, records->size, &text);
    (void) log_write_stderr(text.s, text.size, NULL);
    return n_lost;
}

static struct log_form form_of(const struct log_record *record)
{
    return (struct log_form){
        .target = the_log.target,
        .colour = the_log.colour,
        .stream = the_log.stream,
        .echo = the_log.starting && !the_log.stream && record->level <= LOG_ERR,
    };
}

/* Under the lock. */
static void note_lost(void)
{
    the_log.n_lost++;
    the_log.values.lost_lines++;
}

/* Under the lock. */
static void queue_record(const struct log_record *record)
{
    size_t before = the_log.queue.size;
    assert(wait_is_locked(&the_log.lock));
    const struct log_form form = form_of(record);
    if (before < LOG_QUEUE_BYTES)
        log_format(&form, record, &the_log.queue);
    if (before < LOG_QUEUE_BYTES && !the_log.queue.failed) {
        the_log.n_queued++;
        the_log.values.lines[record->level & LOG_PRIMASK]++;
        return;
    }

    the_log.queue.size = before;
    the_log.queue.failed = false;
    note_lost();
}

static void queue_loss(void)
{
    char line[96];
    snprintf(line, sizeof(line), "%llu log line%s lost: there was no room for them, or nobody who read them",
             (unsigned long long) the_log.n_lost, text_plural(the_log.n_lost));
    the_log.n_told = the_log.n_lost;
    the_log.n_lost = 0;
    queue_record(&(struct log_record){
        .level = LOG_WARNING, .message_id = LOG_ID_LINES_LOST, .time_us = now_us(), .line = line });
}

/* Under the lock, which it lets go: lines that come close together are written together, so that under load the
 * thread is woken for many of them and not for each. */
static void gather(void)
{
    if (the_log.stopping)
        return;
    pthread_mutex_unlock(&the_log.lock);
    wait_pause(GATHER_US);
    pthread_mutex_lock(&the_log.lock);
}

static bool can_tell_loss(void)
{
    return the_log.n_lost && the_log.works;
}

/* Under the lock: waits for something to write. false: the end. */
static bool wait_for_records(void)
{
    while (the_log.queue.size == 0 && !the_log.stopping && !can_tell_loss()) {
        the_log.waiting = true;
        pthread_cond_wait(&the_log.more, &the_log.lock);
        the_log.waiting = false;
    }
    if (the_log.queue.size == 0 && can_tell_loss())
        queue_loss();
    return the_log.queue.size > 0;
}

/* Under the lock, which is free while it writes. What was lost is told with the next lines after some that could be
 * written. */
static void write_queue(struct text *writing)
{
    struct text filled = the_log.queue;
    the_log.queue = *writing;
    *writing = filled;
    enum log_target target = the_log.target;
    uint64_t ticket = the_log.queued_ticket, n_told = the_log.n_told;
    the_log.n_queued = the_log.n_told = 0;
    if (can_tell_loss())
        queue_loss();
    the_log.writing = true;
    pthread_mutex_unlock(&the_log.lock);

    uint64_t n_lost = write_out(target, writing, pause_before_again);
    the_log.written_ticket = ticket;
    if (writing->room > LOG_QUEUE_BYTES / 8)
        text_free(writing);
    text_reset(writing);

    pthread_mutex_lock(&the_log.lock);
    the_log.writing = false;
    the_log.works = n_lost == 0;
    the_log.values.lost_lines += n_lost;
    if (n_lost)
        the_log.n_lost += n_lost + n_told - (n_told > 0); /* with the line that told of others */
}

static void *log_thread(void *unused)
{
    (void) unused;
    struct text writing = TEXT_INIT;

    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&the_log.lock);
    while (wait_for_records()) {
        gather();
        write_queue(&writing);
        if (the_log.queue.size == 0) {
            the_log.written_ticket = the_log.queued_ticket;
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
    return log_stderr_is_journal() ? LOG_TARGET_JOURNAL : LOG_TARGET_TEXT;
}

int log_open(enum log_target target, int level, struct err *err)
{
    the_log.starting = true;
    log_configure(target, level);
    int r = pthread_create(&the_log.thread, NULL, log_thread, NULL);
    if (r > 0)
        return err_set(err, -r, "cannot start the log's thread: %s", strerror(r));

    the_log.running = true;
    return 0;
}

/* Under the lock: what is queued has the old target's form. */
static void wait_until_empty(usec_t timeout_us)
{
    usec_t end = uptime_us() + timeout_us;
    bool time_left = true;
    while (time_left && the_log.running && (the_log.queue.size || the_log.writing))
        time_left = wait_signal(&the_log.empty, &the_log.lock, end);
}

void log_configure(enum log_target target, int level)
{
    enum log_target resolved = resolve(target);
    bool colour = log_has_colours(STDERR_FILENO), stream = log_stderr_is_journal();

    pthread_mutex_lock(&the_log.lock);
    if (resolved != the_log.target) {
        wait_until_empty(USEC_PER_SEC);
        text_reset(&the_log.queue);
        the_log.n_lost += the_log.n_queued + the_log.n_told - (the_log.n_told > 0);
        the_log.values.lost_lines += the_log.n_queued;
        the_log.n_queued = the_log.n_told = 0;
        the_log.target = resolved;
    }
    the_log.colour = colour;
    the_log.stream = stream;
    pthread_mutex_unlock(&the_log.lock);
    the_log.level = level;
}

void log_started(void)
{
    pthread_mutex_lock(&the_log.lock);
    the_log.starting = false;
    pthread_mutex_unlock(&the_log.lock);
}

void log_close(usec_t timeout_us)
{
    if (!the_log.running)
        return;

    usec_t end = uptime_us() + timeout_us;
    pthread_mutex_lock(&the_log.lock);
    the_log.stopping = true;
    pthread_cond_signal(&the_log.more);
    pthread_mutex_unlock(&the_log.lock);
    if (!wait_thread(the_log.thread, end))
        return; /* stuck in a write; it goes with the process */

    /* Other threads may go on, and have lines since the thread looked last: the output of programs in the background.
     */
    pthread_mutex_lock(&the_log.lock);
    the_log.running = the_log.stopping = false;
    if (the_log.queue.size)
        (void) write_out(the_log.target, &the_log.queue, NULL);
    the_log.n_queued = 0;
    text_free(&the_log.queue);
    pthread_mutex_unlock(&the_log.lock);
}

uint64_t log_written(void)
{
    return the_log.written_ticket;
}

void log_passed(uint64_t ticket)
{
    pthread_mutex_lock(&the_log.lock);
    the_log.queued_ticket = ticket;
    if (the_log.queue.size == 0 && !the_log.writing)
        the_log.written_ticket = ticket;
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
    if (!the_log.running)
        the_log.stream = log_stderr_is_journal();
    queue_record(&timed);
    if (timed.ticket)
        the_log.queued_ticket = timed.ticket;
    if (the_log.running) {
        if (the_log.waiting)
            pthread_cond_signal(&the_log.more);
        the_log.waiting = false;
    } else {
        (void) write_out(the_log.target, &the_log.queue, NULL);
        the_log.n_queued = 0;
        text_free(&the_log.queue);
    }
    pthread_mutex_unlock(&the_log.lock);
}

void log_get_values(struct log_values *ret)
{
    pthread_mutex_lock(&the_log.lock);
    *ret = the_log.values;
    pthread_mutex_unlock(&the_log.lock);
}

#define LINES(LEVEL, PRIORITY)                                                                                         \
    {                                                                                                                  \
        .name = "log_lines", .kind = REPORT_COUNTER, .label = "level", .value = (LEVEL),                               \
        .help = "Lines for the log, by their level.", .offset = REPORT_OFFSET(struct log_values, lines[PRIORITY])      \
    }

static const struct report_row report_rows[] = {
    LINES("emerg", LOG_EMERG),
    LINES("alert", LOG_ALERT),
    LINES("crit", LOG_CRIT),
    LINES("err", LOG_ERR),
    LINES("warning", LOG_WARNING),
    LINES("notice", LOG_NOTICE),
    LINES("info", LOG_INFO),
    LINES("debug", LOG_DEBUG),
    { .name = "log_dropped_lines",
      .kind = REPORT_COUNTER,
      .help = "Lines that were lost, because there was no room or nobody who read them.",
      .member = "log_dropped_lines",
      .doubt = { "line", "lines", "of the log were lost",
                 "whoever reads the log was too slow, gone, or its disk full; the events themselves are stored: "
                 "sonoran-pushctl events shows them" },
      .offset = REPORT_OFFSET(struct log_values, lost_lines) },
};

const struct report_table log_report = { report_rows, ARRAY_SIZE(report_rows) };

PRINTF_LIKE(3, 0)
static void log_formatted(int level, const char *message_id, const char *format, va_list args)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    char *words CLEANUP(cleanup_free) = NULL;
    int n = vasprintf(&words, format, args);
    if (n < 0)
        words = NULL;
    else
        text_add_safe(&line, words, (size_t) n, 0);
    if (n < 0 || line.failed) {
        pthread_mutex_lock(&the_log.lock);
        note_lost();
        pthread_mutex_unlock(&the_log.lock);
        return;
    }
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
