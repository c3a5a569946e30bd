/* report_format.c - which format a scraper asks for. Source: RFC 9110 section 12.5.1, of which it takes the media types
 * that there are here. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/report.h>

#define WHOLE 1000 /* of a weight, whose digits are three at most */

static struct span trim(struct span word)
{
    while (word.size && (*word.s == ' ' || *word.s == '\t')) {
        word.s++;
        word.size--;
    }
    while (word.size && (word.s[word.size - 1] == ' ' || word.s[word.size - 1] == '\t'))
        word.size--;
    return word;
}

/* What stands before the first separator, or all; rest is what comes behind it. */
static struct span cut(struct span *rest, char separator)
{
    const char *end = memchr(rest->s, separator, rest->size);
    struct span word = { rest->s, end ? (size_t) (end - rest->s) : rest->size };
    size_t taken = word.size + (end != NULL);
    *rest = (struct span){ rest->s + taken, rest->size - taken };
    return trim(word);
}

static bool is(struct span word, const char *what)
{
    return word.size == strlen(what) && strncasecmp(word.s, what, word.size) == 0;
}

/* "0.75" in thousandths. */
static int read_weight(struct span word)
{
    int weight = 0, place = WHOLE;
    for (size_t i = 0; i < word.size && place; i++) {
        if (word.s[i] >= '0' && word.s[i] <= '9') {
            weight += (word.s[i] - '0') * place;
            place /= 10;
        } else if (word.s[i] != '.') {
            return WHOLE;
        }
    }
    return weight > WHOLE ? WHOLE : weight;
}

/* How much is thought of a media type, 0: nothing; of a version that is not this one: nothing. */
static int weight_of(struct span parameters, const char *version)
{
    int weight = WHOLE;
    while (parameters.size) {
        struct span value = cut(&parameters, ';'), name = cut(&value, '=');
        value = trim(value);
        if (is(name, "q"))
            weight = read_weight(value);
        else if (is(name, "version") && !is(value, version))
            return 0;
    }
    return weight;
}

enum report_format report_format_for(const char *accept)
{
    struct span rest = { accept ? accept : "", accept ? strlen(accept) : 0 };
    int openmetrics = 0, text = 0;
    while (rest.size) {
        struct span parameters = cut(&rest, ','), type = cut(&parameters, ';');
        bool is_openmetrics = is(type, "application/openmetrics-text"), is_text = is(type, "text/plain");
        int weight = is_openmetrics ? weight_of(parameters, "1.0.0") : is_text ? weight_of(parameters, "0.0.4") : 0;
        openmetrics = is_openmetrics && weight > openmetrics ? weight : openmetrics;
        text = is_text && weight > text ? weight : text;
    }
    return openmetrics && openmetrics >= text ? REPORT_OPENMETRICS : REPORT_PROMETHEUS;
}
