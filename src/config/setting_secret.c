/* setting_secret.c - a setting that names the file of a secret: read, with warnings of who else may. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

static void warn_about_secret_file(const struct walk *walk, enum config_type type, const struct node *setting,
                                   const struct secret_file *file)
{
    struct text remedy CLEANUP(text_free) = TEXT_INIT, shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, file->path, strlen(file->path), 0);
    if (file->in_folder || !access_is_read_as_anybody(&file->st)) {
        access_add_remedy(&remedy, file->path, &file->st);
    } else if (secret_is_service(walk->config->file)) {
        text_addf(&remedy, "mv %s ", shown.s);
        secret_add_folder(&remedy, walk->config->file);
    } else {
        text_addf(&remedy, "chown it to the user of the daemon, then chmod 600 %s", shown.s);
    }
    problems_warn(walk->problems, setting_place(walk, setting), "others may %s %s, which holds a %s: %s",
                  access_others_may(file->st.st_mode), shown.s, secret_noun(type), remedy.s);
    walk->problems->failed |= remedy.failed || shown.failed;
}

/* The first one is enough. */
static void note_missing(const struct walk *walk, const struct node *setting, const char *name, const char *sentence)
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

static void warn_about_hidden_file(const struct walk *walk, const struct node *setting, const struct secret_file *file)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT, folder CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, file->path, strlen(file->path), 0);
    secret_add_folder(&folder, walk->config->file);
    problems_warn(walk->problems, setting_place(walk, setting),
                  "root reads %s, the service does not, unless a LoadCredential= of yours names it: mv %s %s/", shown.s,
                  shown.s, folder.s);
    walk->problems->failed |= shown.failed || folder.failed;
}

/* So that it can be printed as it was written; and made, where it is to be. */
static void note_file(const struct walk *walk, const void *field, const char *name, bool to_make)
{
    struct config *config = walk->config;
    struct config_secret_file *files = reallocarray(config->secret_files, config->n_secret_files + 1, sizeof(files[0]));
    if (!files) {
        walk->problems->failed = true;
        return;
    }
    config->secret_files = files;
    struct config_secret_file *file = &files[config->n_secret_files++];
    *file = (struct config_secret_file){ .field = field, .name = strdup(name) };
    file->to_make = to_make ? secret_place_to_make(&walk->secrets, name) : NULL;
    walk->problems->failed |= !file->name || (to_make && !file->to_make);
}

static void take_file(const struct walk *walk, const struct config_option *secret, const struct node *setting,
                      const char *name, char **field)
{
    enum config_type type = secret->type;
    const char *file = setting_node_text(setting);
    if (!file || !*file) {
        setting_refuse(walk, setting, name, false, "expected the name of a file");
        return;
    }

    struct err err;
    struct secret_file read CLEANUP(secret_file_done) = { 0 };
    int r = secret_read(type, &walk->secrets, file, &read, &err);
    walk->problems->failed |= r == -ENOMEM;
    problems_note(walk->problems, r);
    if (r == -ENOENT && secret->made)
        return;
    if (r < 0 && walk->missing)
        note_missing(walk, setting, name, err.msg);
    else if (r < 0)
        setting_refuse(walk, setting, name, false, err.msg);
    if (r < 0)
        return;
    *field = read.secret;
    read.secret = NULL;
    if (read.path && access_others_may(read.st.st_mode))
        warn_about_secret_file(walk, type, setting, &read);
    if (read.hidden)
        warn_about_hidden_file(walk, setting, &read);
    config_warn_about_key(walk, secret, setting, name, *field);
}

void setting_take_secret_file(const struct walk *walk, const struct config_option *secret, const struct node *setting,
                              const char *name, char **field)
{
    take_file(walk, secret, setting, name, field);
    if (*field || (secret->made && setting_node_text(setting)))
        note_file(walk, field, setting_node_text(setting), !*field);
}

/* Takes value over. */
static bool list_append(void *field, char *value)
{
    struct list list = row_list_get(field, 0);
    char *elements = realloc(list.elements, (list.n_elements + 1) * sizeof(value));
    if (!elements) {
        secret_wipe(value);
        return false;
    }
    memcpy(elements + list.n_elements * sizeof(value), &value, sizeof(value));
    row_list_set(field, 0, (struct list){ elements, list.n_elements + 1 });
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

static void refuse_twin_file(const struct walk *walk, const struct config_option *option, const struct node *setting,
                             const char *name, const char *list_name, struct list list)
{
    size_t last = list.n_elements - 1, size = value_size(option->type);
    for (unsigned i = 0; option->unique && i < last; i++)
        if (value_clashes(CONFIG_SECRET, list.elements + i * size, list.elements + last * size)) {
            setting_refuse_twin(walk, setting, false, CONFIG_SECRET, name, list_name, i);
            return;
        }
}

void setting_take_secret_files(const struct walk *walk, const struct config_option *option,
                               const struct config_option *secret, const struct node *setting, const char *name,
                               void *field)
{
    bool alone = setting->kind != NODE_LIST;
    unsigned n = alone ? 1 : (unsigned) setting->n_members;
    if (!n || n > LIST_MAX_ELEMENTS)
        setting_refuse(walk, setting, name, false, n ? "expected fewer of them" : "expected at least one");
    for (unsigned i = 0; i < n && n <= LIST_MAX_ELEMENTS; i++) {
        const struct node *element = alone ? setting : &setting->members[i];
        char element_name[NAME_ROOM], *value = NULL;
        snprintf(element_name, sizeof(element_name), alone ? "%s" : "%s[%u]", name, i);
        take_file(walk, secret, element, element_name, &value);
        if (!value)
            continue;
        note_file(walk, field, setting_node_text(element), false);
        bool lines = secret->type == CONFIG_HEADER;
        walk->problems->failed |= lines ? !append_lines(field, value) : !list_append(field, value);
        if (lines)
            secret_wipe(value);
        else if (!walk->problems->failed)
            refuse_twin_file(walk, option, element, element_name, name, row_list_get(field, 0));
    }
}
