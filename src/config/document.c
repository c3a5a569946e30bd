/* document.c - one file by libyaml's events: the part of YAML that is read, without what makes the same letters mean
 * something else (anchors, aliases, tags, texts over several lines).
 *
 * Source: yaml.h of libyaml 0.2.5; YAML 1.1. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config_private.h"

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const struct source *source;
    unsigned file;
    struct problems *problems;
    struct document_fault *fault;
    unsigned depth;
    struct node_mark opened; /* the innermost brackets; line 0: it is in none */
};

static struct node_mark mark_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct node_mark){ reader->file, (unsigned) mark.line + 1, (unsigned) mark.column + 1 };
}

/* libyaml frees its copies as they are. */
static void forget_event(struct reader *reader)
{
    yaml_event_t *event = &reader->event;
    if (event->type == YAML_SCALAR_EVENT)
        explicit_bzero(event->data.scalar.value, event->data.scalar.length);
    yaml_event_delete(event);
    memset(event, 0, sizeof(*event));
}

static int read_event(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    forget_event(reader);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return 0;
    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    *reader->fault = (struct document_fault){ FAULT_OF_LIBYAML,
                                              parser->context ? parser->context : "",
                                              parser->problem ? parser->problem : "",
                                              mark_of(reader, parser->context_mark),
                                              mark_of(reader, parser->problem_mark),
                                              reader->opened };
    return -EBADMSG;
}

static int fail(struct reader *reader, enum fault_kind kind)
{
    struct node_mark at = mark_of(reader, reader->event.start_mark);
    *reader->fault = (struct document_fault){ kind, "", "", at, at, reader->opened };
    return -EBADMSG;
}

static void refuse(struct reader *reader, const char *sentence)
{
    problems_add(reader->problems, source_place(reader->source, mark_of(reader, reader->event.start_mark)), "%s",
                 sentence);
}

static void refuse_unquoted(struct reader *reader)
{
    bool text = reader->event.type == YAML_SCALAR_EVENT || reader->event.type == YAML_ALIAS_EVENT;
    fault_tell_unquoted(reader->source, mark_of(reader, reader->event.start_mark), text, reader->problems);
}

/* A blank and a # behind a text without quotes begin a comment, whatever was meant. */
static bool is_cut(const struct reader *reader)
{
    const struct source_file *file = &reader->source->files[reader->file];
    struct node_mark end = mark_of(reader, reader->event.end_mark);
    struct span line = source_line(file, end.line);
    size_t i = source_offset(file, end) - (size_t) (line.s - file->text.s);
    while (i < line.size && (line.s[i] == ' ' || line.s[i] == '\t'))
        i++;
    return i < line.size && line.s[i] == '#';
}

static int read_text(struct reader *reader, struct node *ret)
{
    const yaml_event_t *event = &reader->event;
    yaml_scalar_style_t style = event->data.scalar.style;
    const char *value = (const char *) event->data.scalar.value;
    if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE) {
        refuse(reader, "a text over several lines is not read: expected one in quotes, with \\n for each new line");
        return 0;
    }
    if (event->start_mark.line != event->end_mark.line)
        return fail(reader, style == YAML_PLAIN_SCALAR_STYLE ? FAULT_LINES : FAULT_QUOTE);
    if (strlen(value) != event->data.scalar.length) {
        refuse(reader, "a text cannot hold \\0");
        return 0;
    }
    ret->kind = NODE_TEXT;
    ret->plain = style == YAML_PLAIN_SCALAR_STYLE;
    ret->cut = ret->plain && is_cut(reader);
    ret->text = strdup(value);
    return ret->text ? 0 : -ENOMEM;
}

static int read_node(struct reader *reader, struct node *ret);

/* One more of a list or group; the event is its first. */
static int read_member(struct reader *reader, struct node *node, struct node **ret)
{
    if (node->n_members == NODE_MAX_MEMBERS) {
        refuse(reader, "more than 4096 elements: expected fewer");
        return -E2BIG;
    }
    *ret = node_append(node);
    return *ret ? 0 : -ENOMEM;
}

static int read_list(struct reader *reader, struct node *ret)
{
    struct node *member;
    int r;
    while ((r = read_event(reader)) == 0 && reader->event.type != YAML_SEQUENCE_END_EVENT) {
        r = read_member(reader, ret, &member);
        if (r == 0)
            r = read_node(reader, member);
        if (r < 0)
            return r;
    }
    return r;
}

/* The event is that of a name. */
static int read_name(struct reader *reader, struct node *ret)
{
    const yaml_event_t *event = &reader->event;
    struct node unused CLEANUP(node_done) = { .kind = NODE_REFUSED };
    ret->name_at = mark_of(reader, event->start_mark);
    if (event->type != YAML_SCALAR_EVENT) {
        refuse(reader, "expected the name of an option here, and a colon behind it");
        return read_node(reader, &unused);
    }
    if (event->start_mark.line != event->end_mark.line)
        return fail(reader, event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? FAULT_LINES : FAULT_QUOTE);
    const char *name = (const char *) event->data.scalar.value;
    ret->name = strndup(name, event->data.scalar.length);
    return ret->name ? 0 : -ENOMEM;
}

