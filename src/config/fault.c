/* fault.c - a mistake in the syntax: libyaml says where it gave up, these rules say what was meant there.
 *
 * Each rule looks whether it knows the mistake, says it, and mends the text where one sees how. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

struct span fault_line(const struct story *story, unsigned line)
{
    return source_line(story->file, line);
}

size_t fault_indent(struct span line)
{
    size_t i = 0;
    while (i < line.size && line.s[i] == ' ')
        i++;
    return i;
}

size_t fault_offset_in_line(const struct story *story, struct node_mark at)
{
    return source_offset(story->file, at) - (size_t) (fault_line(story, at.line).s - story->file->text.s);
}

bool fault_is(const struct story *story, const char *problem)
{
    return story->fault->kind == FAULT_OF_LIBYAML && strstr(story->fault->problem, problem);
}

bool fault_context_is(const struct story *story, const char *context)
{
    return story->fault->kind == FAULT_OF_LIBYAML && strstr(story->fault->context, context);
}

void fault_mend(struct story *story, enum mend mend, const char *s, size_t size, const char *by)
{
    story->mend = mend;
    story->from = (size_t) (s - story->file->text.s);
    story->to = story->from + size;
    text_reset(&story->by);
    text_add(&story->by, by);
}

/* Of letters as they stand in the file: the sentence hides what could be a secret, the mended text must not. */
static void add_raw_quotes(struct text *text, struct span value)
{
    text_add(text, "\"");
    for (size_t i = 0; i < value.size; i++) {
        if (value.s[i] == '"' || value.s[i] == '\\')
            text_add(text, "\\");
        text_add_bytes(text, value.s + i, 1);
    }
    text_add(text, "\"");
}

void fault_quote(struct story *story, const struct pair *pair)
{
    struct text by CLEANUP(text_wipe) = TEXT_INIT;
    text_add(&by, excerpt_pair_is_list(story->file->schema, pair) ? "[ " : "");
    add_raw_quotes(&by, pair->value);
    text_add(&by, excerpt_pair_is_list(story->file->schema, pair) ? " ]" : "");
    fault_mend(story, MEND_SURE, pair->value.s, pair->value.size, by.s);
}

void fault_say_unquoted(struct text *sentence, const struct config_schema *schema, const struct pair *pair)
{
    text_add(sentence, "put it in quotes: ");
    excerpt_pair_add_quoted(sentence, schema, pair);
}

/* ---- tabs ---- */

static bool tab_in_indent(struct span line, size_t *ret_offset)
{
    size_t i = fault_indent(line);
    *ret_offset = i;
    return i < line.size && line.s[i] == '\t';
}

static bool try_tab(struct story *story)
{
    size_t offset;
    if (!fault_is(story, "cannot start any token") && !fault_is(story, "tab character"))
        return false;
    if (!tab_in_indent(fault_line(story, story->at.line), &offset))
        return false;
    story->at.column = (unsigned) offset + 1;
    text_add(&story->sentence, "a tab in front of a line: expected blanks, two in place of each tab");
    struct text by CLEANUP(text_wipe) = TEXT_INIT;
    struct span rest = fault_line(story, story->at.line);
    size_t size = strspn(rest.s, " \t");
    for (size_t i = 0; i < size; i++)
        text_add(&by, rest.s[i] == '\t' ? "  " : " ");
    fault_mend(story, MEND_SURE, rest.s, size, by.s);
    return true;
}

/* ---- quotes ---- */

static bool try_open_quote(struct story *story)
{
    bool at_end = fault_is(story, "unexpected end of stream") && fault_context_is(story, "quoted scalar");
    if (story->fault->kind != FAULT_QUOTE && !at_end)
        return false;
    story->at = story->fault->context_at;
    struct span line = fault_line(story, story->at.line);
    size_t offset = fault_offset_in_line(story, story->at);
    const char *end = line.s + line.size, quote[2] = { line.s[offset], 0 };
    bool brackets = memchr(line.s, '{', offset) || memchr(line.s, '[', offset);
    while (end > line.s + offset + 1 && strchr(brackets ? " \t,}]" : " \t", end[-1]))
        end--;
    text_addf(&story->sentence, "a text that begins with %s here is not closed on its line: expected a second %s",
              quote, quote);
    fault_mend(story, brackets ? MEND_DOUBTFUL : MEND_SURE, end, 0, quote);
    return true;
}

/* name: "a" b */
static bool try_behind_quote(struct story *story)
{
    struct pair pair = excerpt_pair_find(fault_line(story, story->at.line), 0);
    if (!fault_is(story, "did not find expected") || !pair.value.size || !strchr("\"'", *pair.value.s))
        return false;
    size_t offset = fault_offset_in_line(story, story->at);
    const char quote = *pair.value.s, *at = fault_line(story, story->at.line).s + offset;
    if (at <= pair.value.s || at > pair.value.s + pair.value.size)
        return false;
    if (pair.value.size > 1 && pair.value.s[pair.value.size - 1] == quote) {
        struct pair inner = pair;
        inner.value = (struct span){ pair.value.s + 1, pair.value.size - 2 };
        text_addf(&story->sentence, "the second %c ends the text, and more follows: expected ", quote);
        excerpt_pair_add_quoted(&story->sentence, story->file->schema, &inner);
        struct text by CLEANUP(text_wipe) = TEXT_INIT;
        add_raw_quotes(&by, inner.value);
        fault_mend(story, MEND_SURE, pair.value.s, pair.value.size, by.s);
        return true;
    }
    text_addf(&story->sentence, "more follows behind the second %c: expected quotes around all of it, or none", quote);
    fault_mend(story, MEND_SURE, at, (size_t) (pair.value.s + pair.value.size - at), "");
    return true;
}

/* ---- \ in " " ---- */

