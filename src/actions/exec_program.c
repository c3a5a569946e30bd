/* exec_program.c - can this file be started? Looks at what execve looks at, and says it in words.
 *
 * Source: execve(2), "Interpreter scripts".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec.h"

#define HEAD_BYTES 256 /* the kernel reads no more of it */

/* 0 as well for a file that may be executed but not read. */
static size_t read_head(const char *path, char head[HEAD_BYTES + 1])
{
    int fd CLEANUP(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, head, HEAD_BYTES);
    head[size < 0 ? 0 : size] = '\0';
    return size < 0 ? 0 : (size_t) size;
}

static int check_script(const char *path, char *head, struct err *err)
{
    char *interpreter = head + 2 + strspn(head + 2, " \t");
    interpreter[strcspn(interpreter, " \t\n")] = '\0';

    size_t size = strlen(interpreter);
    if (size == 0)
        return err_set(err, -ENOEXEC, "%s names no interpreter behind its #!", path);
    if (interpreter[size - 1] == '\r')
        return err_set(err, -ENOEXEC, "%s has the line ends of DOS (\\r\\n)", path);
    if (interpreter[0] == '/' && access(interpreter, X_OK) < 0)
        return err_set(err, -errno, "%s needs %s: %s", path, interpreter, strerror(errno));
    return 0;
}

int exec_program_check(const char *path, struct err *err)
{
    char head[HEAD_BYTES + 1];
    struct stat st;

    if (stat(path, &st) < 0)
        return err_set(err, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EACCES, "%s is not a regular file", path);
    if (access(path, X_OK) < 0)
        return err_set(err, -errno, "%s is not executable for this user", path);
    if (st.st_size == 0)
        return err_set(err, -ENOEXEC, "%s is empty", path);

    size_t size = read_head(path, head);
    if (strncmp(head, "#!", 2) == 0)
        return check_script(path, head, err);
    if (size > 0 && !memchr(head, '\0', size))
        return err_set(err, -ENOEXEC, "%s is a script without a first line such as #!/bin/sh", path);
    return 0;
}

const char *exec_program_hidden(const char *path)
{
    static const char home[] =
        "a service does not see /home and /root: ProtectHome=read-only in a drop-in of its unit opens them, as in "
        "/usr/share/doc/sonoran-pushd/examples/exec-actions.conf";
    static const char tmp[] = "a service has a /tmp of its own (PrivateTmp=yes): put the program elsewhere, such as "
                              "into /usr/local/bin";
    static const struct {
        const char *folder, *hint;
    } rows[] = {
        { "/home/", home }, { "/root/", home }, { "/run/user/", home }, { "/tmp/", tmp }, { "/var/tmp/", tmp }
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strncmp(path, rows[i].folder, strlen(rows[i].folder)) == 0)
            return rows[i].hint;
    return NULL;
}
