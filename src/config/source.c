/* source.c - the files of a configuration: the one that was named and what it includes, read and put together. */
#include <assert.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"

#define FILES_MAX 256
#define FAULTS_MAX 100

/* ---- lines ---- */

static bool ends_line(const char *p)
{
    return *p == '\n' || (*p == '\r' && p[1] != '\n');
}

/* As libyaml counts them. */
static bool index_lines(struct source_file *file)
{
    size_t n = 1;
    for (const char *p = file->text.s; *p; p++)
        n += ends_line(p);
    size_t *lines = reallocarray(file->lines, n, sizeof(lines[0]));
    if (!lines)
        return false;
    file->lines = lines;
    file->n_lines = n;
    *lines++ = 0;
    for (const char *p = file->text.s; *p; p++)
        if (ends_line(p))
            *lines++ = (size_t) (p + 1 - file->text.s);
    return true;
}

struct span source_line(const struct source_file *file, unsigned line)
{
    if (!line || line > file->n_lines)
        return (struct span){ file->text.s + file->text.size, 0 };
    size_t start = file->lines[line - 1], end = line < file->n_lines ? file->lines[line] : file->text.size;
    while (end > start && (file->text.s[end - 1] == '\n' || file->text.s[end - 1] == '\r'))
        end--;
    return (struct span){ file->text.s + start, end - start };
}

size_t source_offset(const struct source_file *file, struct node_mark mark)
{
    struct span line = source_line(file, mark.line);
    size_t i = 0;
    for (unsigned column = 1; column < mark.column && i < line.size; column++) {
        uint32_t code;
        size_t n = utf8_read(line.s + i, line.size - i, &code);
        i += n ? n : 1;
    }
    return (size_t) (line.s - file->text.s) + i;
}

static unsigned count_letters(const char *s, size_t size)
{
    unsigned n = 0;
    for (size_t i = 0; i < size; i++)
        n += ((unsigned char) s[i] & 0xc0) != 0x80;
    return n;
}

static unsigned line_of(const struct source_file *file, size_t offset)
{
    unsigned line = 1;
    while (line < file->n_lines && file->lines[line] <= offset)
        line++;
    return line;
}

static bool add_mend(struct source_file *file, struct source_mend mend)
{
    struct source_mend *mends = reallocarray(file->mends, file->n_mends + 1, sizeof(mends[0]));
    if (!mends)
        return false;
    file->mends = mends;
    mends[file->n_mends++] = mend;
    return true;
}

/* What only got something around it keeps the places of its letters. */
bool source_note_mend(struct source_file *file, size_t offset, size_t size, struct span by)
{
    const char *old = file->text.s + offset;
    unsigned line = line_of(file, offset), n_written = count_letters(old, size),
             n_mended = count_letters(by.s, by.size);
    size_t start = file->lines[line - 1];
    unsigned column = count_letters(file->text.s + start, offset - start) + 1;
    const char *kept = size ? memmem(by.s, by.size, old, size) : NULL;
    if (!kept)
        return add_mend(file, (struct source_mend){ line, column, n_written, n_mended });
    unsigned n_before = count_letters(by.s, (size_t) (kept - by.s));
    return add_mend(file, (struct source_mend){ line, column, 0, n_before }) &&
           add_mend(file,
                    (struct source_mend){ line, column + n_before + n_written, 0, n_mended - n_before - n_written });
}

/* The newest first: it was made in what the others had left. */
static unsigned written_column(const struct source_file *file, struct node_mark mark)
{
    for (size_t i = file->n_mends; i-- > 0;) {
        const struct source_mend *mend = &file->mends[i];
        unsigned inside = mark.column - mend->column;
        if (mend->line != mark.line || mark.column < mend->column)
            continue;
        if (inside >= mend->n_mended)
            mark.column = mark.column - mend->n_mended + mend->n_written;
        else if (inside > mend->n_written)
            mark.column = mend->column + mend->n_written;
    }
    return mark.column;
}

struct place source_place(const struct source *source, struct node_mark mark)
{
    if (!mark.line) /* what is not in it stands behind all that is */
        return (struct place){ source->files[0].name, 0, 0, UINT64_MAX - 1 };
    mark.column = written_column(&source->files[mark.file], mark);
    uint64_t order = (uint64_t) mark.file << 48 | (uint64_t) mark.line << 24 | (mark.column & 0xffffff);
    return (struct place){ source->files[mark.file].name, mark.line, mark.column, order };
}

/* ---- one file ---- */

