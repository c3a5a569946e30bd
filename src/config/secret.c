/* secret.c - a secret: is it one, and where the file of it is.
 *
 * Source: systemd.exec(5), LoadCredential=: the files of a folder become credentials whose names are the path from the
 * name of the folder on, with "_" for each "/"; links and other kinds of files are left out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sonoran-pushd/machine.h>

#include "config_private.h"

#define FOLDER "secrets"

/* ---- what a secret is ---- */

void secret_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *secret_noun(enum config_type type)
{
    return type == CONFIG_URL ? "URL" : type == CONFIG_HEADER ? "header" : "key";
}

static int url_check(const char *url, size_t size, struct err *err)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char) url[i] <= ' ' || url[i] == 0x7f)
            return err_set(err, -EINVAL, "expected a URL without blanks and control characters");
    size_t scheme = size >= 7 && memcmp(url, "http://", 7) == 0 ? 7 : 0;
    if (size >= 8 && memcmp(url, "https://", 8) == 0)
        scheme = 8;
    if (!scheme || scheme == size || strchr("/?#:", url[scheme]))
        return err_set(err, -EINVAL, "expected a URL from http:// or https:// on, with a host");
    return 0;
}

int secret_check(enum config_type type, const char *secret, size_t size, struct err *err)
{
    const char *noun = secret_noun(type);
    if (!size)
        return err_set(err, -EINVAL, "expected a %s, but it is empty", noun);
    if (size > SECRET_MAX_BYTES)
        return err_set(err, -EINVAL, "expected a %s of at most %zuK", noun, SECRET_MAX_BYTES >> 10);
    if (size == 5 && memcmp(secret, "(set)", 5) == 0)
        return err_set(err, -EINVAL, "expected the %s itself, not what --print-config shows in its place", noun);
    if (type == CONFIG_URL)
        return url_check(secret, size, err);
    if (type == CONFIG_HEADER)
        return header_check(secret, size, err);
    if (is_blank(secret[0]) || is_blank(secret[size - 1]))
        return err_set(err, -EINVAL, "expected a key without blanks at its ends");
    for (size_t i = 0; i < size; i++)
        if ((unsigned char) secret[i] < 0x20 || secret[i] == 0x7f)
            return err_set(err, -EINVAL, "expected a key of one line, without control characters");
    return 0;
}

/* ---- where it is ---- */

/* Of a name: the places where it may be. NULL: there is none such. */
struct places {
    char *in_folder; /* secrets/ beside the configuration */
    char *beside, *beside_log;
    char *folder_credential, *own_credential; /* names: "secrets_a_b", "a_b" */
    char *credential_paths[2];                /* of these, in $CREDENTIALS_DIRECTORY */
    char *service_credential;
    bool failed; /* no memory */
};

static void places_free(struct places *places)
{
    free(places->in_folder);
    free(places->beside);
    free(places->beside_log);
    free(places->folder_credential);
    free(places->own_credential);
    free(places->credential_paths[0]);
    free(places->credential_paths[1]);
    free(places->service_credential);
}

/* "secrets/a" and "/etc/sonoran-pushd/secrets/a" mean the same file as "a". */
static const char *name_in_folder(const char *config_file, const char *name)
{
    const char *slash = strrchr(config_file, '/');
    size_t size = *name == '/' && slash ? (size_t) (slash - config_file) + 1 : 0;
    const char *rest = strncmp(name, config_file, size) == 0 ? name + size : name;
    return strncmp(rest, FOLDER "/", strlen(FOLDER "/")) == 0 ? rest + strlen(FOLDER "/") : name;
}

PRINTF_LIKE(2, 3) static char *print(struct places *places, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *s;
    if (vasprintf(&s, format, args) < 0) {
        s = NULL;
        places->failed = true;
    }
    va_end(args);
    return s;
}

static char *print_beside(struct places *places, const char *file, const char *folder, const char *name)
{
    const char *slash = strrchr(file, '/');
    return print(places, "%.*s%s%s", slash ? (int) (slash - file) + 1 : 0, file, folder, name);
}

static int find_places(const struct secret_source *source, const char *name, struct places *ret)
{
    const char *credentials = secure_getenv("CREDENTIALS_DIRECTORY");
    struct places places = { 0 };
    places.in_folder = print_beside(&places, source->config_file, FOLDER "/", name);
    places.beside = print_beside(&places, source->config_file, "", name);
    places.beside_log = source->store_path ? print_beside(&places, source->store_path, "", name) : NULL;
    places.own_credential = print(&places, "%s", name);
    for (char *p = places.own_credential; p && *p; p++)
        *p = *p == '/' ? '_' : *p;
    if (!places.failed)
        places.folder_credential = print(&places, FOLDER "_%s", places.own_credential);
    if (!places.failed && credentials && *credentials) {
        places.credential_paths[0] = print(&places, "%s/%s", credentials, places.folder_credential);
        places.credential_paths[1] = print(&places, "%s/%s", credentials, places.own_credential);
    } else if (!places.failed && strcmp(source->config_file, CONFIG_DEFAULT_FILE) == 0) {
        places.service_credential = print(&places, CONFIG_SERVICE_CREDENTIALS "/%s", places.own_credential);
    }
    *ret = places;
    return places.failed ? -ENOMEM : 0;
}

