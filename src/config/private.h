/* private.h - what the files of config share: sentences, the text of a file, one value, the table's groups.
 *
 * Owner:   a struct place points into the struct source it came from.
 * Errors:  as in base.h; what is wrong with a file goes to struct problems instead, and the work goes on.
 */
#pragma once

#include <libconfig.h>
#include <sys/stat.h>

#include <sonoran-pushd/config.h>
#include <sonoran-pushd/text.h>

#define SOURCE_MAX_BYTES ((size_t) 1 << 20) /* of a file with all that it includes */
#define SECRET_MAX_BYTES ((size_t) 4096)
#define LIST_MAX_ELEMENTS 4096
#define PROBLEMS_MAX 200
#define SHOWN_MAX_CHARS 60

/* problems.c - sentences are collected in any order and handed over in that of the file. */

struct place {
    const char *file;
    unsigned line;  /* 0: of no line */
    unsigned order; /* over all files that were read */
};

struct problem {
    unsigned order, sequence;
    bool warns;
    char *line;
};

struct problems {
    struct problem *items;
    size_t n_items;
    size_t n_mistakes;
    bool failed; /* no memory */
};

void problems_add(struct problems *problems, struct place place, const char *format, ...) PRINTF_LIKE(3, 4);
void problems_warn(struct problems *problems, struct place place, const char *format, ...) PRINTF_LIKE(3, 4);
int problems_hand_over(struct problems *problems, struct config_problems *ret) MUST_CHECK;

/* file.c - small files that may hold secrets. */

int file_read(const char *path, size_t max_bytes, struct text *ret, struct stat *ret_st, struct err *err) MUST_CHECK;
char *path_beside(const char *file, const char *name);

/* access.c - who else may read or change a file with a secret in it, and what to do. */

/* What others than the owner of a file, and than readers of its group, may do ("read", "change", "read and change"); or
 * NULL. */
const char *others_may(mode_t mode);

/* What takes that from them and leaves the file to who reads it now: "chmod 640 FILE". */
void add_remedy(struct text *text, const char *path, const struct stat *st);

/* Whether somebody reads it only because everybody may: then add_remedy would keep the daemon out. */
bool is_read_as_anybody(const struct stat *st);

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

/* The configuration of the unit, whose secrets systemd hands over at a start. */
bool is_service(const char *config_file);

/* Where a secret belongs that has no place yet: "/etc/sonoran-pushd/secrets". */
void add_secrets_folder(struct text *text, const char *config_file);

/* Puts the secret of a file of ours, beside the configuration or the event log, under the name of its credential. What
 * is not there, or may not be read, is left out. */
int secret_collect(const struct secret_source *source, const char *name, struct config_secrets *secrets,
                   struct err *err) MUST_CHECK;

/* secrets.c - secrets from elsewhere; name: of a credential ("secrets_a_b", "a_b"). NULL: it is not there. */

const char *secrets_handed_over(const struct config_secrets *secrets, const char *name);
const char *secrets_of_environment(const struct config_secrets *secrets, const char *name);

/* source.c - the text of a config file with all that it includes. */

struct source_file {
    char *name;
    struct stat st;
    bool warned;
};

/* From this line of the text on, lines are those of a file. */
struct source_part {
    unsigned order;
    size_t file;
    unsigned line;
};

struct source {
    struct text text;
    struct source_file *files;
    size_t n_files;
    struct source_part *parts;
    size_t n_parts;
};

/* Mistakes may have been added to problems after success too: then the text is not fit for libconfig. */
int source_read(const char *file, struct source *ret, struct problems *problems) MUST_CHECK;
struct place source_place(const struct source *source, unsigned order);
struct source_file *source_file_at(const struct source *source, unsigned order);
void source_done(struct source *source);

/* scan.c - tokens, from a file to the text for libconfig. */

#define NESTING_MAX 16

/* The whole: what is written for libconfig. */
struct scan {
    struct source *source;
    struct problems *problems;
    size_t total_bytes;
    unsigned order;   /* line of the text */
    unsigned pending; /* line breaks not written yet */
    char last;        /* letter before this token */
    unsigned nesting;
    unsigned n_settings[NESTING_MAX + 1];
    unsigned depth; /* of includes */
};

/* One file. */
struct reader {
    struct scan *scan;
    const char *p, *end;
    unsigned line;
    size_t file;
};

void scan_mistake(const struct reader *reader, const char *sentence);
void scan_flush_lines(struct scan *scan);
void scan_rest_of_line(struct reader *reader);
void scan_token(struct reader *reader);
void source_include(struct reader *reader); /* source.c: at @include */

/* address.c */

int address_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size) MUST_CHECK;

/* Could not both be bound: the same port, and one address is, or includes, the other. */
bool address_overlap(const char *a, const char *b);

