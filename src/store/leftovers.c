/* leftovers.c - what a restore leaves beside the log: the copy of one that was cut off, and logs that were put aside.
 */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

static const char *const beside[] = { "", "-wal", "-shm", "-journal", ".lock" };

bool leftovers_name(char ret[PATH_MAX], const char *file, const char *end)
{
    int n = snprintf(ret, PATH_MAX, "%s%s", file, end);
    return n >= 0 && n < PATH_MAX;
}

void leftovers_discard(const char *file)
{
    char name[PATH_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
        if (leftovers_name(name, file, beside[i]))
            (void) unlink(name);
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

/* Calls found for each file of the folder whose name begins with that of the log and ".kept-". -errno, or what found
 * ended it with. */
static int walk_kept(const char *path, int (*found)(void *userdata, const char *name), void *userdata)
{
    char *copy CLEANUP(cleanup_free) = strdup(path), *base_copy CLEANUP(cleanup_free) = strdup(path);
    char name[PATH_MAX], begin[NAME_MAX + 1];
    struct dirent *entry;
    int r = 0;
    if (!copy || !base_copy)
        return -ENOMEM;
    const char *where = dirname(copy);
    int n = snprintf(begin, sizeof(begin), "%s" STORE_KEPT, basename(base_copy));
    DIR *folder CLEANUP(close_folder) = opendir(where);
    if (!folder)
        return -errno;
    while (r == 0 && (entry = readdir(folder)))
        if (strncmp(entry->d_name, begin, (size_t) n) == 0 &&
            (size_t) snprintf(name, sizeof(name), "%s/%s", where, entry->d_name) < sizeof(name))
            r = found(userdata, name);
    return r;
}

static int drop_second_name(void *userdata, const char *name)
{
    const struct stat *log = userdata;
    struct stat st;
    if (lstat(name, &st) == 0 && st.st_dev == log->st_dev && st.st_ino == log->st_ino)
        (void) unlink(name);
    return 0;
}

void leftovers_drop(const char *path)
{
    char copy[PATH_MAX];
    struct stat st;
    if (leftovers_name(copy, path, STORE_RESTORING) && access(copy, F_OK) == 0)
        leftovers_discard(copy);
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 1)
        (void) walk_kept(path, drop_second_name, &st);
}

/* ---- for people ---- */

struct list {
    struct store_kept *kept;
    size_t n;
};

/* What belongs to a log counts with it; readdir has them in any order. */
static size_t name_size(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 1; i < ARRAY_SIZE(beside); i++) {
        size_t end = strlen(beside[i]);
        if (size > end && strcmp(name + size - end, beside[i]) == 0)
            return size - end;
    }
    return size;
}

static struct store_kept *find(struct list *list, const char *name, size_t size)
{
    for (size_t i = 0; i < list->n; i++)
        if (strncmp(list->kept[i].path, name, size) == 0 && list->kept[i].path[size] == '\0')
            return &list->kept[i];
    struct store_kept *more = realloc(list->kept, (list->n + 1) * sizeof(*more));
    if (!more)
        return NULL;
    list->kept = more;
    more[list->n] = (struct store_kept){ strndup(name, size), 0 };
    return more[list->n].path ? &more[list->n++] : NULL;
}

static int add_to_list(void *userdata, const char *name)
{
    struct store_kept *kept = find(userdata, name, name_size(name));
    struct stat st;
    if (kept && lstat(name, &st) == 0)
        kept->bytes += (uint64_t) st.st_size;
    return kept ? 0 : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct store_kept *) a)->path, ((const struct store_kept *) b)->path);
}

int store_list_kept(const char *path, struct store_kept **ret, size_t *ret_n)
{
    char *real CLEANUP(cleanup_free) = store_real_path(path);
    struct list list = { NULL, 0 };
    int r = real ? walk_kept(real, add_to_list, &list) : -ENOMEM;
    if (list.n)
        qsort(list.kept, list.n, sizeof(*list.kept), by_name);
    *ret = list.kept;
    *ret_n = list.n;
    return r;
}

void store_free_kept(struct store_kept *kept, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(kept[i].path);
    free(kept);
}
