/* facts_records.c - what the events of records, of players, signs and support mean. Source: events.md 2.7, 4.18
 * to 4.24, 4.28, 4.29. */
#include "fact_values.h"

enum { BESIDE = FACT_BESIDE, SEVERAL = FACT_BESIDE | FACT_SEVERAL };

/* ---- records ---- */

typedef bool field_function(const struct fact *fact, const struct fact_asked *asked, const cJSON *section,
                            const cJSON *field);

static void each_field(const struct fact *fact, const struct fact_asked *asked, field_function *give)
{
    const cJSON *sections = field_get(field_get(asked->event->data, "record"), "sections");
    for (const cJSON *section = field_first_of(sections); section; section = field_next_of(sections, section)) {
        const cJSON *fields = field_get(section, "fields");
        for (const cJSON *field = field_first_of(fields); field; field = field_next_of(fields, field))
            if (give(fact, asked, section, field))
                return;
    }
}

/* "Ingrid Solberg" */
static void fact_subject(const struct fact *fact, const struct fact_asked *asked)
{
    const cJSON *record = field_get(asked->event->data, "record");
    const char *first = field_get_text(record_field(record, "first"), "value");
    const char *last = field_get_text(record_field(record, "last"), "value");
    struct text name CLEANUP(text_free) = TEXT_INIT;
    if (first && *first)
        text_add(&name, first);
    if (last && *last)
        text_addf(&name, "%s%s", name.size ? " " : "", last);
    fact_give(fact, asked, name.s, NULL);
}

static void fact_plate(const struct fact *fact, const struct fact_asked *asked)
{
    fact_give(fact, asked, field_get_text(record_field(field_get(asked->event->data, "record"), "plate"), "value"),
              NULL);
}

static void fact_officer(const struct fact *fact, const struct fact_asked *asked)
{
    fact_give(fact, asked, record_officer(field_get(asked->event->data, "record")), NULL);
}

/* ---- what a record's own fields say, under their labels ---- */

struct part {
    const char *before, *name;
};

/* The parts that are there, with ", " between them. */
static void add_parts(const cJSON *object, const struct part *parts, size_t n, struct text *out)
{
    size_t start = out->size;
    for (size_t i = 0; i < n; i++) {
        const char *text = field_get_text(object, parts[i].name);
        if (text && *text)
            text_addf(out, "%s%s%s", out->size > start ? ", " : "", parts[i].before, text);
    }
}

static void add_speed(const cJSON *data, struct text *out)
{
    static const struct part parts[] = {
        { "", "vehicleSpeed" }, { "limit ", "speedLimit" }, { "", "paceType" }, { "fine ", "fine" }
    };
    if (field_get(data, "vehicleSpeed"))
        add_parts(data, parts, ARRAY_SIZE(parts), out);
}

/* One charge, or a list of them. */
static void add_charges(const cJSON *data, struct text *out)
{
    static const struct part parts[] = { { "", "arrestCharge" },          { "", "arrestChargeType" },
                                         { "code ", "arrestChargeCode" }, { "counts ", "arrestChargeCounts" },
                                         { "", "arrestBondType" },        { "bond ", "arrestBondAmount" },
                                         { "jail ", "jailTime" } };
    const cJSON *charges = field_get(data, "charges");
    if (field_get(data, "arrestCharge"))
        add_parts(data, parts, ARRAY_SIZE(parts), out);
    for (const cJSON *charge = field_first_of(charges); charge; charge = field_next_of(charges, charge)) {
        if (out->size)
            text_add(out, "\n");
        add_parts(charge, parts, ARRAY_SIZE(parts), out);
    }
}

static void add_flags(const cJSON *data, struct text *out)
{
    const cJSON *flags = field_get(data, "flags");
    const char *before = out->size ? "\n" : "";
    for (const cJSON *flag = field_first_of(flags); flag; flag = field_next_of(flags, flag)) {
        const char *text = scalar_text(flag);
        if (!text || !*text)
            continue;
        text_addf(out, "%s%s", before, text);
        before = ", ";
    }
}

static bool is_said(const char *text)
{
    return text && *text && !fact_is_nothing(text);
}

/* Speeds, charges and flags come without a value, under a label that nobody filled in: the section's says what. */
static bool give_field(const struct fact *fact, const struct fact_asked *asked, const cJSON *section,
                       const cJSON *field)
{
    struct text special CLEANUP(text_free) = TEXT_INIT;
    const char *value = field_get_text(field, "value"), *label = field_get_text(field, "label");
    if (!is_said(value)) {
        add_speed(field_get(field, "data"), &special);
        add_charges(field_get(field, "data"), &special);
        add_flags(field_get(field, "data"), &special);
        value = special.s;
        label = field_get_text(section, "label");
    }
    if (!is_said(label))
        label = field_get_text(field, "uid");
    if (is_said(value))
        asked->take(asked->context, fact,
                    &(struct fact_value){ .text = value, .label = is_said(label) ? label : fact->label });
    return false;
}

static void fact_field(const struct fact *fact, const struct fact_asked *asked)
{
    each_field(fact, asked, give_field);
}

static const struct fact rows_record[] = {
    { "record", "Record", FACT_NUMBER, BESIDE, fact_id, "record.id", NULL },
    { "kind", "Kind", FACT_WORD, BESIDE, fact_record_type, "record.type", words_record_type },
    { "title", "Name", FACT_TEXT, BESIDE, fact_text, "record.name", NULL },
    { "subject", "Subject", FACT_TEXT, BESIDE, fact_subject, NULL, NULL },
    { "plate", "Plate", FACT_TEXT, BESIDE, fact_plate, NULL, NULL },
    { "officer", "Officer", FACT_TEXT, BESIDE, fact_officer, NULL, NULL },
    { "sync_id", "Sync id", FACT_TEXT, BESIDE, fact_text, "record.syncId", NULL },
    { "field", "Field", FACT_TEXT, FACT_SEVERAL, fact_field, NULL, NULL },
};
FACT_LIST(facts_record, rows_record);

static const struct fact rows_print[] = {
    UNIT_FACTS("identId+unitId"),
    { "url", "Document", FACT_TEXT, 0, fact_text, "url", NULL },
};
FACT_LIST(facts_print, rows_print);

/* ---- players, signs, support ---- */

static const struct fact rows_character[] = {
    { "character", "Character", FACT_TEXT, BESIDE, fact_key, "id syncId characterId", NULL },
    { "account", "Account", FACT_TEXT, BESIDE, fact_text, "accId accountUuid accountId", NULL },
};
FACT_LIST(facts_character, rows_character);

static const struct fact rows_link[] = {
    { "player_id", "Player id", FACT_TEXT, BESIDE, fact_text, "communityUserId", NULL },
    { "account", "Account", FACT_TEXT, BESIDE, fact_text, "accountUuid accId accountId", NULL },
};
FACT_LIST(facts_link, rows_link);

static const struct fact rows_sign[] = {
    { "sign", "Signs", FACT_NUMBER, SEVERAL, fact_id, "signData.ids", NULL },
    { "text1", "Line 1", FACT_TEXT, BESIDE, fact_text, "signData.text1", NULL },
    { "text2", "Line 2", FACT_TEXT, BESIDE, fact_text, "signData.text2", NULL },
    { "text3", "Line 3", FACT_TEXT, BESIDE, fact_text, "signData.text3", NULL },
};
FACT_LIST(facts_sign, rows_sign);

static const struct fact rows_logs[] = {
    { "ticket", "Ticket", FACT_NUMBER, BESIDE, fact_number, "logKey ^logKey", NULL },
};
FACT_LIST(facts_logs, rows_logs);
