/* log.h - lines for people and fields for programs: the journal, a terminal, or JSON lines.
 *
 * Shape:   one record is a line with a level, a label and fields. In the journal each field is a field; as JSON
 *          each is a member (without SONORAN_, in lower case; a list is always an array); text shows the line.
 * Units:   levels are those of syslog(3), 0 to 7.
 * Owner:   a record and what it points to belong to the caller and are copied.
 * Threads: every function but log_open and log_close may be called from any thread. Nobody who logs waits for
 *          whoever reads the log: records go to a queue of LOG_QUEUE_BYTES that a thread of its own empties.
 *          When it is full, records are dropped and counted, and a line tells how many.
 * Errors:  none; a log that cannot be written loses lines, not events.
 * Source:  systemd.journal-fields(7), sd_journal_sendv(3), the JOURNAL_STREAM protocol of systemd.exec(5).
 */
#pragma once

#include <sonoran-pushd/base.h>
#include <syslog.h>

#define LOG_QUEUE_BYTES ((size_t) 8 << 20)

enum log_target {
    LOG_TARGET_AUTO, /* the journal where stderr leads there, else text */
    LOG_TARGET_JOURNAL,
    LOG_TARGET_TEXT,
    LOG_TARGET_JSON,
};

/* One field. A name that comes several times in a row is one field with several values. */
struct log_field {
    const char *name; /* "SONORAN_CALL" */
    const char *text; /* NULL: .number counts */
    size_t size;
    int64_t number;
    bool list; /* may have several values: JSON shows an array even for one */
};

struct log_field log_text(const char *name, const char *text);

struct log_record {
    int level;
    const char *label;      /* up to 4 characters in front of the line, NULL: the level's name */
    int colour;             /* SGR colour of the label on a terminal, 0: none */
    const char *message_id; /* 128 bits as 32 hex digits, NULL: none */
    usec_t time_us;         /* 0: now */
    const char *line;       /* made safe already (text_add_safe) */
    const struct log_field *fields;
    size_t n_fields;
    bool always;       /* whatever the level: what scripts wait for */
    uint64_t event_id; /* of the event it tells, 0: none; grows from record to record */
};

/* The newest event whose line was written, or had none to write. */
uint64_t log_written_id(void);
void log_passed_id(uint64_t event_id);

/* Starts the writing thread. Before it, and after log_close, lines go straight to stderr. */
int log_open(enum log_target target, int level, struct err *err) MUST_CHECK;
void log_configure(enum log_target target, int level);

/* Writes what is queued, waiting at most timeout_us for a reader that does not read, and ends the thread. */
void log_close(usec_t timeout_us);

bool log_wants(int level);
void log_write(const struct log_record *record);

/* A line without fields of its own. log_problem returns r, so that "log and give up" is one expression. */
void log_line(int level, const char *message_id, const char *format, ...) PRINTF_LIKE(3, 4);
int log_problem(int r, const char *format, ...) PRINTF_LIKE(2, 3);

/* One fixed id for each kind of line, for journalctl MESSAGE_ID=… and the journal's catalog. */
#define LOG_ID_EVENT "5c1f0a5be1f44d0f9c2b1f6d3a7e4b01"
#define LOG_ID_EVENT_REFUSED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b02"
#define LOG_ID_REQUEST_REFUSED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b03"
#define LOG_ID_REQUESTS_REFUSED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b04"
#define LOG_ID_STARTED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b05"
#define LOG_ID_READY "5c1f0a5be1f44d0f9c2b1f6d3a7e4b06"
#define LOG_ID_STOPPED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b07"
#define LOG_ID_RELOADED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b08"
#define LOG_ID_RELOAD_REFUSED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b09"
#define LOG_ID_CONFIG "5c1f0a5be1f44d0f9c2b1f6d3a7e4b0a"
#define LOG_ID_LINES_LOST "5c1f0a5be1f44d0f9c2b1f6d3a7e4b0b"
#define LOG_ID_STORE_FAILED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b0c"
#define LOG_ID_STORE_RECOVERED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b0d"
#define LOG_ID_EVENTS_GIVEN_UP "5c1f0a5be1f44d0f9c2b1f6d3a7e4b0e"
#define LOG_ID_RECOVERED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b0f"
#define LOG_ID_ACTION_OUTPUT "5c1f0a5be1f44d0f9c2b1f6d3a7e4b10" /* a line that a program of an exec action wrote */
#define LOG_ID_DELIVERED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b11"
#define LOG_ID_DELIVERY_RETRIED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b12"
#define LOG_ID_DELIVERY_FAILED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b13"
#define LOG_ID_DELIVERY_SKIPPED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b14"
#define LOG_ID_ACTION_OFF "5c1f0a5be1f44d0f9c2b1f6d3a7e4b15"
#define LOG_ID_ACTION_CHANGED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b16" /* begins, ends, goes to another place */
#define LOG_ID_STUCK "5c1f0a5be1f44d0f9c2b1f6d3a7e4b17"
#define LOG_ID_SILENCE "5c1f0a5be1f44d0f9c2b1f6d3a7e4b18" /* no event for a long time */
