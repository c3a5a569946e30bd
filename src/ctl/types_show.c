/* types_show.c - one type of event: what it is, its sample, what that comes to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/families.h>

#include "body.h"
#include "samples.h"
#include "types.h"

#define KEY "none"
#define VALUE_MAX_CHARS 40
#define N_COLUMNS 3
#define ROWS_MAX 64

/* The units and calls of the samples, as state would know them. */
#define KNOWN                                                                                                          \
    "{\"units\":[{\"id\":990001,\"number\":\"T-1\",\"name\":\"Test Unit\",\"department\":\"Calder County Sheriff\","   \
    "\"status\":2}],\"calls\":[{\"id\":990101,\"title\":\"Test: Structure Fire\"}],\"dispatchers\":1,\"on_duty\":12}"

const char *types_about(const struct event_type *type)
{
    static const char *const about[][2] = {
        { "EVENT_911", "a 911 call, or a civil call, is placed" },
        { "EVENT_REMOVE_911", "911 calls leave the queue" },
        { "EVENT_DISPATCH_NEW", "a dispatch call is opened" },
        { "EVENT_DISPATCH_EDIT", "a dispatch call is changed" },
        { "EVENT_DISPATCH_CLOSED", "dispatch calls are closed" },
        { "EVENT_DISPATCH_NOTE", "a note is added to a call" },
        { "EVENT_DISPATCH_UNIT_ATTACH", "units are sent to a call" },
        { "EVENT_DISPATCH_UNIT_DETACH", "units are taken off a call" },
        { "EVENT_DISPATCH_TOGGLE_BODYCAM", "a body camera is switched from the CAD" },
        { "EVENT_UNIT_LOGIN", "a unit or a dispatcher comes on duty" },
        { "EVENT_UNIT_LOGOUT", "a unit goes off duty" },
        { "EVENT_UNIT_STATUS", "units change their status" },
        { "EVENT_UNIT_UPDATE", "units change in any way" },
        { "EVENT_UNIT_PANIC", "a panic button is pressed, or released" },
        { "EVENT_UNIT_GROUP_ADD", "units join a group" },
        { "EVENT_UNIT_GROUP_REMOVE", "units leave a group" },
        { "EVENT_UNIT_GROUP_CHANGE_NAME", "a group gets another name" },
        { "EVENT_RECORD_ADD", "a record is made: a warrant, a BOLO, a citation" },
        { "EVENT_RECORD_EDIT", "a record is changed" },
        { "EVENT_RECORD_REMOVE", "a record is deleted" },
        { "EVENT_PRINT_RECORD", "a record is printed in the game" },
        { "EVENT_STREETSIGN_UPDATED", "the text of street signs changes" },
        { "EVENT_TONE", "a tone is played to units" },
        { "EVENT_STATION_ALERT", "stations are alerted" },
        { "EVENT_PAGER_REBORN", "pagers get a message" },
        { "EVENT_NEW_CALLOUT", "a call-out of the ERS script is asked for" },
        { "EVENT_CHAR_SELECTED", "a player chooses a character" },
        { "EVENT_COMMUNITY_LINK_VERIFIED", "a player has linked an account" },
        { "GET_LOGS", "the vendor's support asks for logs; none are sent from here" },
        { "EVENT_DISPATCH", "until 2021: anything about a dispatch call" },
        { "EVENT_UNIT_CALL_CLEAR", "until 2021: units leave their call" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(about); i++)
        if (strcmp(about[i][0], type->name) == 0)
            return about[i][1];
    return "";
}

/* ---- the sample as an event ---- */

struct example {
    struct batch batch;
    struct description description;
    cJSON *known;
};

static void example_done(struct example *example)
{
    batch_done(&example->batch);
    description_free(&example->description);
    cJSON_Delete(example->known);
}

static int make_example(const struct event_type *type, struct example *ret, struct err *err)
{
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "127.0.0.1" };
    const struct envelope_rules rules = { .communities = communities,
                                          .n_communities = ARRAY_SIZE(communities),
                                          .families = &families_all };
    const struct sample *sample = sample_find(type->name);
    struct text body = TEXT_INIT;
    int r = sample ? body_make(KEY, type->name, sample->data, sample->top, false, &body, err)
                   : err_set(err, -EINVAL, "%s: no sample", type->name);
    if (r < 0) {
        text_free(&body);
        return r;
    }
    /* body is the batch's from here on, whatever becomes of it. */
    if (envelope_parse(body.s, body.size, &rules, &origin, now_us(), &ret->batch, NULL, err) != ENVELOPE_OK)
        return -EINVAL;
    ret->description = (struct description) DESCRIPTION_INIT;
    ret->known = cJSON_Parse(KNOWN);
    event_describe(&ret->batch.events[0], NULL, &ret->description);
    return 0;
}

/* ---- for people ---- */

/* "unavailable (0), busy (1)" */
static void write_words(const struct fact *fact, struct text *out)
{
    for (const struct fact_word *word = fact->words; word->word; word++)
        text_addf(out, "%s%s (%d)", word == fact->words ? "" : ", ", word->also ? word->also : word->word,
                  word->number);
}

static const char *kind_of(const struct fact *fact)
{
    bool several = fact->flags & FACT_SEVERAL;
    if (fact->kind == FACT_FLAG)
        return "true, false";
    if (fact->kind == FACT_NUMBER)
        return several ? "numbers" : "number";
    return several ? "texts" : "text";
}

