/* sse_changes.c - the rows of an event: what it changed in the state, in the form of now.
 *
 * What several events changed in turn has one row, before the line of the last of them. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/board.h>

#include "sse_private.h"

struct sse_changed {
    char realm[REALM_MAX_BYTES + 1];
    struct state_snapshot *snapshot;
};

void sse_changes_drop(struct sse_changes *changes)
{
    for (size_t i = 0; i < changes->n; i++)
        state_snapshot_free(changes->list[i].snapshot);
    free(changes->list);
    *changes = (struct sse_changes){ 0 };
}

static size_t n_rows(const struct state_snapshot *snapshot)
{
    return snapshot->n_units + snapshot->n_calls + snapshot->n_calls911 + snapshot->n_gone;
}

static bool make_room(struct sse_changes *changes)
{
    struct sse_changed *list = realloc(changes->list, (changes->n + 1) * sizeof(*list));
    if (list)
        changes->list = list;
    return list;
}

/* Those of one community; kept only where there are some. */
static int add_community(struct sse *sse, struct sse_changes *changes, const char *realm)
{
    struct state_snapshot *snapshot;
    int r = make_room(changes) ? state_changes(sse->parts.state, realm, changes->after_id, &snapshot) : -ENOMEM;
    if (r < 0)
        return r;
    changes->lost |= snapshot->lost;
    changes->as_of = snapshot->as_of < changes->as_of ? snapshot->as_of : changes->as_of;
    if (!n_rows(snapshot)) {
        state_snapshot_free(snapshot);
        return 0;
    }
    struct sse_changed *changed = &changes->list[changes->n++];
    changed->snapshot = snapshot;
    text_copy(changed->realm, sizeof(changed->realm), realm);
    return 0;
}

/* Those of other nodes are in no configuration here. */
static int add_others(struct sse *sse, struct sse_changes *changes)
{
    char realm[REALM_MAX_BYTES + 1] = "";
    int r = 0;
    while (r >= 0 && state_next_realm(sse->parts.state, realm))
        if (strchr(realm, '@'))
            r = add_community(sse, changes, realm);
    return r;
}

int sse_changes_look(struct sse *sse, struct sse_changes *changes, uint64_t id)
{
    const struct config *config = sse->config;
    int r = 0;
    if (id > changes->after_id && id <= changes->as_of)
        return 0;
    sse_changes_drop(changes);
    changes->after_id = id - 1;
    changes->as_of = UINT64_MAX;
    for (size_t i = 0; i < config->n_communities && r >= 0; i++)
        r = add_community(sse, changes, config->communities[i].name);
    if (r >= 0)
        r = add_others(sse, changes);
    assert(r < 0 || changes->as_of >= id);
    if (r < 0)
        sse_changes_drop(changes);
    return r;
}

/* ---- the lists of a snapshot, each in the order of change ---- */

struct list {
    const char *event;
    size_t n;
    uint64_t (*changed_id)(const struct state_snapshot *snapshot, size_t i);
    void (*write)(struct json_writer *out, const struct board *board, const struct state_snapshot *from, size_t i);
};

static uint64_t unit_changed(const struct state_snapshot *snapshot, size_t i)
{
    return snapshot->units[i].changed_id;
}

static uint64_t call_changed(const struct state_snapshot *snapshot, size_t i)
{
    return snapshot->calls[i].changed_id;
}

static uint64_t call911_changed(const struct state_snapshot *snapshot, size_t i)
{
    return snapshot->calls911[i].changed_id;
}

static uint64_t gone_changed(const struct state_snapshot *snapshot, size_t i)
{
    return snapshot->gone[i].changed_id;
}

static const char *const kinds[] = {
    [STATE_KIND_UNIT] = "unit", [STATE_KIND_CALL] = "call", [STATE_KIND_CALL911] = "call911"
};

static size_t first_of(const struct list *list, const struct state_snapshot *snapshot, uint64_t id)
{
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->changed_id(snapshot, middle) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_rows(const struct list *list, const struct board *board, const struct state_snapshot *snapshot,
                     uint64_t id, struct text *out)
{
    for (size_t i = first_of(list, snapshot, id); i < list->n && list->changed_id(snapshot, i) == id; i++) {
        struct json_writer json = json_writer(out);
        text_add(out, "event: ");
        text_add(out, list->event ? list->event : kinds[snapshot->gone[i].kind]);
        text_add(out, "\ndata: ");
        list->write(&json, board, snapshot, i);
        text_add(out, "\n\n");
    }
}

static void add_changed(const struct sse *sse, const struct sse_changed *changed, uint64_t id, usec_t time_us,
                        struct text *out)
{
    const struct state_snapshot *snapshot = changed->snapshot;
    const struct board board = {
        .limits = &sse->config->board, .state = sse->parts.state, .community = changed->realm, .now_us = time_us
    };
    const struct list lists[] = { { kinds[STATE_KIND_UNIT], snapshot->n_units, unit_changed, board_write_unit },
                                  { kinds[STATE_KIND_CALL], snapshot->n_calls, call_changed, board_write_call },
                                  { kinds[STATE_KIND_CALL911], snapshot->n_calls911, call911_changed,
                                    board_write_call911 },
                                  { NULL, snapshot->n_gone, gone_changed, board_write_gone } };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        add_rows(&lists[i], &board, snapshot, id, out);
}

int sse_changes_add(const struct sse *sse, const struct sse_changes *changes, struct sse_frame *frame)
{
    usec_t time_us = now_us();
    assert(frame->id > changes->after_id && frame->id <= changes->as_of);
    frame->lost = changes->lost;
    frame->as_of = changes->as_of;
    for (size_t i = 0; i < changes->n; i++) {
        size_t before = frame->text.size;
        add_changed(sse, &changes->list[i], frame->id, time_us, &frame->text);
        if (frame->text.size == before)
            continue;
        struct sse_rows *rows = realloc(frame->rows, (frame->n_rows + 1) * sizeof(*rows));
        if (!rows)
            return -ENOMEM;
        frame->rows = rows;
        rows[frame->n_rows].end = frame->text.size;
        text_copy(rows[frame->n_rows++].community, sizeof(rows->community), changes->list[i].realm);
    }
    frame->line_at = frame->text.size;
    return 0;
}
