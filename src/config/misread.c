/* misread.c - what YAML reads otherwise than it was meant: quotes of word processors, texts that a comment cuts short,
 * texts without quotes that are groups for it. */
#include <string.h>

#include "config_private.h"

#define TYPOGRAPHIC                                                                                                    \
    "these quotes are those of a word processor, and belong to the text for YAML: write \" in their place"

static void refuse_in_line(const struct walk *walk, const struct node *setting, const char *name, const char *sentence)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    excerpt_add(&shown, &walk->source->files[setting->at.file], setting->at);
    problems_add(walk->problems, setting_place(walk, setting), "%s: %s", name, sentence);
    problems_show(walk->problems, shown.s);
    walk->problems->failed |= shown.failed;
}

static bool begins_typographic(const char *s)
{
    static const char *const quotes[] = { "“", "”", "„", "‘", "’", "‚", "«", "»" };
    for (size_t i = 0; i < ARRAY_SIZE(quotes); i++)
        if (strncmp(s, quotes[i], strlen(quotes[i])) == 0)
            return true;
    return false;
}

/* What is right for YAML, and hardly meant. */
static bool refuse_text(const struct walk *walk, const struct config_option *option, const struct node *setting,
                        const char *name)
{
    if (setting->plain && begins_typographic(setting->text)) {
        refuse_in_line(walk, setting, name, TYPOGRAPHIC);
        return true;
    }
    if (setting->cut && (value_is_secret(option->type) || option->prose)) {
        refuse_in_line(walk, setting, name,
                       "a # behind a blank begins a comment, and cuts this short: expected quotes around it, or the "
                       "comment on a line of its own");
        return true;
    }
    if (setting_is_empty(setting) && option->type == CONFIG_TEXT) {
        setting_refuse(walk, setting, name, false, "expected a text, \"\" for an empty one");
        return true;
    }
    return false;
}

/* {summary} is a group for YAML, and so is "panic: true" in a list: what was meant as a text, or nothing. */
static struct span meant_text(const struct source_file *file, const struct config_option *option,
                              const struct node *setting)
{
    const char *from = file->text.s + source_offset(file, setting->at);
    struct node_mark end = setting->end;
    if (setting->kind != NODE_GROUP || !setting->n_members)
        return (struct span){ from, 0 };
    const struct node *first = &setting->members[0];
    bool alone = setting->n_members == 1 && first->kind == NODE_TEXT;
    if (!setting->brackets)
        end = first->end;
    else if (*from == '{')
        alone = option->prose || (alone && setting_is_empty(first));
    if (!alone || end.line != setting->at.line)
        return (struct span){ from, 0 };
    return (struct span){ from, (size_t) (file->text.s + source_offset(file, end) - from) };
}

static void refuse_several(const struct walk *walk, const struct config_option *option, const struct node *setting,
                           const char *name)
{
    struct text sentence CLEANUP(text_free) = TEXT_INIT;
    struct span meant = meant_text(&walk->source->files[setting->at.file], option, setting);
    if (!meant.size) {
        text_add(&sentence, "expected ");
        value_add_expected(&sentence, option);
        setting_refuse(walk, setting, name, value_is_secret(option->type), sentence.s);
    } else {
        text_add(&sentence, "without quotes this is no text for YAML: put it in quotes: ");
        if (value_is_secret(option->type))
            text_add(&sentence, "\"…\"");
        else
            excerpt_pair_add_quotes(&sentence, meant);
        refuse_in_line(walk, setting, name, sentence.s);
    }
    walk->problems->failed |= sentence.failed;
}

bool misread_refuse(const struct walk *walk, const struct config_option *option, const struct node *setting,
                    const char *name)
{
    if (setting->kind == NODE_TEXT)
        return refuse_text(walk, option, setting, name);
    if (setting->kind != NODE_REFUSED)
        refuse_several(walk, option, setting, name);
    return true;
}

bool misread_refuse_name(const struct walk *walk, const struct node *setting, const char *name)
{
    if (!begins_typographic(setting->name))
        return false;
    struct node at = { .kind = NODE_TEXT, .at = setting->name_at };
    refuse_in_line(walk, &at, name, TYPOGRAPHIC);
    return true;
}
