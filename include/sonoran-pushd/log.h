/* log.h - lines for people and fields for programs: the journal, a terminal, or JSON lines.
 *
 * Shape:   one record is a line with a level and fields. In the journal each field is a field; as JSON each is a member
 *          (without SONORAN_, in lower case; a list is always an array); text shows the line, of an event with its
 *          first words in colour, of the daemon itself behind the name of its level.
 * Units:   levels are those of syslog(3), 0 to 7.
 * Owner:   a record and what it points to belong to the caller and are copied.
 * Threads: every function but log_open and log_close may be called from any thread. Nobody who logs waits for whoever
 *          reads the log: records go to a queue of LOG_QUEUE_BYTES that a thread of its own empties. When it is full,
 *          records are dropped and counted, and a line tells how many.
 * Errors:  none; a log that cannot be written loses lines, not events. Lines are whole or absent: on a full disk they
 *          wait in the queue, for a reader that is gone they are dropped, and a line tells how many as soon as there is
 *          room again. Errors that no journal takes go to stderr, for the journal's stream with their priority.
 * Source:  systemd.journal-fields(7), sd_journal_sendv(3), the JOURNAL_STREAM protocol of systemd.exec(5).
 */
#pragma once

#include <sonoran-pushd/report.h>
#include <sonoran-pushd/text.h>
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

/* The part of a line that a terminal shows in colour. */
struct log_mark {
    const char *colour; /* SGR: "1;31" */
    size_t start, size; /* bytes */
};

/* A line with its mark, for a terminal. */
void log_add_marked(struct text *out, struct log_mark mark, const char *line);

/* Whether it is a terminal that shows colours (TERM), and nobody asked for none (NO_COLOR, no-color.org). */
bool log_has_colours(int fd);

struct log_record {
    int level;
    struct log_mark mark;   /* colour NULL: a line of the daemon itself, "info" in front of it */
    const char *message_id; /* 128 bits as 32 hex digits, NULL: none */
    usec_t time_us;         /* 0: now */
    const char *line;       /* made safe already (text_add_safe) */
    const struct log_field *fields;
    size_t n_fields;
    bool always;     /* whatever the level: what scripts wait for */
    uint64_t ticket; /* a number of whoever has to know that it is written (log_written); 0: nobody has */
};

/* How far it is written, for one thread that would have to write the rest again after a crash: it numbers its records,
 * with numbers that grow, and log_written is the newest number whose line left the queue: written, or lost and counted
 * with those that are told to be lost. log_passed: there is nothing to write for this number. */
uint64_t log_written(void);
void log_passed(uint64_t ticket);

/* Starts the writing thread. Before it, and after log_close, lines go straight to stderr. From here to log_started
 * errors that go to the journal reach stderr as well: whoever starts it by hand sees why it ends. */
int log_open(enum log_target target, int level, struct err *err) MUST_CHECK;
void log_started(void);

/* Where lines go elsewhere from here on, it waits up to a second until those in the queue are written; what is left
 * then is lost, and counted. */
void log_configure(enum log_target target, int level);

/* Writes what is queued, waiting at most timeout_us for a reader that does not read, and ends the thread. Others may
 * log meanwhile. */
void log_close(usec_t timeout_us);

/* What is counted since the start, with log_report. From any thread. */
struct log_values {
    uint64_t lines[LOG_DEBUG + 1]; /* by level; the lost ones among them but for those that found no room */
    uint64_t lost_lines;           /* also lines that told of lost ones */
};

extern const struct report_table log_report;
void log_get_values(struct log_values *ret);

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
#define LOG_ID_ANSWER "5c1f0a5be1f44d0f9c2b1f6d3a7e4b30"         /* what a target says is new */
#define LOG_ID_STORED_LATE "5c1f0a5be1f44d0f9c2b1f6d3a7e4b40"    /* its sender was told that it is not stored */
#define LOG_ID_STUCK "5c1f0a5be1f44d0f9c2b1f6d3a7e4b17"
#define LOG_ID_SILENCE "5c1f0a5be1f44d0f9c2b1f6d3a7e4b18" /* no event for a long time */
#define LOG_ID_CLOCK "5c1f0a5be1f44d0f9c2b1f6d3a7e4b20"
#define LOG_ID_STORE_HELD "5c1f0a5be1f44d0f9c2b1f6d3a7e4b21"   /* another program reads the event log without an end */
#define LOG_ID_LIFE "5c1f0a5be1f44d0f9c2b1f6d3a7e4b22"         /* a new life of the log */
#define LOG_ID_FILLED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b23"       /* a log of an older version is brought up to date */
#define LOG_ID_SESSION "5c1f0a5be1f44d0f9c2b1f6d3a7e4b50"      /* the CAD's own connection: open, closed, refused */
#define LOG_ID_SESSION_LOST "5c1f0a5be1f44d0f9c2b1f6d3a7e4b51" /* events of it that could not be stored */
#define LOG_ID_STREAMS "5c1f0a5be1f44d0f9c2b1f6d3a7e4b52"      /* streams of other nodes: connected, lost, a gap */
#define LOG_ID_PRIMED "5c1f0a5be1f44d0f9c2b1f6d3a7e4b60"       /* what the CAD told of itself, and what was missed */
#define LOG_ID_PRIMING "5c1f0a5be1f44d0f9c2b1f6d3a7e4b61"      /* the CAD cannot be asked what it knows, or can again */
#define LOG_ID_COPIES "5c1f0a5be1f44d0f9c2b1f6d3a7e4b62"       /* events come twice, by two ways */
