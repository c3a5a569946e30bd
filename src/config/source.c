/* source.c - the text of a config file with all that it includes, and which line came from where.
 *
 * libconfig's own @include hangs on a FIFO, exits the process on a directory, and cannot open an absolute path once
 * it knows a directory for the others. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

#define INCLUDE_DEPTH_MAX 10

static void add_part(struct scan *scan, size_t file, unsigned line)
{
    struct source *source = scan->source;
    struct source_part *parts = reallocarray(source->parts, source->n_parts + 1, sizeof(parts[0]));
    if (!parts) {
        scan->problems->failed = true;
        return;
    }
    source->parts = parts;
    parts[source->n_parts++] = (struct source_part){ scan->order, file, line };
}

static int scan_file(struct scan *scan, char *name, struct err *err);

void source_include(struct reader *reader)
{
    struct scan *scan = reader->scan;
    const char *start = reader->p + strlen("@include");
    while (start < reader->end && (*start == ' ' || *start == '\t'))
        start++;
    const char *quote = start < reader->end ? memchr(start + 1, '"', (size_t) (reader->end - start - 1)) : NULL;
    if (!quote || *start != '"' || memchr(start, '\n', (size_t) (quote - start))) {
        scan_mistake(reader, "expected @include \"FILE\"");
        scan_rest_of_line(reader);
        return;
    }
    reader->p = quote + 1;
    if (scan->depth == INCLUDE_DEPTH_MAX) {
        scan_mistake(reader, "more than 10 files include each other: expected fewer");
        return;
    }

    struct err err;
    CLEANUP(cleanup_free) char *written = strndup(start + 1, (size_t) (quote - start - 1));
    char *name = written ? path_beside(scan->source->files[0].name, written) : NULL;
    scan->pending++;
    scan_flush_lines(scan);
    int r = name ? scan_file(scan, name, &err) : -ENOMEM;
    scan->problems->failed |= r == -ENOMEM;
    if (r < 0 && r != -ENOMEM)
        scan_mistake(reader, err.msg);
    scan->pending++;
    scan_flush_lines(scan);
    add_part(scan, reader->file, reader->line);
}

static bool add_file(struct source *source, char *name, const struct stat *st)
{
    struct source_file *files = reallocarray(source->files, source->n_files + 1, sizeof(files[0]));
    if (!files)
        return false;
    source->files = files;
    files[source->n_files++] = (struct source_file){ .name = name, .st = *st };
    return true;
}

static int read_file(struct scan *scan, const char *name, struct text *ret, struct stat *ret_st, struct err *err)
{
    int r = file_read(name, SOURCE_MAX_BYTES - scan->total_bytes, ret, ret_st, err);
    if (r == -EFBIG)
        err_set(err, r, "larger than 1M, with all that it includes");
    if (r < 0) {
        struct text shown = TEXT_INIT;
        text_add_safe(&shown, name, strlen(name), 200);
        err_wrap(err, r, "cannot read %s", shown.s);
        text_free(&shown);
        return r;
    }
    scan->total_bytes += ret->size;
    return 0;
}

/* Takes name over. */
static int scan_file(struct scan *scan, char *name, struct err *err)
{
    CLEANUP(text_wipe) struct text bytes = TEXT_INIT;
    struct stat st;
    int r = read_file(scan, name, &bytes, &st, err);
    if (r == 0 && !add_file(scan->source, name, &st))
        r = err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
    if (r < 0) {
        free(name);
        return r;
    }

    struct reader reader = { scan, bytes.s, bytes.s + bytes.size, 1, scan->source->n_files - 1 };
    add_part(scan, reader.file, 1);
    const char *nul = memchr(bytes.s, '\0', bytes.size);
    if (nul) {
        for (const char *p = bytes.s; p < nul; p++)
            reader.line += *p == '\n';
        scan_mistake(&reader, "a NUL byte: expected a text file");
        return 0;
    }

    scan->depth++;
    while (reader.p < reader.end)
        scan_token(&reader);
    scan->depth--;
    return 0;
}

int source_read(const char *file, struct source *ret, struct problems *problems)
{
    *ret = (struct source){ .text = TEXT_INIT };
    struct scan scan = { .source = ret, .problems = problems, .order = 1 };
    struct err err;

    char *name = strdup(file);
    if (!name || !text_reserve(&ret->text, 2 * SOURCE_MAX_BYTES)) { /* at once: growing would leave copies behind */
        free(name);
        return -ENOMEM;
    }
    int r = scan_file(&scan, name, &err);
    if (r < 0) {
        problems_add(problems, (struct place){ 0 }, "%s", err.msg);
        return r;
    }
    scan_flush_lines(&scan);
    return ret->text.failed || problems->failed ? -ENOMEM : 0;
}

static const struct source_part *part_at(const struct source *source, unsigned order)
{
    size_t i = source->n_parts - 1;
    while (i && source->parts[i].order > order)
        i--;
    return &source->parts[i];
}

struct source_file *source_file_at(const struct source *source, unsigned order)
{
    return &source->files[part_at(source, order)->file];
}

struct place source_place(const struct source *source, unsigned order)
{
    if (!order) /* the file as a whole, and what is not in it */
        return (struct place){ source->files[0].name, 0, UINT_MAX };
    const struct source_part *part = part_at(source, order);
    return (struct place){ source->files[part->file].name, part->line + order - part->order, order };
}

void source_done(struct source *source)
{
    text_wipe(&source->text);
    for (size_t i = 0; i < source->n_files; i++)
        free(source->files[i].name);
    free(source->files);
    free(source->parts);
    *source = (struct source){ .text = TEXT_INIT };
}
