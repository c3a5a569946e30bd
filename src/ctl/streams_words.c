/* streams_words.c - how a row of streams is. */
#include "streams_words.h"
#include "ctl_daemon.h"

static void add_number(struct text *out, const cJSON *object, const char *name, const char *noun)
{
    uint64_t n = json_get_count(object, name);
    text_addf(out, ", %llu %s%s", (unsigned long long) n, noun, text_plural(n));
}

void streams_words_write(struct text *out, const cJSON *row, usec_t now)
{
    usec_t cut_us = daemon_get_time(row, "cut_since"), last_us = daemon_get_time(row, "last_event");
    usec_t trouble_us = daemon_get_time(row, "last_trouble");
    const char *trouble = json_get_text(row, "trouble");
    int n_streams = cJSON_GetArraySize(json_get(row, "streams"));
    if (cut_us) {
        text_add(out, "no connection since ");
        table_write_ago(out, cut_us, now);
        text_add(out, *trouble ? ": " : "");
        table_write_safe(out, trouble, 0);
        return;
    }
    text_addf(out, "open, %d stream%s", n_streams, text_plural((uint64_t) n_streams));
    add_number(out, row, "events", "event");
    if (last_us) {
        text_add(out, ", the last ");
        table_write_ago(out, last_us, now);
    }
    if (json_get_count(row, "lag"))
        text_addf(out, ", up to %llu to read", (unsigned long long) json_get_count(row, "lag"));
    if (json_get_count(row, "lag_s")) {
        text_add(out, " behind what came ");
        table_write_ago(out, now - json_get_count(row, "lag_s") * USEC_PER_SEC, now);
    }
    add_number(out, row, "gaps", "gap");
    if (trouble_us) {
        text_add(out, ", the last trouble ");
        table_write_ago(out, trouble_us, now);
        text_add(out, ": ");
        table_write_safe(out, trouble, 0);
    }
}

void streams_words_of_one(struct text *out, const cJSON *stream)
{
    const char *read = json_get_flag(stream, "read") ? "" : " is not read";
    bool behind = json_get_flag(stream, "behind");
    if (!*read && !behind)
        return;
    table_write_safe(out, json_get_text(stream, "key"), 0);
    text_add(out, read);
    if (*read) {
        const char *trouble = json_get_text(stream, "trouble");
        text_add(out, *trouble ? ": " : "");
        table_write_safe(out, trouble, 0);
        return;
    }
    text_add(out, " ends at ");
    table_write_safe(out, json_get_text(stream, "end_id"), 0);
    text_add(out, ", before what was read (");
    table_write_safe(out, json_get_text(stream, "last_id"), 0);
    text_add(out, ")");
}
