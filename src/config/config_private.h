/* config_private.h - what the files of config share: sentences, the text of a file, one value, the table's groups.
 *
 * Owner:   a struct place points into the struct source it came from.
 * Errors:  as in base.h; what is wrong with a file goes to struct problems instead, and the work goes on.
 */
#pragma once

#include <sys/stat.h>

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/text.h>

#include "rows.h"

#define SOURCE_MAX_BYTES ((size_t) 1 << 20) /* of a file with all that it includes */
#define SECRET_MAX_BYTES ((size_t) 4096)
#define LIST_MAX_ELEMENTS 4096
#define PROBLEMS_MAX 200
#define SHOWN_MAX_CHARS 60

/* problems.c - sentences are collected in any order and handed over in that of the file. */

struct place {
    const char *file;
    unsigned line, column; /* 0: of none */
    uint64_t order;        /* over all files that were read */
};

struct problem {
    uint64_t order;
    unsigned sequence;
    bool warns;
    char *line;
};

struct problems {
    struct problem *items;
    size_t n_items;
    size_t n_mistakes;
    bool failed;  /* no memory */
    bool passing; /* of a file that could not be read: nothing is wrong with it */
};

void problems_add(struct problems *problems, struct place place, const char *format, ...) PRINTF_LIKE(3, 4);
void problems_warn(struct problems *problems, struct place place, const char *format, ...) PRINTF_LIKE(3, 4);
/* Why a file could not be read (a negative errno), for passing. */
void problems_note(struct problems *problems, int r);
/* The lines that a sentence is about, to be shown below the last one that was added. */
void problems_show(struct problems *problems, const char *lines);
/* Takes back those from the one on, up to the other, by their numbers. */
void problems_forget(struct problems *problems, size_t from, size_t to);
int problems_hand_over(struct problems *problems, struct config_problems *ret) MUST_CHECK;

/* file.c - small files that may hold secrets. */

int file_read(const char *path, size_t max_bytes, struct text *ret, struct stat *ret_st, struct err *err) MUST_CHECK;
char *config_path_beside(const char *file, const char *name);

/* access.c - who else may read or change a file with a secret in it, and what to do. */

/* What others than the owner of a file, and than readers of its group, may do ("read", "change", "read and change"); or
 * NULL. */
const char *access_others_may(mode_t mode);

/* What takes that from them and leaves the file to who reads it now: "chmod 640 FILE". */
void access_add_remedy(struct text *text, const char *path, const struct stat *st);

/* Whether somebody reads it only because everybody may: then access_add_remedy would keep the daemon out. */
bool access_is_read_as_anybody(const struct stat *st);

/* secret.c - a secret, and where the file of it is. */

void secret_wipe(char *secret);

/* In a word: "key". */
const char *secret_noun(enum config_type type);

int secret_check(enum config_type type, const char *secret, size_t size, struct err *err) MUST_CHECK;

/* headers.c - a header that somebody adds to what we send: 0, or -EINVAL. No sentence has a part of it, which may be
 * somebody's password without its name. */
int header_check(const char *header, size_t size, struct err *err) MUST_CHECK;

struct secret_source {
    const char *config_file;
    const char *store_path;             /* or NULL */
    const struct config_secrets *known; /* or NULL */
};

struct secret_file {
    char *secret;
    char *path; /* NULL: it came from no file */
    struct stat st;
    bool in_folder; /* secrets/ */
    bool hidden;    /* we are root and read it, the daemon of the service will not */
};

/* name as it stands in the configuration. Of headers: the whole file, with sound lines. */
int secret_read(enum config_type type, const struct secret_source *source, const char *name, struct secret_file *ret,
                struct err *err) MUST_CHECK;
void secret_file_done(struct secret_file *file);

/* Where one that is nowhere may be written, and secret_read finds it then: beside the event log. NULL: no memory. */
char *secret_place_to_make(const struct secret_source *source, const char *name);

/* The configuration of the unit, whose secrets systemd hands over at a start. */
bool secret_is_service(const char *config_file);

