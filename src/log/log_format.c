/* log_format.c - a record as a line of text, a line of JSON, or fields for the journal. */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <sonoran-pushd/json.h>

#include "log_private.h"

#define MEMBER_NAME_MAX_BYTES 63
#define FIELDS_MAX 400 /* of one record; more make a message that the kernel does not take (IOV_MAX) */

static const char *level_label(int level)
{
    static const char *const labels[] = { "emrg", "alrt", "crit", "err", "warn", "note", "info", "dbg" };
    return labels[level & 7];
}

static void add_clock(struct text *out, usec_t time_us)
{
    static _Thread_local time_t last;
    static _Thread_local char text[16];

    time_t now = (time_t) (time_us / USEC_PER_SEC);
    if (now != last || !text[0]) {
        struct tm tm;
        localtime_r(&now, &tm);
        strftime(text, sizeof(text), "%H:%M:%S", &tm);
        last = now;
    }
    text_add(out, text);
}

void log_add_marked(struct text *out, struct log_mark mark, const char *line)
{
    text_add_bytes(out, line, mark.start);
    text_addf(out, "\033[%sm", mark.colour);
    text_add_bytes(out, line + mark.start, mark.size);
    text_add(out, "\033[0m");
    text_add(out, line + mark.start + mark.size);
}

static void format_text(const struct log_record *record, bool colour, struct text *out)
{
    const char *label = level_label(record->level);
    add_clock(out, record->time_us);
    text_add(out, " ");
    if (record->mark.colour && colour)
        log_add_marked(out, record->mark, record->line);
    else if (record->mark.colour)
        text_add(out, record->line);
    else
        text_addf(out, colour && record->level <= LOG_WARNING ? "\033[33m%-4s\033[0m %s" : "%-4s %s", label,
                  record->line);
    text_add(out, "\n");
}

static void format_stream(const struct log_record *record, struct text *out)
{
    text_addf(out, "<%d>%s\n", record->level & 7, record->line);
}

/* SONORAN_EVENT_ID is "event_id". */
static void write_member_name(const char *field, char ret[MEMBER_NAME_MAX_BYTES + 1])
{
    const char *prefix = "SONORAN_";
    size_t n = 0;
    if (strncmp(field, prefix, strlen(prefix)) == 0)
        field += strlen(prefix);
    for (; field[n] && n < MEMBER_NAME_MAX_BYTES; n++)
        ret[n] = field[n] >= 'A' && field[n] <= 'Z' ? (char) (field[n] - 'A' + 'a') : field[n];
    ret[n] = '\0';
}

static void add_value(struct json_writer *json, const char *name, const struct log_field *field)
{
    if (field->text)
        json_add_span(json, name, (struct span){ field->text, field->size });
    else
        json_add_int(json, name, field->number);
}

/* All fields of a list are elements of one array; how many they are. */
static size_t add_list(struct json_writer *json, const char *name, const struct log_field *fields, size_t n_fields)
{
    size_t n = 0;
    json_begin_array(json, name);
    do
        add_value(json, NULL, &fields[n++]);
    while (n < n_fields && strcmp(fields[n].name, fields[0].name) == 0);
    json_end(json);
    return n;
}

static void format_json(const struct log_record *record, struct text *out)
{
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    json_add_time(&json, "time", record->time_us);
    json_add_int(&json, "priority", record->level);
    json_add_text(&json, "message", record->line);
    if (record->message_id)
        json_add_text(&json, "message_id", record->message_id);
    for (size_t i = 0; i < record->n_fields;) {
        const struct log_field *field = &record->fields[i];
        char name[MEMBER_NAME_MAX_BYTES + 1];
        write_member_name(field->name, name);
        if (field->list) {
            i += add_list(&json, name, field, record->n_fields - i);
            continue;
        }
        add_value(&json, name, field);
        i++;
    }
    json_end(&json);
    text_add(out, "\n");
}

