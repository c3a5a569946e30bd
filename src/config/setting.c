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
    case CONFIG_TYPE_BOOL:
        return (struct raw){ .kind = RAW_BOOL, .number = config_setting_get_bool(setting) };
    default:
        return (struct raw){ .kind = RAW_OTHER };
    }
}

/* Of config/demo.conf, which everybody has. */
static bool is_public(const struct config_option *option, const char *secret)
{
    if (option->type == CONFIG_HEADER)
        return secret && !config_header_is_private(secret);
    return option->type == CONFIG_SECRET && secret && strcmp(secret, "demo") == 0;
}

static void warn_about_file(const struct walk *walk, const struct config_option *option,
                            const config_setting_t *setting)
{
    struct source_file *file = source_file_at(walk->source, config_setting_source_line(setting));
    const char *what = others_may(file->st.st_mode), *config_file = walk->config->file;
    if (!what || file->warned)
        return;

    struct text remedy CLEANUP(text_free) = TEXT_INIT;
    if (!is_read_as_anybody(&file->st)) {
        add_remedy(&remedy, file->name, &file->st);
    } else {
        text_addf(&remedy, "keep it in a file of its own, %s_file, in ", option->name);
        add_secrets_folder(&remedy, config_file);
    }
    problems_warn(walk->problems, setting_place(walk, setting), "this file holds a %s, and others may %s it: %s",
                  secret_noun(option->type), what, remedy.s);
    walk->problems->failed |= remedy.failed;
    file->warned = true; /* every key in it is as open as the first */
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
    if (!is_secret(option->type))
        return;
    if (r < 0 || !is_public(option, *(char *const *) field))
        warn_about_file(walk, option, setting);
    if (r == 0)
        warn_about_key(walk, option, setting, name, *(char *const *) field);
}

static void warn_about_secret_file(const struct walk *walk, enum config_type type, const config_setting_t *setting,
                                   const struct secret_file *file)
{
    struct text remedy CLEANUP(text_free) = TEXT_INIT, shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, file->path, strlen(file->path), 0);
    if (file->in_folder || !is_read_as_anybody(&file->st)) {
        add_remedy(&remedy, file->path, &file->st);
    } else if (is_service(walk->config->file)) {
        text_addf(&remedy, "mv %s ", shown.s);
        add_secrets_folder(&remedy, walk->config->file);
    } else {
        text_addf(&remedy, "chown it to the user of the daemon, then chmod 600 %s", shown.s);
    }
    problems_warn(walk->problems, setting_place(walk, setting), "others may %s %s, which holds a %s: %s",
                  others_may(file->st.st_mode), shown.s, secret_noun(type), remedy.s);
    walk->problems->failed |= remedy.failed || shown.failed;
}

/* The first one is enough. */
static void note_missing(const struct walk *walk, const config_setting_t *setting, const char *name,
                         const char *sentence)
{
    const char *dot = strrchr(name, '.');
    problems_warn(walk->problems, setting_place(walk, setting), "%s: %s; the action is off meanwhile", name, sentence);
    if (*walk->missing)
        return;
    if (asprintf(walk->missing, "%s: %s", dot ? dot + 1 : name, sentence) < 0) {
        *walk->missing = NULL;
        walk->problems->failed = true;
    }
}

static void warn_about_hidden_file(const struct walk *walk, const config_setting_t *setting,
                                   const struct secret_file *file)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT, folder CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, file->path, strlen(file->path), 0);
    add_secrets_folder(&folder, walk->config->file);
    problems_warn(walk->problems, setting_place(walk, setting),
                  "root reads %s, the service does not, unless a LoadCredential= of yours names it: mv %s %s/", shown.s,
                  shown.s, folder.s);
    walk->problems->failed |= shown.failed || folder.failed;
}

