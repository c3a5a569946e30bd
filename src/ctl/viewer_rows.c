/* viewer_rows.c - one 911 call, call, unit or event, in a row or two. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>

#include "viewer.h"

#define AGE_COLUMNS 6
#define WIDE VIEWER_WIDE_COLUMNS
#define UNITS_SHOWN 6
#define NARROW_COMMUNITY_COLUMNS 8

/* ---- parts of rows ---- */

void viewer_write_age(struct text *out, usec_t since_us, usec_t now_us)
{
    if (!since_us)
        return;
    uint64_t s = now_us > since_us ? (now_us - since_us) / USEC_PER_SEC : 0, min = s / 60, h = min / 60;
    if (h < 1)
        text_addf(out, "%02u:%02u", (unsigned) min, (unsigned) (s % 60));
    else if (h < 100)
        text_addf(out, "%uh%02um", (unsigned) h, (unsigned) (min % 60));
    else
        text_addf(out, "%ud%02uh", (unsigned) (h / 24), (unsigned) (h % 24));
}

void viewer_write_unit(struct text *out, const struct viewer *viewer, const struct viewer_item *near, int64_t id,
                       bool with_name)
{
    const struct viewer_item *unit = viewer_find(viewer, VIEWER_UNIT, near, id);
    struct text number CLEANUP(text_free) = TEXT_INIT, name CLEANUP(text_free) = TEXT_INIT;
    if (unit) {
        viewer_write_text(&number, unit, "number");
        viewer_write_text(&name, unit, "name");
    }
    if (!number.size && !name.size) {
        text_add(out, "unit ");
        text_add_int(out, id);
        return;
    }
    text_add(out, number.s);
    if (name.size && (with_name || !number.size))
        text_addf(out, "%s%s", number.size ? " " : "", name.s);
}

enum canvas_style viewer_style_of(const char *label)
{
    static const struct {
        const char *label;
        enum canvas_style style;
    } styles[] = {
        { "PANIC", STYLE_PANIC },  { "AVL", STYLE_AVL },       { "BSY", STYLE_BSY },      { "ENR", STYLE_ENR },
        { "SCN", STYLE_SCN },      { "UNV", STYLE_UNV },       { "OFF", STYLE_UNV },      { "EMERGENCY", STYLE_ALERT },
        { "SILENT", STYLE_ALERT }, { "NO UNIT", STYLE_ALERT }, { "PENDING", STYLE_WARN }, { "DISPATCHED", STYLE_DIM },
    };
    for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
        if (strcmp(styles[i].label, label) == 0)
            return styles[i].style;
    return STYLE_PLAIN;
}

/* Never the colour alone: "!" is late as well. plain: where it is neither. */
static void put_age_in(const struct viewer_place *at, const struct viewer_item *item, usec_t now_us,
                       enum canvas_style plain)
{
    struct text age CLEANUP(text_free) = TEXT_INIT;
    bool late = item->late_us && now_us >= item->late_us, warn = item->warn_us && now_us >= item->warn_us;
    viewer_write_age(&age, item->since_us, now_us);
    if (late)
        text_add(&age, "!");
    else
        text_add(&age, " ");
    canvas_put_right(at->canvas, at->row, at->column + at->columns - AGE_COLUMNS - 1, AGE_COLUMNS + 1,
                     late   ? STYLE_LATE
                     : warn ? STYLE_WARN
                            : plain,
                     age.s);
}

static void put_age(const struct viewer_place *at, const struct viewer_item *item, usec_t now_us)
{
    put_age_in(at, item, now_us, STYLE_PLAIN);
}

/* The first two columns: where the arrows are, and what is made of test events alone, or was missed in a gap. */
static void put_marks(const struct viewer_place *at, const struct viewer_item *item)
{
    if (at->chosen)
        canvas_put(at->canvas, at->row, at->column, 1, STYLE_CHOSEN, ">");
    if (json_get_flag(item->json, "test"))
        canvas_put(at->canvas, at->row, at->column + 1, 1, STYLE_DIM, "t");
    else if (json_get_flag(item->json, "missed"))
        canvas_put(at->canvas, at->row, at->column + 1, 1, STYLE_DIM, "m");
}

