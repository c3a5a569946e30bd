/* fact_values.c - how the rows of facts find their values in an event. */
#include "fact_values.h"

#define STEP_MAX_BYTES 48

/* ---- ways ---- */

/* Where to, and who takes what is there. */
struct walk {
    fact_taker *take;
    void *context;
    bool several; /* a list at the end of a way is its elements */
};

static bool walk(const cJSON *item, struct span way, const struct walk *to);

static bool walk_list(const cJSON *list, struct span way, const struct walk *to)
{
    bool some = false;
    for (const cJSON *element = field_first_of(list); element; element = field_next_of(list, element))
        some |= walk(element, way, to);
    return some;
}

static bool walk(const cJSON *item, struct span way, const struct walk *to)
{
    char step[STEP_MAX_BYTES];
    if (event_is_list(item) && (way.size || to->several))
        return walk_list(item, way, to);
    if (!way.size)
        return item && to->take(to->context, item);
    const char *dot = memchr(way.s, '.', way.size);
    size_t size = dot ? (size_t) (dot - way.s) : way.size, passed = dot ? size + 1 : size;
    snprintf(step, sizeof(step), "%.*s", (int) size, way.s);
    return walk(field_get(item, step), (struct span){ way.s + passed, way.size - passed }, to);
}

/* "a+b" */
static bool walk_all(const struct event *event, struct span ways, const struct walk *to)
{
    bool some = false;
    for (const char *p = ways.s, *end = ways.s + ways.size; p < end;) {
        const char *plus = memchr(p, '+', (size_t) (end - p)), *stop = plus ? plus : end;
        bool beside = *p == '^';
        struct span way = { p + beside, (size_t) (stop - p) - beside };
        some |= walk(beside ? event->top : event->data, way, to);
        p = plus ? plus + 1 : end;
    }
    return some;
}

bool fact_walk(const struct fact *fact, const struct event *event, fact_taker *take, void *context)
{
    const struct walk to = { take, context, fact->flags & FACT_SEVERAL };
    const char *where = fact->where ? fact->where : "";
    while (*where) {
        size_t size = strcspn(where, " ");
        if (walk_all(event, (struct span){ where, size }, &to))
            return true;
        where += size + strspn(where + size, " ");
    }
    return false;
}

/* ---- values ---- */

bool fact_give(const struct fact *fact, const struct fact_asked *asked, const char *text, const char *number)
{
    if (!text || fact_is_nothing(text))
        return false;
    asked->take(asked->context, fact, &(struct fact_value){ .text = text, .number = number });
    return true;
}

bool fact_give_int(const struct fact *fact, const struct fact_asked *asked, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%lld", (long long) number);
    return fact_give(fact, asked, digits, digits);
}

bool fact_give_flag(const struct fact *fact, const struct fact_asked *asked, bool on)
{
    return fact_give(fact, asked, on ? "yes" : "no", on ? "1" : "0");
}

/* A row and who asked for it, as the context of a taker. */
struct request {
    const struct fact *fact;
    const struct fact_asked *asked;
    enum wording wording;
};

static void ask(const struct fact *fact, const struct fact_asked *asked, fact_taker *take, enum wording wording)
{
    struct request request = { fact, asked, wording };
    fact_walk(fact, asked->event, take, &request);
}

static bool take_text(void *context, const cJSON *item)
{
    const struct request *request = context;
    return fact_give(request->fact, request->asked, scalar_text(item), NULL);
}

void fact_text(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_text, 0);
}

static bool take_name(void *context, const cJSON *item)
{
    return take_text(context, cJSON_IsObject(item) ? field_get(item, "name") : item);
}

void fact_name(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_name, 0);
}

/* Nothing that could be taken for more than a number goes out as one. */
static bool is_decimal(const char *text)
{
    const char *digits = text + (*text == '-');
    return digits[strspn(digits, "0123456789.")] == '\0' && digits[0] >= '0' && digits[0] <= '9';
}

static bool take_number(void *context, const cJSON *item)
{
    const struct request *request = context;
    const char *text = scalar_text(item);
    return text && is_decimal(text) && fact_give(request->fact, request->asked, text, text);
}

void fact_number(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_number, 0);
}

static bool take_id(void *context, const cJSON *item)
{
    const struct request *request = context;
    int64_t id;
    return scalar_read_id(item, &id) && fact_give_int(request->fact, request->asked, id);
}

void fact_id(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_id, 0);
}

static bool take_key(void *context, const cJSON *item)
{
    int64_t number;
    if (scalar_read_whole(item, &number))
        return take_id(context, item);
    return cJSON_IsString(item) && take_text(context, item);
}

void fact_key(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_key, 0);
}

static bool take_flag(void *context, const cJSON *item)
{
    const struct request *request = context;
    int8_t on = scalar_flag(item);
    return on >= 0 && fact_give_flag(request->fact, request->asked, on);
}

void fact_flag(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_flag, 0);
}

/* ---- words ---- */

/* A number, its decimal text, its name; another text is a word of the community's own. */
static bool take_word(void *context, const cJSON *item)
{
    const struct request *request = context;
    struct text word CLEANUP(text_free) = TEXT_INIT;
    char digits[16];
    int32_t number = scalar_number(item, request->wording);
    if (number == STATE_UNSET)
        return fact_give(request->fact, request->asked, cJSON_GetStringValue(item), NULL);
    if (request->wording == WORD_PAGE && number == -1) /* UNKNOWN */
        return false;
    snprintf(digits, sizeof(digits), "%d", number);
    phrase_say_word(&word, request->wording, number);
    return fact_give(request->fact, request->asked, word.s, digits);
}

void fact_unit_status(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_word, WORD_UNIT_STATUS);
}

void fact_page(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_word, WORD_PAGE);
}

void fact_origin(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_word, WORD_ORIGIN);
}

void fact_call_status(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_word, WORD_CALL_STATUS);
}

void fact_record_type(const struct fact *fact, const struct fact_asked *asked)
{
    ask(fact, asked, take_word, WORD_RECORD_TYPE);
}
