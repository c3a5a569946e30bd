/* types.c - "sonoran-pushctl types": every type of event, and what an action can know of it. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/action_type.h>
#include <sonoran-pushd/families.h>

#include "types.h"

#define TYPES_MAX 64
#define WORD_MAX_CHARS 60

struct arguments {
    struct ctl_common common;
};

static const struct ctl_option rows[] = {
    OPTION_JSON("as one object"),
};

static const struct ctl_spec spec = {
    .verb = "types",
    .usage = "[TYPE] [OPTION]...",
    .about = "Prints every type of event, or one with an example, its line in the journal, and its facts: what "
             "conditions (when), {placeholders} and SONORAN_* variables of an action can use. A part of a name is "
             "enough: types panic.",
    .footer = "Exit status: 0 done, 2 usage or no such type, 1 anything else.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_max = 1,
};

struct found {
    const struct event_type *types[TYPES_MAX];
    const struct event_family *families[TYPES_MAX];
    size_t n;
};

/* ---- which ---- */

static bool is_called(const char *name, const char *word)
{
    static const char prefix[] = "EVENT_";
    size_t skipped = strncmp(name, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
    return strcasecmp(name, word) == 0 || strcasecmp(name + skipped, word) == 0;
}

static bool is_exact(const struct event_type *type, const char *word)
{
    return is_called(type->name, word) || (type->alias && is_called(type->alias, word));
}

static bool is_part(const struct event_type *type, const char *word)
{
    return strcasestr(type->name, word) || (type->alias && strcasestr(type->alias, word));
}

static void find(bool (*matches)(const struct event_type *type, const char *word), const char *word, struct found *ret)
{
    for (size_t i = 0; i < families_all.n; i++)
        for (size_t k = 0; k < families_all.list[i]->n_types && ret->n < TYPES_MAX; k++) {
            const struct event_type *type = &families_all.list[i]->types[k];
            if (word && !matches(type, word))
                continue;
            ret->types[ret->n] = type;
            ret->families[ret->n++] = families_all.list[i];
        }
}

static void find_word(const char *written, struct found *ret)
{
    char word[EVENT_TYPE_MAX_BYTES + 1];
    snprintf(word, sizeof(word), "%s", written);
    for (char *p = word; *p; p++)
        if (*p == '-' || *p == ' ')
            *p = '_';
    find(is_exact, word, ret);
    if (ret->n == 0 && *word)
        find(is_part, word, ret);
}

static const struct event_type *find_internal(const char *word)
{
    const struct event_family *internal = families_all.internal;
    for (size_t i = 0; internal && i < internal->n_types; i++)
        if (is_exact(&internal->types[i], word))
            return &internal->types[i];
    return NULL;
}

static int tell_unknown(const char *word)
{
    const struct event_type *internal = find_internal(word);
    if (internal)
        return ctl_fail(EXIT_USAGE,
                        "%s is made by " PROGRAM_NAME " itself, of what a CAD told after a session's login: it changes "
                        "what is known, and goes to no action",
                        internal->name);
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    const char *near = event_nearest_type(&families_all, word);
    table_write_safe(&shown, word, WORD_MAX_CHARS);
    return ctl_fail(EXIT_USAGE, "no type is called %s%s%s%s", shown.s, near ? "; did you mean " : "", near ? near : "",
                    near ? "?" : "");
}

/* ---- printing ---- */

static void write_table(const struct found *found, struct text *out)
{
    const char *cells[2 * (TYPES_MAX + 1)] = { "TYPE", "WHAT HAPPENS" }, *notes[TYPES_MAX + 1] = { "" };
    struct text aliases[TYPES_MAX];
    for (size_t i = 0; i < found->n; i++) {
        aliases[i] = (struct text) TEXT_INIT;
        if (found->types[i]->alias)
            text_addf(&aliases[i], "also called %s", found->types[i]->alias);
        cells[2 * (i + 1)] = found->types[i]->name;
        cells[2 * (i + 1) + 1] = types_about(found->types[i]);
        notes[i + 1] = aliases[i].s;
    }
    table_write(cells, notes, found->n + 1, 2, out);
    for (size_t i = 0; i < found->n; i++)
        text_free(&aliases[i]);
    text_add(out, "\n" CTL_NAME " types TYPE shows what an action can know of one.\n");
}

/* What conditions and placeholders know of every event. */
static void write_common(struct text *out)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    text_add(&line, "Every event has as well:");
    for (size_t i = 0; i < facts_of_every_event.n; i++)
        text_addf(&line, " %s", facts_of_every_event.rows[i].name);
    for (size_t i = 0; record_member_name(i); i++)
        text_addf(&line, " %s", record_member_name(i));
    text_add(out, "\n");
    wrap_write(out, line.s, 2, wrap_width());
}

static void write_common_json(struct json_writer *out)
{
    json_begin_array(out, "of_every_event");
    for (size_t i = 0; i < facts_of_every_event.n; i++)
        json_add_text(out, NULL, facts_of_every_event.rows[i].name);
    for (size_t i = 0; record_member_name(i); i++)
        json_add_text(out, NULL, record_member_name(i));
    json_end(out);
}

static int write_json(const struct found *found, struct text *out, struct err *err)
{
    struct json_writer json = json_writer(out);
    int r = 0;
    json_begin_object(&json, NULL);
    json_begin_array(&json, "types");
    for (size_t i = 0; i < found->n && r >= 0; i++)
        r = types_write_json(found->types[i], found->families[i], &json, err);
    json_end(&json);
    write_common_json(&json);
    json_end(&json);
    text_add(out, "\n");
    return r;
}

static int write_people(const struct found *found, struct text *out, struct err *err)
{
    if (found->n > 1) {
        write_table(found, out);
        return 0;
    }
    int r = types_write(found->types[0], out, err);
    write_common(out);
    return r;
}

int types_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct found found = { .n = 0 };
    struct err err;
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;
    const char *word = optind < argc ? argv[optind] : NULL;
    if (word)
        find_word(word, &found);
    else
        find(NULL, NULL, &found);
    if (word && found.n == 0)
        return tell_unknown(word);
    int r = arguments.common.json ? write_json(&found, &out, &err) : write_people(&found, &out, &err);
    return r < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : table_write_stdout(&out);
}