struct row {
    struct text value, note;
};

/* The words of one are long: they stand below. */
static void fill_row(const struct fact *fact, const struct example *example, struct row *row, const char **cells)
{
    struct text raw CLEANUP(text_free) = TEXT_INIT;
    *row = (struct row){ TEXT_INIT, TEXT_INIT };
    if (fact_write(fact, &example->batch.events[0], NULL, example->known, &raw))
        text_add_safe(&row->value, raw.s, raw.size, VALUE_MAX_CHARS);
    if (fact->words)
        write_words(fact, &row->note);
    cells[0] = fact->name;
    cells[1] = kind_of(fact);
    cells[2] = row->value.s;
}

static void write_facts(const struct fact_list *facts, const struct example *example, struct text *out)
{
    struct row rows[ROWS_MAX];
    const char *cells[(ROWS_MAX + 1) * N_COLUMNS] = { "FACT", "IS", "IN THE EXAMPLE" };
    const char *notes[ROWS_MAX + 1] = { "" };
    size_t n = facts->n < ROWS_MAX ? facts->n : ROWS_MAX;
    for (size_t i = 0; i < n; i++) {
        fill_row(&facts->rows[i], example, &rows[i], &cells[(i + 1) * N_COLUMNS]);
        notes[i + 1] = rows[i].note.s;
    }
    table_write(cells, notes, n + 1, N_COLUMNS, out);
    for (size_t i = 0; i < n; i++) {
        out->failed |= rows[i].value.failed || rows[i].note.failed;
        text_free(&rows[i].value);
        text_free(&rows[i].note);
    }
}

/* How the first fact would be used. */
static void write_use(const struct fact *fact, struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    text_addf(&line, "In a configuration: when: [ %s %s ], {%s} in a command or a message; in a program SONORAN_",
              fact->name, fact->kind == FACT_FLAG ? "= true" : "exists", fact->name);
    for (const char *p = fact->name; *p; p++)
        text_addf(&line, "%c", *p == '.' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    text_add(&line, ".");
    text_add(out, "\n");
    wrap_write(out, line.s, 2, wrap_width());
}

static void write_example(const struct event_type *type, const struct example *example, struct text *out)
{
    const struct event *event = &example->batch.events[0];
    struct span shown = event->data_text.size ? event->data_text : event->extra_text;
    text_addf(out, "\nExample, which " CTL_NAME " send %s posts:\n  ", type->name);
    text_add_safe(out, shown.s, shown.size, 0);
    text_add(out, "\nIn the journal, as an event of the CAD:\n  ");
    wrap_write(out, example->description.line.s, 2, wrap_width());
    text_add(out, "\n");
}

int types_write(const struct event_type *type, struct text *out, struct err *err)
{
    struct example example;
    int r = make_example(type, &example, err);
    if (r < 0)
        return r;
    text_addf(out, "%s: %s\n", type->name, types_about(type));
    if (type->alias)
        text_addf(out, "Also called %s.\n", type->alias);
    write_example(type, &example, out);
    write_facts(type->facts, &example, out);
    write_use(&type->facts->rows[0], out);
    example_done(&example);
    return 0;
}

/* ---- for programs ---- */

static void write_words_json(const struct fact *fact, struct json_writer *out)
{
    json_begin_object(out, "words");
    for (const struct fact_word *word = fact->words; word->word; word++) {
        char number[16];
        snprintf(number, sizeof(number), "%d", word->number);
        json_add_text(out, number, word->word);
    }
    json_end(out);
}

static void write_fact_json(const struct fact *fact, const struct example *example, struct json_writer *out)
{
    static const char *const kinds[] = {
        [FACT_TEXT] = "text", [FACT_NUMBER] = "number", [FACT_FLAG] = "flag", [FACT_WORD] = "word"
    };
    struct text value CLEANUP(text_free) = TEXT_INIT;
    json_begin_object(out, NULL);
    json_add_text(out, "name", fact->name);
    json_add_text(out, "label", fact->label);
    json_add_text(out, "kind", kinds[fact->kind]);
    json_add_bool(out, "several", fact->flags & FACT_SEVERAL);
    if (fact->words)
        write_words_json(fact, out);
    if (fact_write(fact, &example->batch.events[0], NULL, example->known, &value))
        json_add_text(out, "example", value.s);
    out->out->failed |= value.failed;
    json_end(out);
}

int types_write_json(const struct event_type *type, const struct event_family *family, struct json_writer *out,
                     struct err *err)
{
    struct example example;
    int r = make_example(type, &example, err);
    if (r < 0)
        return r;
    const struct event *event = &example.batch.events[0];
    json_begin_object(out, NULL);
    json_add_text(out, "type", type->name);
    if (type->alias)
        json_add_text(out, "alias", type->alias);
    json_add_text(out, "family", family->name);
    json_add_text(out, "about", types_about(type));
    json_add_text(out, "summary", example.description.line.s);
    json_add_int(out, "level", example.description.level);
    if (event->data_text.size)
        json_add_raw(out, "data", event->data_text);
    if (event->extra_text.size)
        json_add_raw(out, "extra", event->extra_text);
    json_begin_array(out, "facts");
    for (size_t i = 0; i < type->facts->n; i++)
        write_fact_json(&type->facts->rows[i], &example, out);
    json_end(out);
    json_end(out);
    example_done(&example);
    return 0;
}
