/* http_holder.c - which program has a port, as far as /proc shows it: to root, and of one's own programs.
 *
 * Source: proc(5): net/tcp names the inode of a listening socket, PID/fd who has it open. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http_private.h"

#define STATE_LISTEN 0x0a
#define LOOK_MAX_US (3 * USEC_PER_SEC) /* a machine may have very many files open, or be busy */

/* 0: nobody listens there, as this table has it. */
static unsigned long find_inode(const char *table, unsigned port)
{
    FILE *file CLEANUP(cleanup_fclose) = fopen(table, "re");
    char line[512];
    while (file && fgets(line, sizeof(line), file)) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &local, &state,
                   &inode) == 3 &&
            local == port && state == STATE_LISTEN)
            return inode;
    }
    return 0;
}

static bool has_open(const char *pid, const char *socket)
{
    char path[300], target[64];
    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    bool found = false;
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        target[size > 0 ? size : 0] = '\0';
        found = strcmp(target, socket) == 0;
    }
    if (folder)
        closedir(folder);
    return found;
}

static void name_process(const char *pid, char *ret, size_t size)
{
    char path[300], name[32] = "?";
    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    if (file && fgets(name, sizeof(name), file))
        name[strcspn(name, "\n")] = '\0';
    for (char *c = name; *c; c++)
        *c = isgraph((unsigned char) *c) ? *c : '?';
    snprintf(ret, size, "%s (process %s)", name, pid);
}

bool http_holder_find(const struct sockaddr *address, char *ret, size_t size)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *) (const void *) address; /* as in sockaddr_in6 */
    unsigned port = ntohs(in->sin_port);
    unsigned long inode = find_inode("/proc/net/tcp", port);
    if (!inode)
        inode = find_inode("/proc/net/tcp6", port);
    if (!inode)
        return false;

    char socket[64];
    snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
    DIR *processes = opendir("/proc");
    bool found = false;
    usec_t end = uptime_us() + LOOK_MAX_US;
    for (struct dirent *entry; processes && !found && uptime_us() < end && (entry = readdir(processes));)
        if (isdigit((unsigned char) entry->d_name[0]) && has_open(entry->d_name, socket)) {
            name_process(entry->d_name, ret, size);
            found = true;
        }
    if (processes)
        closedir(processes);
    return found;
}
