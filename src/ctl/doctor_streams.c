/* doctor_streams.c - events of other nodes: are their streams read, and is anything missing? */
#include "doctor.h"
#include "streams_words.h"

#define GAPS_ADVICE                                                                                                    \
    "a stream was cut before it was read: a higher max_len at the nodes keeps more, and the daemon's log has the ids"
#define CUT_ADVICE "what the nodes publish waits there meanwhile, as long as max_len lets it"

#define NONE_ADVICE                                                                                                    \
    "the server has no stream that keys name: has a node published yet, and to a stream of such a name? It is looked " \
    "for every 30 s"

static void tell_count(struct doctor *doctor, const cJSON *row, const char *member, const char *words,
                       const char *advice)
{
    uint64_t n = json_get_count(row, member);
    if (n)
        finding_add(&doctor->findings, FINDING_WARN, "streams", advice, "streams %s: %s %llu time%s since the start",
                    json_get_text(row, "name"), words, (unsigned long long) n, text_plural(n));
}

static void tell_stream(struct doctor *doctor, const cJSON *row, const cJSON *stream)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    streams_words_of_one(&words, stream);
    if (words.size)
        finding_add(&doctor->findings, FINDING_WARN, "streams",
                    json_get_flag(stream, "read") ? "its node publishes it again: if it does not, look whether it runs"
                                                  : "the daemon's log tells why",
                    "streams %s: %s", json_get_text(row, "name"), words.s);
}

static void tell_row(struct doctor *doctor, const cJSON *row)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    const cJSON *stream;
    bool cut = json_get(row, "cut_since"), has_none = !cJSON_GetArraySize(json_get(row, "streams"));
    enum finding_level level = FINDING_OK;
    if (cut || has_none)
        level = cut ? FINDING_FAIL : FINDING_WARN;
    streams_words_write(&words, row, doctor->now);
    finding_add(&doctor->findings, level, "streams",
                cut        ? CUT_ADVICE
                : has_none ? NONE_ADVICE
                           : NULL,
                "streams %s: %s", json_get_text(row, "name"), words.s);
    tell_count(doctor, row, "gaps", "entries were lost", GAPS_ADVICE);
    tell_count(doctor, row, "unreadable", "what is no event was passed", "who else writes to these streams?");
    cJSON_ArrayForEach (stream, json_get(row, "streams")) {
        tell_stream(doctor, row, stream);
    }
}

void doctor_check_streams(struct doctor *doctor)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, json_get(doctor->told, "streams")) {
        tell_row(doctor, row);
    }
}