void take_secret_file(const struct walk *walk, const struct config_option *secret, const config_setting_t *setting,
                      const char *name, char **field)
{
    enum config_type type = secret->type;
    const char *file = config_setting_get_string(setting);
    if (!file || !*file) {
        setting_refuse(walk, setting, name, false, "expected the name of a file, in quotes");
        return;
    }

    struct err err;
    struct secret_file read CLEANUP(secret_file_done) = { 0 };
    int r = secret_read(type, &walk->secrets, file, &read, &err);
    walk->problems->failed |= r == -ENOMEM;
    if (r < 0 && walk->missing)
        note_missing(walk, setting, name, err.msg);
    else if (r < 0)
        setting_refuse(walk, setting, name, false, err.msg);
    if (r < 0)
        return;
    *field = read.secret;
    read.secret = NULL;
    if (read.path && others_may(read.st.st_mode))
        warn_about_secret_file(walk, type, setting, &read);
    if (read.hidden)
        warn_about_hidden_file(walk, setting, &read);
    warn_about_key(walk, secret, setting, name, *field);
}

static bool is_list(const config_setting_t *setting)
{
    return config_setting_is_array(setting) || config_setting_is_list(setting);
}

/* Takes value over. */
static bool list_append(void *field, char *value)
{
    struct list list = list_get(field, 0);
    char *elements = realloc(list.elements, (list.n_elements + 1) * sizeof(value));
    if (!elements) {
        secret_wipe(value);
        return false;
    }
    memcpy(elements + list.n_elements * sizeof(value), &value, sizeof(value));
    list_set(field, 0, (struct list){ elements, list.n_elements + 1 });
    return true;
}

static bool append_lines(void *field, const char *text)
{
    for (size_t size; *text; text += size + (text[size] == '\n')) {
        size = strcspn(text, "\n");
        size_t line = size && text[size - 1] == '\r' ? size - 1 : size;
        char *copy = line ? strndup(text, line) : NULL;
        if (line && (!copy || !list_append(field, copy)))
            return false;
    }
    return true;
}

static void refuse_twin_file(const struct walk *walk, const struct config_option *option,
                             const config_setting_t *setting, const char *name, const char *list_name, struct list list)
{
    size_t last = list.n_elements - 1, size = value_size(option->type);
    for (unsigned i = 0; option->unique && i < last; i++)
        if (value_clashes(CONFIG_SECRET, list.elements + i * size, list.elements + last * size)) {
            setting_refuse_twin(walk, setting, false, CONFIG_SECRET, name, list_name, i);
            return;
        }
}

void take_secret_files(const struct walk *walk, const struct config_option *option, const config_setting_t *setting,
                       const char *name, void *field)
{
    const struct config_option *secret = option_partner(option);
    bool alone = !is_list(setting);
    unsigned n = alone ? 1 : (unsigned) config_setting_length(setting);
    if (!n || n > LIST_MAX_ELEMENTS)
        setting_refuse(walk, setting, name, false, n ? "expected fewer of them" : "expected at least one");
    for (unsigned i = 0; i < n && n <= LIST_MAX_ELEMENTS; i++) {
        const config_setting_t *element = alone ? setting : config_setting_get_elem(setting, i);
        char element_name[NAME_ROOM], *value = NULL;
        snprintf(element_name, sizeof(element_name), alone ? "%s" : "%s[%u]", name, i);
        take_secret_file(walk, secret, element, element_name, &value);
        if (!value)
            continue;
        bool lines = secret->type == CONFIG_HEADER;
        walk->problems->failed |= lines ? !append_lines(field, value) : !list_append(field, value);
        if (lines)
            secret_wipe(value);
        else if (!walk->problems->failed)
            refuse_twin_file(walk, option, element, element_name, name, list_get(field, 0));
    }
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
    case CONFIG_HEADER:
        return "a header";
    case CONFIG_ID:
        return "an id";
    case CONFIG_TEXT:
    case CONFIG_FILE:
    case CONFIG_WORD:
    case CONFIG_BOOL:
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
    bool alone = option->single && !is_list(setting);
    unsigned n = alone ? 1 : (unsigned) config_setting_length(setting);
    const char *wrong = alone                   ? NULL
                        : !is_list(setting)     ? "expected a list: [ …, … ]"
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
        const config_setting_t *element = alone ? setting : config_setting_get_elem(setting, i);
        char element_name[NAME_ROOM];
        snprintf(element_name, sizeof(element_name), alone ? "%s" : "%s[%u]", name, i);
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