/* The journal's form in the queue: for each record the number of fields with ECHO or without, then each with its length
 * in front. MESSAGE and PRIORITY are the first. */
#define ECHO (UINT32_C(1) << 31)

static void add_size(struct text *out, size_t size)
{
    uint32_t n = (uint32_t) size;
    text_add_bytes(out, (const char *) &n, sizeof(n));
}

static uint32_t take_size(const char **p)
{
    uint32_t n;
    memcpy(&n, *p, sizeof(n));
    *p += sizeof(n);
    return n;
}

static void add_field(struct text *out, const char *name, const char *value, size_t size)
{
    add_size(out, strlen(name) + 1 + size);
    text_add(out, name);
    text_add(out, "=");
    text_add_bytes(out, value, size);
}

static void format_journal(const struct log_record *record, bool echo, struct text *out)
{
    size_t n = record->n_fields < FIELDS_MAX ? record->n_fields : FIELDS_MAX;
    char priority[2] = { (char) ('0' + (record->level & 7)), '\0' };

    add_size(out, (n + 3 + (record->message_id != NULL)) | (echo ? ECHO : 0));
    add_field(out, "MESSAGE", record->line, strlen(record->line));
    add_field(out, "PRIORITY", priority, 1);
    add_field(out, "SYSLOG_IDENTIFIER", PROGRAM_NAME, strlen(PROGRAM_NAME));
    if (record->message_id)
        add_field(out, "MESSAGE_ID", record->message_id, strlen(record->message_id));
    for (size_t i = 0; i < n; i++) {
        const struct log_field *field = &record->fields[i];
        char digits[24];
        if (field->text) {
            add_field(out, field->name, field->text, field->size);
            continue;
        }
        int size = snprintf(digits, sizeof(digits), "%lld", (long long) field->number);
        add_field(out, field->name, digits, (size_t) size);
    }
}

/* sd_journal_sendv is silent where there is no journal. */
static bool there_is_a_journal(void)
{
    return access("/run/systemd/journal/socket", F_OK) == 0;
}

/* As far as it is needed without the journal: MESSAGE=… and PRIORITY=N. */
static void add_without_journal(const struct iovec *fields, bool echo, bool stream, struct text *out)
{
    const char *line = (const char *) fields[0].iov_base + strlen("MESSAGE=");
    int size = (int) (fields[0].iov_len - strlen("MESSAGE="));
    int level = ((const char *) fields[1].iov_base)[strlen("PRIORITY=")] - '0';
    if (level <= LOG_ERR && stream)
        text_addf(out, "<%d>%.*s\n", level, size, line);
    else if (level <= LOG_ERR || echo)
        text_addf(out, "%s: %.*s\n", PROGRAM_NAME, size, line);
}

uint64_t log_send_journal(const char *records, size_t size, struct text *ret_text)
{
    static struct iovec fields[FIELDS_MAX + 4];
    bool there = there_is_a_journal(), stream = log_stderr_is_journal();
    uint64_t n_lost = 0;

    for (const char *p = records, *end = records + size; p < end;) {
        uint32_t head = take_size(&p), n = head & ~ECHO;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t length = take_size(&p);
            union {
                const char *from;
                void *base;
            } bytes = { .from = p };
            fields[i] = (struct iovec){ bytes.base, length };
            p += length;
        }
        bool sent = there && sd_journal_sendv(fields, (int) n) == 0;
        n_lost += !sent;
        if (!sent || head & ECHO)
            add_without_journal(fields, head & ECHO, stream, ret_text);
    }
    return n_lost;
}

void log_format(const struct log_form *form, const struct log_record *record, struct text *out)
{
    switch (form->target) {
    case LOG_TARGET_JOURNAL:
        format_journal(record, form->echo, out);
        break;
    case LOG_TARGET_JSON:
        format_json(record, out);
        break;
    case LOG_TARGET_TEXT:
    case LOG_TARGET_AUTO:
        if (form->stream)
            format_stream(record, out);
        else
            format_text(record, form->colour, out);
        break;
    }
}
