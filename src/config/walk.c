/* walk.c - a group of a file, by the rows of the table: what is there, what is missing, what is unknown. */
#include <stdlib.h>
#include <string.h>

#include "walk.h"

/* That of its first option; the file as a whole has none. */
static struct place group_place(const struct group *group)
{
    const struct node *at = group->setting ? group->setting : group->around;
    return source_place(group->walk->source, at->at);
}

static void take_missing(const struct group *group, const struct config_option *option, void *field)
{
    struct problems *problems = group->walk->problems;
    if (option->fallback && (!option->required || group->alone)) {
        problems->failed |= setting_take_fallback(option, field) < 0;
        return;
    }
    const struct config_option *partner = row_option_partner(group->rows, option);
    if (!option->required || (partner && group->setting && node_member(group->setting, partner->name)))
        return;

    struct text expected = TEXT_INIT;
    if (partner)
        text_addf(&expected, "%s or %s", partner->name, option->name);
    else if (option->list)
        text_add(&expected, "a list: [ …, … ]");
    else
        value_add_expected(&expected, option);
    problems_add(problems, group_place(group), "%s%s: missing, expected %s", group->prefix, option->name, expected.s);
    problems->failed |= expected.failed;
    text_free(&expected);
}

static void take_option(const struct group *group, const struct config_option *row)
{
    struct schema_row own;
    const struct walk *walk = group->walk;
    const struct config_option *option = schema_row(walk->config->schema, row, &own);
    void *field = group->base + option->offset;
    const struct node *setting = group->setting ? node_member(group->setting, option->name) : NULL;
    if (!setting) {
        take_missing(group, option, field);
        return;
    }

    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%s%s", group->prefix, option->name);
    const struct config_option *partner = row_option_partner(group->rows, row);
    if (partner && node_member(group->setting, partner->name)) {
        char sentence[NAME_ROOM];
        snprintf(sentence, sizeof(sentence), "expected %s or %s, but not both", option->name, partner->name);
        if (option->type == CONFIG_FILE)
            setting_refuse(walk, setting, name, false, sentence);
        return;
    }
    if (option->type == CONFIG_FILE && option->list)
        setting_take_secret_files(walk, option, partner, setting, name, field);
    else if (option->type == CONFIG_FILE)
        setting_take_secret_file(walk, partner, setting, name, field);
    else if (option->list)
        setting_take_values(walk, option, setting, name, field);
    else
        setting_take_value(walk, option, setting, name, field);
}

/* Of the group, whatever the type that is chosen in it. */
static const struct config_option *find_option(const struct group *group, const char *name)
{
    const struct config_option *option = rows_find(group->rows, name);
    return !option && group->has_kinds ? schema_find_in_kinds(group->walk->config->schema, name) : option;
}

/* What stands in the place of a name may be a key: one alone in braces, or one right behind a colon. */
static void add_unknown_name(struct text *text, const struct node *setting, bool near)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t size = strspn(setting->name, letters);
    bool alone = setting_is_empty(setting) && !near;
    if (size && !alone)
        text_add_safe(text, setting->name, size, SHOWN_MAX_CHARS);
    if (alone || setting->name[size])
        text_add(text, "…");
}

static void refuse_unknown(const struct group *group, const struct node *setting)
{
    struct text name = TEXT_INIT, near = TEXT_INIT;
    const char *written = setting->name;
    const char *of = group->rows.first->group;
    bool found = suggest_option(&near, group->walk->config->schema, of, written);
    text_add(&name, group->prefix);
    add_unknown_name(&name, setting, found);
    const char *colon = strchr(written, ':');
    char before[NAME_ROOM];
    snprintf(before, sizeof(before), "%.*s", colon ? (int) (colon - written) : 0, written);
    if (colon && find_option(group, before))
        problems_add(group->walk->problems, source_place(group->walk->source, setting->name_at),
                     "%s%s: a blank is missing behind the colon: expected %s: …", group->prefix, before, before);
    else if (!misread_refuse_name(group->walk, setting, name.s))
        problems_add(group->walk->problems, source_place(group->walk->source, setting->name_at),
                     "%s: unknown option%s%s%s", name.s, found ? ", did you mean " : "", near.s, found ? "?" : "");
    group->walk->problems->failed |= name.failed || near.failed;
    text_free(&name);
    text_free(&near);
}

static void refuse_repeated(const struct group *group, const struct node *setting)
{
    const struct node *first = node_member(group->setting, setting->name);
    const struct source *source = group->walk->source;
    struct text name CLEANUP(text_free) = TEXT_INIT;
    text_add(&name, group->prefix);
    add_unknown_name(&name, setting, find_option(group, setting->name));
    struct place place = source_place(source, first->name_at);
    bool elsewhere = first->name_at.file != setting->name_at.file;
    problems_add(group->walk->problems, source_place(source, setting->name_at),
                 "%s: line %u%s%s has it already, expected it once", name.s, place.line, elsewhere ? " of " : "",
                 elsewhere ? place.file : "");
    group->walk->problems->failed |= name.failed;
}

