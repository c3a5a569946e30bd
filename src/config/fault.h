/* fault.h - what the rules for mistakes in the syntax share: fault.c and fault_lines.c.
 *
 * Owner:   the spans point into the text of the file, which is as it was until the rule that applies has returned.
 * Source:  the words of libyaml 0.2.5, src/scanner.c and src/parser.c.
 */
#pragma once

#include "config_private.h"

struct story {
    struct source_file *file;
    const struct document_fault *fault;
    struct node_mark at; /* what the sentence is about; a rule may move it */
    struct text sentence;
    enum mend mend;
    size_t from, to; /* of the file's text: what by replaces */
    struct text by;
};

struct span fault_line(const struct story *story, unsigned line);
size_t fault_indent(struct span line);
size_t fault_offset_in_line(const struct story *story, struct node_mark at);
bool fault_is(const struct story *story, const char *problem);
bool fault_context_is(const struct story *story, const char *context);

/* size letters at s are replaced. */
void fault_mend(struct story *story, enum mend mend, const char *s, size_t size, const char *by);
void fault_quote(struct story *story, const struct pair *pair);
void fault_say_unquoted(struct text *sentence, const struct config_schema *schema, const struct pair *pair);

/* The rules of fault_lines.c, in the order in which they are asked: whether they know it. */
bool fault_try_colon(struct story *story);
bool fault_try_lines(struct story *story);
bool fault_try_second_colon(struct story *story);
bool fault_try_brackets(struct story *story);
bool fault_try_end(struct story *story);
bool fault_try_indent(struct story *story);
