/* toy_family.c - a family with a type and a fact of its own: this file, and a row in families.h. */
#include "fact_values.h"

static int ball_check(const struct event *event, struct err *err)
{
    return field_need_text(event, err, NAMES("colour"));
}

static void ball_describe(const struct event *event, const struct state *state, struct description *out)
{
    (void) state;
    text_add(&out->line, "a ball of");
    phrase_say_after(&out->line, " ", field_get_text(event->data, "colour"), LINE_NAME_MAX);
}

static const struct fact rows[] = {
    { "ball.colour", "Colour", FACT_TEXT, FACT_BESIDE, fact_text, "colour", NULL },
};
static FACT_LIST(facts, rows);

static const struct event_type types[] = {
    { "TOY_BALL", "TOY_GLOBE", ball_check, ball_describe, NULL, &facts },
};

const struct event_family family_toy = { "toy", "35", types, ARRAY_SIZE(types) };
