/* real.c - where a log really is. Its name may be a symbolic link, and SQLite puts what belongs to a file beside the
 * file, not beside the link. */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

#define LINKS_MAX 40

/* What is not there yet lies in its folder, if that is. NULL: it is not. */
static char *real_in_folder(const char *path)
{
    char folder[PATH_MAX], name[PATH_MAX], *real = NULL;
    snprintf(folder, sizeof(folder), "%s", path);
    snprintf(name, sizeof(name), "%s", path);
    char *where CLEANUP(cleanup_free) = realpath(dirname(folder), NULL);
    if (where && asprintf(&real, "%s/%s", strcmp(where, "/") == 0 ? "" : where, basename(name)) < 0)
        real = NULL;
    return real;
}

/* One link further, of which the file need not be there. false: it is none. */
static bool follow(char path[PATH_MAX])
{
    char target[PATH_MAX], next[PATH_MAX], copy[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    if (n < 0)
        return false;
    target[n] = '\0';
    snprintf(copy, sizeof(copy), "%s", path);
    bool absolute = target[0] == '/';
    int size = snprintf(next, sizeof(next), "%s/%s", absolute ? "" : dirname(copy), absolute ? target + 1 : target);
    if (size < 0 || (size_t) size >= sizeof(next))
        return false;
    memcpy(path, next, (size_t) size + 1);
    return true;
}

char *store_real_path(const char *path)
{
    char at[PATH_MAX], *real = realpath(path, NULL);
    if (real || strlen(path) >= sizeof(at))
        return real ? real : strdup(path);
    snprintf(at, sizeof(at), "%s", path);
    for (int i = 0; i < LINKS_MAX && follow(at); i++)
        ;
    real = real_in_folder(at);
    return real ? real : strdup(path);
}
