/* discord_fields.c - the facts of an event as the fields of an embed. Texts go out raw: the embed makes them safe. */
#include <stdlib.h>
#include <string.h>

#include "discord.h"

#define LIST_MAX 20  /* values of one fact that are shown */
#define NOTES_MAX 5  /* of a call, the last ones */
#define SHORT_MAX 40 /* what still fits beside others */

/* ---- one fact ---- */

struct first {
    struct text *text, *number; /* either may be NULL */
    size_t n;
};

static void take_first(void *context, const struct fact *fact, const struct fact_value *value)
{
    struct first *first = context;
    if (first->n++ && strcmp(fact->name, "note") != 0)
        return;
    if (first->text) {
        text_reset(first->text);
        text_add(first->text, value->text);
    }
    if (first->number && value->number)
        text_add(first->number, value->number);
}

static size_t find(const struct action_record *record, const char *name, struct text *text, struct text *number)
{
    const struct fact *fact = name ? facts_find(record->event->handler, span_of(name)) : NULL;
    struct first first = { text, number, 0 };
    if (fact)
        fact_emit(fact, record->event, record->description, record->known, take_first, &first);
    return first.n;
}

size_t discord_fact(const struct action_record *record, const char *name, struct text *ret)
{
    return find(record, name, ret, NULL);
}

int64_t discord_fact_number(const struct action_record *record, const char *name, int64_t missing)
{
    struct text text CLEANUP(text_free) = TEXT_INIT;
    char *end;
    (void) find(record, name, NULL, &text);
    long long number = strtoll(text.s, &end, 10);
    return text.size && !*end ? number : missing;
}

/* ---- all of them ---- */

struct walk {
    struct embed *embed;
    const char *separator;
    bool changed;
    size_t skip, n;    /* values: not shown, seen */
    struct text value; /* those of one fact */
};

/* Worth a field only where it is so. */
static bool is_no(const struct fact *fact, const struct fact_value *value)
{
    return fact->kind == FACT_FLAG && value->number && strcmp(value->number, "0") == 0;
}

static void take(void *context, const struct fact *fact, const struct fact_value *value)
{
    struct walk *walk = context;
    if (value->label) {
        struct text text CLEANUP(text_free) = TEXT_INIT;
        text_add(&text, value->text);
        discord_embed_add_field(walk->embed, value->label, &text, text.size <= SHORT_MAX);
        return;
    }
    size_t place = walk->n++;
    if ((is_no(fact, value) && !walk->changed) || place < walk->skip || place >= walk->skip + LIST_MAX)
        return;
    text_add(&walk->value, walk->value.size ? walk->separator : "");
    text_add(&walk->value, value->text);
}

const cJSON *discord_was(const struct action_record *record)
{
    return json_get(record->known, "was");
}

/* "1 (was 2)" */
static void add_was(const struct action_record *record, const struct fact *fact, struct text *out)
{
    const char *old = json_get_text(discord_was(record), fact->name);
    if (*old)
        text_addf(out, "%s(was %s)", out->size ? " " : "none ", old);
}

static void add_field(const struct action_record *record, const struct fact *fact, struct embed *embed)
{
    struct walk walk = { .embed = embed, .changed = discord_was(record), .value = TEXT_INIT };
    walk.separator = fact->flags & FACT_BESIDE ? ", " : "\n";
    if (strcmp(fact->name, "note") == 0) {
        size_t n = find(record, "note", NULL, NULL);
        walk.skip = n > NOTES_MAX ? n - NOTES_MAX : 0;
        if (walk.skip)
            text_addf(&walk.value, "%zu older", walk.skip);
    }
    fact_emit(fact, record->event, record->description, record->known, take, &walk);
    if (walk.n > walk.skip + LIST_MAX)
        text_addf(&walk.value, " and %zu more", walk.n - walk.skip - LIST_MAX);
    add_was(record, fact, &walk.value);
    bool units = walk.n > 1 && strcmp(fact->name, "unit") == 0;
    discord_embed_add_field(embed, units ? "Units" : fact->label, &walk.value, fact->flags & FACT_BESIDE);
    text_free(&walk.value);
}

static bool is_among(const char *names, const char *name)
{
    size_t size = strlen(name);
    for (const char *p = names; p && (p = strstr(p, name)); p += size)
        if ((p == names || p[-1] == ' ') && (p[size] == ' ' || !p[size]))
            return true;
    return false;
}

/* Not what stands elsewhere, nor parts of what another one says, nor what helps nobody who reads; of an edit, what it
 * made different. */
static bool is_field(const struct action_record *record, const struct layout *layout, const struct fact *fact)
{
    const char *const elsewhere[] = { layout->id, layout->name, layout->author, layout->hides,
                                      "unit.id unit.number unit.name unit.status player_id change" };
    const cJSON *was = discord_was(record);
    if (fact->flags & FACT_OF_STATE || is_among(layout->text, fact->name))
        return false;
    if (was)
        return json_get(was, fact->name) || (was->child && strcmp(fact->name, "by") == 0);
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
        if (is_among(elsewhere[i], fact->name))
            return false;
    return strcmp(fact->name, "position") != 0 || !find(record, "location", NULL, NULL);
}

void discord_add_facts(const struct action_record *record, const struct layout *layout, struct embed *embed)
{
    const struct fact_list *facts = record->event->handler ? record->event->handler->facts : NULL;
    for (size_t i = 0; facts && i < facts->n; i++)
        if (is_field(record, layout, &facts->rows[i]) && embed->n_fields < EMBED_FIELDS_MAX)
            add_field(record, &facts->rows[i], embed);
}

/* Of a type not known here: what is plain in the data, under its own name. */
void discord_add_members(const struct action_record *record, struct embed *embed)
{
    const cJSON *data = pointer_find(record->event, "");
    for (const cJSON *item = cJSON_IsObject(data) ? data->child : NULL; item; item = item->next) {
        struct text value CLEANUP(text_free) = TEXT_INIT;
        if (!cJSON_IsArray(item) && !cJSON_IsObject(item))
            pointer_add_value(&value, item);
        discord_embed_add_field(embed, item->string, &value, value.size <= SHORT_MAX);
    }
}
