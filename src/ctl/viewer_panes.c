/* viewer_panes.c - the four lists: 911 calls, calls, units, what came. */
#include <stdlib.h>
#include <string.h>

#include "viewer.h"

#define UNIT_COLUMNS 38 /* that a unit likes to have */
#define NUMBER_MAX_COLUMNS 9

/* ---- which of them ---- */

static bool has_words(const struct viewer_item *item, const char *name, const char *words)
{
    return strcasestr(json_get_text(item->json, name), words) != NULL;
}

static bool passes(const struct viewer_look *look, enum viewer_kind kind, const struct viewer_item *item)
{
    static const char *const names[] = { "number", "name",   "department", "group",       "location",
                                         "title",  "caller", "address",    "description", "label" };
    char id[24];
    if (!viewer_is_shown(kind, item))
        return false;
    if (!look->filter[0])
        return true;
    snprintf(id, sizeof(id), "%lld", (long long) item->id);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (has_words(item, names[i], look->filter))
            return true;
    return strcmp(id, look->filter) == 0;
}

static bool line_passes(const struct viewer_look *look, const struct viewer_line *line)
{
    return !look->filter[0] || strcasestr(line->text.s, look->filter);
}

static int count(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind)
{
    int n = 0;
    const struct viewer_line *line;
    if (kind == VIEWER_FEED) {
        for (size_t i = 0; (line = viewer_line(viewer, i)); i++)
            n += line_passes(look, line);
        return n;
    }
    for (size_t i = 0; i < viewer->lists[kind].n; i++)
        n += passes(look, kind, &viewer->lists[kind].v[i]);
    return n;
}

int viewer_count_told(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind)
{
    int n = count(viewer, look, kind);
    for (size_t i = 0; kind == VIEWER_CALL911 && i < viewer->lists[kind].n; i++) {
        const struct viewer_item *item = &viewer->lists[kind].v[i];
        n -= viewer_is_settled(kind, item) && passes(look, kind, item);
    }
    return n;
}

static int unit_columns(const struct viewer_look *look, int columns)
{
    return look->once || columns < 2 * UNIT_COLUMNS ? 1 : columns / UNIT_COLUMNS;
}

int viewer_wanted_rows(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind, int columns)
{
    int n = count(viewer, look, kind), beside = kind == VIEWER_UNIT ? unit_columns(look, columns) : 1;
    return n ? (n + beside - 1) / beside : 1;
}

/* ---- a list ---- */

static int number_columns(const struct viewer *viewer, const struct viewer_look *look, const struct canvas *canvas)
{
    const struct viewer_list *list = &viewer->lists[VIEWER_UNIT];
    int columns = 4;
    for (size_t i = 0; i < list->n; i++) {
        struct text number CLEANUP(text_free) = TEXT_INIT;
        if (!passes(look, VIEWER_UNIT, &list->v[i]))
            continue;
        viewer_write_text(&number, &list->v[i], "number");
        int width = canvas_width(canvas, number.s);
        columns = width > columns ? width : columns;
    }
    return columns < NUMBER_MAX_COLUMNS ? columns : NUMBER_MAX_COLUMNS;
}

static void put_title(const struct viewer_look *look, enum viewer_kind kind, int n, struct viewer_box box,
                      struct canvas *canvas)
{
    static const char *const names[] = { "911 calls", "Calls", "Units", "Events" };
    struct text title CLEANUP(text_free) = TEXT_INIT;
    bool focus = look->focus == kind && !look->once;
    text_addf(&title, "%s%s", names[kind], look->filter[0] ? " that match" : "");
    if (kind != VIEWER_FEED)
        text_addf(&title, "  %d", n);
    int width =
        canvas_put(canvas, box.row, box.column + 1, box.columns - 1, focus ? STYLE_CHOSEN : STYLE_BOLD, title.s);
    for (int i = box.column + width + 2; i < box.column + box.columns - 1; i++)
        canvas_put(canvas, box.row, i, 1, STYLE_DIM, canvas->ascii ? "-" : "─");
}

static void put_empty(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind,
                      struct viewer_box box, struct canvas *canvas)
{
    static const char *const words[] = {
        "nobody is waiting",
        "no call is open",
        "nobody is on duty",
        "nothing yet; \"" CTL_NAME " play --demo\" plays an evening without a CAD",
    };
    const char *say = !viewer->loaded ? "not known yet" : look->filter[0] ? "none" : words[kind];
    canvas_put(canvas, box.row, box.column + 3, box.columns - 3, STYLE_DIM, say);
}

/* ---- which one is marked ---- */

static struct viewer_key key_of(const struct viewer_item *item)
{
    struct viewer_key key = { .known = true, .id = item->id };
    text_copy(key.community, sizeof(key.community), item->community);
    text_copy(key.node, sizeof(key.node), item->node);
    return key;
}

static bool is_key(const struct viewer_key *key, const struct viewer_item *item)
{
    return key->known && key->id == item->id &&
           strncmp(key->community, item->community, sizeof(key->community) - 1) == 0 &&
           strncmp(key->node, item->node, sizeof(key->node) - 1) == 0;
}

static const struct viewer_item *nth(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind,
                                     int i)
{
    const struct viewer_list *list = &viewer->lists[kind];
    for (size_t k = 0; k < list->n; k++)
        if (passes(look, kind, &list->v[k]) && i-- == 0)
            return &list->v[k];
    return NULL;
}

static int place_of_marked(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind)
{
    const struct viewer_list *list = &viewer->lists[kind];
    int i = 0;
    for (size_t k = 0; k < list->n; k++) {
        if (!passes(look, kind, &list->v[k]))
            continue;
        if (is_key(&look->marked[kind], &list->v[k]))
            return i;
        i++;
    }
    return look->chosen[kind]; /* it is gone: whoever is in its place */
}

