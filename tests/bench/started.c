/* started.c FILE ID - a program as short as /bin/true, which adds "ID NANOSECONDS" to a file: when it began, by the
 * clock that its starter has, too. What tests/bench/programs.py lets servers start. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec now;
    char line[64];

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (argc != 3)
        return 64;
    int n = snprintf(line, sizeof(line), "%.20s %lld\n", argv[2], now.tv_sec * 1000000000LL + now.tv_nsec);
    int fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 || write(fd, line, (size_t) n) != n;
}
