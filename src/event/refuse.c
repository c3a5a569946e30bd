/* refuse.c - why an event cannot be used, in words for whoever wrote the program that sent it: where, what was
 * expected, and what came instead. */
#include <errno.h>
#include <string.h>

#include <sonoran-pushd/event.h>

#define NAMES_SHOWN 3
#define NAME_SHOWN_CHARS 24
#define LARGE_MIN_DIGITS 19 /* of a number beyond 64 bits */
#define NAMES_MAX_BYTES 160

int event_refuse(const struct event *event, struct err *err, const char *path, const char *what)
{
    const char *dot = *path && *path != '[' ? "." : "";
    if (event->index < 0)
        return err_set(err, -EINVAL, "data%s%s: %s", dot, path, what);
    return err_set(err, -EINVAL, "data[%d]%s%s: %s", event->index, dot, path, what);
}

int event_refuse_value(const struct event *event, struct err *err, const char *path, const char *expected,
                       const cJSON *came)
{
    struct text what CLEANUP(text_free) = TEXT_INIT;
    event_say_expected(&what, expected, came);
    return event_refuse(event, err, path, what.s);
}

/* An object or list that went through a JSON encoder twice. */
static bool holds_json(const char *text)
{
    static const char blanks[] = " \t\r\n";
    const char *first = text + strspn(text, blanks), *last = text + strlen(text);
    while (last > first && strchr(blanks, last[-1]))
        last--;
    return last - first >= 2 && ((*first == '{' && last[-1] == '}') || (*first == '[' && last[-1] == ']'));
}

/* One that was too large to be kept as a number: the event has it as text. */
static bool is_large_number(const char *text)
{
    const char *digits = text + (*text == '-');
    size_t n = strspn(digits, "0123456789");
    return n >= LARGE_MIN_DIGITS && n <= NAME_SHOWN_CHARS && !digits[n];
}

static void say_text(struct text *out, const char *text)
{
    if (holds_json(text))
        text_addf(out, "a text that holds JSON: send the %s itself, not a text of it",
                  text[strspn(text, " \t\r\n")] == '{' ? "object" : "list");
    else if (is_large_number(text))
        text_add(out, text);
    else
        text_add(out, *text ? "a text" : "an empty text");
}

static void say_object(struct text *out, const cJSON *object)
{
    const size_t start = out->size;
    size_t n = 0;
    text_add(out, object->child ? "an object with the names " : "an empty object");
    for (const cJSON *member = object->child; member; member = member->next) {
        if (n++ == NAMES_SHOWN || out->size > start + NAMES_MAX_BYTES) {
            text_add(out, ", …");
            return;
        }
        text_add(out, n > 1 ? ", \"" : "\"");
        text_add_safe(out, member->string, strlen(member->string), NAME_SHOWN_CHARS);
        text_add(out, "\"");
    }
}

void event_say_expected(struct text *out, const char *expected, const cJSON *came)
{
    if (!came || cJSON_IsNull(came)) {
        text_add(out, "missing");
        return;
    }
    text_addf(out, "expected %s, got ", expected);
    if (cJSON_IsString(came))
        say_text(out, came->valuestring);
    else if (cJSON_IsNumber(came))
        text_addf(out, "%.15g", came->valuedouble);
    else if (cJSON_IsBool(came))
        text_add(out, cJSON_IsTrue(came) ? "true" : "false");
    else if (cJSON_IsArray(came))
        text_add(out, came->child ? "a list" : "an empty list");
    else
        say_object(out, came);
}
