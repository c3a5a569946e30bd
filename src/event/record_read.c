/* record_read.c - an event record back into the event that it was written from, and what was decided about it.
 *
 * It may come from another machine: whatever is in it, it is an event within our bounds after this, or a sentence. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "event_private.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_IDS, KIND_OBJECT, KIND_TRUE, KIND_JSON };

static const char *const expected[] = {
    [KIND_TEXT] = "a text",
    [KIND_NUMBER] = "a whole number",
    [KIND_IDS] = "a list of whole numbers",
    [KIND_OBJECT] = "an object",
    [KIND_TRUE] = "true",
    [KIND_JSON] = "a value",
};

enum member {
    ID,
    LOG,
    TIME,
    TYPE,
    TYPE_SENT,
    LEVEL,
    COMMUNITY,
    SOURCE,
    LISTENER,
    FROM,
    VERDICT,
    REASON,
    TEST,
    SUMMARY,
    CALLS911,
    CALLS,
    UNITS,
    BY,
    RECORD,
    ORIGIN,
    KNOWN,
    DATA,
    EXTRA,
    N_MEMBERS
};

/* What else is there is not read: the family follows from the type. */
static const struct {
    const char *name;
    enum kind kind;
    bool optional;
} members[N_MEMBERS] = {
    [ID] = { "id", KIND_NUMBER, false },
    [LOG] = { "log", KIND_TEXT, true },
    [TIME] = { "time", KIND_TEXT, false },
    [TYPE] = { "type", KIND_TEXT, false },
    [TYPE_SENT] = { "type_sent", KIND_TEXT, true },
    [LEVEL] = { "level", KIND_NUMBER, false },
    [COMMUNITY] = { "community", KIND_TEXT, false },
    [SOURCE] = { "source", KIND_TEXT, false },
    [LISTENER] = { "listener", KIND_TEXT, false },
    [FROM] = { "from", KIND_TEXT, false },
    [VERDICT] = { "verdict", KIND_TEXT, false },
    [REASON] = { "reason", KIND_TEXT, true },
    [TEST] = { "test", KIND_TRUE, true },
    [SUMMARY] = { "summary", KIND_TEXT, false },
    [CALLS911] = { "calls911", KIND_IDS, false },
    [CALLS] = { "calls", KIND_IDS, false },
    [UNITS] = { "units", KIND_IDS, false },
    [BY] = { "by", KIND_NUMBER, true },
    [RECORD] = { "record", KIND_NUMBER, true },
    [ORIGIN] = { "origin", KIND_OBJECT, true },
    [KNOWN] = { "known", KIND_OBJECT, true },
    [DATA] = { "data", KIND_JSON, false },
    [EXTRA] = { "extra", KIND_OBJECT, true },
};

struct values {
    struct span json[N_MEMBERS]; /* size 0: it is not there */
    char *text[N_MEMBERS];       /* ours */
    int64_t number[N_MEMBERS];
};

static void values_free(struct values *values)
{
    for (enum member m = 0; m < N_MEMBERS; m++)
        free(values->text[m]);
}

/* ---- the values ---- */

static const char *space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* JSON ends with a character that is no digit, so a number does too. */
static const char *read_number(const char *p, int64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoll(p, &end, 10);
    return errno || end == p || strchr(".eE", *end) ? NULL : end;
}

static int read_ids(const char *p, struct ids *ret)
{
    int64_t id;
    size_t n = 0;
    if (*p != '[')
        return -EINVAL;
    p = space(p + 1);
    while (*p != ']') {
        p = read_number(p, &id);
        if (!p)
            return -EINVAL;
        if (n++ == IDS_MAX)
            return -E2BIG;
        ids_add(ret, id);
        p = space(p);
        p = *p == ',' ? space(p + 1) : p;
    }
    return 0;
}