/* A name and its value; kept is false where there is nothing to keep of them. */
static int read_pair(struct reader *reader, struct node *member, bool *ret_kept)
{
    int r = read_name(reader, member);
    if (r == 0)
        r = read_event(reader);
    if (r < 0)
        return r;
    bool merge = member->name && strcmp(member->name, "<<") == 0;
    *ret_kept = member->name && !merge;
    if (merge)
        refuse(reader, "what another group has is not taken over by <<: write the options out");
    return merge && reader->event.type == YAML_ALIAS_EVENT ? 0 : read_node(reader, member);
}

static int read_group(struct reader *reader, struct node *ret)
{
    int r;
    while ((r = read_event(reader)) == 0 && reader->event.type != YAML_MAPPING_END_EVENT) {
        struct node *member;
        bool kept = true;
        r = read_member(reader, ret, &member);
        if (r < 0)
            return r;
        r = read_pair(reader, member, &kept);
        if (!kept) {
            node_done(member);
            ret->n_members--;
        }
        if (r < 0)
            return r;
    }
    return r;
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return false;
    }
    return false;
}

static int read_several(struct reader *reader, struct node *ret)
{
    bool list = reader->event.type == YAML_SEQUENCE_START_EVENT;
    ret->kind = list ? NODE_LIST : NODE_GROUP;
    ret->brackets = list ? reader->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
                         : reader->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    if (reader->depth == NODE_MAX_DEPTH) {
        refuse(reader, "groups and lists are nested too deep here");
        return -E2BIG;
    }
    struct node_mark opened = reader->opened;
    if (ret->brackets)
        reader->opened = ret->at;
    reader->depth++;
    int r = list ? read_list(reader, ret) : read_group(reader, ret);
    reader->depth--;
    reader->opened = opened;
    return r;
}

/* The event is its first; it ends at its last. */
static int read_node(struct reader *reader, struct node *ret)
{
    bool refused = has_anchor_or_tag(&reader->event), alias = reader->event.type == YAML_ALIAS_EVENT;
    ret->at = mark_of(reader, reader->event.start_mark);
    if (refused)
        refuse_unquoted(reader);
    if (alias)
        return 0;
    int r = reader->event.type == YAML_SCALAR_EVENT ? read_text(reader, ret) : read_several(reader, ret);
    ret->end = mark_of(reader, reader->event.end_mark);
    if (refused)
        ret->kind = NODE_REFUSED;
    return r;
}

static int read_whole(struct reader *reader, struct node *ret)
{
    int r = read_event(reader); /* the begin of the stream */
    if (r == 0)
        r = read_event(reader);
    if (r < 0 || reader->event.type == YAML_STREAM_END_EVENT)
        return r;
    if (reader->event.data.document_start.version_directive ||
        reader->event.data.document_start.tag_directives.start != reader->event.data.document_start.tag_directives.end)
        refuse(reader, "a line that begins with % is an order to a YAML parser, and is not read: take it out");
    if ((r = read_event(reader)) < 0 || (r = read_node(reader, ret)) < 0)
        return r;
    r = read_event(reader); /* the end of the document */
    if (r == 0)
        r = read_event(reader);
    if (r == 0 && reader->event.type != YAML_STREAM_END_EVENT)
        refuse(reader, "a second document begins here, and one alone is read: take the line --- out");
    return r;
}

static void close_reader(struct reader *reader)
{
    yaml_parser_t *parser = &reader->parser;
    forget_event(reader);
    if (parser->raw_buffer.start)
        explicit_bzero(parser->raw_buffer.start, (size_t) (parser->raw_buffer.end - parser->raw_buffer.start));
    if (parser->buffer.start)
        explicit_bzero(parser->buffer.start, (size_t) (parser->buffer.end - parser->buffer.start));
    yaml_parser_delete(parser);
}

int document_read(const struct source *source, unsigned file, struct problems *problems, struct node *ret,
                  struct document_fault *ret_fault)
{
    const struct text *text = &source->files[file].text;
    struct reader reader = { .source = source, .file = file, .problems = problems, .fault = ret_fault };
    *ret = (struct node){ .kind = NODE_GROUP, .at = { file, 1, 1 }, .end = { file, 1, 1 } };
    if (!yaml_parser_initialize(&reader.parser))
        return -ENOMEM;
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *) text->s, text->size);
    int r = read_whole(&reader, ret);
    close_reader(&reader);
    if (r < 0)
        node_done(ret);
    return r;
}
