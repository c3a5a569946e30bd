/* schema.c - prints the JSON Schema of the configuration, from the table of options: for editors, which complete and
 * explain by it. It is no judge: what a schema cannot say (sizes of several files together, names that are unknown),
 * sonoran-pushd --check says.
 *
 * Source: json-schema.org, draft 7, which the YAML language server knows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <sonoran-pushd/daemon.h>

#define DRAFT "http://json-schema.org/draft-07/schema#"

static cJSON *add_object(cJSON *object, const char *name)
{
    return cJSON_AddObjectToObject(object, name);
}

static cJSON *append_object(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(array, object);
    return object;
}

static void add_words(cJSON *object, const char *name, const char *const *words)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    for (; *words; words++)
        cJSON_AddItemToArray(array, cJSON_CreateString(*words));
}

static void add_names_of_types(cJSON *object)
{
    cJSON *array = cJSON_AddArrayToObject(object, "enum");
    for (size_t i = 0; i < daemon_schema.n_kinds; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(daemon_schema.kinds[i]->name));
}

/* ---- values ---- */

/* The option decides what is a text: what YAML takes for something else is one all the same. */
static void allow_text(cJSON *schema, const char *pattern)
{
    static const char *const kinds[] = { "string", "number", "boolean", "null", NULL };
    add_words(schema, "type", kinds);
    if (pattern)
        cJSON_AddStringToObject(schema, "pattern", pattern);
}

static void allow_string(cJSON *schema, const char *pattern)
{
    cJSON_AddStringToObject(schema, "type", "string");
    cJSON_AddStringToObject(schema, "pattern", pattern);
}

static void allow_number(cJSON *schema, const struct config_option *option, const char *pattern)
{
    cJSON *either = cJSON_AddArrayToObject(schema, "anyOf"), *number = append_object(either);
    cJSON_AddStringToObject(number, "type", "integer");
    cJSON_AddNumberToObject(number, "minimum", (double) option->min);
    if (option->max)
        cJSON_AddNumberToObject(number, "maximum", (double) option->max);
    allow_string(append_object(either), pattern);
}

static void allow_value(cJSON *schema, const struct config_option *option)
{
    static const char *const truths[] = { "true", "false", NULL };
    switch (option->type) {
    case CONFIG_TEXT:
        allow_text(schema, NULL);
        break;
    case CONFIG_SECRET:
    case CONFIG_FILE:
        allow_text(schema, "^[^\\n]+$");
        break;
    case CONFIG_URL:
        allow_string(schema, "^[Hh][Tt][Tt][Pp][Ss]?://[^/\\s][^\\s]*$");
        break;
    case CONFIG_HEADER:
        allow_string(schema, "^[!#$%&'*+.^_`|~0-9A-Za-z-]+:.*[^ ]");
        break;
    case CONFIG_ID:
        allow_number(schema, option, "^[0-9]{1,20}$");
        break;
    case CONFIG_NAME:
        allow_text(schema, option->names ? "^([A-Za-z0-9._-]{1,32}|.*@.*)$" : "^[A-Za-z0-9._-]{1,32}$");
        break;
    case CONFIG_PATH:
        allow_string(schema, "^/[!-\"$->@-~]{0,254}$");
        break;
    case CONFIG_ADDRESS:
        allow_string(schema, "^(\\[[0-9A-Fa-f:.]+\\]|[0-9.]+):[0-9]{1,5}$");
        break;
    case CONFIG_NETWORK:
        allow_string(schema, "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$");
        break;
    case CONFIG_WORD:
        if (option->words)
            add_words(schema, "enum", option->words);
        else
            add_names_of_types(schema);
        break;
    case CONFIG_BOOL:
        add_words(schema, "enum", truths);
        cJSON_AddItemToArray(cJSON_GetObjectItem(schema, "enum"), cJSON_CreateTrue());
        cJSON_AddItemToArray(cJSON_GetObjectItem(schema, "enum"), cJSON_CreateFalse());
        break;
    case CONFIG_COUNT:
        allow_number(schema, option, "^[0-9]+$");
        break;
    case CONFIG_SIZE:
        allow_number(schema, option, "^[0-9]+[KMG]?$");
        break;
    case CONFIG_DURATION:
        allow_string(schema, "^[0-9]+(ms|s|min|h|d)$");
        break;
    }
}

static cJSON *default_of(const struct config_option *option, const char *word)
{
    if (option->type == CONFIG_COUNT)
        return cJSON_CreateNumber(strtod(word, NULL));
    if (option->type == CONFIG_BOOL)
        return cJSON_CreateBool(strcmp(word, "true") == 0);
    return cJSON_CreateString(word);
}

