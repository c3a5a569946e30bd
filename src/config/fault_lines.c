/* fault_lines.c - mistakes in how lines go together: colons, blanks in front, brackets. */
#include <ctype.h>
#include <string.h>

#include "fault.h"

static size_t word_size(const char *s, const char *end)
{
    size_t n = 0;
    while (s + n < end && (isalnum((unsigned char) s[n]) || s[n] == '_' || s[n] == '-'))
        n++;
    return n;
}

/* ---- a colon that is missing ---- */

/* Begins at a word in the line at: "level info", "level:info", "level = info", "limits". */
static void say_colon(struct story *story, struct node_mark at)
{
    struct span line = fault_line(story, at.line);
    const char *s = line.s + fault_offset_in_line(story, at);
    struct pair rest = excerpt_pair_find((struct span){ s, line.size - (size_t) (s - line.s) }, 0);
    const char *end = rest.value.s + rest.value.size;
    struct span word = { rest.value.s, word_size(rest.value.s, end) };
    const char *p = word.s + word.size;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    bool equals = p < end && *p == '=', colon = p < end && *p == ':';
    p += equals || colon;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    bool group = schema_is_group(story->file->schema, word) && p == end;

    story->at = at;
    if (!word.size || (!schema_find(story->file->schema, word) && !group)) {
        text_add(&story->sentence, "expected an option here: its name, a colon, a blank, its value");
        fault_mend(story, MEND_DOUBTFUL, s, 0, "#");
        return;
    }
    struct pair meant = { .name = word, .value = { p, (size_t) (end - p) } };
    text_addf(&story->sentence, "%s: expected %.*s: ",
              colon    ? "a blank is missing behind the colon"
              : equals ? "a colon belongs here, and no ="
                       : "a colon is missing here",
              (int) word.size, word.s);
    if (!group && excerpt_pair_is_open(story->file->schema, word) &&
        !excerpt_value_holds_secret(story->file->schema, meant.value)) {
        struct text value CLEANUP(text_free) = TEXT_INIT;
        text_add_safe(&value, meant.value.s, meant.value.size, SHOWN_MAX_CHARS);
        text_add(&story->sentence, value.s);
        story->sentence.failed |= value.failed;
    } else {
        text_add(&story->sentence, group ? "and its options below it" : "…");
    }
    fault_mend(story, MEND_SURE, word.s + word.size, (size_t) (p - word.s) - word.size, ": ");
}

bool fault_try_colon(struct story *story)
{
    if (!fault_is(story, "could not find expected ':'"))
        return false;
    say_colon(story, story->fault->context_at);
    return true;
}

void fault_tell_no_options(const struct source *source, const struct node *root, struct problems *problems)
{
    struct document_fault fault = { FAULT_LINES, "", "", root->at, root->at, { 0 } };
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    struct story story = {
        .file = &source->files[root->at.file], .fault = &fault, .at = root->at, .sentence = TEXT_INIT, .by = TEXT_INIT
    };
    if (root->kind == NODE_TEXT)
        say_colon(&story, root->at);
    else
        text_add(&story.sentence, "expected options, each with its name and a colon, and no list alone");
    excerpt_add(&shown, story.file, story.at);
    problems_add(problems, source_place(source, story.at), "%s", story.sentence.s);
    problems_show(problems, shown.s);
    problems->failed |= story.sentence.failed || shown.failed;
    text_free(&story.sentence);
    text_free(&story.by);
}

/* ---- a text without quotes that goes on on the next line ---- */

/* The next line that is no comment; 0: there is none. */
static unsigned next_line(const struct story *story, unsigned line)
{
    while (line++ < story->file->n_lines) {
        struct span text = fault_line(story, line);
        size_t indent = fault_indent(text);
        if (indent < text.size && text.s[indent] != '#')
            return line;
    }
    return 0;
}

static size_t name_column(struct span line)
{
    struct pair pair = excerpt_pair_find(line, 0);
    return (size_t) (pair.name.s - line.s);
}

static void say_too_deep(struct story *story, unsigned first, unsigned second)
{
    struct span line = fault_line(story, second);
    size_t have = fault_indent(line), wanted = name_column(fault_line(story, first));
    char blanks[64];
    snprintf(blanks, sizeof(blanks), "%*s", (int) (wanted < sizeof(blanks) ? wanted : 0), "");
    story->at = (struct node_mark){ story->at.file, second, (unsigned) have + 1 };
    text_addf(
        &story->sentence,
        "more blanks in front than the line before, whose option has a value already: expected %zu in place of %zu",
        wanted, have);
    fault_mend(story, MEND_DOUBTFUL, line.s, have, blanks);
}

