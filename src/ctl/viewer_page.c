/* viewer_page.c - one call or unit in full, with its story: as long as it takes, and as much of it as there is room
 * for.
 */
#include <string.h>
#include <time.h>

#include "ctl_daemon.h"
#include "viewer.h"

#define LONGEST_CHARS 12000
#define NAME_COLUMNS 14 /* of "Description" and the like */
#define NARROW_NAME_COLUMNS 4
#define TIME_COLUMNS 10
#define SAID_COLUMN 20 /* behind time and lapse */
#define UNIT_COLUMNS 28

struct page {
    const struct viewer *viewer;
    const struct viewer_detail *detail;
    struct viewer_box box;
    struct canvas *canvas;
    int row; /* under way, from 0 */
};

/* ---- rows ---- */

static bool is_narrow(const struct page *page)
{
    return page->box.columns < VIEWER_WIDE_COLUMNS;
}

static void put(const struct page *page, int column, int columns, enum canvas_style style, const char *words)
{
    int row = page->row - page->detail->top, room = page->box.columns - 1 - column;
    if (row >= 0 && row < page->box.rows)
        canvas_put(page->canvas, page->box.row + row, page->box.column + column, columns < room ? columns : room, style,
                   words);
}

/* From a column on, in as many rows as it takes. */
static void put_wrapped(struct page *page, int column, enum canvas_style style, const char *words)
{
    int columns = page->box.columns - 1 - column;
    struct text piece CLEANUP(text_free) = TEXT_INIT;
    while (*words && columns > 0) {
        size_t size = canvas_fit(page->canvas, words, columns);
        text_reset(&piece);
        text_add_bytes(&piece, words, size);
        put(page, column, columns, style, piece.s);
        words += size;
        words += strspn(words, " ");
        page->row++;
    }
}

static void put_fact(struct page *page, const char *name, enum canvas_style style, const char *words)
{
    int column = 3 + (is_narrow(page) ? NARROW_NAME_COLUMNS : NAME_COLUMNS);
    if (!*words)
        return;
    put(page, 3, page->box.columns, STYLE_DIM, name);
    page->row += is_narrow(page);
    put_wrapped(page, column, style, words);
}

static void add_prose(struct text *out, const cJSON *json, const char *name)
{
    const char *words = json_get_text(json, name);
    text_add_prose(out, words, strlen(words), LONGEST_CHARS);
}

static void put_text(struct page *page, const char *name, const char *member)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    add_prose(&words, page->detail->item.json, member);
    put_fact(page, name, STYLE_PLAIN, words.s);
}

static void add_clock(struct text *out, const cJSON *json, const char *member, const char *otherwise)
{
    char clock[16];
    usec_t time_us = daemon_get_time(json, member);
    time_t seconds = (time_t) (time_us / USEC_PER_SEC);
    struct tm tm;
    strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &tm));
    text_add(out, time_us ? clock : otherwise);
}

static void put_time(struct page *page, const char *name, const char *member)
{
    struct text words CLEANUP(text_free) = TEXT_INIT;
    add_clock(&words, page->detail->item.json, member, "");
    put_fact(page, name, STYLE_PLAIN, words.s);
}

/* ---- facts ---- */

/* "3-L-27 Mara Ellison, SCN". */
static void put_attached(struct page *page)
{
    const struct viewer_item *call = &page->detail->item;
    const cJSON *unit;
    int64_t primary = viewer_number(call, "primary", INT64_MIN);
    const char *name = "Units";
    cJSON_ArrayForEach (unit, viewer_array(call->json, "units")) {
        struct text words CLEANUP(text_free) = TEXT_INIT;
        const struct viewer_item attached = { .json = (cJSON *) (uintptr_t) unit };
        int64_t id = viewer_number(&attached, "id", 0);
        const struct viewer_item *known = viewer_find(page->viewer, VIEWER_UNIT, call, id);
        viewer_write_unit(&words, page->viewer, call, id, true);
        text_addf(&words, "%s%s", known ? ", " : "", known ? known->label : "");
        text_add(&words, id == primary ? " (primary)" : "");
        put_fact(page, name, STYLE_PLAIN, words.s);
        name = "";
    }
}

static void put_call_facts(struct page *page)
{
    put_text(page, "Address", "address");
    put_text(page, "Postal", "postal");
    put_text(page, "Block", "block");
    put_text(page, "Code", "code");
    put_text(page, "Description", "description");
    put_text(page, "Last note", "last_note");
    put_time(page, "Opened", "opened");
    put_attached(page);
}