static void add_default(cJSON *schema, const struct config_option *option)
{
    if (!option->fallback)
        return;
    if (!option->list) {
        cJSON_AddItemToObject(schema, "default", default_of(option, option->fallback));
        return;
    }
    cJSON *array = cJSON_AddArrayToObject(schema, "default");
    char *words = strdup(option->fallback), *rest = words;
    for (const char *word; words && (word = strsep(&rest, " "));)
        cJSON_AddItemToArray(array, default_of(option, word));
    free(words);
}

static void allow_list(cJSON *schema, const struct config_option *option)
{
    cJSON_AddStringToObject(schema, "type", "array");
    cJSON_AddNumberToObject(schema, "minItems", 1);
    if (option->unique)
        cJSON_AddTrueToObject(schema, "uniqueItems");
    allow_value(add_object(schema, "items"), option);
}

static void add_option(cJSON *properties, const struct config_option *option)
{
    cJSON *schema = add_object(properties, option->name);
    bool files = option->type == CONFIG_FILE && option->list;
    cJSON_AddStringToObject(schema, "description", option->help);
    add_default(schema, option);
    if (!option->list) {
        allow_value(schema, option);
    } else if (option->single || files) {
        cJSON *either = cJSON_AddArrayToObject(schema, "anyOf");
        allow_value(append_object(either), option);
        allow_list(append_object(either), option);
    } else {
        allow_list(schema, option);
    }
}

/* ---- groups ---- */

static bool is_of(const struct config_option *option, const char *group)
{
    return strcmp(option->group, group) == 0;
}

/* Of one table: of those of all groups, or those of one type of action, or of a section. */
struct table {
    const struct config_option *first;
    size_t n;
};

static struct table table_of_kind(const struct config_kind *kind)
{
    return (struct table){ kind->options, kind->n_options };
}

static const struct config_option *find(struct table table, const char *name)
{
    for (size_t i = 0; i < table.n; i++)
        if (strcmp(table.first[i].name, name) == 0)
            return &table.first[i];
    return NULL;
}

/* The other of url and url_file. */
static const struct config_option *partner_of(struct table table, const struct config_option *option)
{
    for (size_t i = 0; i < table.n; i++)
        if (is_of(&table.first[i], option->group) && table.first[i].offset == option->offset &&
            &table.first[i] != option)
            return &table.first[i];
    return NULL;
}

static void require(cJSON *schema, const char *name)
{
    cJSON *names = cJSON_GetObjectItem(schema, "required");
    if (!names)
        names = cJSON_AddArrayToObject(schema, "required");
    cJSON_AddItemToArray(names, cJSON_CreateString(name));
}

static cJSON *also(cJSON *schema)
{
    cJSON *all = cJSON_GetObjectItem(schema, "allOf");
    return append_object(all ? all : cJSON_AddArrayToObject(schema, "allOf"));
}

static void require_option(cJSON *schema, struct table table, const struct config_option *option)
{
    const struct config_option *partner = partner_of(table, option);
    if (!partner) {
        require(schema, option->name);
        return;
    }
    cJSON *either = cJSON_AddArrayToObject(also(schema), "anyOf");
    require(append_object(either), option->name);
    require(append_object(either), partner->name);
}

/* Two types of action have options of this name that are not the same: each says what it takes. */
static bool differs_by_kind(const char *name)
{
    const struct config_option *first = NULL;
    bool differs = false;
    for (size_t i = 0; i < daemon_schema.n_kinds; i++) {
        const struct config_option *option = find(table_of_kind(daemon_schema.kinds[i]), name);
        differs |= option && first && (option->type != first->type || option->list != first->list);
        first = first ? first : option;
    }
    return differs;
}

/* of_kinds: which of them an action needs, its type decides. */
static void add_options(cJSON *schema, struct table table, const char *group, bool of_kinds)
{
    cJSON *properties = cJSON_GetObjectItem(schema, "properties");
    for (size_t i = 0; i < table.n; i++) {
        const struct config_option *option = &table.first[i], *partner = partner_of(table, option);
        if (!is_of(option, group) || cJSON_GetObjectItem(properties, option->name))
            continue;
        if (of_kinds && differs_by_kind(option->name))
            cJSON_AddStringToObject(add_object(properties, option->name), "description", option->help);
        else
            add_option(properties, option);
        if (option->required && !option->fallback && !of_kinds)
            require_option(schema, table, option);
        if (partner && option->type == CONFIG_FILE) {
            cJSON *both = add_object(also(schema), "not");
            require(both, option->name);
            require(both, partner->name);
        }
    }
}