static int read_file(struct source *source, const char *name, struct source_file *ret, struct err *err)
{
    int r = file_read(name, SOURCE_MAX_BYTES - source->total_bytes, &ret->text, &ret->st, err);
    if (r == -EFBIG)
        err_set(err, r, "larger than 1M, with all that it includes");
    if (r < 0) {
        struct text shown CLEANUP(text_free) = TEXT_INIT;
        text_add_safe(&shown, name, strlen(name), 200);
        return err_wrap(err, r, "cannot read %s", shown.s);
    }
    source->total_bytes += ret->text.size;
    return 0;
}

/* Takes name over. */
static int add_file(struct source *source, char *name, struct err *err)
{
    struct source_file file = { .name = name, .text = TEXT_INIT, .schema = source->schema }, *files = NULL;
    int r = read_file(source, name, &file, err);
    for (size_t i = 0; r == 0 && i < source->n_files; i++)
        if (source->files[i].st.st_dev == file.st.st_dev && source->files[i].st.st_ino == file.st.st_ino)
            r = err_set(err, -EEXIST, "%s is read already: expected each file once, and none that includes itself",
                        name);
    assert(source->n_files < FILES_MAX);
    if (r == 0 &&
        (!index_lines(&file) || !(files = reallocarray(source->files, source->n_files + 1, sizeof(files[0])))))
        r = err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
    if (r < 0) {
        text_wipe(&file.text);
        free(file.lines);
        free(name);
        return r;
    }
    source->files = files;
    files[source->n_files++] = file;
    source->hash = hash_bytes(source->hash, file.text.s, file.text.size + 1);
    return 0;
}

static void cleanup_node(struct node *node)
{
    node_done(node);
}

/* Again after each mistake in the syntax that could be mended, to find the others. */
static int read_document(struct source *source, unsigned file, struct problems *problems, struct node *ret)
{
    enum mend mend = letters_check(source, file, problems) ? MEND_SURE : MEND_NONE;
    for (unsigned i = 0; mend == MEND_SURE || (mend == MEND_DOUBTFUL && i < FAULTS_MAX); i++) {
        size_t n_items = problems->n_items;
        struct document_fault fault;
        int r = document_read(source, file, problems, ret, &fault);
        if (r != -EBADMSG && r != -E2BIG)
            return r;
        if (r == -E2BIG || mend == MEND_DOUBTFUL || i == FAULTS_MAX)
            break;
        size_t end = problems->n_items;
        mend = fault_tell(source, &fault, problems);
        if (mend != MEND_NONE)
            problems_forget(problems, n_items, end); /* it is found again */
        if (!index_lines(&source->files[file]))
            return -ENOMEM;
    }
    source->broken = true;
    return 0;
}

/* ---- what one file includes ---- */

/* A name of it that has joined already; those that moved have left no name behind. */
static bool joined_before(const struct node *other, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (other->members[k].name && strcmp(other->members[k].name, other->members[i].name) == 0)
            return true;
    return false;
}

/* Takes the members of other over: those of lists and groups of one name join, unless one file has the name twice,
 * which is a mistake. */
static int merge(struct node *root, struct node *other)
{
    size_t n_before = root->n_members;
    for (size_t i = 0; i < other->n_members; i++) {
        struct node *from = &other->members[i], *to = NULL;
        bool repeated = joined_before(other, i);
        for (size_t k = 0; k < n_before && !to && !repeated; k++)
            if (strcmp(root->members[k].name, from->name) == 0)
                to = &root->members[k];
        bool join = to && to->kind == from->kind && (to->kind == NODE_LIST || to->kind == NODE_GROUP);
        for (size_t k = 0; join && k < from->n_members; k++) {
            struct node *member = node_append(to);
            if (!member)
                return -ENOMEM;
            *member = from->members[k];
            from->members[k] = (struct node){ .kind = NODE_REFUSED };
        }
        struct node *member = join ? NULL : node_append(root);
        if (!join && !member)
            return -ENOMEM;
        if (!join) {
            *member = *from;
            *from = (struct node){ .kind = NODE_REFUSED };
        }
    }
    return 0;
}

static int read_part(struct source *source, char *name, struct node_mark from, struct problems *problems);

