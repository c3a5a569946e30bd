/* place.c - where the socket is. By itself, so that a client needs nothing else of here. */
#include <stdlib.h>
#include <string.h>

#include "admin_private.h"

/* Of several folders the one that is ours: others come from drop-ins. */
static struct span own_folder(const char *folders)
{
    for (const char *p = folders; *p;) {
        size_t size = strcspn(p, ":"), name = strlen(PROGRAM_NAME);
        if (size > name && p[size - name - 1] == '/' && strncmp(p + size - name, PROGRAM_NAME, name) == 0)
            return (struct span){ p, size };
        p += size + (p[size] == ':');
    }
    return (struct span){ folders, strcspn(folders, ":") };
}

char *admin_socket_of_service(const char *folders)
{
    char *path;
    struct span folder = own_folder(folders);
    return asprintf(&path, "%.*s/control.sock", (int) folder.size, folder.s) < 0 ? NULL : path;
}

char *admin_socket_beside(const char *store_path)
{
    char *path;
    return asprintf(&path, "%s.control", store_path) < 0 ? NULL : path;
}

char *admin_socket_path(const char *store_path)
{
    const char *folders = getenv("RUNTIME_DIRECTORY");
    return folders && *folders ? admin_socket_of_service(folders) : admin_socket_beside(store_path);
}
