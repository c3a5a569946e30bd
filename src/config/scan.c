/* scan.c - what libconfig 1.5 lets pass: one look at the letters of a file before libconfig reads them.
 *
 * libconfig reads 4294967297 as 1 (so every whole number gets an L here, which makes it read 64 bits), takes a text
 * or comment that is never closed for the end of the file, drops \x00, gives up on a comment without a line break,
 * needs quadratic time for the settings of one group, and names the line of the next token for the last text of a
 * list (so line breaks move behind a closing bracket here). No sentence shows a value: it may be a key. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define GROUP_SETTINGS_MAX 2000

static void mistake_at(const struct reader *reader, unsigned line, const char *sentence)
{
    const struct scan *scan = reader->scan;
    struct place place = { scan->source->files[reader->file].name, line, scan->order + scan->pending };
    problems_add(scan->problems, place, "%s", sentence);
}

void scan_mistake(const struct reader *reader, const char *sentence)
{
    mistake_at(reader, reader->line, sentence);
}

void scan_flush_lines(struct scan *scan)
{
    for (; scan->pending; scan->pending--, scan->order++)
        text_add(&scan->source->text, "\n");
}

static void emit(struct scan *scan, const char *s, size_t size)
{
    scan_flush_lines(scan);
    text_add_bytes(&scan->source->text, s, size);
    scan->last = s[size - 1];
}

static void new_line(struct reader *reader)
{
    reader->p++;
    reader->line++;
    reader->scan->pending++;
}

static bool at(const struct reader *reader, const char *letters)
{
    size_t size = strlen(letters);
    return (size_t) (reader->end - reader->p) >= size && memcmp(reader->p, letters, size) == 0;
}

static bool is_name_letter(char c)
{
    return isalnum((unsigned char) c) || c == '_' || c == '-' || c == '*';
}

static void skip_name(struct reader *reader)
{
    while (reader->p < reader->end && is_name_letter(*reader->p))
        reader->p++;
}

void scan_rest_of_line(struct reader *reader)
{
    while (reader->p < reader->end && *reader->p != '\n')
        reader->p++;
}

static void scan_block_comment(struct reader *reader)
{
    unsigned line = reader->line;
    for (reader->p += 2; reader->p < reader->end; reader->p++) {
        if (at(reader, "*/")) {
            reader->p += 2;
            return;
        }
        if (*reader->p == '\n') {
            new_line(reader);
            reader->p--;
        }
    }
    mistake_at(reader, line, "a comment that begins here is never closed: expected */");
}

static void scan_text(struct reader *reader)
{
    const char *start = reader->p++;
    for (; reader->p < reader->end && *reader->p != '\n'; reader->p++) {
        if (*reader->p == '"') {
            reader->p++;
            emit(reader->scan, start, (size_t) (reader->p - start));
            return;
        }
        if (at(reader, "\\x00"))
            scan_mistake(reader, "a text cannot hold \\x00");
        if (*reader->p == '\\' && reader->end - reader->p > 1 && reader->p[1] != '\n')
            reader->p++;
    }
    scan_mistake(reader, "a text that begins here is not closed on its line: expected a second quote");
    reader->scan->last = '"';
}

static void check_number(const struct reader *reader, const char *start, bool hex)
{
    errno = 0;
    unsigned long long magnitude =
        strtoull(hex ? start + 2 : start + (*start == '-' || *start == '+'), NULL, hex ? 16 : 10);
    if (errno == ERANGE || magnitude > INT64_MAX)
        scan_mistake(reader, "a number here is too large to be read");
}