/* Brings chosen back into a list of n, and onto the one that was marked, wherever that is now. */
static const struct viewer_item *mark(const struct viewer *viewer, struct viewer_look *look, enum viewer_kind kind,
                                      int n)
{
    int *chosen = &look->chosen[kind];
    if (kind < VIEWER_N_KINDS && look->chooses)
        *chosen = place_of_marked(viewer, look, kind);
    *chosen = *chosen >= n ? n - 1 : *chosen;
    *chosen = *chosen < 0 ? 0 : *chosen;
    const struct viewer_item *item = kind < VIEWER_N_KINDS ? nth(viewer, look, kind, *chosen) : NULL;
    if (item && look->chooses)
        look->marked[kind] = key_of(item);
    return item;
}

const struct viewer_item *viewer_marked(const struct viewer *viewer, struct viewer_look *look)
{
    look->chooses = true;
    return mark(viewer, look, look->focus, count(viewer, look, look->focus));
}

/* What stands in place i of a list of n in so many columns, column by column, when the first shown is top. */
struct grid {
    int rows, beside, top, n, each; /* each: rows of one */
};

static struct grid grid_of(const struct viewer_look *look, enum viewer_kind kind, int n, struct viewer_box box)
{
    struct grid grid = { .rows = box.rows, .beside = 1, .n = n, .each = 1 };
    if (kind == VIEWER_UNIT)
        grid.beside = unit_columns(look, box.columns);
    if (kind == VIEWER_CALL && box.rows >= 2 * n && box.rows > 3 && !look->once &&
        box.columns < 2 * VIEWER_WIDE_COLUMNS)
        grid.each = 2;
    int room = grid.rows / grid.each * grid.beside, chosen = look->chosen[kind];
    if (look->chooses && look->focus == kind && chosen >= room)
        grid.top = chosen - room + 1;
    return grid;
}

static void put_item(const struct viewer *viewer, const struct viewer_look *look, enum viewer_kind kind,
                     const struct viewer_place *at, const struct viewer_item *item, int each, int number_width)
{
    if (kind == VIEWER_CALL911)
        viewer_put_call911(at, look, item);
    else if (kind == VIEWER_UNIT)
        viewer_put_unit(at, look, item, number_width);
    else if (each == 2)
        viewer_put_call_in_two(at, viewer, look, item);
    else
        viewer_put_call(at, viewer, look, item);
}

static struct viewer_place place_of(const struct viewer *viewer, const struct grid *grid, int i, struct viewer_box box,
                                    struct canvas *canvas)
{
    int per_column = grid->rows / grid->each, width = box.columns / grid->beside;
    int slot = i - grid->top;
    return (struct viewer_place){ .canvas = canvas,
                                  .row = box.row + slot % per_column * grid->each,
                                  .column = box.column + slot / per_column * width,
                                  .columns = width,
                                  .community_columns = viewer->community_columns };
}

static void put_items(const struct viewer *viewer, struct viewer_look *look, enum viewer_kind kind,
                      const struct grid *grid, struct viewer_box box, struct canvas *canvas)
{
    const struct viewer_list *list = &viewer->lists[kind];
    int end = grid->top + grid->rows / grid->each * grid->beside, i = 0;
    int number_width = kind == VIEWER_UNIT ? number_columns(viewer, look, canvas) : 0;
    for (size_t k = 0; k < list->n && i < end; k++) {
        if (!passes(look, kind, &list->v[k]))
            continue;
        struct viewer_place at = place_of(viewer, grid, i, box, canvas);
        at.chosen = look->chooses && look->focus == kind && look->chosen[kind] == i;
        if (i++ >= grid->top)
            put_item(viewer, look, kind, &at, &list->v[k], grid->each, number_width);
    }
}

/* The newest first. */
static void put_lines(const struct viewer *viewer, const struct viewer_look *look, int top, struct viewer_box box,
                      struct canvas *canvas)
{
    const struct viewer_line *line;
    int i = 0;
    for (size_t back = 0; (line = viewer_line(viewer, back)) && i < top + box.rows; back++) {
        struct viewer_place at = {
            .canvas = canvas, .row = box.row + i - top, .column = box.column, .columns = box.columns
        };
        if (line_passes(look, line) && i++ >= top)
            viewer_put_line(&at, line);
    }
}

/* In the title, what there is no room for. */
static void put_more(const struct grid *grid, struct viewer_box box, struct canvas *canvas)
{
    int shown = grid->rows / grid->each * grid->beside, left = grid->n - grid->top - shown;
    char more[32];
    if (left <= 0)
        return;
    int width = snprintf(more, sizeof(more), " and %d more ", left);
    canvas_put(canvas, box.row - 1, box.column + box.columns - width - 2, width, STYLE_WARN, more);
}

void viewer_draw_pane(const struct viewer *viewer, struct viewer_look *look, enum viewer_kind kind,
                      struct viewer_box box, struct canvas *canvas)
{
    int n = count(viewer, look, kind);
    put_title(look, kind, viewer_count_told(viewer, look, kind), box, canvas);
    box.row++;
    box.rows--;
    if (box.rows <= 0)
        return;
    (void) mark(viewer, look, kind, n);
    struct grid grid = grid_of(look, kind, n, box);
    if (n == 0)
        put_empty(viewer, look, kind, box, canvas);
    else if (kind == VIEWER_FEED)
        put_lines(viewer, look, grid.top, box, canvas);
    else
        put_items(viewer, look, kind, &grid, box, canvas);
    if (kind != VIEWER_FEED)
        put_more(&grid, box, canvas);
}
