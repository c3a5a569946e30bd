/* viewer_items.c - what the daemon said, as lists in the order of rank, and the newest lines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_daemon.h"
#include "viewer.h"

#define LINE_MAX_CHARS 400
#define TEXT_MAX_CHARS 300
#define LEVEL_NONE 6
#define COMMUNITY_MAX_COLUMNS 12

void viewer_init(struct viewer *viewer)
{
    *viewer = (struct viewer){ .lock = PTHREAD_MUTEX_INITIALIZER, .trouble = TEXT_INIT, .changed_fd = -1 };
    for (size_t i = 0; i < VIEWER_FEED_MAX; i++)
        viewer->feed[i].text = (struct text) TEXT_INIT;
}

static void list_free(struct viewer_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        cJSON_Delete(list->v[i].json);
    free(list->v);
    *list = (struct viewer_list){ 0 };
}

void viewer_done(struct viewer *viewer)
{
    for (size_t i = 0; i < VIEWER_N_KINDS; i++)
        list_free(&viewer->lists[i]);
    for (size_t i = 0; i < VIEWER_FEED_MAX; i++)
        text_free(&viewer->feed[i].text);
    text_free(&viewer->trouble);
    cJSON_Delete(viewer->sources);
}

/* ---- one item ---- */

/* As large as an id can be; what is no whole number is none. */
static bool read_id(const cJSON *item, int64_t *ret)
{
    if (!json_is(item, cJSON_Number) || !json_is_exact(item->valuedouble))
        return false;
    *ret = (int64_t) item->valuedouble;
    return true;
}

int64_t viewer_number(const struct viewer_item *item, const char *name, int64_t otherwise)
{
    int64_t number = otherwise;
    (void) !read_id(json_get(item->json, name), &number);
    return number;
}

const cJSON *viewer_array(const cJSON *json, const char *name)
{
    const cJSON *array = json_get(json, name);
    return json_is(array, cJSON_Array) ? array : NULL;
}

void viewer_write_text(struct text *out, const struct viewer_item *item, const char *name)
{
    const char *text = json_get_text(item->json, name);
    text_add_prose(out, text, strlen(text), TEXT_MAX_CHARS);
}

static bool read_item(cJSON *json, struct viewer_item *ret)
{
    *ret = (struct viewer_item){ .json = json,
                                 .community = json_get_text(json, "community"),
                                 .node = json_get_text(json, "node"),
                                 .rank = json_get_text(json, "rank"),
                                 .label = json_get_text(json, "label"),
                                 .since_us = daemon_get_time(json, "since"),
                                 .warn_us = daemon_get_time(json, "warn_at"),
                                 .late_us = daemon_get_time(json, "late_at") };
    return read_id(json_get(json, "id"), &ret->id);
}

bool viewer_is_same(const struct viewer_item *a, const struct viewer_item *b)
{
    return a->id == b->id && strcmp(a->community, b->community) == 0 && strcmp(a->node, b->node) == 0;
}

static const struct viewer_item *find(const struct viewer_list *list, const struct viewer_item *item)
{
    for (size_t i = 0; i < list->n; i++)
        if (viewer_is_same(&list->v[i], item))
            return &list->v[i];
    return NULL;
}

static void take_out(struct viewer_list *list, const struct viewer_item *item)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!viewer_is_same(&list->v[i], item))
            continue;
        cJSON_Delete(list->v[i].json);
        list->n--;
        memmove(&list->v[i], &list->v[i + 1], (list->n - i) * sizeof(*list->v));
        return;
    }
}

static bool put_in(struct viewer_list *list, const struct viewer_item *item)
{
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        struct viewer_item *v = reallocarray(list->v, room, sizeof(*v));
        if (!v)
            return false;
        list->v = v;
        list->room = room;
    }
    size_t i = list->n++;
    for (; i > 0 && strcmp(list->v[i - 1].rank, item->rank) > 0; i--)
        list->v[i] = list->v[i - 1];
    list->v[i] = *item;
    return true;
}

/* What nobody may miss, told by its label: it is the daemon's to say. */
static bool is_alarm(enum viewer_kind kind, const struct viewer_item *item)
{
    return (kind == VIEWER_UNIT && strcmp(item->label, "PANIC") == 0) ||
           (kind == VIEWER_CALL911 && (strcmp(item->label, "EMERGENCY") == 0 || strcmp(item->label, "SILENT") == 0));
}