/* systemd would leave it out. */
static bool is_link(const char *config_file, const char *path)
{
    struct places none = { 0 };
    char *folder CLEANUP(cleanup_free) = print_beside(&none, config_file, FOLDER, "");
    char *folder_now CLEANUP(cleanup_free) = folder ? realpath(folder, NULL) : NULL;
    char *path_now CLEANUP(cleanup_free) = realpath(path, NULL);
    struct stat st;
    if (!folder_now || !path_now)
        return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
    size_t size = strlen(folder_now);
    return strncmp(path_now, folder_now, size) != 0 || strcmp(path_now + size, path + strlen(folder)) != 0;
}

static int refuse_link(const char *path, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, path, strlen(path), 200);
    return err_set(err, -ELOOP, "%s is a link, which systemd leaves out: put the file there", shown.s);
}

static bool exists(const char *path)
{
    return path && access(path, F_OK) == 0;
}

/* What was handed over is newer than what systemd gave at the start, and older than a file that can be read now. */
static const char *choose(const struct secret_source *source, const struct places *places, const char **ret_path)
{
    const struct config_secrets *known = source->known;
    const char *secret = secrets_handed_over(known, places->folder_credential);
    if (secret) {
        *ret_path = access(places->in_folder, R_OK) == 0 ? places->in_folder : NULL;
        return secret;
    }
    for (size_t i = 0; i < ARRAY_SIZE(places->credential_paths); i++)
        if (exists(*ret_path = places->credential_paths[i]))
            return NULL;
    secret = secrets_handed_over(known, places->own_credential);
    if (secret) {
        *ret_path = access(places->beside, R_OK) == 0 ? places->beside : NULL;
        return secret;
    }
    *ret_path = NULL;
    secret = secrets_of_environment(known, places->own_credential);
    if (secret)
        return secret;
    const char *const files[] = { places->in_folder, places->beside, places->beside_log, places->service_credential };
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (exists(*ret_path = files[i]))
            return NULL;
    *ret_path = NULL;
    return NULL;
}

bool secret_is_service(const char *config_file)
{
    return secure_getenv("CREDENTIALS_DIRECTORY") || strcmp(config_file, CONFIG_DEFAULT_FILE) == 0;
}

void secret_add_folder(struct text *text, const char *config_file)
{
    const char *slash = strrchr(config_file, '/');
    text_add_safe(text, config_file, slash ? (size_t) (slash - config_file) + 1 : 0, 0);
    text_add(text, FOLDER);
}

static int refuse_missing(const struct secret_source *source, enum config_type type, const struct places *places,
                          struct err *err)
{
    bool service = secret_is_service(source->config_file);
    struct text folder CLEANUP(text_free) = TEXT_INIT;
    secret_add_folder(&folder, source->config_file);
    const char *place = service || exists(folder.s) ? places->in_folder : places->beside;
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, place, strlen(place), 200);
    bool handed_over = secure_getenv("CREDENTIALS_DIRECTORY"); /* all that is there, to the daemon */
    struct text next CLEANUP(text_free) = TEXT_INIT;
    if (!handed_over && access(places->in_folder, F_OK) < 0 && errno == EACCES) /* somebody else than root asks */
        return err_set(err, -EACCES, "cannot read %s: %s", shown.s, strerror(EACCES));
    if (getpid() == 1) /* of a container */
        secrets_add_variable(&next, ", or into the variable ", places->own_credential);
    else if (service)
        text_addf(&next, ", then %s", machine_restart());
    return err_set(err, -ENOENT, "no such file, put the %s into %s%s", secret_noun(type), shown.s,
                   next.size ? next.s : "");
}

static int refuse_file(const char *path, const struct places *places, int r, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT, better CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, path, strlen(path), 200);
    bool elsewhere = places->in_folder && strcmp(path, places->in_folder) != 0;
    if (r == -EACCES && elsewhere && secure_getenv("CREDENTIALS_DIRECTORY")) { /* the service, not somebody who looks */
        text_add(&better, ", move it to ");
        text_add_safe(&better, places->in_folder, strlen(places->in_folder), 200);
        text_addf(&better, ", then %s", machine_restart());
    }
    struct err why = *err;
    return err_set(err, r, "cannot read %s: %s%s", shown.s, why.msg, better.size ? better.s : "");
}

/* Each line is one; empty ones are none. */
static int check_lines(enum config_type type, const char *bytes, size_t size, struct err *err)
{
    unsigned n = 1;
    for (const char *p = bytes, *end = bytes + size; p < end; n++) {
        const char *feed = memchr(p, '\n', (size_t) (end - p));
        size_t line = (size_t) ((feed ? feed : end) - p);
        size_t shown = line && p[line - 1] == '\r' ? line - 1 : line;
        int r = shown ? secret_check(type, p, shown, err) : 0;
        if (r < 0)
            return err_wrap(err, r, "line %u", n);
        p += line + 1;
    }
    return 0;
}