/* Each is known, and there once. */
static void check_members(const struct group *group, const struct node *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct node *setting = &members[i];
        const struct span name = { setting->name, strlen(setting->name) };
        bool is_group = !*group->rows.first->group && schema_is_group(group->walk->config->schema, name);
        if (node_member(group->setting, setting->name) != setting)
            refuse_repeated(group, setting);
        else if (!is_group && !find_option(group, setting->name))
            refuse_unknown(group, setting);
    }
}

void walk_group(const struct group *group)
{
    if (group->setting && group->setting->kind == NODE_GROUP)
        check_members(group, group->setting->members, group->setting->n_members);
    for (size_t i = 0; i < group->rows.n; i++)
        take_option(group, &group->rows.first[i]);
}

/* ---- the options of a type of action ---- */

static bool has_option(const struct config_kind *kind, const char *name)
{
    return rows_find(rows_of_kind(kind), name);
}

/* Is it of a kind before this one as well? */
static bool was_seen(const struct config_schema *schema, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++)
        if (has_option(schema->kinds[i], name))
            return true;
    return false;
}

/* only for type: forward or discord */
static void refuse_of_other_kind(const struct group *group, const struct config_option *option,
                                 const struct node *setting)
{
    const struct config_schema *schema = group->walk->config->schema;
    struct text sentence = TEXT_INIT;
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%s%s", group->prefix, option->name);
    for (size_t i = 0; i < schema->n_kinds; i++)
        if (has_option(schema->kinds[i], option->name))
            text_addf(&sentence, "%s%s", sentence.size ? " or " : "only for type: ", schema->kinds[i]->name);
    setting_refuse(group->walk, setting, name, value_is_secret(option->type), sentence.s);
    group->walk->problems->failed |= sentence.failed;
    text_free(&sentence);
}

static void refuse_of_other_kinds(const struct group *group, const struct config_kind *kind)
{
    const struct config_schema *schema = group->walk->config->schema;
    for (size_t i = 0; i < schema->n_kinds; i++) {
        struct rows rows = rows_of_kind(schema->kinds[i]);
        for (size_t k = 0; k < rows.n; k++) {
            const struct node *setting = node_member(group->setting, rows.first[k].name);
            if (setting && !has_option(kind, rows.first[k].name) && !was_seen(schema, i, rows.first[k].name))
                refuse_of_other_kind(group, &rows.first[k], setting);
        }
    }
}

/* Without a type, the mistakes in what would be options of one are told all the same. */
static void walk_any_kind(const struct group *group)
{
    const struct config_schema *schema = group->walk->config->schema;
    for (size_t i = 0; i < schema->n_kinds; i++) {
        struct group own = *group;
        own.rows = rows_of_kind(schema->kinds[i]);
        CLEANUP(cleanup_free) char *settings = calloc(1, schema->kinds[i]->settings_size + 1);
        own.base = settings;
        group->walk->problems->failed |= !settings;
        for (size_t k = 0; settings && k < own.rows.n; k++) {
            const char *name = own.rows.first[k].name;
            if (node_member(group->setting, name) && !was_seen(schema, i, name))
                take_option(&own, &own.rows.first[k]);
        }
        if (settings)
            rows_done(own.rows, settings);
    }
}

static void walk_kind(const struct group *group, struct config_action *action)
{
    const struct config_kind *kind = group->walk->config->schema->kinds[action->type];
    struct group own = *group;
    action->settings = own.base = calloc(1, kind->settings_size + 1);
    if (!own.base) {
        group->walk->problems->failed = true;
        return;
    }
    action->kind = kind;
    own.rows = rows_of_kind(kind);
    for (size_t i = 0; i < own.rows.n; i++)
        take_option(&own, &own.rows.first[i]);
    refuse_of_other_kinds(group, kind);
}

#define TYPE_UNKNOWN (-1)

/* The row of the type comes before those of the types; where it is wrong its field is left alone. */
static void walk_group_of(const struct group *group)
{
    struct config_action *action = group->has_kinds ? (void *) group->base : NULL;
    if (action)
        action->type = TYPE_UNKNOWN;
    walk_group(group);
    if (action && action->type == TYPE_UNKNOWN)
        walk_any_kind(group);
    else if (action)
        walk_kind(group, action);
}

void walk_group_check(const struct group *group, const struct config_list *of)
{
    const struct problems *problems = group->walk->problems;
    size_t n_mistakes = problems->n_mistakes;
    walk_group_of(group);
    if (of->check && (!group->setting || node_is_whole(group->setting)) && n_mistakes == problems->n_mistakes &&
        !problems->failed)
        of->check(group->walk, of, group->setting, group->prefix, group->base);
}
