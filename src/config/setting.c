/* setting.c - one setting of a file into its field, or the sentence that refuses it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

struct place setting_place(const struct walk *walk, const config_setting_t *setting)
{
    return source_place(walk->source, config_setting_source_line(setting));
}

static void add_value(struct text *text, const config_setting_t *setting)
{
    bool empty = config_setting_length(setting) == 0;
    const char *s = config_setting_get_string(setting);
    long long number = config_setting_get_int64(setting);

    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        text_add(text, "\"");
        text_add_safe(text, s, strlen(s), SHOWN_MAX_CHARS);
        text_add(text, "\"");
        break;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        text_addf(text, config_setting_get_format(setting) == CONFIG_FORMAT_HEX ? "0x%llx" : "%lld", number);
        break;
    case CONFIG_TYPE_FLOAT:
        text_addf(text, "%g", config_setting_get_float(setting));
        break;
    case CONFIG_TYPE_BOOL:
        text_add(text, config_setting_get_bool(setting) ? "true" : "false");
        break;
    case CONFIG_TYPE_GROUP:
        text_add(text, empty ? "{ }" : "{ … }");
        break;
    case CONFIG_TYPE_ARRAY:
        text_add(text, empty ? "[ ]" : "[ … ]");
        break;
    default:
        text_add(text, empty ? "( )" : "( … )");
    }
}

void setting_refuse(const struct walk *walk, const config_setting_t *setting, const char *name, bool secret,
                    const char *sentence)
{
    struct text text = TEXT_INIT;
    text_add(&text, name);
    if (!secret) {
        text_add(&text, " = ");
        add_value(&text, setting);
    }
    walk->problems->failed |= text.failed;
    problems_add(walk->problems, setting_place(walk, setting), "%s: %s", text.s, sentence);
    text_free(&text);
}

static struct raw raw_of(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        return (struct raw){ .kind = RAW_TEXT, .text = config_setting_get_string(setting) };
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return (struct raw){ .kind = RAW_NUMBER, .number = config_setting_get_int64(setting) };
    default:
        return (struct raw){ .kind = RAW_OTHER };
    }
}

/* Once for each file: every key in it is as open as the first. */
static void warn_about_file(const struct walk *walk, enum config_type type, const config_setting_t *setting)
{
    struct source_file *file = source_file_at(walk->source, config_setting_source_line(setting));
    const char *what = others_may(file->mode);
    if (!what || file->warned)
        return;

    struct text name = TEXT_INIT;
    text_add_safe(&name, file->name, strlen(file->name), 0);
    problems_warn(walk->problems, setting_place(walk, setting),
                  "this file holds a %s, and others may %s it: chmod 640 %s", secret_noun(type), what, name.s);
    walk->problems->failed |= name.failed;
    text_free(&name);
    file->warned = true;
}

void take_value(const struct walk *walk, const struct config_option *option, const config_setting_t *setting,
                const char *name, void *field)
{
    struct err err;
    struct raw raw = raw_of(setting);
    int r = value_parse(option, &raw, field, &err);
    if (r == -ENOMEM)
        walk->problems->failed = true;
    else if (r < 0)
        setting_refuse(walk, setting, name, is_secret(option->type), err.msg);
    if (is_secret(option->type))
        warn_about_file(walk, option->type, setting);
}

void take_secret_file(const struct walk *walk, enum config_type type, const config_setting_t *setting, const char *name,
                      char **field)
{
    const char *file = config_setting_get_string(setting);
    if (!file || !*file) {
        setting_refuse(walk, setting, name, false, "expected the name of a file, in quotes");
        return;
    }

    struct err err;
    CLEANUP(cleanup_free) char *path = NULL;
    mode_t mode = 0;
    int r = secret_read(type, walk->config->file, file, field, &path, &mode, &err);
    walk->problems->failed |= r == -ENOMEM;
    if (r < 0) {
        setting_refuse(walk, setting, name, false, err.msg);
        return;
    }
    if (!others_may(mode))
        return;
    struct text shown = TEXT_INIT;
    text_add_safe(&shown, path, strlen(path), 0);
    problems_warn(walk->problems, setting_place(walk, setting), "others may %s %s, which holds a %s: chmod 600 %s",
                  others_may(mode), shown.s, secret_noun(type), shown.s);
    walk->problems->failed |= shown.failed;
    text_free(&shown);
}

static const char *noun_of(enum config_type type)
{
    switch (type) {
    case CONFIG_NAME:
        return "a name";
    case CONFIG_ADDRESS:
        return "an address";
    case CONFIG_PATH:
        return "a path";
    case CONFIG_SECRET:
        return "a key";
    case CONFIG_URL:
        return "a URL";
    case CONFIG_ID:
        return "an id";
    case CONFIG_TEXT:
    case CONFIG_FILE:
    case CONFIG_WORD:
    case CONFIG_COUNT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        return "a value";
    }
    return "a value";
}

void setting_refuse_twin(const struct walk *walk, const config_setting_t *setting, bool secret, enum config_type type,
                         const char *name, const char *list, unsigned twin)
{
    char sentence[NAME_ROOM];
    snprintf(sentence, sizeof(sentence), "expected %s of its own, %s[%u] has it already", noun_of(type), list, twin);
    setting_refuse(walk, setting, name, secret, sentence);
}

/* paths = [ "/a", "/b" ] */
void take_values(const struct walk *walk, const struct config_option *option, const config_setting_t *setting,
                 const char *name, void *field)
{
    size_t size = value_size(option->type);
    unsigned n = (unsigned) config_setting_length(setting);
    const char *wrong = !config_setting_is_array(setting) && !config_setting_is_list(setting)
                            ? "expected a list: [ …, … ]"
                        : !n                    ? "expected at least one"
                        : n > LIST_MAX_ELEMENTS ? "expected fewer of them"
                                                : NULL;
    if (wrong) {
        setting_refuse(walk, setting, name, is_secret(option->type), wrong);
        return;
    }
    struct list list = { calloc(n, size), n };
    if (!list.elements) {
        walk->problems->failed = true;
        return;
    }
    list_set(field, 0, list);

    for (unsigned i = 0; i < n; i++) {
        const config_setting_t *element = config_setting_get_elem(setting, i);
        char element_name[NAME_ROOM];
        snprintf(element_name, sizeof(element_name), "%s[%u]", name, i);
        take_value(walk, option, element, element_name, list.elements + i * size);
        for (unsigned j = 0; option->unique && j < i; j++)
            if (value_clashes(option->type, list.elements + i * size, list.elements + j * size)) {
                setting_refuse_twin(walk, element, is_secret(option->type), option->type, element_name, name, j);
                break;
            }
    }
}

static int fall_back_list(const struct config_option *option, void *field)
{
    CLEANUP(cleanup_free) char *words = strdup(option->fallback);
    size_t size = value_size(option->type), n = 1;
    for (const char *p = option->fallback; *p; p++)
        n += *p == ' ';
    struct list list = { words ? calloc(n, size) : NULL, n };
    if (!list.elements)
        return -ENOMEM;
    list_set(field, 0, list);

    char *rest = words;
    for (size_t i = 0; i < n; i++) {
        int r = value_parse_fallback(option, strsep(&rest, " "), list.elements + i * size);
        if (r < 0)
            return r;
    }
    return 0;
}

int take_fallback(const struct config_option *option, void *field)
{
    return option->list ? fall_back_list(option, field) : value_parse_fallback(option, option->fallback, field);
}
