/* file.c - small files that may hold secrets: read at once into memory that is wiped, and the secrets in them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* what editors of Windows put in front */

void secret_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void cleanup_wiped_text(struct text *text)
{
    if (text->room)
        explicit_bzero(text->s, text->size);
    text_free(text);
}

/* O_NONBLOCK: opening a FIFO would wait for its writer. */
static int open_regular(const char *path, mode_t *ret_mode, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set(err, -errno, "%s", strerror(errno));

    struct stat st;
    int r = fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : S_ISREG(st.st_mode) ? 0 : -ENODEV;
    if (r < 0) {
        close(fd);
        return err_set(err, r, "%s", r == -ENODEV ? "Not a regular file" : strerror(-r));
    }

    *ret_mode = st.st_mode;
    return fd;
}

int file_read(const char *path, size_t max_bytes, struct text *ret, mode_t *ret_mode, struct err *err)
{
    mode_t mode = 0;
    CLEANUP(cleanup_close) int fd = open_regular(path, &mode, err);
    if (fd < 0)
        return fd;

    CLEANUP(cleanup_wiped_text) struct text bytes = TEXT_INIT;
    if (!text_reserve(&bytes, max_bytes + 1)) /* at once: growing would leave copies behind */
        return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));

    ssize_t n;
    while ((n = read(fd, bytes.s + bytes.size, max_bytes + 1 - bytes.size)) > 0)
        bytes.size += (size_t) n;
    if (n < 0)
        return err_set(err, -errno, "%s", strerror(errno));
    if (bytes.size > max_bytes)
        return err_set(err, -EFBIG, "larger than %zuK", max_bytes >> 10);

    size_t mark = strlen(BYTE_ORDER_MARK);
    if (bytes.size >= mark && memcmp(bytes.s, BYTE_ORDER_MARK, mark) == 0) {
        bytes.size -= mark;
        memmove(bytes.s, bytes.s + mark, bytes.size);
        explicit_bzero(bytes.s + bytes.size, mark);
    }
    bytes.s[bytes.size] = '\0';
    *ret = bytes;
    bytes = (struct text) TEXT_INIT;
    *ret_mode = mode;
    return 0;
}

char *path_beside(const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    char *path;
    int n = asprintf(&path, "%.*s%s", *name == '/' || !slash ? 0 : (int) (slash - file + 1), file, name);
    return n < 0 ? NULL : path;
}

const char *others_may(mode_t mode)
{
    bool read = mode & S_IROTH, change = mode & (S_IWGRP | S_IWOTH);
    return read && change ? "read and change" : read ? "read" : change ? "change" : NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *secret_noun(enum config_type type)
{
    return type == CONFIG_URL ? "URL" : "key";
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
    if (is_blank(secret[0]) || is_blank(secret[size - 1]))
        return err_set(err, -EINVAL, "expected a key without blanks at its ends");
    for (size_t i = 0; i < size; i++)
        if ((unsigned char) secret[i] < 0x20 || secret[i] == 0x7f)
            return err_set(err, -EINVAL, "expected a key of one line, without control characters");
    return 0;
}

static char *resolve(const char *config_file, const char *name, bool *ret_credentials)
{
    const char *credentials = secure_getenv("CREDENTIALS_DIRECTORY");
    *ret_credentials = *name != '/' && credentials && *credentials;
    if (*ret_credentials) {
        char *path;
        if (asprintf(&path, "%s/%s", credentials, name) < 0)
            return NULL;
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return path_beside(config_file, name);
}

int secret_read(enum config_type type, const char *config_file, const char *name, char **ret, char **ret_path,
                mode_t *ret_mode, struct err *err)
{
    bool credentials;
    char *path = resolve(config_file, name, &credentials);
    if (!path)
        return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
    *ret_path = path;

    CLEANUP(cleanup_wiped_text) struct text bytes = TEXT_INIT;
    int r = file_read(path, SECRET_MAX_BYTES, &bytes, ret_mode, err);
    if (r < 0) {
        if (r == -ENOENT && credentials)
            err_set(err, r, "%s, nor is it in $CREDENTIALS_DIRECTORY", strerror(ENOENT));
        struct text shown = TEXT_INIT;
        text_add_safe(&shown, path, strlen(path), 200);
        err_wrap(err, r, "cannot read %s", shown.s);
        text_free(&shown);
        return r;
    }

    size_t size = bytes.size;
    while (size && is_blank(bytes.s[size - 1]))
        size--;
    r = secret_check(type, bytes.s, size, err);
    if (r < 0)
        return r;

    char *secret = strndup(bytes.s, size);
    if (!secret)
        return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
    *ret = secret;
    return 0;
}