/* What is for one type of action is for no other. */
static void add_type(cJSON *group, const struct config_kind *kind)
{
    cJSON *rule = also(group), *condition = add_object(rule, "if"), *then = add_object(rule, "then");
    cJSON_AddStringToObject(add_object(add_object(condition, "properties"), "type"), "const", kind->name);
    require(condition, "type");
    cJSON *properties = add_object(then, "properties");
    for (size_t i = 0; i < daemon_schema.n_kinds; i++) {
        struct table table = table_of_kind(daemon_schema.kinds[i]);
        for (size_t k = 0; k < table.n; k++) {
            const char *name = table.first[k].name;
            if (!find(table_of_kind(kind), name) && !cJSON_GetObjectItem(properties, name))
                cJSON_AddFalseToObject(properties, name);
            if (daemon_schema.kinds[i] != kind)
                continue;
            if (differs_by_kind(name))
                add_option(properties, &table.first[k]);
            if (table.first[k].required)
                require_option(then, table, &table.first[k]);
        }
    }
}

static void fill_group(cJSON *schema, struct table table, const char *group)
{
    bool of_actions = strcmp(group, CONFIG_ACTION) == 0;
    add_object(schema, "properties");
    cJSON_AddFalseToObject(schema, "additionalProperties");
    add_options(schema, table, group, false);
    for (size_t i = 0; of_actions && i < daemon_schema.n_kinds; i++)
        add_type(schema, daemon_schema.kinds[i]);
    for (size_t i = 0; of_actions && i < daemon_schema.n_kinds; i++)
        add_options(schema, table_of_kind(daemon_schema.kinds[i]), group, true);
}

/* A list of groups, of which one alone may do without a name that has a default. */
static void add_groups(cJSON *properties, struct table table, const char *group)
{
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int) strcspn(group, "["), group);
    cJSON *schema = add_object(properties, name), *items = add_object(schema, "items");
    static const char *const kinds[] = { "array", "null", NULL };
    add_words(schema, "type", kinds);
    cJSON_AddStringToObject(items, "type", "object");
    fill_group(items, table, group);
    cJSON *several = cJSON_CreateObject();
    for (size_t i = 0; i < table.n; i++)
        if (is_of(&table.first[i], group) && table.first[i].required && table.first[i].fallback)
            require(several, table.first[i].name);
    if (!several->child) {
        cJSON_Delete(several);
        return;
    }
    cJSON *either = cJSON_AddArrayToObject(schema, "anyOf");
    cJSON_AddNumberToObject(append_object(either), "maxItems", 1);
    cJSON_AddItemToObject(append_object(either), "items", several);
}

static void add_group(cJSON *properties, struct table table, const char *group)
{
    static const char *const kinds[] = { "object", "null", NULL };
    cJSON *schema = add_object(properties, group);
    add_words(schema, "type", kinds);
    fill_group(schema, table, group);
}

static void add_table(cJSON *properties, struct table table)
{
    for (size_t i = 0; i < table.n; i++) {
        const char *group = table.first[i].group;
        if (!*group || (i && is_of(&table.first[i - 1], group)))
            continue;
        if (strstr(group, "[]"))
            add_groups(properties, table, group);
        else
            add_group(properties, table, group);
    }
}

static void add_include(cJSON *properties)
{
    cJSON *schema = add_object(properties, "include"), *either = cJSON_AddArrayToObject(schema, "anyOf");
    cJSON_AddStringToObject(schema, "description", "More files, whose lists are appended to those here.");
    cJSON_AddStringToObject(append_object(either), "type", "string");
    cJSON *list = append_object(either);
    cJSON_AddStringToObject(list, "type", "array");
    cJSON_AddStringToObject(add_object(list, "items"), "type", "string");
}

static cJSON *make_schema(void)
{
    cJSON *schema = cJSON_CreateObject();
    cJSON_AddStringToObject(schema, "$schema", DRAFT);
    cJSON_AddStringToObject(schema, "title", "sonoran-pushd.yaml");
    cJSON_AddStringToObject(schema, "type", "object");
    fill_group(schema, (struct table){ config_options, config_n_options }, "");
    cJSON *properties = cJSON_GetObjectItem(schema, "properties");
    add_include(properties);
    add_table(properties, (struct table){ config_options, config_n_options });
    for (size_t i = 0; i < daemon_schema.n_sections; i++) {
        const struct config_section *section = daemon_schema.sections[i];
        add_table(properties, (struct table){ section->options, section->n_options });
    }
    return schema;
}

int main(void)
{
    cJSON *schema = make_schema();
    char *text = cJSON_Print(schema);
    cJSON_Delete(schema);
    if (!text)
        return 1;
    bool printed = puts(text) >= 0 && fflush(stdout) == 0;
    free(text);
    return printed ? 0 : 1;
}
