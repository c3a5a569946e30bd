/* log_private.h - between log.c, which queues, log_format.c, which knows the forms, and log_stderr.c, which writes. */
#pragma once

#include <sonoran-pushd/log.h>
#include <sonoran-pushd/text.h>

/* How a record is put into the queue. AUTO is resolved before. */
struct log_form {
    enum log_target target;
    bool colour;
    bool stream; /* text goes to the journal by stderr: "<4>line", as sd-daemon(3) has it */
    bool echo;   /* to the journal, and to stderr as text as well */
};

/* Appends one record in its form. */
void log_format(const struct log_form *form, const struct log_record *record, struct text *out);

/* Sends records in the journal's form to the journal. What is to be told on stderr as well, or is an error and cannot
 * be told to the journal, is appended to *ret_text. Returns how many could not be told to the journal. */
uint64_t log_send_journal(const char *records, size_t size, struct text *ret_text);

bool log_stderr_is_journal(void); /* systemd.exec(5), $JOURNAL_STREAM */

/* Whole lines; returns how many could not be written. On a file (a full disk) it tries on for as long as again, which
 * waits in between, says so; what is there of a line is taken away meanwhile. NULL: does not try on. */
uint64_t log_write_stderr(const char *lines, size_t size, bool (*again)(void));
