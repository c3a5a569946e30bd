/* story.c - one call as a whole: found, followed, and what comes of it in figures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "story_private.h"

int story_read_call(const char *text, struct story_asked *ret)
{
    static const char call911[] = "911:";
    char *end;
    bool is_911 = strncmp(text, call911, strlen(call911)) == 0;
    const char *digits = is_911 ? text + strlen(call911) : text;
    errno = 0;
    long long id = strtoll(digits, &end, 10);
    if (errno || *end || end == digits || !(*digits == '-' || (*digits >= '0' && *digits <= '9')))
        return -EINVAL;
    ret->is_911 = is_911;
    ret->id = id;
    return 0;
}

static void say_names(struct store_reader *reader, const char *first, struct err *err)
{
    struct text names CLEANUP(text_free) = TEXT_INIT;
    char name[REALM_MAX_BYTES + 1];
    text_copy(name, sizeof(name), first);
    do {
        text_add(&names, names.size ? ", " : "");
        text_add_safe(&names, name, strlen(name), REALM_MAX_BYTES);
    } while (store_next_community(reader, name, err) > 0);
    err_set(err, 0, "the log has events of several communities (%s), and ids are those of one: name the community",
            names.s);
}

/* The only one of a log; "" where it has none. -EINVAL: there are several, which err names. */
static int find_community(struct store_reader *reader, char ret[REALM_MAX_BYTES + 1], struct err *err)
{
    char second[REALM_MAX_BYTES + 1];
    ret[0] = '\0';
    int r = store_next_community(reader, ret, err);
    if (r <= 0)
        return r;
    text_copy(second, sizeof(second), ret);
    r = store_next_community(reader, second, err);
    if (r <= 0)
        return r;
    say_names(reader, ret, err);
    return -EINVAL;
}

/* The first and the newest of them stay. Returns how many do not. */
static size_t leave_out(struct story_events *events, size_t max)
{
    size_t head = (max + 1) / 2, tail = max - head, n = events->n;
    if (!max || n <= max)
        return 0;
    memmove(events->v + head, events->v + n - tail, tail * sizeof(*events->v));
    events->n = max;
    return n - max;
}

static int tell(struct store_reader *reader, const struct story_asked *asked, struct story *story, struct err *err)
{
    struct story_found found = { .call = STATE_UNSET_ID, .call911 = STATE_UNSET_ID };
    size_t n_left_out = 0;
    int r = story_find(reader, asked, story->community, &found, err);
    story->call = found.call;
    story->call911 = found.call911;
    if (r >= 0 && found.events.n == 0)
        r = err_set(err, -ENOENT, "the log has nothing of %scall %lld", asked->is_911 ? "911 " : "",
                    (long long) asked->id);
    if (r >= 0) {
        n_left_out = leave_out(&found.events, asked->max_events);
        r = story_follow(reader, &found.events, story, err);
    }
    free(found.events.v);
    return r < 0 ? r : story_say_missing(reader, story, n_left_out, err);
}

int story_read(struct store_reader *reader, const struct story_asked *asked, struct story **ret, struct err *err)
{
    int r = 0;
    struct story *story = calloc(1, sizeof(*story));
    if (!story)
        return err_set(err, -ENOMEM, "no memory");
    story->missing = (struct text) TEXT_INIT;
    if (asked->community)
        text_copy(story->community, sizeof(story->community), asked->community);
    else
        r = find_community(reader, story->community, err);
    if (r >= 0)
        r = tell(reader, asked, story, err);
    if (r >= 0 && story->missing.failed)
        r = err_set(err, -ENOMEM, "no memory");
    if (r < 0) {
        story_free(story);
        return r;
    }
    *ret = story;
    return 0;
}

struct story *story_free(struct story *story)
{
    if (!story)
        return NULL;
    for (size_t i = 0; i < story->n_entries; i++) {
        free(story->entries[i].type);
        free(story->entries[i].summary);
        ids_free(&story->entries[i].units);
    }
    for (size_t i = 0; i < story->n_units; i++) {
        free(story->units[i].number);
        free(story->units[i].name);
    }
    free(story->entries);
    free(story->units);
    free(story->title);
    free(story->address);
    text_free(&story->missing);
    free(story);
    return NULL;
}

/* A clock that was set back gives none. */
static int64_t lapse(usec_t from_us, usec_t to_us)
{
    return from_us && to_us >= from_us ? (int64_t) (to_us - from_us) : -1;
}

static usec_t earlier(usec_t a_us, usec_t b_us)
{
    return !a_us || (b_us && b_us < a_us) ? b_us : a_us;
}

struct story_figures story_get_figures(const struct story *story)
{
    usec_t first_us = story->called_us ? story->called_us : story->opened_us, attached_us = 0, on_scene_us = 0;
    bool called = story->call911 != STATE_UNSET_ID && story->call != STATE_UNSET_ID;
    for (size_t i = 0; i < story->n_units; i++) {
        attached_us = earlier(attached_us, story->units[i].attached_us);
        on_scene_us = earlier(on_scene_us, story->units[i].on_scene_us);
    }
    if (story->call911 != STATE_UNSET_ID && !story->called_us)
        first_us = 0;
    return (struct story_figures){ .answered_us = called ? lapse(story->called_us, story->opened_us) : -1,
                                   .first_unit_us = lapse(first_us, attached_us),
                                   .first_on_scene_us = lapse(first_us, on_scene_us),
                                   .closed_us = lapse(first_us, story->closed_us) };
}
