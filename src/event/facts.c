/* facts.c - the facts of an event: those of its type, and those that every event has. */
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/facts.h>

/* ---- of every event ---- */

static void emit_count(const struct fact *fact, const struct fact_asked *asked)
{
    char digits[24];
    const cJSON *item = json_get(asked->known, fact->where);
    if (!json_is(item, cJSON_Number))
        return;
    snprintf(digits, sizeof(digits), "%.0f", item->valuedouble);
    asked->take(asked->context, fact, &(struct fact_value){ .text = digits, .number = digits });
}

static const struct fact rows[] = {
    { "dispatchers", "Dispatchers", FACT_NUMBER, FACT_BESIDE | FACT_OF_STATE, emit_count, "dispatchers", NULL },
    { "on_duty", "On duty", FACT_NUMBER, FACT_BESIDE | FACT_OF_STATE, emit_count, "on_duty", NULL },
};

const struct fact_list facts_of_every_event = { rows, ARRAY_SIZE(rows) };

/* ---- all of them ---- */

void fact_emit(const struct fact *fact, const struct event *event, const struct description *row, const cJSON *known,
               fact_take *take, void *context)
{
    const struct fact_asked asked = { event, row, known, take, context };
    fact->emit(fact, &asked);
}

void facts_emit(const struct event *event, const struct description *row, const cJSON *known, fact_take *take,
                void *context)
{
    const struct fact_list *own = event->handler ? event->handler->facts : NULL;
    for (size_t i = 0; own && i < own->n; i++)
        fact_emit(&own->rows[i], event, row, known, take, context);
    for (size_t i = 0; i < facts_of_every_event.n; i++)
        fact_emit(&rows[i], event, row, known, take, context);
}

static const struct fact *find(const struct fact_list *list, struct span name)
{
    for (size_t i = 0; list && i < list->n; i++)
        if (span_is(name, list->rows[i].name))
            return &list->rows[i];
    return NULL;
}

const struct fact *facts_find(const struct event_type *type, struct span name)
{
    const struct fact *own = find(type ? type->facts : NULL, name);
    return own ? own : find(&facts_of_every_event, name);
}

static void write_value(void *context, const struct fact *fact, const struct fact_value *value)
{
    struct text *out = context;
    (void) fact;
    if (out->size)
        text_add(out, ", ");
    if (value->label)
        text_addf(out, "%s: ", value->label);
    text_add(out, value->text);
}

bool fact_write(const struct fact *fact, const struct event *event, const struct description *row, const cJSON *known,
                struct text *out)
{
    struct text values CLEANUP(text_free) = TEXT_INIT;
    fact_emit(fact, event, row, known, write_value, &values);
    out->failed |= values.failed;
    text_add_bytes(out, values.s, values.size);
    return values.size;
}

/* ---- comparing ---- */

bool fact_is_nothing(const char *text)
{
    static const char *const words[] = { "nil", "null", "undefined", "None", "NOT SET" };
    const char *first = text;
    while (*first == ' ')
        first++;
    if (*first > ' ' && *first < 0x7f && *first != 'n' && *first != 'u' && *first != 'N') /* nearly all */
        return false;
    size_t size = strlen(first);
    while (size && first[size - 1] == ' ')
        size--;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (size == strlen(words[i]) && memcmp(first, words[i], size) == 0)
            return true;
    return text_is_blank(text, strlen(text));
}

static bool is_separator(char c)
{
    return c == ' ' || c == '_' || c == '-';
}

bool fact_same_words(struct span a, const char *b)
{
    size_t i = 0;
    for (;;) {
        while (i < a.size && is_separator(a.s[i]))
            i++;
        while (is_separator(*b))
            b++;
        if (i == a.size || !*b)
            return i == a.size && !*b;
        if (strncasecmp(&a.s[i++], b++, 1) != 0)
            return false;
    }
}

static bool is_one_of(struct span written, const char *const *words)
{
    for (; *words; words++)
        if (fact_same_words(written, *words))
            return true;
    return false;
}

static bool same_flag(struct span written, const char *number)
{
    static const char *const on[] = { "true", "1", "yes", "on", NULL };
    static const char *const off[] = { "false", "0", "no", "off", NULL };
    return is_one_of(written, *number == '1' ? on : off);
}

static bool same_other_word(const struct fact *fact, const char *number, struct span written)
{
    for (const struct fact_word *word = fact->words; word && word->word; word++) {
        char digits[16];
        snprintf(digits, sizeof(digits), "%d", word->number);
        if (word->also && strcmp(digits, number) == 0 && fact_same_words(written, word->also))
            return true;
    }
    return false;
}

bool fact_equals(const struct fact *fact, const struct fact_value *value, struct span written)
{
    if (fact->kind == FACT_FLAG && value->number)
        return same_flag(written, value->number);
    if (fact->kind == FACT_WORD)
        return fact_same_words(written, value->text) ||
               (value->number && same_other_word(fact, value->number, written));
    return strlen(value->text) == written.size && strncasecmp(value->text, written.s, written.size) == 0;
}
