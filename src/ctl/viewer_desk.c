/* viewer_desk.c - what somebody does at the board. */
#include <stdlib.h>

#include "viewer_desk.h"

#define RING_AGAIN_US (30 * USEC_PER_SEC)

void viewer_desk_init(struct viewer_desk *desk, struct viewer *viewer, struct viewer_look *look)
{
    *desk = (struct viewer_desk){ .viewer = viewer, .look = look, .detail.trouble = TEXT_INIT };
    viewer_init(&desk->held);
    pthread_mutex_lock(&viewer->lock);
    desk->n_alarms = viewer->n_alarms;
    pthread_mutex_unlock(&viewer->lock);
}

void viewer_desk_done(struct viewer_desk *desk)
{
    viewer_desk_close(desk);
    text_free(&desk->detail.trouble);
    viewer_done(&desk->held);
}

const struct viewer *viewer_desk_shown(const struct viewer_desk *desk)
{
    return desk->look->paused ? &desk->held : desk->viewer;
}

/* ---- the picture that is held ---- */

static void hold(struct viewer_desk *desk)
{
    viewer_done(&desk->held);
    desk->look->paused = viewer_copy(&desk->held, desk->viewer);
    desk->look->held_us = now_us() + (usec_t) desk->viewer->clock_us;
}

void viewer_desk_hold(struct viewer_desk *desk)
{
    pthread_mutex_lock(&desk->viewer->lock);
    if (desk->look->paused)
        desk->look->paused = false;
    else
        hold(desk);
    pthread_mutex_unlock(&desk->viewer->lock);
}

/* How the link is, and how much the picture does not show, is told all the same. */
static void tell_held(struct viewer_desk *desk)
{
    const struct viewer *live = desk->viewer;
    struct viewer *held = &desk->held;
    held->live = live->live;
    held->heard_us = live->heard_us;
    text_reset(&held->trouble);
    text_add_bytes(&held->trouble, live->trouble.s, live->trouble.size);
    desk->look->n_events_since = live->n_feed - held->n_feed;
    desk->look->n_alarms_since = live->n_alarms - held->n_alarms;
}

/* ---- what is open ---- */

static void forget_story(struct viewer_detail *detail)
{
    cJSON_Delete(detail->story);
    detail->story = NULL;
    text_reset(&detail->trouble);
}

void viewer_desk_close(struct viewer_desk *desk)
{
    forget_story(&desk->detail);
    cJSON_Delete(desk->detail.item.json);
    desk->detail.item = (struct viewer_item){ 0 };
    desk->look->detail = NULL;
    if (desk->stories)
        viewer_stories_want(desk->stories, VIEWER_UNIT, NULL);
}

static void want_story(struct viewer_desk *desk)
{
    if (desk->stories && desk->detail.kind != VIEWER_UNIT)
        viewer_stories_want(desk->stories, desk->detail.kind, &desk->detail.item);
}

void viewer_desk_open(struct viewer_desk *desk)
{
    struct viewer_item copy = { 0 };
    viewer_desk_close(desk);
    pthread_mutex_lock(&desk->viewer->lock);
    const struct viewer_item *item = viewer_marked(viewer_desk_shown(desk), desk->look);
    if (item)
        copy = viewer_copy_item(item);
    pthread_mutex_unlock(&desk->viewer->lock);
    if (!copy.json)
        return;
    desk->detail.item = copy;
    desk->detail.kind = desk->look->focus;
    desk->detail.gone = false;
    desk->detail.top = 0;
    desk->look->detail = &desk->detail;
    want_story(desk);
}

/* As it is now; of one that is gone, as it was. */
static void refresh(struct viewer_desk *desk)
{
    struct viewer_detail *detail = &desk->detail;
    const struct viewer_item *now = viewer_find(viewer_desk_shown(desk), detail->kind, &detail->item, detail->item.id);
    bool changed = detail->gone != !now || (now && !cJSON_Compare(now->json, detail->item.json, true));
    detail->gone = !now;
    if (!changed)
        return;
    struct viewer_item copy = now ? viewer_copy_item(now) : (struct viewer_item){ 0 };
    if (copy.json) {
        cJSON_Delete(detail->item.json);
        detail->item = copy;
    }
    want_story(desk);
}

static void take_story(struct viewer_desk *desk)
{
    struct text trouble CLEANUP(text_free) = TEXT_INIT;
    cJSON *story = NULL;
    if (!desk->stories || !viewer_stories_take(desk->stories, &story, &trouble))
        return;
    if (!story && desk->detail.story)
        return; /* what was known stays */
    forget_story(&desk->detail);
    desk->detail.story = story;
    text_add(&desk->detail.trouble, trouble.s);
}

void viewer_desk_prepare(struct viewer_desk *desk)
{
    if (desk->look->paused)
        tell_held(desk);
    if (!desk->look->detail)
        return;
    refresh(desk);
    take_story(desk);
}

/* ---- panics ---- */

void viewer_desk_acknowledge(struct viewer_desk *desk)
{
    const struct viewer_item *shown[VIEWER_PANICS_SHOWN];
    pthread_mutex_lock(&desk->viewer->lock);
    for (int i = 0; i < VIEWER_PANICS_SHOWN; i++)
        shown[i] = viewer_panic(viewer_desk_shown(desk), i);
    for (int i = 0; i < VIEWER_PANICS_SHOWN && shown[i]; i++) {
        viewer_hear(desk->viewer, shown[i]);
        viewer_hear(&desk->held, shown[i]);
    }
    pthread_mutex_unlock(&desk->viewer->lock);
}

bool viewer_desk_rings(struct viewer_desk *desk, usec_t uptime_us)
{
    bool unheard = viewer_has_unheard(desk->viewer), fresh = desk->viewer->n_alarms != desk->n_alarms;
    bool again = unheard && (!desk->rung_us || uptime_us >= desk->rung_us + RING_AGAIN_US);
    desk->n_alarms = desk->viewer->n_alarms;
    if (!desk->look->bell || (!fresh && !again))
        return false;
    desk->rung_us = uptime_us;
    return true;
}