/* Its order is that of the names; one that names nothing by a * is an empty folder. */
static int include(struct source *source, const struct node *pattern, struct problems *problems)
{
    char *path CLEANUP(cleanup_free) = config_path_beside(source->files[pattern->at.file].name, pattern->text);
    glob_t found = { 0 };
    if (!path)
        return -ENOMEM;
    if (!strpbrk(pattern->text, "*?[")) {
        char *name = strdup(path);
        return name ? read_part(source, name, pattern->at, problems) : -ENOMEM;
    }
    int r = glob(path, GLOB_ERR, NULL, &found);
    if (r == GLOB_ABORTED)
        problems_add(problems, source_place(source, pattern->at), "include: cannot read the folder of %s: %s", path,
                     strerror(errno));
    r = r == GLOB_NOSPACE ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
        char *name = strdup(found.gl_pathv[i]);
        r = name ? read_part(source, name, pattern->at, problems) : -ENOMEM;
    }
    globfree(&found);
    return r;
}

static int include_all(struct source *source, const struct node *patterns, struct problems *problems)
{
    bool alone = patterns->kind == NODE_TEXT;
    int r = 0;
    if (!alone && patterns->kind != NODE_LIST && patterns->kind != NODE_REFUSED)
        problems_add(problems, source_place(source, patterns->at), INCLUDE_EXPECTED);
    for (size_t i = 0; r == 0 && i < (alone ? 1 : patterns->n_members); i++) {
        const struct node *pattern = alone ? patterns : &patterns->members[i];
        if (pattern->kind == NODE_TEXT && *pattern->text)
            r = include(source, pattern, problems);
        else if (pattern->kind != NODE_REFUSED)
            problems_add(problems, source_place(source, pattern->at), INCLUDE_EXPECTED);
    }
    return r;
}

/* Takes it out of root. Of several the first counts. */
static void take_includes(const struct source *source, struct node *root, struct problems *problems, struct node *ret)
{
    for (size_t i = root->n_members; i-- > 0;) {
        if (strcmp(root->members[i].name, "include") != 0)
            continue;
        if (ret->name)
            problems_add(problems, source_place(source, ret->name_at),
                         "include: line %u has it already, expected it once", root->members[i].name_at.line);
        node_done(ret);
        *ret = root->members[i];
        memmove(&root->members[i], &root->members[i + 1], (root->n_members - i - 1) * sizeof(*root));
        root->n_members--;
    }
}

/* What the last file of source says, with what it includes. */
static int read_last(struct source *source, struct problems *problems)
{
    struct node root CLEANUP(cleanup_node) = { .kind = NODE_REFUSED };
    unsigned file = (unsigned) source->n_files - 1;
    int r = read_document(source, file, problems, &root);
    if (r < 0 || root.kind == NODE_REFUSED || (root.kind == NODE_TEXT && !*root.text))
        return r;
    if (root.kind != NODE_GROUP) {
        fault_tell_no_options(source, &root, problems);
        source->broken = true;
        return 0;
    }
    struct node includes CLEANUP(cleanup_node) = { .kind = NODE_LIST };
    take_includes(source, &root, problems, &includes);
    r = merge(&source->root, &root);
    return r == 0 ? include_all(source, &includes, problems) : r;
}

/* Takes name over. from: where it is included. */
static int read_part(struct source *source, char *name, struct node_mark from, struct problems *problems)
{
    struct err err;
    if (source->n_included++ >= FILES_MAX - 1) {
        if (source->n_included == FILES_MAX) /* the first of them; one sentence for all */
            problems_add(problems, source_place(source, from), "include: more than 256 files: expected fewer");
        source->incomplete = true;
        free(name);
        return 0;
    }
    int r = add_file(source, name, &err);
    if (r == 0)
        return read_last(source, problems);
    if (r == -ENOMEM)
        return r;
    problems_note(problems, r);
    problems_add(problems, source_place(source, from), "include: %s", err.msg);
    source->incomplete = true;
    return 0;
}

int source_read(const char *file, const struct config_schema *schema, struct source *ret, struct problems *problems)
{
    struct err err;
    *ret = (struct source){ .schema = schema, .hash = HASH_START, .root = { .kind = NODE_GROUP } };
    char *name = strdup(file);
    int r = name ? add_file(ret, name, &err) : -ENOMEM;
    if (r < 0 && r != -ENOMEM) {
        problems_note(problems, r);
        letters_add_old_form(file, &err);
        problems_add(problems, (struct place){ 0 }, "%s", err.msg);
        return r;
    }
    if (r == 0)
        r = read_last(ret, problems);
    return problems->failed ? -ENOMEM : r;
}

void source_done(struct source *source)
{
    node_done(&source->root);
    for (size_t i = 0; i < source->n_files; i++) {
        text_wipe(&source->files[i].text);
        free(source->files[i].name);
        free(source->files[i].lines);
        free(source->files[i].mends);
    }
    free(source->files);
    *source = (struct source){ 0 };
}
