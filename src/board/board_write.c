/* board_write.c - units, calls and 911 calls as JSON. */
#include <sonoran-pushd/board.h>

/* ---- what may not be known ---- */

static void add_number(struct json_writer *out, const char *name, int32_t number)
{
    if (number == STATE_UNSET)
        json_add_null(out, name);
    else
        json_add_int(out, name, number);
}

static void add_id(struct json_writer *out, const char *name, int64_t id)
{
    if (id == STATE_UNSET_ID)
        json_add_null(out, name);
    else
        json_add_int(out, name, id);
}

static void add_flag(struct json_writer *out, const char *name, int8_t flag)
{
    if (flag < 0)
        json_add_null(out, name);
    else
        json_add_bool(out, name, flag);
}

/* ---- what all have ---- */

void board_write_realm(struct json_writer *out, const char *name, const char *realm)
{
    const char *at = strrchr(realm, '@');
    json_add_span(out, name, at ? (struct span){ realm, (size_t) (at - realm) } : span_of(realm));
    if (at)
        json_add_text(out, "node", at + 1);
    else
        json_add_null(out, "node");
}

static void begin(struct json_writer *out, const struct board *board, int64_t id, uint64_t changed_id)
{
    json_begin_object(out, NULL);
    board_write_realm(out, "community", board->community);
    json_add_int(out, "id", id);
    json_add_int(out, "changed", (int64_t) changed_id);
}

static void add_source(struct json_writer *out, const struct board *board, uint8_t source, bool test)
{
    json_add_text(out, "source", state_source(board->state, source));
    json_add_bool(out, "test", test);
}

static void end(struct json_writer *out, const struct board_look *look)
{
    json_add_text(out, "label", look->label);
    json_add_text(out, "rank", look->rank);
    json_add_known_time(out, "since", look->since_us);
    json_add_known_time(out, "warn_at", look->warn_us);
    json_add_known_time(out, "late_at", look->late_us);
    json_end(out);
}

/* ---- units ---- */

/* As state has it, a list of texts. */
static void add_api_ids(struct json_writer *out, const char *list)
{
    struct span ids = span_of(list);
    bool whole = ids.size > 1 && list[0] == '[' && list[ids.size - 1] == ']';
    json_add_raw(out, "api_ids", whole ? ids : (struct span){ "[]", 2 });
}

static void add_who(struct json_writer *out, const struct state_unit *unit)
{
    json_add_text(out, "number", unit->number);
    json_add_text(out, "name", unit->name);
    json_add_text(out, "department", unit->department);
    json_add_text(out, "group", unit->group);
    json_add_text(out, "location", unit->location);
    add_api_ids(out, unit->api_ids);
}

void board_write_unit(struct json_writer *out, const struct board *board, const struct state_snapshot *from, size_t i)
{
    const struct state_unit *unit = &from->units[i];
    struct board_look look;
    board_look_unit(board, unit, &look);
    begin(out, board, unit->id, unit->changed_id);
    add_source(out, board, unit->changed_source, unit->test);
    add_who(out, unit);
    json_add_bool(out, "told", unit->told);
    add_flag(out, "online", unit->online);
    add_flag(out, "dispatcher", unit->dispatcher);
    add_number(out, "status", unit->status);
    json_add_known_time(out, "status_since", unit->status_since_us);
    add_number(out, "page", unit->page);
    add_flag(out, "panic", unit->panic);
    json_add_known_time(out, "panic_since", unit->panic ? unit->panic_since_us : 0);
    json_add_known_time(out, "duty_since", unit->duty_since_us);
    json_begin_array(out, "calls");
    for (size_t k = 0; k < from->n_unit_calls[i]; k++)
        json_add_int(out, NULL, from->unit_calls[i][k]);
    json_end(out);
    end(out, &look);
}

/* ---- calls ---- */

static void add_what(struct json_writer *out, const struct state_call *call)
{
    json_add_text(out, "title", call->title);
    json_add_text(out, "code", call->code);
    json_add_text(out, "address", call->address);
    json_add_text(out, "postal", call->postal);
    json_add_text(out, "block", call->block);
    json_add_text(out, "description", call->description);
    json_add_text(out, "last_note", call->last_note);
    json_add_int(out, "notes", call->n_notes);
}

static void add_units(struct json_writer *out, const struct state_snapshot *from, size_t i)
{
    json_begin_array(out, "units");
    for (size_t k = 0; k < from->n_attached[i]; k++) {
        json_begin_object(out, NULL);
        json_add_int(out, "id", from->attached[i][k]);
        json_add_known_time(out, "since", from->attached_since_us[i][k]);
        json_end(out);
    }
    json_end(out);
}

void board_write_call(struct json_writer *out, const struct board *board, const struct state_snapshot *from, size_t i)
{
    const struct state_call *call = &from->calls[i];
    struct board_look look;
    board_look_call(board, call, from->n_attached[i], &look);
    begin(out, board, call->id, call->changed_id);
    add_source(out, board, call->changed_source, call->test);
    add_what(out, call);
    json_add_bool(out, "told", call->told);
    json_add_bool(out, "missed", call->primed == STATE_PRIMED_MISSED);
    add_number(out, "origin", call->origin);
    add_number(out, "status", call->status);
    add_number(out, "priority", call->priority);
    json_add_known_time(out, "opened", call->opened_us);
    json_add_known_time(out, "closed", call->closed_us);
    add_id(out, "call911", call->call911);
    add_id(out, "primary", call->primary);
    add_flag(out, "track_primary", call->track_primary);
    add_units(out, from, i);
    end(out, &look);
}

/* ---- 911 calls ---- */

void board_write_call911(struct json_writer *out, const struct board *board, const struct state_snapshot *from,
                         size_t i)
{
    const struct state_call911 *call = &from->calls911[i];
    struct board_look look;
    board_look_call911(board, call, &look);
    begin(out, board, call->id, call->changed_id);
    add_source(out, board, call->changed_source, call->test);
    json_add_text(out, "caller", call->caller);
    json_add_text(out, "location", call->location);
    json_add_text(out, "description", call->description);
    json_add_text(out, "postal", call->postal);
    json_add_text(out, "plate", call->plate);
    json_add_text(out, "phone", call->phone);
    json_add_text(out, "position", call->position);
    json_add_bool(out, "told", call->told);
    json_add_bool(out, "missed", call->primed == STATE_PRIMED_MISSED);
    add_flag(out, "emergency", call->emergency);
    add_flag(out, "silent", call->silent);
    json_add_known_time(out, "opened", call->opened_us);
    add_id(out, "call", call->call);
    end(out, &look);
}

void board_write_gone(struct json_writer *out, const struct board *board, const struct state_snapshot *from, size_t i)
{
    const struct state_gone *gone = &from->gone[i];
    begin(out, board, gone->id, gone->changed_id);
    json_add_bool(out, "gone", true);
    json_end(out);
}

/* ---- all of it ---- */

void board_write_lists(struct json_writer *out, const struct board *board, const struct state_snapshot *from)
{
    json_begin_array(out, "units");
    for (size_t i = 0; i < from->n_units; i++)
        board_write_unit(out, board, from, i);
    json_end(out);
    json_begin_array(out, "calls");
    for (size_t i = 0; i < from->n_calls; i++)
        board_write_call(out, board, from, i);
    json_end(out);
    json_begin_array(out, "calls911");
    for (size_t i = 0; i < from->n_calls911; i++)
        board_write_call911(out, board, from, i);
    json_end(out);
}