static int read_value(struct values *values, enum member m)
{
    struct span json = values->json[m];
    struct ids ids CLEANUP(ids_free) = { 0 };
    size_t size;
    switch (members[m].kind) {
    case KIND_TEXT:
        if (json.s[0] != '"')
            return -EINVAL;
        values->text[m] = json_string_value(json, &size);
        return values->text[m] ? 0 : -ENOMEM;
    case KIND_NUMBER:
        return read_number(json.s, &values->number[m]) ? 0 : -EINVAL;
    case KIND_IDS:
        return read_ids(json.s, &ids);
    case KIND_OBJECT:
        return json.s[0] == '{' ? 0 : -EINVAL;
    case KIND_TRUE:
        return json.s[0] == 't' ? 0 : -EINVAL;
    case KIND_JSON:
        break;
    }
    return 0;
}

static int refuse(int r, enum member m, struct err *err)
{
    if (r == -ENOMEM)
        return err_set(err, r, "no memory");
    if (r == -E2BIG)
        return err_set(err, -EINVAL, "%s: more than %d", members[m].name, IDS_MAX);
    return err_set(err, r, "%s: expected %s", members[m].name, expected[members[m].kind]);
}

static int read_values(struct values *values, struct err *err)
{
    for (enum member m = 0; m < N_MEMBERS; m++) {
        if (!values->json[m].size && members[m].optional)
            continue;
        if (!values->json[m].size)
            return err_set(err, -EINVAL, "%s: missing", members[m].name);
        int r = read_value(values, m);
        if (r < 0)
            return refuse(r, m, err);
    }
    return 0;
}

static void take_member(struct values *values, struct span name, struct span value)
{
    for (enum member m = 0; m < N_MEMBERS; m++)
        if (strlen(members[m].name) == name.size - 2 && memcmp(members[m].name, name.s + 1, name.size - 2) == 0)
            values->json[m] = value;
}

/* The depth begins at 0, not at 1, because the members of extra stood one level higher in their request. */
static int read_members_of(struct span record, struct values *values, struct err *err)
{
    struct json_scan scan = json_scan_of(record);
    struct span name, value;
    int r = json_scan_object_begin(&scan, err);
    while (r > 0) {
        r = json_scan_member(&scan, &name, &value, err);
        if (r < 0)
            break;
        take_member(values, name, value);
        r = json_scan_object_next(&scan, err);
    }
    return r;
}

/* ---- the event ---- */

/* sscanf alone takes signs and blanks for digits, timegm the 99th month for one of a later year. */
static int read_time(const char *text, usec_t *ret)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    for (size_t i = 0; i < sizeof(form); i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return -EINVAL;

    struct tm tm = { 0 };
    unsigned us;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6u", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &us) != 7)
        return -EINVAL;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    struct tm came = tm;
    time_t seconds = timegm(&tm);
    if (seconds < 0 || tm.tm_mon != came.tm_mon || tm.tm_mday != came.tm_mday || tm.tm_hour != came.tm_hour ||
        tm.tm_min != came.tm_min || tm.tm_sec != came.tm_sec)
        return -EINVAL;
    *ret = (usec_t) seconds * USEC_PER_SEC + us;
    return 0;
}

/* ---- bounds: as large as what is written here can be, and no larger ---- */

#define SUMMARY_MAX_BYTES ((size_t) 64 << 10)

static int check_sizes(const struct values *values, struct err *err)
{
    static const struct {
        enum member member;
        size_t max_bytes;
    } texts[] = {
        { LOG, NAME_MAX_BYTES },
        { TYPE, EVENT_TYPE_STORED_MAX_BYTES },
        { TYPE_SENT, EVENT_TYPE_STORED_MAX_BYTES },
        { COMMUNITY, NAME_MAX_BYTES },
        { SOURCE, sizeof(((struct origin *) 0)->source) - 1 },
        { LISTENER, sizeof(((struct origin *) 0)->name) - 1 },
        { FROM, sizeof(((struct origin *) 0)->peer) - 1 },
        { REASON, sizeof(((struct err *) 0)->msg) - 1 },
        { SUMMARY, SUMMARY_MAX_BYTES },
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *text = values->text[texts[i].member];
        if (text && strlen(text) > texts[i].max_bytes)
            return err_set(err, -EINVAL, "%s: longer than %zu bytes", members[texts[i].member].name,
                           texts[i].max_bytes);
    }
    if (values->json[KNOWN].size > EVENT_KNOWN_MAX_BYTES + EVENT_LATE_MAX_BYTES)
        return err_set(err, -EINVAL, "known: longer than %d bytes", EVENT_KNOWN_MAX_BYTES + EVENT_LATE_MAX_BYTES);
    return 0;
}

