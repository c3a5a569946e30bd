/* json.h - what cJSON cannot: JSON checked letter by letter, the sender's own bytes of a part of it, and JSON written.
 *
 * Shape:   a span is a part of the text that was scanned. cJSON stays the parser: json_parse hands it text that was
 *          scanned before, so that it reads sound text only.
 * Owner:   a span borrows the text; the tree of json_parse is yours, for cJSON_Delete.
 * Threads: none; one scan, or one text, belongs to one thread at a time.
 * Errors:  -EINVAL and one sentence of what is wrong where; err may be NULL where nobody will read it.
 * Source:  RFC 8259; traps of cJSON in src/json/scan.c.
 */
#pragma once

#include <sonoran-pushd/json_get.h>
#include <sonoran-pushd/text.h>

#define JSON_MAX_DEPTH 64 /* containers in each other */
#define JSON_QUOTES 2     /* bytes of a string that are not its text */

/* What a text has that wants care when it is parsed. */
struct json_met {
    bool awkward;   /* what cJSON spoils: a long number, half a surrogate pair */
    bool numbered;  /* a name that begins with a digit, or may */
    bool not_taken; /* it may be sound, and was refused for a NUL character or its depth */
};

/* Where a scan of JSON text stands. */
struct json_scan {
    const char *start, *p, *end;
    unsigned depth;   /* containers open around p */
    uint64_t objects; /* which of them are objects, the outermost in bit 0 */
    struct json_met met;
};

static inline struct json_scan json_scan_of(struct span text)
{
    const char *end = text.size ? text.s + text.size : text.s; /* of nothing both may be NULL */
    return (struct json_scan){ .start = text.s, .p = text.s, .end = end };
}

/* Passes white space. */
void json_scan_space(struct json_scan *scan);

/* Each passes one such thing, which is sound JSON after it. 0, or -EINVAL and what is wrong where. */
int json_scan_string(struct json_scan *scan, struct err *err) MUST_CHECK;
int json_scan_value(struct json_scan *scan, struct err *err) MUST_CHECK;

/* The object that is all of a text but a byte order mark in front, member by member. begin, next: 1 stands before a
 * member, 0 that was all of it. json_scan_member passes it; the name has its quotes. */
int json_scan_object_begin(struct json_scan *scan, struct err *err) MUST_CHECK;
int json_scan_object_next(struct json_scan *scan, struct err *err) MUST_CHECK;
int json_scan_member(struct json_scan *scan, struct span *ret_name, struct span *ret_value, struct err *err) MUST_CHECK;

/* The members of an object, or the elements of an array, one after the other: a text that is sound, or was when it
 * came. What is not sound ends the walk, never the bounds. json_next_child: false when there is no more; the name has
 * its quotes, and is empty in an array. ret_name may be NULL. */
struct json_scan json_children_of(struct span container);
bool json_next_child(struct json_scan *children, struct span *ret_name, struct span *ret_value);

/* The bytes of child n (from 0); size 0: there is none such. */
struct span json_child(struct span container, uint32_t n);

/* What stands between the braces of an object, without blanks at its start; size 0: nothing, or no object. */
struct span json_members(struct span object);

/* quote.c: text from outside as a string with its quotes; besides what JSON demands, what a terminal would obey
 * (text_is_unsafe) is written as \u escapes, so that a terminal that shows the JSON is as safe. What is not UTF-8
 * becomes the replacement character. */
void json_quote(struct text *out, const char *s, size_t size);

/* The text that a sound string stands for; yours to free. NULL: not a string, or no memory. */
char *json_string_value(struct span json, size_t *ret_bytes);

/* How many bytes at the start are ASCII that JSON has no escape for and a terminal shows. */
size_t json_count_plain(const char *s, size_t size);

/* Sound text, and nothing but that value, as cJSON has it; met is of the scan. Long numbers become texts of the same
 * letters, so that their digits survive. NULL: no memory. */
