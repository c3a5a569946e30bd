/* holder.c - which other program has a lock on the log: the kernel names its process to whoever asks for the same lock.
 */
#include <fcntl.h>
#include <string.h>

#include "store_private.h"

#define NAME_BYTES 15 /* of a program, to the kernel */

/* Opened once and closed after the database: closing any descriptor of a file lets go of all locks that this process
 * has on it, SQLite's too (fcntl(2)). */
static int open_shm(struct store *store)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s-shm", store->path);
    if (store->shm_fd < 0)
        store->shm_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return store->shm_fd;
}

/* Processes of others may be hidden from a service (ProtectProc=). */
static void name_process(pid_t pid, char ret[STORE_HOLDER_BYTES])
{
    char path[64], name[NAME_BYTES + 2] = "";
    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    if (file && fgets(name, sizeof(name), file))
        name[strcspn(name, "\n")] = '\0';
    snprintf(ret, STORE_HOLDER_BYTES, name[0] ? "%s (process %d)" : "%sprocess %d", name, pid);
}

void holder_find_in(int fd, off_t first, off_t last, char ret[STORE_HOLDER_BYTES])
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = last - first + 1 };
    snprintf(ret, STORE_HOLDER_BYTES, "another program");
    if (fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
        name_process(lock.l_pid, ret);
}

void holder_find(struct store *store, off_t first, off_t last, char ret[STORE_HOLDER_BYTES])
{
    holder_find_in(open_shm(store), first, last, ret);
}