static bool was_alarm(const struct viewer_list *list, enum viewer_kind kind, const struct viewer_item *item)
{
    const struct viewer_item *old = find(list, item);
    return old && is_alarm(kind, old);
}

/* Who acknowledged a panic did so for as long as it lasts. */
static bool was_heard(const struct viewer_list *list, const struct viewer_item *item)
{
    const struct viewer_item *old = find(list, item);
    return old && old->heard && is_alarm(VIEWER_UNIT, old) && is_alarm(VIEWER_UNIT, item) &&
           strcmp(json_get_text(old->json, "panic_since"), json_get_text(item->json, "panic_since")) == 0;
}

void viewer_take_item(struct viewer *viewer, enum viewer_kind kind, cJSON *json)
{
    struct viewer_list *list = &viewer->lists[kind];
    struct viewer_item item;
    if (!read_item(json, &item)) {
        cJSON_Delete(json);
        return;
    }
    if (viewer->loaded && is_alarm(kind, &item) && !was_alarm(list, kind, &item))
        viewer->n_alarms++;
    item.heard = kind == VIEWER_UNIT && was_heard(list, &item);
    take_out(list, &item);
    if (json_get_flag(json, "gone") || !put_in(list, &item))
        cJSON_Delete(json);
}

bool viewer_is_shown(enum viewer_kind kind, const struct viewer_item *item)
{
    if (kind == VIEWER_UNIT)
        return json_get_flag(item->json, "online");
    return kind != VIEWER_CALL || strcmp(item->label, "CLOSED") != 0;
}

bool viewer_is_settled(enum viewer_kind kind, const struct viewer_item *item)
{
    return kind == VIEWER_CALL911 && strcmp(item->label, "DISPATCHED") == 0;
}

const struct viewer_item *viewer_find(const struct viewer *viewer, enum viewer_kind kind,
                                      const struct viewer_item *near, int64_t id)
{
    const struct viewer_item wanted = { .community = near->community, .node = near->node, .id = id };
    return find(&viewer->lists[kind], &wanted);
}

/* ---- all of them ---- */

static void take_list(struct viewer *viewer, enum viewer_kind kind, const cJSON *community, const char *name)
{
    const cJSON *items = viewer_array(community, name), *item;
    cJSON_ArrayForEach (item, items) {
        cJSON *copy = cJSON_Duplicate(item, true);
        if (copy)
            viewer_take_item(viewer, kind, copy);
    }
}

/* Those that began while nobody was listening. */
static unsigned count_new_alarms(const struct viewer_list *list, const struct viewer_list *before,
                                 enum viewer_kind kind)
{
    unsigned n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += is_alarm(kind, &list->v[i]) && !was_alarm(before, kind, &list->v[i]);
    return n;
}

static void keep_heard(struct viewer_list *list, const struct viewer_list *before)
{
    for (size_t i = 0; i < list->n; i++)
        list->v[i].heard = was_heard(before, &list->v[i]);
}

/* Where there are several, rows say whose they are. Names are ASCII. */
static int columns_of_communities(const cJSON *communities)
{
    const cJSON *community;
    size_t columns = 0;
    bool several = communities->child && communities->child->next;
    cJSON_ArrayForEach (community, communities) {
        const char *node = json_get_text(community, "node");
        size_t size = strlen(json_get_text(community, "name")) + strlen(node) + (*node != 0);
        columns = size > columns ? size : columns;
    }
    return !several ? 0 : columns < COMMUNITY_MAX_COLUMNS ? (int) columns : COMMUNITY_MAX_COLUMNS;
}