/* Where a secret belongs that has no place yet: "/etc/sonoran-pushd/secrets". */
void secret_add_folder(struct text *text, const char *config_file);

/* Puts the secret of a file of ours, beside the configuration or the event log, under the name of its credential. What
 * is not there, or may not be read, is left out. */
int secret_collect(const struct secret_source *source, const char *name, struct config_secrets *secrets,
                   struct err *err) MUST_CHECK;

/* secrets.c - secrets from elsewhere; name: of a credential ("secrets_a_b", "a_b"). NULL: it is not there. */

const char *secrets_handed_over(const struct config_secrets *secrets, const char *name);
const char *secrets_of_environment(const struct config_secrets *secrets, const char *name);
/* Adds the name of the variable that a secret may come in, behind other words. */
void secrets_add_variable(struct text *out, const char *before, const char *name);

/* node.c - what a file says: groups of named nodes, lists of nodes, texts. */

#define NODE_MAX_MEMBERS 4096
#define NODE_MAX_DEPTH 16

enum node_kind {
    NODE_TEXT,
    NODE_LIST,
    NODE_GROUP,
    NODE_REFUSED, /* its mistake was told */
};

/* Columns count characters, from 1 on. */
struct node_mark {
    unsigned file; /* of the source */
    unsigned line, column;
};

struct node {
    enum node_kind kind;
    bool plain;    /* a text without quotes */
    bool cut;      /* a comment follows a text without quotes on its line */
    bool brackets; /* a list or group in brackets */
    char *name;    /* in a group */
    char *text;
    struct node *members;
    size_t n_members, room;
    struct node_mark name_at, at, end;
};

bool node_is(const struct node *node, enum node_kind kind);                 /* NULL is nothing */
const struct node *node_member(const struct node *group, const char *name); /* NULL: it has none; or group is NULL */
bool node_is_whole(const struct node *node);                                /* nothing in it was refused */
struct node *node_append(struct node *node);                                /* NULL: no memory */
void node_done(struct node *node);

/* source.c - the files of a configuration, and what all of them say together. */

/* Letters of a line that were replaced, to read on behind a mistake. */
struct source_mend {
    unsigned line, column;
    unsigned n_written, n_mended;
};

struct source_file {
    char *name;
    struct stat st;
    struct text text; /* with what was mended in it: */
    struct source_mend *mends;
    size_t n_mends;
    size_t *lines; /* where each begins */
    size_t n_lines;
    bool warned;
    const struct config_schema *schema;
};

struct source {
    const struct config_schema *schema;
    struct source_file *files;
    size_t n_files;
    size_t n_included; /* those that could not be read as well */
    size_t total_bytes;
    uint64_t hash;
    bool broken;     /* a mistake behind which nothing could be read */
    bool incomplete; /* a file that is included could not be read */
    struct node root;
};

/* Mistakes may have been added to problems after success too. */
int source_read(const char *file, const struct config_schema *schema, struct source *ret,
                struct problems *problems) MUST_CHECK;
/* As it was written, before anything was mended. Line 0: the file as a whole. */
struct place source_place(const struct source *source, struct node_mark mark);
/* size bytes of the text, from the offset on, are about to be replaced by the letters of by. */
bool source_note_mend(struct source_file *file, size_t offset, size_t size, struct span by);
struct span source_line(const struct source_file *file, unsigned line);
size_t source_offset(const struct source_file *file, struct node_mark mark);
void source_done(struct source *source);

#define INCLUDE_EXPECTED "include: expected a list of files, such as [ \"conf.d/*.yaml\" ]"

/* letters.c - what of a file has to be right before it is parsed. */

/* Whether it is a text, and not of the syntax that configurations had before; else a mistake was added. */
bool letters_check(const struct source *source, unsigned file, struct problems *problems);

/* To a sentence that file is not there: the one in the old syntax that is there in its place. */
void letters_add_old_form(const char *file, struct err *err);

