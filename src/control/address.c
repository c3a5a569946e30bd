/* address.c - where the socket is: beside the event log. By itself, so that a client needs nothing else of here. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "private.h"

/* A long path goes by way of its open folder. */
static int address_by_folder(const char *store_path, struct sockaddr_un *ret, int *ret_folder_fd, struct err *err)
{
    char *folder CLEANUP(cleanup_free) = strdup(store_path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (!folder)
        return err_set(err, -ENOMEM, "no memory");
    const char *name = slash ? store_path + (slash - folder) + 1 : store_path;
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "cannot open %s: %s", slash ? folder : ".", strerror(errno));
    int n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s.control", fd, name);
    *ret_folder_fd = fd;
    if ((size_t) n >= sizeof(ret->sun_path))
        return err_set(err, -ENAMETOOLONG, "%s.control is too long a name for a socket", name);
    return 0;
}

int control_address(const char *store_path, struct sockaddr_un *ret, int *ret_folder_fd, struct err *err)
{
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *ret_folder_fd = -1;
    int n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s.control", store_path);
    return (size_t) n < sizeof(ret->sun_path) ? 0 : address_by_folder(store_path, ret, ret_folder_fd, err);
}