static void put_call911_facts(struct page *page)
{
    put_text(page, "Caller", "caller");
    put_text(page, "Phone", "phone");
    put_text(page, "Location", "location");
    put_text(page, "Postal", "postal");
    put_text(page, "Plate", "plate");
    put_text(page, "Position", "position");
    put_text(page, "Description", "description");
    put_time(page, "Opened", "opened");
}

/* "55120 Structure Fire, 118 Lantern St". */
static void put_calls(struct page *page)
{
    const cJSON *id;
    const char *name = "Calls";
    cJSON_ArrayForEach (id, viewer_array(page->detail->item.json, "calls")) {
        struct text words CLEANUP(text_free) = TEXT_INIT;
        if (!json_is(id, cJSON_Number) || !json_is_exact(id->valuedouble))
            continue;
        const struct viewer_item *call =
            viewer_find(page->viewer, VIEWER_CALL, &page->detail->item, (int64_t) id->valuedouble);
        text_add_int(&words, (int64_t) id->valuedouble);
        text_add(&words, call ? " " : "");
        if (call)
            viewer_write_text(&words, call, "title");
        text_add(&words, call && *json_get_text(call->json, "address") ? ", " : "");
        if (call)
            viewer_write_text(&words, call, "address");
        put_fact(page, name, STYLE_PLAIN, words.s);
        name = "";
    }
}

static void put_unit_facts(struct page *page)
{
    put_text(page, "Department", "department");
    put_text(page, "Group", "group");
    put_text(page, "Location", "location");
    put_time(page, "Status since", "status_since");
    put_time(page, "On duty since", "duty_since");
    put_time(page, "Panic since", "panic_since");
    put_calls(page);
}

/* ---- the story ---- */

static void put_figures(struct page *page)
{
    static const struct {
        const char *words, *member;
    } rows[] = { { "answered", "answered_after" },
                 { "first unit", "first_unit_after" },
                 { "first on scene", "first_on_scene_after" },
                 { "closed", "closed_after" } };
    const cJSON *figures = json_get(page->detail->story, "figures");
    struct text words CLEANUP(text_free) = TEXT_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const cJSON *seconds = json_get(figures, rows[i].member);
        if (!json_is(seconds, cJSON_Number) || seconds->valuedouble < 0 || seconds->valuedouble > 1e9)
            continue;
        text_addf(&words, "%s%s after ", words.size ? ", " : "", rows[i].words);
        viewer_write_age(&words, 1, 1 + (usec_t) (seconds->valuedouble * (double) USEC_PER_SEC));
    }
    put_fact(page, "Figures", STYLE_PLAIN, words.s);
}

static const char *const moments[] = { "attached", "en_route", "on_scene", "left" };

static void put_crew_row(struct page *page, const cJSON *unit)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    const struct viewer_item item = { .json = (cJSON *) (uintptr_t) unit };
    add_prose(&name, unit, "number");
    text_add(&name, name.size && *json_get_text(unit, "name") ? " " : "");
    add_prose(&name, unit, "name");
    if (!name.size)
        text_addf(&name, "unit %lld", (long long) viewer_number(&item, "id", 0));
    put(page, 3, is_narrow(page) ? page->box.columns : UNIT_COLUMNS - 1, STYLE_PLAIN, name.s);
    page->row += is_narrow(page);
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        struct text time CLEANUP(text_free) = TEXT_INIT;
        int column = is_narrow(page) ? 3 + (int) i * (TIME_COLUMNS - 1) : 3 + UNIT_COLUMNS + (int) i * TIME_COLUMNS;
        add_clock(&time, unit, moments[i], "-");
        put(page, column, TIME_COLUMNS, STYLE_PLAIN, time.s);
    }
    page->row++;
}

static void put_crew(struct page *page)
{
    static const char *const heads[] = { "attached", "en route", "on scene", "left" };
    const cJSON *units = viewer_array(page->detail->story, "units"), *unit;
    if (!units || !units->child)
        return;
    page->row++;
    put(page, 3, UNIT_COLUMNS, STYLE_DIM, is_narrow(page) ? "" : "Unit");
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        put(page, is_narrow(page) ? 3 + (int) i * (TIME_COLUMNS - 1) : 3 + UNIT_COLUMNS + (int) i * TIME_COLUMNS,
            TIME_COLUMNS, STYLE_DIM, heads[i]);
    page->row++;
    cJSON_ArrayForEach (unit, units) {
        put_crew_row(page, unit);
    }
}