/* document.c - one file, by libyaml's events. */

enum fault_kind {
    FAULT_OF_LIBYAML,
    FAULT_QUOTE, /* a text with a quote goes on on the next line: the second quote is missing */
    FAULT_LINES, /* one without goes on on the next line: a colon is missing, or it is indented too far */
};

struct document_fault {
    enum fault_kind kind;
    const char *context, *problem; /* libyaml's words */
    struct node_mark context_at, at;
    struct node_mark opened; /* the brackets that it stands in; line 0: in none */
};

/* -EBADMSG: its syntax is wrong, as fault says. -E2BIG: it is too much, as was told. */
int document_read(const struct source *source, unsigned file, struct problems *problems, struct node *ret,
                  struct document_fault *ret_fault) MUST_CHECK;

/* fault.c - a mistake in the syntax: what to say of it, and what was meant. */

enum mend { MEND_NONE, MEND_DOUBTFUL, MEND_SURE };

/* Tells it, and writes what was meant in its place into the text of the file where that can be seen, so that the rest
 * is read as well. Doubtful: another mistake may follow from the mending itself. */
enum mend fault_tell(struct source *source, const struct document_fault *fault, struct problems *problems);

/* A text that YAML takes for something else because it has no quotes; or a list or group with an anchor or tag. */
void fault_tell_unquoted(const struct source *source, struct node_mark at, bool text, struct problems *problems);

/* A file of a text or a list alone. */
void fault_tell_no_options(const struct source *source, const struct node *root, struct problems *problems);

/* excerpt.c - a line of a file: what stands in it, and what of it may be seen. */

/* "name: value", "- value", also in brackets. */
struct pair {
    struct span name;  /* of no letters: there is none */
    struct span value; /* without the comment and blanks behind it */
    bool brackets;     /* it stands in some that begin on its line */
    bool element;      /* of a list, behind a - */
};

/* The one that holds the letter at offset of a line, the innermost one; offset 0: the outermost one. */
struct pair excerpt_pair_find(struct span line, size_t offset);

/* The same, and of an element behind a - the name of its list, in a line before. */
struct pair excerpt_pair_at(const struct source_file *file, unsigned line, size_t offset);

/* Of an option that is a list, without brackets. */
bool excerpt_pair_is_list(const struct config_schema *schema, const struct pair *pair);

/* Whether the value of an option of this name may be shown: it is known, and no secret. */
bool excerpt_pair_is_open(const struct config_schema *schema, struct span name);

/* name: "value", with what else stands before and behind it in quotes already; "…" where it may not be seen. */
void excerpt_pair_add_quoted(struct text *text, const struct config_schema *schema, const struct pair *pair);
void excerpt_pair_add_quotes(struct text *text, struct span value);

/* Whether a value holds what may be the name of a secret, which then may stand behind it. */
bool excerpt_value_holds_secret(const struct config_schema *schema, struct span value);

/* What was written, without what could be a secret, and a caret below the place. */
void excerpt_add(struct text *text, const struct source_file *file, struct node_mark mark);

/* address.c */

int address_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size) MUST_CHECK;

/* Could not both be bound: the same port, and one address is, or includes, the other. */
bool address_overlap(const char *a, const char *b);
bool address_is_loopback(const char *text);

/* value.c - one value: from a file, compared, and in the syntax of a file again. */

size_t value_size(enum config_type type);
bool value_is_secret(enum config_type type);
int value_parse(const struct config_option *option, const char *text, void *ret, struct err *err) MUST_CHECK;
int value_parse_fallback(const struct config_option *option, const char *fallback, void *ret) MUST_CHECK;
bool value_is_none(enum config_type type, const void *value); /* a text that was not given */
bool value_equal(enum config_type type, const void *a, const void *b);
bool value_clashes(enum config_type type, const void *a, const void *b);
void value_add(struct text *text, const struct config_option *option, const void *value);
void value_add_expected(struct text *text, const struct config_option *option);
void value_done(enum config_type type, void *value);