/* What stands in a line or a field as it is. */
static int check_names(const struct values *values, struct err *err)
{
    static const enum member names[] = { LOG, COMMUNITY, SOURCE, LISTENER, FROM };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct text shown CLEANUP(text_free) = TEXT_INIT;
        const char *name = values->text[names[i]];
        if (!name)
            continue;
        text_add_safe(&shown, name, strlen(name), 0);
        if (shown.failed)
            return err_set(err, -ENOMEM, "no memory");
        if (strcmp(shown.s, name) != 0)
            return err_set(err, -EINVAL, "%s: has control characters in it", members[names[i]].name);
    }
    return 0;
}

static int check_bounds(const struct values *values, struct err *err)
{
    int r = check_sizes(values, err);
    if (r >= 0)
        r = check_names(values, err);
    if (r < 0)
        return r;
    if (values->number[ID] < 1)
        return err_set(err, -EINVAL, "id: expected a number from 1 on");
    if (values->number[LEVEL] < LOG_EMERG || values->number[LEVEL] > LOG_DEBUG)
        return err_set(err, -EINVAL, "level: expected a number from 0 to 7");
    return 0;
}

static int make_event(const struct values *values, const struct event_families *families, struct batch *ret,
                      struct err *err)
{
    struct origin origin;
    struct record_home home;
    char *const *text = values->text;
    struct event event = {
        .id = (uint64_t) values->number[ID],
        .log = text[LOG],
        .type = text[TYPE],
        .type_sent = text[TYPE_SENT],
        .community = text[COMMUNITY],
        .origin = &origin,
        .data_text = values->json[DATA],
        .extra_text = values->json[EXTRA],
    };
    if (values->json[ORIGIN].size && record_read_home(values->json[ORIGIN], &home, err) < 0)
        return -EINVAL;
    if (values->json[ORIGIN].size)
        event.home = (struct event_home){ home.node, home.log, home.id };
    if (read_time(text[TIME], &event.time_us) < 0)
        return err_set(err, -EINVAL, "time: expected one like 2026-11-23T16:00:00.123456Z");
    if (event_verdict_read(text[VERDICT], &event.verdict) < 0)
        return err_set(err, -EINVAL, "verdict: " EVENT_VERDICTS_EXPECTED);
    snprintf(origin.source, sizeof(origin.source), "%s", text[SOURCE]);
    snprintf(origin.name, sizeof(origin.name), "%s", text[LISTENER]);
    snprintf(origin.peer, sizeof(origin.peer), "%s", text[FROM]);
    int r = batch_restore(ret, &event, families);
    if (r < 0)
        return err_set(err, r, r == -EINVAL ? "data: not JSON" : "no memory");
    if (text[REASON])
        err_set(&ret->memory->reason, 0, "%s", text[REASON]);
    ret->events[0].test |= values->json[TEST].size > 0;
    return 0;
}

static int make_description(const struct values *values, struct description *ret, struct err *err)
{
    description_reset(ret);
    text_add_prose(&ret->line, values->text[SUMMARY], strlen(values->text[SUMMARY]), 0); /* ours are so already */
    description_take_known(ret, values->json[KNOWN]);
    (void) read_ids(values->json[CALLS911].s, &ret->calls911); /* looked at already */
    (void) read_ids(values->json[CALLS].s, &ret->calls);
    (void) read_ids(values->json[UNITS].s, &ret->units);
    ret->by = values->number[BY];
    ret->record = values->number[RECORD];
    ret->level = (int) values->number[LEVEL];
    description_read_numbers(ret);
    return ret->line.failed || ret->known.failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

int event_read_record(struct span record, const struct event_families *families, struct batch *ret,
                      struct description *ret_description, struct err *err)
{
    struct values values CLEANUP(values_free) = { 0 };
    int r = read_members_of(record, &values, err);
    if (r == 0)
        r = read_values(&values, err);
    if (r == 0)
        r = check_bounds(&values, err);
    if (r == 0)
        r = make_description(&values, ret_description, err);
    return r == 0 ? make_event(&values, families, ret, err) : r;
}
