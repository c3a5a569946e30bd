/* log_private.h - between log.c, which queues, and log_format.c, which knows the forms. */
#pragma once

#include <sonoran-pushd/log.h>
#include <sonoran-pushd/text.h>

/* Appends one record in the form of the target; AUTO is resolved before. */
void log_format(enum log_target target, bool colour, const struct log_record *record, struct text *out);

/* Sends records in the journal's form (log_format's) to the journal. */
void log_send_journal(const char *records, size_t size);
