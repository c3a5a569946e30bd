/* base.c - errors as values, scope cleanup, time. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sonoran-pushd/text.h>

/* A sentence that has filled all its room may end in a part of a letter. */
static void end_with_letter(struct err *err)
{
    size_t size = strlen(err->msg), letter = 1;
    uint32_t code;
    if (size + 1 < sizeof(err->msg))
        return;
    while (letter < UTF8_MAX_BYTES && (err->msg[size - letter] & 0xc0) == 0x80)
        letter++;
    if (!utf8_read(err->msg + size - letter, letter, &code))
        err->msg[size - letter] = '\0';
}

int err_set(struct err *err, int r, const char *format, ...)
{
    if (!err)
        return r;

    va_list args;
    va_start(args, format);
    vsnprintf(err->msg, sizeof(err->msg), format, args);
    va_end(args);
    end_with_letter(err);
    return r;
}

int err_wrap(struct err *err, int r, const char *format, ...)
{
    if (!err)
        return r;

    struct err inner = *err;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->msg, sizeof(err->msg), format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t) n, room = sizeof(err->msg);
    if (used + 3 < room)
        snprintf(err->msg + used, room - used, ": %.*s", (int) (room - used - 3), inner.msg);
    end_with_letter(err);
    return r;
}

static usec_t clock_us(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000;
}

usec_t now_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

usec_t uptime_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

usec_t boottime_us(void)
{
    return clock_us(CLOCK_BOOTTIME);
}

void cleanup_free(void *pointer_to_pointer)
{
    free(*(void **) pointer_to_pointer);
}

void cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void cleanup_fclose(FILE **file)
{
    if (*file)
        fclose(*file);
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 0x100000001b3;
    return hash;
}