static void scan_number(struct reader *reader)
{
    const char *start = reader->p;
    bool hex = at(reader, "0x") || at(reader, "0X");
    reader->p += hex ? 2 : *start == '-' || *start == '+';
    while (reader->p < reader->end &&
           (hex ? isxdigit((unsigned char) *reader->p) : isdigit((unsigned char) *reader->p)))
        reader->p++;

    bool exponent = reader->end - reader->p > 1 && (*reader->p | 0x20) == 'e' && strchr("0123456789+-", reader->p[1]);
    if (!hex && reader->p < reader->end && (*reader->p == '.' || exponent)) {
        while (reader->p < reader->end && *reader->p && strchr("0123456789.eE+-", *reader->p))
            reader->p++;
        emit(reader->scan, start, (size_t) (reader->p - start));
    } else {
        check_number(reader, start, hex);
        emit(reader->scan, start, (size_t) (reader->p - start));
        emit(reader->scan, "L", 1);
        reader->p += at(reader, "LL") ? 2 : at(reader, "L");
    }
    if (reader->p < reader->end && is_name_letter(*reader->p)) {
        scan_mistake(reader, "a value such as 30s or 64K has to stand in quotes");
        skip_name(reader);
    }
}

static bool is_word(const char *s, size_t size, const char *word)
{
    return size == strlen(word) && strncasecmp(s, word, size) == 0;
}

static void scan_name(struct reader *reader)
{
    const char *start = reader->p;
    skip_name(reader);
    size_t size = (size_t) (reader->p - start);

    bool is_value = reader->scan->last == '=' && !reader->scan->pending;
    if (is_value && !is_word(start, size, "true") && !is_word(start, size, "false"))
        scan_mistake(reader, "a text has to stand in quotes");
    else if (reader->p < reader->end && *reader->p == '.')
        scan_mistake(reader,
                     "a name cannot hold a dot: expected limits = { body = \"1M\" } instead of limits.body = \"1M\"");
    else {
        emit(reader->scan, start, size);
        return;
    }
    while (reader->p < reader->end && !strchr(" \t\r\n,;}])=", *reader->p))
        reader->p++;
    reader->scan->last = 'a';
}

static void open_bracket(struct reader *reader)
{
    struct scan *scan = reader->scan;
    if (++scan->nesting == NESTING_MAX)
        scan_mistake(reader, "groups and lists are nested too deep here");
    if (scan->nesting < NESTING_MAX)
        scan->n_settings[scan->nesting] = 0;
}

static void scan_other(struct reader *reader)
{
    struct scan *scan = reader->scan;
    char c = *reader->p;
    if (strchr("])},;", c)) {
        scan->nesting -= scan->nesting && !strchr(",;", c);
        text_add_bytes(&scan->source->text, &c, 1);
        scan->last = c;
    } else {
        emit(scan, c == ':' ? "=" : &c, 1);
    }
    if (strchr("[({", c))
        open_bracket(reader);
    if (scan->last == '=' && scan->nesting < NESTING_MAX && ++scan->n_settings[scan->nesting] == GROUP_SETTINGS_MAX)
        scan_mistake(reader, "too many settings in one group");
    reader->p++;
}

static bool begins_number(const struct reader *reader)
{
    const char *p = reader->p;
    if (isdigit((unsigned char) *p))
        return true;
    return strchr("+-.", *p) && reader->end - p > 1 && (isdigit((unsigned char) p[1]) || p[1] == '.');
}

void scan_token(struct reader *reader)
{
    char c = *reader->p;
    if (c == '\n') {
        new_line(reader);
    } else if (strchr(" \t\r\f", c)) {
        text_add(&reader->scan->source->text, " ");
        reader->p++;
    } else if (c == '#' || at(reader, "//")) {
        scan_rest_of_line(reader);
    } else if (at(reader, "/*")) {
        scan_block_comment(reader);
    } else if (c == '"') {
        scan_text(reader);
    } else if (at(reader, "@include")) {
        source_include(reader);
    } else if (begins_number(reader)) {
        scan_number(reader);
    } else if (isalpha((unsigned char) c) || c == '*') {
        scan_name(reader);
    } else {
        scan_other(reader);
    }
}
