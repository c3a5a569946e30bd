/* web_answer.c - what is kept of an answer. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <sonoran-pushd/net.h>

#define RETRY_AFTER_MAX_S (366 * 24 * 3600.0)

static const char *const header_names[] = { WEB_HEADERS };
static_assert(ARRAY_SIZE(header_names) == WEB_N_HEADERS, "every header needs its place in an answer");

/* RFC 9110, 5.6.7: the form to send, and the two that have to be understood. */
static const char *const date_forms[] = { "%a, %d %b %Y %H:%M:%S GMT", "%a, %d-%b-%y %H:%M:%S GMT",
                                          "%a %b %d %H:%M:%S %Y" };

const char *web_header(const struct web_answer *answer, const char *name)
{
    for (size_t i = 0; i < WEB_N_HEADERS; i++)
        if (strcasecmp(header_names[i], name) == 0)
            return answer->headers[i][0] ? answer->headers[i] : NULL;
    return NULL;
}

static void keep_value(char *ret, const char *value, const char *end)
{
    while (value < end && isspace((unsigned char) *value))
        value++;
    while (end > value && isspace((unsigned char) end[-1]))
        end--;
    size_t size = (size_t) (end - value);
    if (size > WEB_HEADER_MAX_BYTES)
        size = 0;
    memcpy(ret, value, size);
    ret[size] = '\0';
}

void web_answer_keep(struct web_answer *answer, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (!colon)
        return;

    size_t name_size = (size_t) (colon - line);
    for (size_t i = 0; i < WEB_N_HEADERS; i++)
        if (strlen(header_names[i]) == name_size && strncasecmp(header_names[i], line, name_size) == 0)
            keep_value(answer->headers[i], colon + 1, line + size);
}

static double seconds_until_date(const char *value, usec_t now_us)
{
    for (size_t i = 0; i < ARRAY_SIZE(date_forms); i++) {
        struct tm tm = { 0 };
        const char *end = strptime(value, date_forms[i], &tm);
        if (end && *end == '\0')
            return (double) timegm(&tm) - (double) now_us / (double) USEC_PER_SEC;
    }
    return 0;
}

usec_t web_read_retry_after(const char *value, usec_t now_us)
{
    bool number = value[strspn(value, "0123456789.")] == '\0';
    double seconds = number ? strtod(value, NULL) : seconds_until_date(value, now_us);
    if (seconds <= 0)
        return 0;
    return (usec_t) ((seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * (double) USEC_PER_SEC + 0.5);
}

void web_answer_free(struct web_answer *answer)
{
    text_free(&answer->body);
    text_free(&answer->redirect);
}
