/* story_missing.c - what a log does not hold of a call, said and not guessed. */
#include <sonoran-pushd/state.h>
#include <string.h>

#include "digest.h"
#include "story_private.h"

static void begin(struct story *story)
{
    text_add(&story->missing, story->missing.size ? " " : "");
}

static const char *subject(const struct story *story)
{
    return story->call == STATE_UNSET_ID ? "911 call" : "call";
}

int story_read_oldest(struct store_reader *reader, uint64_t *ret_id, usec_t *ret_us, struct err *err)
{
    struct store_row row;
    int r = store_seek(reader, &(struct store_filter){ 0 }, err);
    if (r >= 0)
        r = store_read(reader, &row, err);
    *ret_id = r > 0 ? row.id : 0;
    *ret_us = r > 0 ? row.time_us : 0;
    store_rest(reader);
    return r < 0 ? r : 0;
}

static int read_newest(struct store_reader *reader, usec_t *ret_us, struct err *err)
{
    struct store_row row;
    uint64_t id;
    *ret_us = 0;
    int r = store_newest(reader, &id, err);
    if (r < 0 || !id)
        return r;
    r = store_seek(reader, &(struct store_filter){ .after_id = id - 1, .last_id = id }, err);
    if (r >= 0)
        r = store_read(reader, &row, err);
    if (r > 0)
        *ret_us = row.time_us;
    store_rest(reader);
    return r < 0 ? r : 0;
}

int story_read_end(struct store_reader *reader, usec_t since_us, usec_t until_us, usec_t newest_us, usec_t *ret_us,
                   struct err *err)
{
    usec_t log_us = 0;
    int r = until_us && newest_us ? read_newest(reader, &log_us, err) : 0;
    *ret_us = log_us > until_us ? until_us : newest_us;
    if (newest_us && *ret_us < since_us)
        *ret_us = since_us;
    return r < 0 ? r : 0;
}

static void say_beginning(struct story *story, uint64_t oldest_id)
{
    bool no_opening = !story->opened_us, no_911 = story->call911 != STATE_UNSET_ID && !story->called_us;
    if (!no_opening && !no_911)
        return;
    begin(story);
    if (no_opening)
        text_addf(&story->missing, "The %s was not seen to be opened", subject(story));
    else
        text_addf(&story->missing, "911 call %lld, which it was made from, was not seen to come",
                  (long long) story->call911);
    if (oldest_id > 1)
        text_addf(&story->missing, ": the log begins with event %llu", (unsigned long long) oldest_id);
    text_add(&story->missing, ".");
}

static void say_missed(struct story *story)
{
    if (!story->missed)
        return;
    begin(story);
    text_add(&story->missing, "It was missed in a gap of the session, and a list of the CAD told of it.");
}

static void say_end(struct story *story)
{
    if (story->closed_us)
        return;
    begin(story);
    text_addf(&story->missing,
              story->call == STATE_UNSET_ID ? "The %s was not seen to be removed or dispatched."
                                            : "The %s was not seen to be closed.",
              subject(story));
}

static void say_attached(struct story *story)
{
    size_t n = 0;
    for (size_t i = 0; i < story->n_units; i++)
        n += !story->units[i].attached_us;
    if (!n)
        return;
    begin(story);
    text_addf(&story->missing, "When %zu unit%s came to it was not seen.", n, text_plural(n));
}

/* Differences across it say nothing. */
static void say_clock(struct story *story)
{
    for (size_t i = 1; i < story->n_entries; i++) {
        const struct story_entry *entry = &story->entries[i];
        if (!digest_is_set_back(entry[-1].time_us, entry->time_us))
            continue;
        begin(story);
        text_add(&story->missing, "The clock was set back by ");
        text_add_lapse(&story->missing, entry[-1].time_us - entry->time_us);
        text_addf(&story->missing, " before event %llu: times before and after it do not compare.",
                  (unsigned long long) entry->id);
        return;
    }
}

int story_say_missing(struct store_reader *reader, struct story *story, size_t n_left_out, struct err *err)
{
    uint64_t oldest_id, after_id, until_id;
    usec_t oldest_us;
    int r = story_read_oldest(reader, &oldest_id, &oldest_us, err);
    if (r >= 0)
        r = store_get_unfilled(reader, &after_id, &until_id, err);
    if (r < 0)
        return r;
    say_beginning(story, oldest_id);
    say_missed(story);
    say_end(story);
    say_attached(story);
    say_clock(story);
    if (n_left_out) {
        begin(story);
        text_addf(&story->missing, "%zu events in the middle are left out.", n_left_out);
    }
    if (r > 0) {
        begin(story);
        text_addf(&story->missing,
                  "Events %llu to %llu are of an older version and still being brought up to date: they are not in it.",
                  (unsigned long long) after_id + 1, (unsigned long long) until_id);
    }
    return 0;
}