/* Closed at the end of its line, where something stands behind it. */
static void say_unclosed(struct story *story, struct node_mark opened)
{
    struct span line = fault_line(story, opened.line);
    struct pair pair = excerpt_pair_find(line, 0);
    const char *end = pair.value.s + pair.value.size, *start = line.s + fault_offset_in_line(story, opened);
    bool list = *start == '[';
    story->at = opened;
    text_addf(&story->sentence, "the %c here is not closed: expected %c", *start, list ? ']' : '}');
    if (end > start + 1 && end[-1] != ',')
        fault_mend(story, MEND_DOUBTFUL, end, 0, list ? " ]" : " }");
}

bool fault_try_lines(struct story *story)
{
    struct node_mark at = story->at;
    if (story->fault->kind != FAULT_LINES)
        return false;
    struct span line = fault_line(story, at.line);
    size_t offset = fault_offset_in_line(story, at);
    struct pair pair = excerpt_pair_find(line, 0);
    unsigned next = next_line(story, at.line);
    struct pair below = excerpt_pair_find(fault_line(story, next), 0);
    bool value = pair.name.size && line.s + offset >= pair.value.s;
    if (story->fault->opened.line) {
        struct span opening = fault_line(story, story->fault->opened.line);
        bool more = next && fault_indent(fault_line(story, next)) > fault_indent(opening);
        if (more) {
            text_add(&story->sentence, "a comma is missing behind this, or ] or }");
            fault_mend(story, MEND_DOUBTFUL, pair.value.s + pair.value.size, 0, ",");
        } else {
            say_unclosed(story, story->fault->opened);
        }
    } else if (!value && fault_indent(line) + pair.value.size > 0 && pair.value.s >= line.s + offset) {
        say_colon(story, at);
    } else if (value && below.name.size) {
        say_too_deep(story, at.line, next);
    } else {
        text_add(&story->sentence, "a value stands on one line: expected it in quotes, with \\n for each new line");
    }
    return true;
}

/* ---- name: more: value ---- */

bool fault_try_second_colon(struct story *story)
{
    if (!fault_is(story, "mapping values are not allowed") && !fault_is(story, "did not find expected ','"))
        return false;
    struct span line = fault_line(story, story->at.line);
    size_t offset = fault_offset_in_line(story, story->at);
    struct pair pair = excerpt_pair_find(line, 0);
    if (pair.value.size && strchr("[{", *pair.value.s))
        pair = excerpt_pair_find(line, offset);
    struct span word = { pair.value.s, word_size(pair.value.s, pair.value.s + pair.value.size) };
    const char *at = line.s + offset;
    if (!pair.name.size || at < pair.value.s || at >= pair.value.s + pair.value.size || *at != ':')
        return false;
    if (schema_is_group(story->file->schema, pair.name) && schema_find(story->file->schema, word)) {
        text_addf(&story->sentence, "%.*s belongs on a line of its own below %.*s:, with two more blanks in front",
                  (int) word.size, word.s, (int) pair.name.size, pair.name.s);
        struct text by CLEANUP(text_wipe) = TEXT_INIT;
        text_add(&by, "{ ");
        text_add_bytes(&by, pair.value.s, pair.value.size);
        text_add(&by, " }");
        unsigned next = next_line(story, story->at.line);
        bool more = next && fault_indent(fault_line(story, next)) > fault_indent(line);
        fault_mend(story, more ? MEND_DOUBTFUL : MEND_SURE, pair.value.s, pair.value.size, by.s);
        return true;
    }
    struct span before = { at, 0 };
    while (before.s > pair.value.s && word_size(before.s - 1, before.s) == 1) {
        before.s--;
        before.size++;
    }
    if (schema_find(story->file->schema, before) && before.s > pair.value.s) {
        text_addf(&story->sentence, "%.*s belongs on a line of its own, below %.*s", (int) before.size, before.s,
                  (int) pair.name.size, pair.name.s);
        fault_quote(story, &pair);
        return true;
    }
    text_add(&story->sentence, "a colon and a blank inside a value: ");
    fault_say_unquoted(&story->sentence, story->file->schema, &pair);
    fault_quote(story, &pair);
    return true;
}

/* ---- brackets ---- */

/* {summary} */
static bool is_placeholder(struct span value)
{
    size_t n = 1;
    while (n < value.size && (isalnum((unsigned char) value.s[n]) || strchr("_./-", value.s[n])))
        n++;
    return *value.s == '{' && n > 1 && n < value.size && value.s[n] == '}';
}

