/* setting.c - one setting of a file into its field, or the sentence that refuses it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

struct place setting_place(const struct walk *walk, const struct node *setting)
{
    return source_place(walk->source, setting->at);
}

const char *setting_node_text(const struct node *node)
{
    return node_is(node, NODE_TEXT) ? node->text : NULL;
}

/* A text stands in quotes, unless it is one word that was written without. */
static bool is_word(const struct node *setting)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-/%";
    return setting->plain && strspn(setting->text, letters) == strlen(setting->text);
}

static void add_value(struct text *text, const struct config_schema *schema, const struct node *setting)
{
    bool list = setting->kind == NODE_LIST;
    if (setting->kind == NODE_TEXT) {
        const char *quote = is_word(setting) ? "" : "\"";
        struct span value = { setting->text, strlen(setting->text) };
        text_add(text, quote);
        if (excerpt_value_holds_secret(schema, value))
            text_add(text, "…");
        else
            text_add_safe(text, value.s, value.size, SHOWN_MAX_CHARS);
        text_add(text, quote);
    } else if (!setting->n_members) {
        text_add(text, list ? "[ ]" : "{ }");
    } else {
        text_add(text, list ? "[ … ]" : "{ … }");
    }
}

bool setting_is_empty(const struct node *setting)
{
    return setting->kind == NODE_TEXT && setting->plain && !*setting->text;
}

void setting_refuse(const struct walk *walk, const struct node *setting, const char *name, bool secret,
                    const char *sentence)
{
    if (setting->kind == NODE_REFUSED)
        return;
    struct text text = TEXT_INIT;
    text_add(&text, name);
    if (!secret && !setting_is_empty(setting)) {
        text_add(&text, " = ");
        add_value(&text, walk->config->schema, setting);
    }
    walk->problems->failed |= text.failed;
    problems_add(walk->problems, setting_place(walk, setting), "%s: %s%s", text.s, sentence,
                 setting_is_empty(setting) ? ", and nothing stands here" : "");
    text_free(&text);
}

/* An address of a server, without a login in it. */
static bool is_bare_address(const char *secret)
{
    return (strstr(secret, "://") || strncmp(secret, "unix:/", strlen("unix:/")) == 0) && !strchr(secret, '@');
}

/* Like the key of config/demo.yaml, which everybody has. */
static bool is_public(const struct config_option *option, const char *secret)
{
    if (option->type == CONFIG_HEADER)
        return secret && !config_header_is_private(secret);
    return option->type == CONFIG_SECRET && secret && (strcmp(secret, "demo") == 0 || is_bare_address(secret));
}

static void warn_about_file(const struct walk *walk, const struct config_option *option, const struct node *setting)
{
    struct source_file *file = &walk->source->files[setting->at.file];
    const char *what = access_others_may(file->st.st_mode), *config_file = walk->config->file;
    if (!what || file->warned)
        return;

    struct text remedy CLEANUP(text_free) = TEXT_INIT;
    if (!access_is_read_as_anybody(&file->st)) {
        access_add_remedy(&remedy, file->name, &file->st);
    } else {
        text_addf(&remedy, "keep it in a file of its own, %s_file, in ", option->name);
        secret_add_folder(&remedy, config_file);
    }
    problems_warn(walk->problems, setting_place(walk, setting), "this file holds a %s, and others may %s it: %s",
                  secret_noun(option->type), what, remedy.s);
    walk->problems->failed |= remedy.failed;
    file->warned = true; /* every key in it is as open as the first */
}

void setting_take_value(const struct walk *walk, const struct config_option *option, const struct node *setting,
                        const char *name, void *field)
{
    struct err err;
    bool misread = misread_refuse(walk, option, setting, name);
    int r = misread ? -EINVAL : value_parse(option, setting->text, field, &err);
    if (r == -ENOMEM)
        walk->problems->failed = true;
    else if (r < 0 && !misread)
        setting_refuse(walk, setting, name, value_is_secret(option->type), err.msg);
    if (!value_is_secret(option->type))
        return;
    if (r < 0 || !is_public(option, *(char *const *) field))
        warn_about_file(walk, option, setting);
    if (r == 0)
        config_warn_about_key(walk, option, setting, name, *(char *const *) field);
}

static const char *noun_of(enum config_type type)
{
    switch (type) {
    case CONFIG_NAME:
        return "a name";
    case CONFIG_ADDRESS:
        return "an address";
    case CONFIG_NETWORK:
        return "a network";
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

void setting_refuse_twin(const struct walk *walk, const struct node *setting, bool secret, enum config_type type,
                         const char *name, const char *list, unsigned twin)
{
    char sentence[NAME_ROOM];
    snprintf(sentence, sizeof(sentence), "expected %s of its own, %s[%u] has it already", noun_of(type), list, twin);
    setting_refuse(walk, setting, name, secret, sentence);
}

void setting_take_values(const struct walk *walk, const struct config_option *option, const struct node *setting,
                         const char *name, void *field)
{
    size_t size = value_size(option->type);
    bool alone = option->single && setting->kind != NODE_LIST;
    unsigned n = alone ? 1 : (unsigned) setting->n_members;
    const char *wrong = alone                        ? NULL
                        : setting->kind != NODE_LIST ? "expected a list: [ …, … ]"
                        : !n                         ? "expected at least one"
                        : n > LIST_MAX_ELEMENTS      ? "expected fewer of them"
                                                     : NULL;
    if (wrong) {
        setting_refuse(walk, setting, name, value_is_secret(option->type), wrong);
        return;
    }
    struct list list = { calloc(n, size), n };
    if (!list.elements) {
        walk->problems->failed = true;
        return;
    }
    row_list_set(field, 0, list);

    for (unsigned i = 0; i < n; i++) {
        const struct node *element = alone ? setting : &setting->members[i];
        char element_name[NAME_ROOM];
        snprintf(element_name, sizeof(element_name), alone ? "%s" : "%s[%u]", name, i);
        setting_take_value(walk, option, element, element_name, list.elements + i * size);
        for (unsigned j = 0; option->unique && j < i; j++)
            if (value_clashes(option->type, list.elements + i * size, list.elements + j * size)) {
                setting_refuse_twin(walk, element, value_is_secret(option->type), option->type, element_name, name, j);
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
    row_list_set(field, 0, list);

    char *rest = words;
    for (size_t i = 0; i < n; i++) {
        int r = value_parse_fallback(option, strsep(&rest, " "), list.elements + i * size);
        if (r < 0)
            return r;
    }
    return 0;
}

int setting_take_fallback(const struct config_option *option, void *field)
{
    return option->list ? fall_back_list(option, field) : value_parse_fallback(option, option->fallback, field);
}
