/* access.c - who else may read or change a file with a secret in it, and what to do about it: never something that
 * keeps the daemon out. */
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_private.h"

const char *access_others_may(mode_t mode)
{
    bool read = mode & S_IROTH, change = mode & (S_IWGRP | S_IWOTH);
    return read && change ? "read and change" : read ? "read" : change ? "change" : NULL;
}

static bool is_in_group(gid_t group)
{
    gid_t groups[256];
    int n = getgroups(ARRAY_SIZE(groups), groups);
    for (int i = 0; i < n; i++)
        if (groups[i] == group)
            return true;
    return group == getegid();
}

/* Of root nobody knows what the daemon runs as; where all belongs to root it may be another. */
bool access_is_read_as_anybody(const struct stat *st)
{
    if (!(st->st_mode & S_IROTH))
        return false;
    if (geteuid() == 0)
        return st->st_uid == 0 && st->st_gid == 0;
    return st->st_uid != geteuid() && !(st->st_mode & S_IRGRP && is_in_group(st->st_gid));
}

void access_add_remedy(struct text *text, const char *path, const struct stat *st)
{
    text_addf(text, "chmod %o ", (unsigned) st->st_mode & (S_IRUSR | S_IWUSR | S_IRGRP));
    text_add_safe(text, path, strlen(path), 0);
}