/* value.c - one value: from a file, compared, and in the syntax of a file again. */

enum raw_kind { RAW_TEXT, RAW_NUMBER, RAW_BOOL, RAW_OTHER };

struct raw {
    enum raw_kind kind;
    const char *text;
    int64_t number;
};

size_t value_size(enum config_type type);
bool is_secret(enum config_type type);
int value_parse(const struct config_option *option, const struct raw *raw, void *ret, struct err *err) MUST_CHECK;
int value_parse_fallback(const struct config_option *option, const char *fallback, void *ret) MUST_CHECK;
bool value_is_none(enum config_type type, const void *value); /* a text that was not given */
bool value_equal(enum config_type type, const void *a, const void *b);
bool value_clashes(enum config_type type, const void *a, const void *b);
void value_add(struct text *text, const struct config_option *option, const void *value);
void value_add_expected(struct text *text, const struct config_option *option);
void value_done(enum config_type type, void *value);

/* options.c holds the table; rows.c - the table by group. */

/* A pointer and the number behind it, as in struct config. */
struct list {
    char *elements;
    size_t n_elements;
};

struct list list_get(const void *base, size_t offset);
void list_set(void *base, size_t offset, struct list list);

struct walk; /* of setting.c */

/* A group of which there are several. */
struct config_list {
    const char *group;
    const char *one; /* of them, in words */
    size_t offset;   /* of a struct list in struct config */
    size_t element_size;
    enum { ABSENT_IS_DEFAULTS, ABSENT_IS_NONE, ABSENT_IS_MISTAKE } absent;

    /* Of an element that has no mistake so far: what its rows cannot say. NULL: nothing. prefix: "actions[1]." */
    void (*check)(const struct walk *walk, const config_setting_t *setting, const char *prefix, const void *element);
};

/* The rows of a group, which stand together in the table. */
struct rows {
    const struct config_option *first;
    size_t n;
};

struct rows rows_of(const char *group);
struct rows rows_next(const struct config_option *row); /* the group that begins at row; n is 0 at the end */
const struct config_option *rows_find(struct rows rows, const char *name);
const struct config_list *list_of(const char *group); /* NULL: there is one of this group */

/* How many letters of "listeners[]" are its name. */
int group_name_size(const char *group);
struct rows rows_of_setting(const char *name);

/* The other of api_key and api_key_file, or NULL. */
const struct config_option *option_partner(const struct config_option *option);

/* The value of a group's option "type", where there is one that has been read. */
#define TYPE_UNKNOWN (-1)
int type_of(struct rows rows, const char *base);
void type_forget(struct rows rows, char *base);

/* In a group of that type; with TYPE_UNKNOWN, perhaps. */
bool option_applies(const struct config_option *option, int type);

/* suggest.c */

/* The option that an unknown name may have meant; false and nothing added when none is near. */
bool option_suggest(struct text *text, const char *group, const char *name);

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

struct place setting_place(const struct walk *walk, const config_setting_t *setting);

/* "NAME = VALUE: sentence"; a secret's value is left out. */
void setting_refuse(const struct walk *walk, const config_setting_t *setting, const char *name, bool secret,
                    const char *sentence);

/* list[twin] has the same. */
void setting_refuse_twin(const struct walk *walk, const config_setting_t *setting, bool secret, enum config_type type,
                         const char *name, const char *list, unsigned twin);

void take_value(const struct walk *walk, const struct config_option *option, const config_setting_t *setting,
                const char *name, void *field);
void take_values(const struct walk *walk, const struct config_option *option, const config_setting_t *setting,
                 const char *name, void *field);
void take_secret_file(const struct walk *walk, const struct config_option *secret, const config_setting_t *setting,
                      const char *name, char **field);
/* Into a list, of one file or of several; of headers, each line is one. */
void take_secret_files(const struct walk *walk, const struct config_option *option, const config_setting_t *setting,
                       const char *name, void *field);
int take_fallback(const struct config_option *option, void *field) MUST_CHECK;

/* doubts.c - warnings of what is accepted and hardly meant. */

void warn_about_key(const struct walk *walk, const struct config_option *option, const config_setting_t *setting,
                    const char *name, const char *key);
void warn_about_limits(const struct walk *walk, const config_setting_t *root);

/* target.c - NULL: the URL leads elsewhere, as far as can be seen. */

const struct config_listener *target_find_listener(const struct config *config, const char *url);

/* load.c */

void cleanup_settings(config_t *settings);

/* Of the event log, before the rest is read: secrets may stand beside it. NULL: no memory. */
char *find_store_path(const char *file, const config_t *settings);

/* actions.c */

void check_action(const struct walk *walk, const config_setting_t *setting, const char *prefix, const void *element);

/* walk.c - the groups of a file, by the rows of the table. */

void walk_config(const struct walk *walk, const config_setting_t *root);