int viewer_take_state(struct viewer *viewer, const cJSON *state, struct err *err)
{
    const cJSON *communities = viewer_array(state, "communities"), *community;
    if (!communities)
        return err_set(err, -EPROTO, "the daemon gave no state of its board: it may be older than this " CTL_NAME);
    struct viewer_list before[VIEWER_N_KINDS];
    memcpy(before, viewer->lists, sizeof(before));
    memset(viewer->lists, 0, sizeof(viewer->lists));
    bool again = viewer->loaded;
    viewer->community_columns = columns_of_communities(communities);
    viewer->loaded = false;
    cJSON_ArrayForEach (community, communities) {
        take_list(viewer, VIEWER_CALL911, community, "calls911");
        take_list(viewer, VIEWER_CALL, community, "calls");
        take_list(viewer, VIEWER_UNIT, community, "units");
    }
    for (enum viewer_kind kind = 0; kind < VIEWER_N_KINDS; kind++) {
        viewer->n_alarms += again ? count_new_alarms(&viewer->lists[kind], &before[kind], kind) : 0;
        keep_heard(&viewer->lists[kind], &before[kind]);
        list_free(&before[kind]);
    }
    viewer_take_sources(viewer, cJSON_Duplicate(viewer_array(state, "sources"), true));
    usec_t time_us = daemon_get_time(state, "time");
    viewer->newest = json_get_count(state, "as_of");
    viewer->clock_us = time_us ? (int64_t) time_us - (int64_t) now_us() : 0;
    viewer->loaded = true;
    return 0;
}

/* ---- lines ---- */

void viewer_take_record(struct viewer *viewer, const cJSON *record)
{
    const char *summary = json_get_text(record, "summary");
    const char *node = json_get_text(json_get(record, "origin"), "node"),
               *community = json_get_text(record, "community");
    const cJSON *level = json_get(record, "level");
    struct viewer_line *line = &viewer->feed[viewer->n_feed % VIEWER_FEED_MAX];
    uint64_t id = json_get_count(record, "id");
    if (!json_is(record, cJSON_Object))
        return;
    viewer->n_feed++;
    viewer->newest = id > viewer->newest ? id : viewer->newest;
    viewer->line_id = id;
    line->time_us = daemon_get_time(record, "time");
    line->level = json_is(level, cJSON_Number) ? level->valueint : LEVEL_NONE;
    line->test = json_get_flag(record, "test");
    text_reset(&line->text);
    if (*node) {
        text_add_prose(&line->text, community, strlen(community), LINE_MAX_CHARS);
        text_addf(&line->text, "@%s: ", options_is_name(node) ? node : "?");
    }
    text_add_prose(&line->text, summary, strlen(summary), LINE_MAX_CHARS);
}

const struct viewer_line *viewer_line(const struct viewer *viewer, size_t back)
{
    if (back >= viewer->n_feed || back >= VIEWER_FEED_MAX)
        return NULL;
    return &viewer->feed[(viewer->n_feed - 1 - back) % VIEWER_FEED_MAX];
}

/* ---- a copy ---- */

struct viewer_item viewer_copy_item(const struct viewer_item *item)
{
    struct viewer_item copy = { 0 };
    cJSON *json = cJSON_Duplicate(item->json, true);
    if (!json || !read_item(json, &copy)) {
        cJSON_Delete(json);
        return (struct viewer_item){ 0 };
    }
    copy.heard = item->heard;
    return copy;
}

static bool copy_list(struct viewer_list *ret, const struct viewer_list *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct viewer_item item = viewer_copy_item(&from->v[i]);
        if (item.json && put_in(ret, &item))
            continue;
        cJSON_Delete(item.json);
        return false;
    }
    return true;
}

static bool copy_line(struct viewer_line *ret, const struct viewer_line *from)
{
    *ret = *from;
    ret->text = (struct text) TEXT_INIT;
    text_add_bytes(&ret->text, from->text.s, from->text.size);
    return !ret->text.failed;
}

bool viewer_copy(struct viewer *ret, const struct viewer *from)
{
    bool whole = true;
    viewer_init(ret);
    for (size_t i = 0; i < VIEWER_N_KINDS; i++)
        whole = whole && copy_list(&ret->lists[i], &from->lists[i]);
    for (size_t i = 0; i < VIEWER_FEED_MAX; i++)
        whole = whole && copy_line(&ret->feed[i], &from->feed[i]);
    ret->sources = cJSON_Duplicate(from->sources, true);
    whole = whole && (ret->sources || !from->sources);
    ret->n_feed = from->n_feed;
    ret->n_alarms = from->n_alarms;
    ret->community_columns = from->community_columns;
    ret->loaded = from->loaded;
    if (whole)
        return true;
    viewer_done(ret);
    viewer_init(ret);
    return false;
}