cJSON *json_parse(struct span value, struct json_met met);

/* Any text. NULL also where it is not one sound value, with white space around it at most. */
cJSON *json_parse_all(struct span text);

/* One JSON text at the end of out, value by value; commas, colons, quotes and escapes are the writer's. A value in an
 * object has a name; one in an array, and the outermost one, has none (NULL). A name is a word of ours, without
 * anything to escape; a text may hold anything (json_quote).
 * What is no JSON (a value without its name, a second outermost one, an end too many, JSON_MAX_DEPTH passed) is a
 * mistake of the caller, which assert() finds. Errors: out->failed, as with every text.
 * To take back what was written, keep a copy of the writer and of out->size, and cut out to that.
 * Inline: so the compiler counts the letters of names. */
struct json_writer {
    struct text *out;
    uint64_t objects; /* which of the open containers are objects, the innermost in bit 0 */
    uint64_t filled;  /* and in which there is something */
    unsigned depth;   /* how many are open */
};

static inline struct json_writer json_writer(struct text *out)
{
    return (struct json_writer){ .out = out };
}

/* More members for an object that has some, which stands elsewhere and is ended there. */
static inline struct json_writer json_writer_of_more(struct text *out)
{
    return (struct json_writer){ .out = out, .objects = 1, .filled = 1, .depth = 1 };
}

/* What stands in front of a value: for the functions below. */
void json_begin_value(struct json_writer *json, const char *name, size_t name_bytes);
void json_begin(struct json_writer *json, const char *name, size_t name_bytes, bool object);

static inline size_t json_name_bytes(const char *name)
{
    return name ? strlen(name) : 0;
}

static inline void json_begin_object(struct json_writer *json, const char *name)
{
    json_begin(json, name, json_name_bytes(name), true);
}

static inline void json_begin_array(struct json_writer *json, const char *name)
{
    json_begin(json, name, json_name_bytes(name), false);
}

void json_end(struct json_writer *json); /* of the innermost of them */

static inline void json_add_span(struct json_writer *json, const char *name, struct span text)
{
    json_begin_value(json, name, json_name_bytes(name));
    json_quote(json->out, text.s, text.size);
}

static inline void json_add_text(struct json_writer *json, const char *name, const char *s)
{
    json_add_span(json, name, span_of(s));
}

static inline void json_add_int(struct json_writer *json, const char *name, int64_t number)
{
    json_begin_value(json, name, json_name_bytes(name));
    text_add_int(json->out, number);
}

/* Sound JSON as it is. An empty one is what is left where there was no memory, and fails. */
static inline void json_add_raw(struct json_writer *json, const char *name, struct span value)
{
    json_begin_value(json, name, json_name_bytes(name));
    text_add_bytes(json->out, value.s, value.size);
    json->out->failed |= !value.size;
}

static inline void json_add_bool(struct json_writer *json, const char *name, bool yes)
{
    json_add_raw(json, name, yes ? (struct span){ "true", 4 } : (struct span){ "false", 5 });
}

static inline void json_add_null(struct json_writer *json, const char *name)
{
    json_add_raw(json, name, (struct span){ "null", 4 });
}

/* As text_add_time_utc. */
static inline void json_add_time(struct json_writer *json, const char *name, usec_t time_us)
{
    json_begin_value(json, name, json_name_bytes(name));
    text_add_bytes(json->out, "\"", 1);
    text_add_time_utc(json->out, time_us);
    text_add_bytes(json->out, "\"", 1);
}

/* null where it is not known, 0. */
static inline void json_add_known_time(struct json_writer *json, const char *name, usec_t time_us)
{
    if (time_us)
        json_add_time(json, name, time_us);
    else
        json_add_null(json, name);
}

/* Both as they stand in JSON: a sound string and a sound value. */
void json_add_member(struct json_writer *json, struct span name, struct span value);

/* Sound members, or elements, with the commas between them; of none nothing is written. */
void json_add_members(struct json_writer *json, struct span members);