/* suggest.c */

/* The option that an unknown name may have meant; false and nothing added when none is near. */
bool suggest_option(struct text *text, const struct config_schema *schema, const char *group, const char *name);

/* setting.c - one setting; name is the whole one, "limits.body". */

#define GROUP_ROOM 48
#define NAME_ROOM 128

struct walk {
    struct config *config;
    const struct config_hooks *hooks; /* or NULL */
    struct problems *problems;
    const struct source *source;
    struct secret_source secrets;
    char **missing; /* where it is noted that a secret cannot be read; NULL: it is a mistake */
};

struct place setting_place(const struct walk *walk, const struct node *setting);

const char *setting_node_text(const struct node *node); /* NULL: it is none */

/* Nothing stands behind its colon. */
bool setting_is_empty(const struct node *setting);

/* "NAME = VALUE: sentence"; a secret's value is left out, and of one whose mistake was told nothing is said. */
void setting_refuse(const struct walk *walk, const struct node *setting, const char *name, bool secret,
                    const char *sentence);

/* list[twin] has the same. */
void setting_refuse_twin(const struct walk *walk, const struct node *setting, bool secret, enum config_type type,
                         const char *name, const char *list, unsigned twin);

void setting_take_value(const struct walk *walk, const struct config_option *option, const struct node *setting,
                        const char *name, void *field);
void setting_take_values(const struct walk *walk, const struct config_option *option, const struct node *setting,
                         const char *name, void *field);
int setting_take_fallback(const struct config_option *option, void *field) MUST_CHECK;

/* misread.c - what YAML reads otherwise than it was meant: true, and told. The value, and a name. */

bool misread_refuse(const struct walk *walk, const struct config_option *option, const struct node *setting,
                    const char *name);
bool misread_refuse_name(const struct walk *walk, const struct node *setting, const char *name);

/* setting_secret.c - one that names the file of a secret. */

void setting_take_secret_file(const struct walk *walk, const struct config_option *secret, const struct node *setting,
                              const char *name, char **field);
/* Into a list, of one file or of several; of headers, each line is one. */
void setting_take_secret_files(const struct walk *walk, const struct config_option *option,
                               const struct config_option *secret, const struct node *setting, const char *name,
                               void *field);

/* doubts.c - warnings of what is accepted and hardly meant. */

void config_warn_about_key(const struct walk *walk, const struct config_option *option, const struct node *setting,
                           const char *name, const char *key);
void config_warn_about_limits(const struct walk *walk, const struct node *root);

/* target.c - NULL: the URL leads elsewhere, as far as can be seen. */

const struct config_listener *target_find_listener(const struct config *config, const char *url);

/* config_tokens.c: what is wrong with tokens and with the door that they are for, told with its place. */

void config_check_door(const struct walk *walk, const struct node *root);

/* load.c */

/* Of the event log, before the rest is read: secrets may stand beside it. NULL: no memory. */
char *config_find_store_path(const char *file, const struct node *root);

/* config_check.c - what is wrong with an element whose options are sound one by one, told with its place. */

struct check {
    const struct walk *walk;
    const struct node *setting;
    const char *prefix;    /* "actions[1]." */
    struct rows rows, own; /* of the group; of its kind */
};

/* A config_complain of a struct check, whose sentence may hold anything; and for one of ours. */
void check_complain_unsafe(void *check, const char *option, const char *sentence);
void check_complain(const struct check *check, const char *option, const char *sentence, bool warn);

/* By the rows of the group: who an option names is there. */
void check_names(const struct check *check);

/* As of->check; config_actions.c has that of actions. */
void config_check_action(const struct walk *walk, const struct config_list *of, const struct node *setting,
                         const char *prefix, const void *element);
void config_check_section(const struct walk *walk, const struct config_list *of, const struct node *setting,
                          const char *prefix, const void *element);

/* walk_parts.c - the groups of a file, by the rows of the table. */

void walk_config(const struct walk *walk, const struct node *root);