/* message: {summary} at, address: [::]:30120 */
static bool quote_value(struct story *story)
{
    struct span line = fault_line(story, story->at.line);
    struct pair pair = excerpt_pair_at(story->file, story->at.line, 0);
    const char *at = line.s + fault_offset_in_line(story, story->at);
    if (!pair.value.size || !strchr("[{", *pair.value.s) || at < pair.value.s || at >= pair.value.s + pair.value.size)
        return false;
    const struct config_option *option = schema_find(story->file->schema, pair.name);
    bool text = (pair.element && is_placeholder(pair.value)) || (option && !option->list);
    if (!text)
        return false;
    story->at.column = (unsigned) (pair.value.s - line.s) + 1;
    text_addf(&story->sentence, "a value that begins with %c means something else in YAML: ", *pair.value.s);
    fault_say_unquoted(&story->sentence, story->file->schema, &pair);
    fault_quote(story, &pair);
    return true;
}

static bool try_unclosed(struct story *story)
{
    struct node_mark opened = story->fault->opened;
    struct span line = fault_line(story, opened.line);
    if (!opened.line)
        return false;
    if (story->at.line == opened.line)
        text_addf(&story->sentence, "expected a comma or %s before this: is one missing, or a quote?",
                  line.s[fault_offset_in_line(story, opened)] == '[' ? "]" : "}");
    else
        say_unclosed(story, opened);
    return true;
}

bool fault_try_brackets(struct story *story)
{
    struct span line = fault_line(story, story->at.line);
    size_t offset = fault_offset_in_line(story, story->at);
    if (!fault_is(story, "did not find expected"))
        return false;
    if (quote_value(story) || try_unclosed(story))
        return true;
    if (offset >= line.size || !strchr("]})(", line.s[offset]))
        return false;
    text_addf(&story->sentence, "a %c closes nothing here: take it out", line.s[offset]);
    fault_mend(story, MEND_DOUBTFUL, line.s + offset, 1, " ");
    return true;
}

/* ---- behind the end of the document ---- */

/* The last line of three dots above this one. */
static unsigned line_of_dots(const struct story *story)
{
    for (unsigned line = story->at.line; line-- > 1;) {
        struct span text = fault_line(story, line);
        if (text.size >= 3 && memcmp(text.s, "...", 3) == 0)
            return line;
    }
    return 0;
}

bool fault_try_end(struct story *story)
{
    if (!fault_is(story, "did not find expected <document start>"))
        return false;
    unsigned line = line_of_dots(story);
    if (!line) {
        text_add(&story->sentence,
                 "what stands above is a whole file for a YAML parser, and more follows: is there a } "
                 "or ] too early, or a line that begins with %?");
        return true;
    }
    story->at = (struct node_mark){ story->at.file, line, 1 };
    text_add(&story->sentence, "the file ends here for a YAML parser, and more follows: take the line ... out");
    fault_mend(story, MEND_SURE, fault_line(story, line).s, 3, "");
    return true;
}

/* ---- blanks in front ---- */

/* As many in front as the last line has before its name. */
bool fault_try_indent(struct story *story)
{
    struct span line = fault_line(story, story->at.line);
    size_t indent = fault_indent(line), wanted;
    unsigned before = story->at.line;
    if (!fault_is(story, "did not find expected") || fault_offset_in_line(story, story->at) != indent)
        return false;
    do
        before--;
    while (before && (fault_indent(fault_line(story, before)) == fault_line(story, before).size ||
                      fault_line(story, before).s[fault_indent(fault_line(story, before))] == '#'));
    bool element = indent < line.size && line.s[indent] == '-';
    wanted = before && !element ? name_column(fault_line(story, before)) : story->fault->context_at.column - 1;
    if (!element && wanted == indent) {
        say_colon(story, story->at); /* they are right, and what stands behind them is no option */
        return true;
    }
    if (element && fault_context_is(story, "block mapping"))
        text_add(&story->sentence, "a - that belongs to no list: the lines of one list begin below each other");
    else
        text_addf(&story->sentence,
                  "the blanks in front of this line fit no line above it: expected %zu in place of %zu, so that what "
                  "belongs together begins below each other",
                  wanted, indent);
    char blanks[64];
    if (element || wanted >= sizeof(blanks))
        return true;
    snprintf(blanks, sizeof(blanks), "%*s", (int) wanted, "");
    fault_mend(story, MEND_DOUBTFUL, line.s, indent, blanks);
    return true;
}
