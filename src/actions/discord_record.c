/* discord_record.c - a record's own fields, as the community's template calls them. Source: events.md 2.7. */
#include <string.h>

#include "discord.h"

struct part {
    const char *before, *name;
};

/* The parts that are there, with ", " between them. */
static void add_parts(const cJSON *object, const struct part *parts, size_t n, struct text *out)
{
    size_t start = out->size;
    for (size_t i = 0; i < n; i++) {
        const cJSON *item = json_member(object, parts[i].name);
        struct text value CLEANUP(text_free) = TEXT_INIT;
        if (item)
            show_plain(NULL, item, &value);
        if (!value.size)
            continue;
        text_addf(out, "%s%s%s", out->size > start ? ", " : "", parts[i].before, value.s);
    }
}

static void add_speed(const cJSON *data, struct text *out)
{
    static const struct part parts[] = {
        { "", "vehicleSpeed" }, { "limit ", "speedLimit" }, { "", "paceType" }, { "fine ", "fine" }
    };
    if (json_member(data, "vehicleSpeed"))
        add_parts(data, parts, ARRAY_SIZE(parts), out);
}

/* One charge, or a list of them. */
static void add_charges(const cJSON *data, struct text *out)
{
    static const struct part parts[] = { { "", "arrestCharge" },          { "", "arrestChargeType" },
                                         { "code ", "arrestChargeCode" }, { "counts ", "arrestChargeCounts" },
                                         { "", "arrestBondType" },        { "bond ", "arrestBondAmount" },
                                         { "jail ", "jailTime" } };
    const cJSON *charges = json_member(data, "charges"), *charge;
    if (json_member(data, "arrestCharge"))
        add_parts(data, parts, ARRAY_SIZE(parts), out);
    cJSON_ArrayForEach (charge, charges) {
        if (out->size)
            text_add(out, "\n");
        add_parts(charge, parts, ARRAY_SIZE(parts), out);
    }
}

/* These come without a value, and with a label that nobody filled in: the section's says what they are. */
static void add_special(const cJSON *section, const cJSON *field, struct embed *embed)
{
    const cJSON *data = json_member(field, "data"), *flags = json_member(data, "flags");
    const char *label = cJSON_GetStringValue(json_member(section, "label"));
    struct text value CLEANUP(text_free) = TEXT_INIT;
    add_speed(data, &value);
    add_charges(data, &value);
    if (flags && value.size)
        text_add(&value, "\n");
    if (flags)
        show_list(NULL, flags, &value);
    embed_add_field(embed, label && *label ? label : "Details", &value, false);
}

static void add_field(const cJSON *section, const cJSON *field, struct embed *embed)
{
    enum { SHORT_MAX = 40 }; /* what still fits beside others */
    const char *label = cJSON_GetStringValue(json_member(field, "label"));
    struct text value CLEANUP(text_free) = TEXT_INIT;
    const cJSON *item = json_member(field, "value");
    if (item)
        show_plain(NULL, item, &value);
    if (discord_is_blank(value.s, value.size)) {
        add_special(section, field, embed);
        return;
    }
    if (!label || discord_is_blank(label, strlen(label)))
        label = cJSON_GetStringValue(json_member(field, "uid"));
    embed_add_field(embed, label ? label : "Field", &value, value.size <= SHORT_MAX);
}

void add_record_fields(const struct action_record *record, struct embed *embed)
{
    const cJSON *sections = embed_find(record->event, "/record/sections"), *section, *field;
    cJSON_ArrayForEach (section, sections) {
        cJSON_ArrayForEach (field, json_member(section, "fields")) {
            if (embed->n_fields < EMBED_FIELDS_MAX)
                add_field(section, field, embed);
        }
    }
}