static const char *backslash_before(const struct story *story, struct node_mark at)
{
    struct span line = fault_line(story, at.line);
    const char *p = line.s + fault_offset_in_line(story, at);
    while (p > line.s && *p != '\\')
        p--;
    return *p == '\\' ? p : NULL;
}

/* JSON writes a letter above U+FFFF as two halves. */
static bool read_halves(const char *p, unsigned *ret_code)
{
    unsigned high, low;
    int n = 0;
    if (sscanf(p, "\\u%4x\\u%4x%n", &high, &low, &n) != 2 || n != 12 || (high & 0xfc00) != 0xd800 ||
        (low & 0xfc00) != 0xdc00)
        return false;
    *ret_code = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
    return true;
}

static bool try_escape(struct story *story)
{
    unsigned code;
    if (!fault_context_is(story, "quoted scalar"))
        return false;
    const char *at = backslash_before(story, story->at);
    if (!at)
        return false;
    struct span line = fault_line(story, story->at.line);
    story->at.column -= (unsigned) (line.s + fault_offset_in_line(story, story->at) - at);
    if (read_halves(at, &code)) {
        char by[16];
        snprintf(by, sizeof(by), "\\U%08X", code);
        text_addf(&story->sentence,
                  "%.12s are two halves of one letter, which YAML does not join: write the letter itself, or %s", at,
                  by);
        fault_mend(story, MEND_SURE, at, 12, by);
        return true;
    }
    text_add(&story->sentence,
             "a \\ in a text with \" begins \\n, \\t, \\\", \\\\ and the like: expected \\\\ for one that stands for "
             "itself, or ' in place of the quotes");
    fault_mend(story, MEND_SURE, at, 1, "\\\\");
    return true;
}

/* ---- letters with a meaning ---- */

static bool try_letter(struct story *story)
{
    struct node_mark at = story->at;
    if (fault_context_is(story, "an alias") || fault_context_is(story, "an anchor") ||
        fault_context_is(story, "a tag") || fault_context_is(story, "a directive"))
        at = story->fault->context_at;
    else if (!fault_is(story, "cannot start any token"))
        return false;
    struct span line = fault_line(story, at.line);
    size_t offset = fault_offset_in_line(story, at);
    char letter[2] = { offset < line.size ? line.s[offset] : 0, 0 };
    if (!*letter || !strchr("*&!@%`|>?", *letter))
        return false;
    struct pair pair = excerpt_pair_at(story->file, at.line, offset ? offset : 1);
    story->at = at;
    text_addf(&story->sentence, "a value that begins with %s means something else in YAML: ", letter);
    fault_say_unquoted(&story->sentence, story->file->schema, &pair);
    fault_quote(story, &pair);
    return true;
}

void fault_tell_unquoted(const struct source *source, struct node_mark at, bool text, struct problems *problems)
{
    const struct source_file *file = &source->files[at.file];
    struct span line = source_line(file, at.line);
    size_t offset = source_offset(file, at) - (size_t) (line.s - file->text.s);
    struct pair pair = excerpt_pair_at(file, at.line, offset ? offset : 1);
    struct text sentence CLEANUP(text_free) = TEXT_INIT, shown CLEANUP(text_free) = TEXT_INIT;
    char letter[2] = { offset < line.size ? line.s[offset] : '&', 0 };
    if (text) {
        text_addf(&sentence, "a value that begins with %s means something else in YAML: ", letter);
        fault_say_unquoted(&sentence, file->schema, &pair);
    } else {
        text_add(&sentence, "& gives a name to what follows, and ! a kind, which is not read here: take it out");
    }
    excerpt_add(&shown, file, at);
    problems_add(problems, source_place(source, at), "%s", sentence.s);
    problems_show(problems, shown.s);
    problems->failed |= sentence.failed || shown.failed;
}

/* ---- telling ---- */

static bool (*const rules[])(struct story *) = {
    try_tab,         try_open_quote,         try_escape,         try_letter,       fault_try_colon,  fault_try_end,
    fault_try_lines, fault_try_second_colon, fault_try_brackets, try_behind_quote, fault_try_indent,
};

static bool apply(struct story *story)
{
    struct text *text = &story->file->text, mended = TEXT_INIT;
    if (story->mend == MEND_NONE)
        return true;
    if (!source_note_mend(story->file, story->from, story->to - story->from,
                          (struct span){ story->by.s, story->by.size }))
        return false;
    if (!text_reserve(&mended, text->size + story->by.size + 1)) /* at once: growing would leave copies behind */
        return false;
    text_add_bytes(&mended, text->s, story->from);
    text_add(&mended, story->by.s);
    text_add_bytes(&mended, text->s + story->to, text->size - story->to);
    text_wipe(text);
    *text = mended;
    return true;
}

/* What nothing before could explain. */
static void say_anything(struct story *story)
{
    text_addf(&story->sentence, "the syntax is wrong here, or on the line before: %s", story->fault->problem);
}

enum mend fault_tell(struct source *source, const struct document_fault *fault, struct problems *problems)
{
    struct story story = {
        .file = &source->files[fault->at.file], .fault = fault, .at = fault->at, .sentence = TEXT_INIT, .by = TEXT_INIT
    };
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    bool known = false;
    for (size_t i = 0; !known && i < ARRAY_SIZE(rules); i++)
        known = rules[i](&story);
    if (!known)
        say_anything(&story);
    excerpt_add(&shown, story.file, story.at);
    problems_add(problems, source_place(source, story.at), "%s", story.sentence.s);
    problems_show(problems, shown.s);
    problems->failed |= story.sentence.failed || shown.failed || story.by.failed || !apply(&story);
    text_free(&story.sentence);
    text_wipe(&story.by);
    return problems->failed ? MEND_NONE : story.mend;
}