/* Where a row ends that shows an age there, and left of it whose it is. */
static int put_community(const struct viewer_place *at, const struct viewer_item *item)
{
    struct text name CLEANUP(text_free) = TEXT_INIT;
    int end = at->column + at->columns - AGE_COLUMNS - 2, columns = at->community_columns;
    if (at->columns < WIDE && columns > NARROW_COMMUNITY_COLUMNS)
        columns = NARROW_COMMUNITY_COLUMNS;
    if (!columns)
        return end;
    text_add_prose(&name, item->community, strlen(item->community), NAME_MAX_BYTES);
    text_add(&name, *item->node ? "@" : "");
    text_add_prose(&name, item->node, strlen(item->node), NAME_MAX_BYTES);
    canvas_put(at->canvas, at->row, end - columns, columns, STYLE_DIM, name.s);
    return end - columns - 1;
}

static void add_part(struct text *out, const char *before, const struct viewer_item *item, const char *name)
{
    struct text part CLEANUP(text_free) = TEXT_INIT;
    viewer_write_text(&part, item, name);
    if (part.size)
        text_addf(out, "%s%s", out->size ? before : "", part.s);
}

/* ---- a 911 call ---- */

static const char *short_label(const char *label)
{
    if (strcmp(label, "EMERGENCY") == 0)
        return "EMERG";
    return strcmp(label, "DISPATCHED") == 0 ? "DISP" : label;
}

void viewer_put_call911(const struct viewer_place *at, const struct viewer_look *look, const struct viewer_item *item)
{
    struct text id CLEANUP(text_free) = TEXT_INIT, words CLEANUP(text_free) = TEXT_INIT;
    bool long_label = at->columns >= WIDE;
    const char *label = long_label ? item->label : short_label(item->label);
    enum canvas_style style = viewer_is_settled(VIEWER_CALL911, item) ? STYLE_DIM : STYLE_PLAIN;
    int column = at->column + 3, end = put_community(at, item);
    put_marks(at, item);
    canvas_put(at->canvas, at->row, column, long_label ? 10 : 6, viewer_style_of(item->label), label);
    column += long_label ? 11 : 7;
    text_add_int(&id, item->id);
    column += canvas_put(at->canvas, at->row, column, end - column, STYLE_DIM, id.s) + 1;
    add_part(&words, "", item, "location");
    add_part(&words, "", item, words.size ? "" : "position");
    add_part(&words, ", ", item, "caller");
    add_part(&words, ": ", item, "description");
    canvas_put(at->canvas, at->row, column, end - column, style, words.s);
    put_age_in(at, item, look->now_us, style);
}

/* ---- a call ---- */

/* "E-3* L-1 M-2 +2": the primary one has the star. */
static void write_units(const struct viewer *viewer, const struct viewer_item *call, bool with_status, struct text *out)
{
    const cJSON *units = viewer_array(call->json, "units"), *unit;
    int64_t primary = viewer_number(call, "primary", INT64_MIN);
    size_t n = 0;
    cJSON_ArrayForEach (unit, units) {
        const struct viewer_item attached = { .json = (cJSON *) (uintptr_t) unit };
        int64_t id = viewer_number(&attached, "id", 0);
        if (n++ >= UNITS_SHOWN)
            continue;
        text_add(out, out->size ? " " : "");
        viewer_write_unit(out, viewer, call, id, false);
        text_add(out, id == primary ? "*" : "");
        const struct viewer_item *known = with_status ? viewer_find(viewer, VIEWER_UNIT, call, id) : NULL;
        if (known)
            text_addf(out, " %.8s ", known->label);
    }
    if (n > UNITS_SHOWN)
        text_addf(out, " +%zu", n - UNITS_SHOWN);
}

static void write_address(const struct viewer_item *item, struct text *out)
{
    add_part(out, "", item, "address");
    add_part(out, ", postal ", item, "postal");
}

static int put_call_head(const struct viewer_place *at, const struct viewer_item *item)
{
    struct text head CLEANUP(text_free) = TEXT_INIT, id CLEANUP(text_free) = TEXT_INIT;
    int64_t priority = viewer_number(item, "priority", -1);
    int column = at->column + 3;
    put_marks(at, item);
    if (priority >= 0 && priority < 10)
        text_addf(&head, "P%d", (int) priority);
    canvas_put(at->canvas, at->row, column, 2, priority == 1 ? STYLE_ALERT : STYLE_PLAIN, head.s);
    text_add_int(&id, item->id);
    return column + 3 + canvas_put(at->canvas, at->row, column + 3, at->columns - AGE_COLUMNS - 8, STYLE_DIM, id.s) + 1;
}