/* Blanks and line ends behind it are no part of it. */
static int take(enum config_type type, const char *bytes, size_t size, char **ret, struct err *err)
{
    while (size && is_blank(bytes[size - 1]))
        size--;
    bool lines = type == CONFIG_HEADER && size && size <= SECRET_MAX_BYTES && !memchr(bytes, '\0', size);
    int r = lines ? check_lines(type, bytes, size, err) : secret_check(type, bytes, size, err);
    if (r < 0)
        return r;
    char *secret = strndup(bytes, size);
    if (!secret)
        return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
    *ret = secret;
    return 0;
}

static int look(enum config_type type, const struct secret_source *source, const char *name,
                const struct places *places, struct secret_file *ret, struct err *err)
{
    const char *path = name, *secret = NULL;
    if (places->in_folder) {
        if (is_link(source->config_file, places->in_folder))
            return refuse_link(places->in_folder, err);
        secret = choose(source, places, &path);
    }
    if (!path)
        return secret ? take(type, secret, strlen(secret), &ret->secret, err)
                      : refuse_missing(source, type, places, err);

    CLEANUP(text_wipe) struct text bytes = TEXT_INIT;
    int r = file_read(path, SECRET_MAX_BYTES, &bytes, &ret->st, err);
    if (r < 0)
        return refuse_file(path, places, r, err);
    ret->in_folder = path == places->in_folder;
    ret->hidden = path == places->beside && places->service_credential && machine_has_systemd() && geteuid() == 0 &&
                  !(ret->st.st_mode & S_IROTH) && !exists(places->service_credential);
    ret->path = strdup(path);
    if (!ret->path)
        return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
    return take(type, bytes.s, bytes.size, &ret->secret, err);
}

int secret_read(enum config_type type, const struct secret_source *source, const char *name, struct secret_file *ret,
                struct err *err)
{
    struct places places = { 0 };
    name = name_in_folder(source->config_file, name);
    *ret = (struct secret_file){ 0 };
    int r = *name == '/' ? 0 : find_places(source, name, &places);
    r = r < 0 ? err_set(err, r, "%s", strerror(-r)) : look(type, source, name, &places, ret, err);
    places_free(&places);
    return r;
}

char *secret_place_to_make(const struct secret_source *source, const char *name)
{
    struct places none = { 0 };
    name = name_in_folder(source->config_file, name);
    return *name == '/' ? strdup(name) : print_beside(&none, source->store_path, "", name);
}

void secret_file_done(struct secret_file *file)
{
    secret_wipe(file->secret);
    free(file->path);
    *file = (struct secret_file){ 0 };
}

/* ---- for the daemon ---- */

/* It is one file of ours, whatever the name does. */
static bool is_plain(const char *name)
{
    if (*name == '/')
        return false;
    for (const char *p = name; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (strncmp(p, "..", 2) == 0 && (!p[2] || p[2] == '/'))
            return false;
    }
    return true;
}

static int collect_from(const char *path, const char *credential, struct config_secrets *secrets, struct err *err)
{
    CLEANUP(text_wipe) struct text bytes = TEXT_INIT;
    struct stat st;
    if (!path || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    int r = file_read(path, SECRET_MAX_BYTES, &bytes, &st, err);
    if (r < 0)
        return err_wrap(err, r, "cannot read %s", path);
    if (st.st_uid != geteuid())
        return err_set(err, -EPERM, "%s belongs to somebody else, who could have put anything there: chown root %s",
                       path, path);
    for (char *p = bytes.s; (p = memchr(p, '\0', bytes.size - (size_t) (p - bytes.s)));)
        *p = '\1'; /* a mistake as well */
    r = config_secrets_hand_over(secrets, credential, bytes.s);
    return r < 0 ? err_set(err, r, "%s", strerror(-r)) : 1;
}

static bool is_ours(const char *path)
{
    struct stat st;
    return path && lstat(path, &st) == 0 && st.st_uid == geteuid();
}

int secret_collect(const struct secret_source *source, const char *name, struct config_secrets *secrets,
                   struct err *err)
{
    struct places places = { 0 };
    name = name_in_folder(source->config_file, name);
    if (!is_plain(name))
        return 0;
    int r = find_places(source, name, &places);
    if (r < 0)
        err_set(err, r, "%s", strerror(-r));
    else if (is_link(source->config_file, places.in_folder))
        r = refuse_link(places.in_folder, err);
    if (r == 0)
        r = collect_from(places.in_folder, places.folder_credential, secrets, err);
    if (r == 0 && is_ours(places.beside)) /* what is of others there, the daemon may read itself */
        r = collect_from(places.beside, places.own_credential, secrets, err);
    if (r == 0 && is_ours(places.beside_log))
        r = collect_from(places.beside_log, places.own_credential, secrets, err);
    places_free(&places);
    return r < 0 ? r : 0;
}
