/* numbers.c - the numbers of the units that an event concerns ("3-L-27"), by which it is found again. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/event.h>

#define LOOK_BACK 64 /* each stands there once; among more than that nobody looks */

const char *description_next_number(const struct description *description, const char *number)
{
    const struct text *numbers = &description->numbers;
    const char *next = number ? number + strlen(number) + 1 : numbers->s;
    return next < numbers->s + numbers->size ? next : NULL;
}

void description_add_number(struct description *description, const char *number)
{
    struct text *numbers = &description->numbers;
    size_t n = 0;
    if (!number || text_is_blank(number, strlen(number)))
        return;
    for (const char *other = NULL; n < LOOK_BACK && (other = description_next_number(description, other)); n++)
        if (strcasecmp(other, number) == 0)
            return;
    text_add_bytes(numbers, number, strlen(number) + 1);
}

/* Those that a double would spoil are texts. */
static int64_t id_of(const cJSON *unit)
{
    const cJSON *id = json_get(unit, "id");
    const char *text = cJSON_GetStringValue(id);
    return text ? strtoll(text, NULL, 10) : json_is(id, cJSON_Number) ? (int64_t) id->valuedouble : 0;
}

void description_read_numbers(struct description *ret)
{
    text_reset(&ret->numbers);
    const cJSON *unit;
    cJSON_ArrayForEach (unit, json_get(ret->known_json, "units")) {
        int64_t id = id_of(unit);
        for (size_t i = 0; i < ret->units.n; i++)
            if (ret->units.v[i] == id)
                description_add_number(ret, json_get_text(unit, "number"));
    }
}
