/* doubts.c - what is accepted and is hardly meant: warnings. */
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

/* Of what people copy around a key. What is no ASCII is one of the quotes that word processors make. */
static const struct {
    const char *letters, *name;
} strangers[] = {
    { "\"", "a quote (\")" },
    { "'", "a quote (')" },
    { "`", "a quote (`)" },
    { "\xe2\x80\x98", "a quote (‘)" },
    { "\xe2\x80\x99", "a quote (’)" },
    { "\xe2\x80\x9c", "a quote (“)" },
    { "\xe2\x80\x9d", "a quote (”)" },
    { "\xe2\x80\x9e", "a quote („)" },
    { "{", "a brace ({)" },
    { "}", "a brace (})" },
    { "[", "a bracket ([)" },
    { "<", "a bracket (<)" },
    { "=", "a \"=\"" },
    { ":", "a colon" },
    { " ", "a blank" },
};

/* What manuals and samples write in its place, without what is no letter. */
static bool is_placeholder(const char *key)
{
    static const char *const words[] = { "yourapikey",       "yourapikeyhere", "yourkey",          "yourkeyhere",
                                         "apikey",           "sonoranapikey",  "cadapikey",        "changeme",
                                         "keyhere",          "insertkeyhere",  "insertapikeyhere", "yourcadapikey",
                                         "yoursonoranapikey" };
    char letters[32] = "";
    size_t n = 0;
    for (; *key; key++) {
        char lower = *key >= 'A' && *key <= 'Z' ? (char) (*key - 'A' + 'a') : *key;
        if (lower < 'a' || lower > 'z')
            continue;
        if (n == sizeof(letters) - 1)
            return false;
        letters[n++] = lower;
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(letters, words[i]) == 0)
            return true;
    return false;
}

/* The sentence shows no part of the key. */
static bool key_is_doubtful(const char *key, struct text *ret_sentence)
{
    if (is_placeholder(key)) {
        text_add(ret_sentence,
                 "this stands in the place of a key: write the community's own, which the CAD's panel shows");
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(strangers); i++)
        if (strstr(key, strangers[i].letters)) {
            text_addf(ret_sentence,
                      "the key has %s in it, which a community's key has not: write the key alone, as the CAD's panel "
                      "shows it",
                      strangers[i].name);
            return true;
        }
    return false;
}

void config_warn_about_key(const struct walk *walk, const struct config_option *option, const struct node *setting,
                           const char *name, const char *key)
{
    struct text sentence CLEANUP(text_free) = TEXT_INIT;
    if (strcmp(option->name, "api_key") == 0 && key_is_doubtful(key, &sentence))
        problems_warn(walk->problems, setting_place(walk, setting), "%s: %s", name, sentence.s);
    walk->problems->failed |= sentence.failed;
}

static void warn_of_limit(const struct walk *walk, const struct node *limits, const char *name, const char *sentence)
{
    const struct node *setting = node_member(limits, name);
    if (setting)
        problems_warn(walk->problems, setting_place(walk, setting), "limits.%s: %s", name, sentence);
}

void config_warn_about_limits(const struct walk *walk, const struct node *root)
{
    const struct config *config = walk->config;
    const struct node *limits = node_member(root, "limits");
    if (!limits || walk->problems->n_mistakes)
        return;
    if (!config->limits.failed_keys)
        warn_of_limit(walk, limits, "failed_keys_window", "without effect, because failed_keys: 0 is no limit");
    if (config->limits.connections_per_ip > config->limits.connections)
        warn_of_limit(walk, limits, "connections_per_ip", "without effect above limits.connections");
}
