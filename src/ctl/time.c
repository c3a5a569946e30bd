/* time.c - points in time as people write them, in local time unless they end in Z. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl_private.h"

/* 99999999 days are more than any log holds, and far from the end of 64 bits. */
#define NUMBER_MAX_DIGITS 8
#define UNIX_MAX_DIGITS 11
#define DAY_US (24 * 3600 * USEC_PER_SEC)

static bool take_number(const char **p, int digits_min, int digits_max, long long *ret)
{
    int n = 0;
    *ret = 0;
    for (; n < digits_max && isdigit((unsigned char) **p); n++, (*p)++)
        *ret = *ret * 10 + (**p - '0');
    return n >= digits_min && !isdigit((unsigned char) **p);
}

static bool take(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* "-2h" */
static int read_ago(const char *p, usec_t now, usec_t *ret_us)
{
    static const struct {
        const char *name;
        usec_t us;
    } units[] = {
        { "s", USEC_PER_SEC },        { "m", 60 * USEC_PER_SEC },        { "min", 60 * USEC_PER_SEC },
        { "h", 3600 * USEC_PER_SEC }, { "d", 24 * 3600 * USEC_PER_SEC }, { "w", 7 * 24 * 3600 * USEC_PER_SEC },
    };
    long long n;
    if (!take_number(&p, 1, NUMBER_MAX_DIGITS, &n))
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strcmp(p, units[i].name) == 0) {
            usec_t ago = (usec_t) n * units[i].us;
            *ret_us = ago < now ? now - ago : 0;
            return 0;
        }
    return -EINVAL;
}

/* "16:00", "16:00:05", "16:00:05.25" */
static int read_clock(const char **p, struct tm *tm, usec_t *ret_fraction_us, bool *ret_second)
{
    long long hour, minute, second = 0;
    if (!take_number(p, 1, 2, &hour) || !take(p, ':') || !take_number(p, 2, 2, &minute))
        return -EINVAL;
    *ret_second = take(p, ':');
    if (*ret_second && !take_number(p, 2, 2, &second))
        return -EINVAL;
    if (*ret_second && take(p, '.')) {
        *ret_second = false;
        if (!isdigit((unsigned char) **p))
            return -EINVAL;
        for (usec_t unit = USEC_PER_SEC / 10; isdigit((unsigned char) **p); unit /= 10, (*p)++)
            *ret_fraction_us += (usec_t) (**p - '0') * unit;
    }
    if (hour > 23 || minute > 59 || second > 59)
        return -EINVAL;
    tm->tm_hour = (int) hour;
    tm->tm_min = (int) minute;
    tm->tm_sec = (int) second;
    return 0;
}

static int read_date(const char **p, struct tm *tm)
{
    long long year, month, day;
    if (!take_number(p, 4, 4, &year) || !take(p, '-') || !take_number(p, 1, 2, &month) || !take(p, '-') ||
        !take_number(p, 1, 2, &day) || year < 1970 || month < 1 || month > 12 || day < 1 || day > 31)
        return -EINVAL;
    *tm = (struct tm){ .tm_year = (int) year - 1900, .tm_mon = (int) month - 1, .tm_mday = (int) day };
    return 0;
}

/* mktime would take the 31st of February for the 3rd of March. */
static int to_time(struct tm *tm, bool utc, time_t *ret)
{
    int day = tm->tm_mday;
    tm->tm_isdst = -1;
    time_t seconds = utc ? timegm(tm) : mktime(tm);
    if (seconds < 0 || tm->tm_mday != day)
        return -EINVAL;
    *ret = seconds;
    return 0;
}

static int read_calendar(const char *p, usec_t now, usec_t *ret_us, bool *ret_second)
{
    struct tm tm;
    time_t seconds = (time_t) (now / USEC_PER_SEC);
    usec_t fraction_us = 0;
    bool second = false, utc = false;

    localtime_r(&seconds, &tm);
    bool date = strchr(p, '-') != NULL;
    if (date && read_date(&p, &tm) < 0)
        return -EINVAL;
    if (!date || *p) {
        if (date && !take(&p, ' ') && !take(&p, 'T'))
            return -EINVAL;
        tm.tm_sec = 0;
        if (read_clock(&p, &tm, &fraction_us, &second) < 0)
            return -EINVAL;
        utc = date && take(&p, 'Z');
    }
    if (*p || to_time(&tm, utc, &seconds) < 0)
        return -EINVAL;
    *ret_us = (usec_t) seconds * USEC_PER_SEC + fraction_us;
    *ret_second = second;
    return 0;
}

/* Midnight, so many days back. */
static int read_day(usec_t now, int days, usec_t *ret_us)
{
    struct tm tm;
    time_t seconds = (time_t) (now / USEC_PER_SEC);
    localtime_r(&seconds, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday -= days;
    tm.tm_isdst = -1;
    seconds = mktime(&tm);
    if (seconds < 0)
        return -EINVAL;
    *ret_us = (usec_t) seconds * USEC_PER_SEC;
    return 0;
}

int time_read(const char *text, usec_t now, usec_t *ret_us, bool *ret_second)
{
    static const char *const days[] = { "today", "yesterday" };
    const char *p = text;
    long long seconds;

    *ret_second = false;
    if (strcmp(text, "now") == 0) {
        *ret_us = now;
        return 0;
    }
    for (int i = 0; i < (int) ARRAY_SIZE(days); i++)
        if (strcmp(text, days[i]) == 0)
            return read_day(now, i, ret_us);
    if (*text == '-')
        return read_ago(text + 1, now, ret_us);
    if (take_number(&p, 1, UNIX_MAX_DIGITS, &seconds) && !*p) {
        *ret_us = (usec_t) seconds * USEC_PER_SEC;
        *ret_second = true;
        return 0;
    }
    return read_calendar(text, now, ret_us, ret_second);
}

int time_read_since(const char *text, usec_t now, usec_t *ret_us)
{
    bool second, clock = strchr(text, ':') && !strchr(text, '-');
    int r = time_read(text, now, ret_us, &second);
    if (r < 0 || !clock || *ret_us <= now || now < DAY_US)
        return r;
    return time_read(text, now - DAY_US, ret_us, &second);
}

void time_write(struct text *out, usec_t time_us)
{
    time_t seconds = (time_t) (time_us / USEC_PER_SEC);
    char words[64] = "";
    struct tm tm;

    localtime_r(&seconds, &tm);
    strftime(words, sizeof(words), "%Y-%m-%d %H:%M:%S", &tm);
    text_add(out, words);
}

void time_write_zone(struct text *out)
{
    time_t seconds = (time_t) (now_us() / USEC_PER_SEC);
    char name[32] = "";
    struct tm tm;

    localtime_r(&seconds, &tm);
    strftime(name, sizeof(name), "%Z", &tm);
    text_addf(out, "%s%s", *name == '+' || *name == '-' ? "UTC" : "", name); /* a zone may have no other name */
}