static void put_attached(const struct viewer_place *at, const struct viewer *viewer, const struct viewer_item *item,
                         int column, int columns, bool with_status)
{
    struct text units CLEANUP(text_free) = TEXT_INIT;
    write_units(viewer, item, with_status, &units);
    if (units.size)
        canvas_put(at->canvas, at->row, column, columns, STYLE_PLAIN, units.s);
    else
        canvas_put(at->canvas, at->row, column, columns, STYLE_ALERT, "NO UNIT");
}

/* In one line: title and place share what units leave. */
void viewer_put_call(const struct viewer_place *at, const struct viewer *viewer, const struct viewer_look *look,
                     const struct viewer_item *item)
{
    struct text title CLEANUP(text_free) = TEXT_INIT, address CLEANUP(text_free) = TEXT_INIT;
    int column = put_call_head(at, item), end = put_community(at, item);
    int room = end - column, third = at->columns >= WIDE ? room / 3 : room / 2;
    viewer_write_text(&title, item, "title");
    canvas_put(at->canvas, at->row, column, third - 1, STYLE_BOLD, title.s);
    column += third;
    if (at->columns >= WIDE) {
        viewer_write_text(&address, item, "address"); /* its postal code stands where there are two lines */
        canvas_put(at->canvas, at->row, column, third - 1, STYLE_PLAIN, address.s);
        column += third;
    }
    put_attached(at, viewer, item, column, end - column, false);
    put_age(at, item, look->now_us);
}

/* In two: the place and who goes there, with their statuses, stand below. */
void viewer_put_call_in_two(const struct viewer_place *at, const struct viewer *viewer, const struct viewer_look *look,
                            const struct viewer_item *item)
{
    struct text title CLEANUP(text_free) = TEXT_INIT, address CLEANUP(text_free) = TEXT_INIT;
    int column = put_call_head(at, item), end = put_community(at, item), half = (at->columns - 6) / 2;
    struct viewer_place below = *at;
    below.row++;
    viewer_write_text(&title, item, "title");
    canvas_put(at->canvas, at->row, column, end - column, STYLE_BOLD, title.s);
    put_age(at, item, look->now_us);
    write_address(item, &address);
    canvas_put(at->canvas, below.row, at->column + 6, half - 1, STYLE_PLAIN, address.s);
    put_attached(&below, viewer, item, at->column + 6 + half, at->columns - 6 - half, true);
}

/* ---- a unit ---- */

void viewer_put_unit(const struct viewer_place *at, const struct viewer_look *look, const struct viewer_item *item,
                     int number_width)
{
    struct text number CLEANUP(text_free) = TEXT_INIT, name CLEANUP(text_free) = TEXT_INIT;
    const cJSON *calls = viewer_array(item->json, "calls"), *call = calls ? calls->child : NULL;
    int column = at->column + 3, end = put_community(at, item);
    put_marks(at, item);
    canvas_put(at->canvas, at->row, column, 5, viewer_style_of(item->label), item->label);
    column += 6;
    viewer_write_text(&number, item, "number");
    viewer_write_text(&name, item, "name");
    if (!number.size && !name.size)
        text_addf(&name, "unit %lld", (long long) item->id);
    canvas_put(at->canvas, at->row, column, number_width, STYLE_BOLD, number.s);
    column += number_width + 1;
    if (json_is(call, cJSON_Number)) {
        char on[24];
        int width = snprintf(on, sizeof(on), ">%.0f%s", call->valuedouble, call->next ? "+" : "");
        if (end - column > width + 6) {
            canvas_put(at->canvas, at->row, end - width, width, STYLE_PLAIN, on);
            end -= width + 1;
        }
    }
    canvas_put(at->canvas, at->row, column, end - column, STYLE_PLAIN, name.s);
    put_age(at, item, look->now_us);
}

/* ---- what came ---- */

void viewer_put_line(const struct viewer_place *at, const struct viewer_line *line)
{
    char clock[16];
    time_t seconds = (time_t) (line->time_us / USEC_PER_SEC);
    struct tm tm;
    enum canvas_style style = line->level <= LOG_WARNING ? STYLE_ALERT
                              : line->level >= LOG_DEBUG ? STYLE_DIM
                                                         : STYLE_PLAIN;
    strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &tm));
    if (line->test)
        canvas_put(at->canvas, at->row, at->column + 1, 1, STYLE_DIM, "t");
    canvas_put(at->canvas, at->row, at->column + 3, at->columns - 3, STYLE_DIM, line->time_us ? clock : "");
    canvas_put(at->canvas, at->row, at->column + 12, at->columns - 12, style, line->text.s);
}