static void put_entry(struct page *page, const cJSON *entry)
{
    struct text time CLEANUP(text_free) = TEXT_INIT, after CLEANUP(text_free) = TEXT_INIT;
    struct text said CLEANUP(text_free) = TEXT_INIT;
    const cJSON *seconds = json_get(entry, "after");
    add_clock(&time, entry, "time", "");
    if (json_is(seconds, cJSON_Number) && seconds->valuedouble >= 0 && seconds->valuedouble < 1e9) {
        text_add(&after, "+");
        viewer_write_age(&after, 1, 1 + (usec_t) (seconds->valuedouble * (double) USEC_PER_SEC));
    }
    add_prose(&said, entry, *json_get_text(entry, "summary") ? "summary" : "type");
    put(page, 3, TIME_COLUMNS - 1, STYLE_DIM, time.s);
    put(page, 3 + TIME_COLUMNS - 1, SAID_COLUMN - TIME_COLUMNS - 2, STYLE_DIM, after.s);
    page->row += is_narrow(page);
    put_wrapped(page, is_narrow(page) ? 3 + NARROW_NAME_COLUMNS : SAID_COLUMN, STYLE_PLAIN, said.size ? said.s : "?");
}

static void put_story(struct page *page)
{
    const struct viewer_detail *detail = page->detail;
    const cJSON *entry;
    struct text missing CLEANUP(text_free) = TEXT_INIT;
    page->row++;
    if (!detail->story) {
        put_wrapped(page, 3, STYLE_DIM, detail->trouble.size ? detail->trouble.s : "Looking for its story ...");
        return;
    }
    put_figures(page);
    put_crew(page);
    page->row++;
    cJSON_ArrayForEach (entry, viewer_array(detail->story, "entries")) {
        put_entry(page, entry);
    }
    add_prose(&missing, detail->story, "missing");
    put_wrapped(page, 3, STYLE_DIM, missing.s);
}

/* ---- all of it ---- */

static void put_everything(struct page *page)
{
    static void (*const facts[])(struct page *) = { put_call911_facts, put_call_facts, put_unit_facts };
    const struct viewer_detail *detail = page->detail;
    page->row = 0;
    if (detail->gone)
        put_wrapped(page, 3, STYLE_WARN, "The daemon has it no more; this is how it was.");
    if (json_get_flag(detail->item.json, "test"))
        put_fact(page, "Test", STYLE_PLAIN, "made of test events alone");
    if (page->viewer->community_columns)
        put_text(page, "Community", "community");
    facts[detail->kind](page);
    if (detail->kind != VIEWER_UNIT)
        put_story(page);
}

static void write_title(const struct viewer_detail *detail, struct text *out)
{
    if (detail->kind == VIEWER_UNIT) {
        viewer_write_text(out, &detail->item, "number");
        text_add(out, out->size && *json_get_text(detail->item.json, "name") ? " " : "");
        viewer_write_text(out, &detail->item, "name");
    } else if (detail->kind == VIEWER_CALL) {
        viewer_write_text(out, &detail->item, *json_get_text(detail->item.json, "title") ? "title" : "description");
    } else {
        viewer_write_text(out, &detail->item, "location");
    }
    text_addf(out, "%s#%lld", out->size ? "  " : "", (long long) detail->item.id);
}

/* What it is, and which part of it is to be seen. */
static void put_title(const struct page *page, int rows)
{
    const struct viewer_detail *detail = page->detail;
    struct text title CLEANUP(text_free) = TEXT_INIT;
    struct canvas *canvas = page->canvas;
    int row = page->box.row - 1, column = page->box.column + 1, end = page->box.column + page->box.columns - 1;
    char part[64] = "";
    if (rows > page->box.rows)
        snprintf(part, sizeof(part), " %d-%d of %d ", detail->top + 1, detail->top + page->box.rows, rows);
    int told = (int) strlen(part);
    column += canvas_put(canvas, row, column, 10, viewer_style_of(detail->item.label), detail->item.label) + 1;
    write_title(detail, &title);
    column += canvas_put(canvas, row, column, end - told - column, STYLE_BOLD, title.s) + 1;
    for (; column < end - told; column++)
        canvas_put(canvas, row, column, 1, STYLE_DIM, canvas->ascii ? "-" : "─");
    canvas_put(canvas, row, end - told, told, STYLE_WARN, part);
}

void viewer_draw_detail(const struct viewer *viewer, const struct viewer_look *look, struct viewer_box box,
                        struct canvas *canvas)
{
    struct viewer_box inside = { box.row + 1, box.column, box.rows - 1, box.columns };
    struct viewer_detail *detail = look->detail;
    struct page page = { .viewer = viewer, .detail = detail, .box = inside, .canvas = canvas };
    if (box.rows < 2)
        return;
    page.box.rows = 0; /* at first to learn how long it is */
    put_everything(&page);
    int rows = page.row, last = rows > inside.rows ? rows - inside.rows : 0;
    detail->top = detail->top > last ? last : detail->top < 0 ? 0 : detail->top;
    page.box = inside;
    put_title(&page, rows);
    put_everything(&page);
}
