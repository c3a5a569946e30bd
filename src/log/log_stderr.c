/* log_stderr.c - whole lines into stderr, whatever it is: a terminal, a pipe, a file on a disk that may be full. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_private.h"

bool log_stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           st.st_dev == device && st.st_ino == inode;
}

bool log_has_colours(int fd)
{
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(fd) && terminal && strcmp(terminal, "dumb") != 0 && !(no_colour && *no_colour);
}

static bool is_file(void)
{
    struct stat st;
    return fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
}

/* Takes the last bytes of a file away again, if nobody has written behind them. */
static bool erase(size_t size)
{
    off_t at = lseek(STDERR_FILENO, 0, SEEK_CUR), start = at - (off_t) size;
    struct stat st;
    return at >= (off_t) size && fstat(STDERR_FILENO, &st) == 0 && st.st_size == at &&
           ftruncate(STDERR_FILENO, start) == 0 && lseek(STDERR_FILENO, start, SEEK_SET) == start;
}

static const char *line_start(const char *begin, const char *p)
{
    const char *newline = p > begin ? memrchr(begin, '\n', (size_t) (p - begin)) : NULL;
    return newline ? newline + 1 : begin;
}

static uint64_t count_lines(const char *s, size_t size)
{
    uint64_t n = 0;
    for (const char *p = s; size && (p = memchr(p, '\n', (size_t) (s + size - p))); p++)
        n++;
    return n;
}

/* How far it got; an error is in errno. */
static size_t write_some(const char *s, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = write(STDERR_FILENO, s + done, size - done);
        struct pollfd poll_stderr = { .fd = STDERR_FILENO, .events = POLLOUT };
        if (n >= 0)
            done += (size_t) n;
        else if (errno == EAGAIN)
            poll(&poll_stderr, 1, -1);
        else if (errno != EINTR)
            break;
    }
    return done;
}

uint64_t log_write_stderr(const char *lines, size_t size, bool (*again)(void))
{
    const char *p = lines, *end = lines + size;
    for (;;) {
        p += write_some(p, (size_t) (end - p));
        if (p == end)
            return 0;
        const char *start = line_start(lines, p);
        bool file = is_file();
        if (file && erase((size_t) (p - start)))
            p = start;
        if (!file || !again || !again())
            return count_lines(start, (size_t) (end - start));
    }
}
