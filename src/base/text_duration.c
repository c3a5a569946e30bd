/* text_duration.c - a length of time in words: exactly, as a configuration has it, and as people say it. */
#include <sonoran-pushd/text.h>

static const struct unit {
    usec_t us;
    const char *name;
} units[] = {
    { 24 * 3600 * USEC_PER_SEC, "d" }, { 3600 * USEC_PER_SEC, "h" },
    { 60 * USEC_PER_SEC, "min" },      { USEC_PER_SEC, "s" },
    { USEC_PER_MSEC, "ms" },
};

#define EXACT (ARRAY_SIZE(units) - 1)
#define SECONDS (ARRAY_SIZE(units) - 2) /* people have nothing below */

void text_add_duration(struct text *text, usec_t us)
{
    size_t i = us ? 0 : SECONDS;
    while (i < EXACT && us % units[i].us)
        i++;
    text_addf(text, "%llu%s", (unsigned long long) (us / units[i].us), units[i].name);
}

static void add_part(struct text *text, usec_t us, const struct unit *unit)
{
    text_addf(text, "%llu %s", (unsigned long long) (us / unit->us), unit->name);
}

void text_add_lapse(struct text *text, usec_t us)
{
    size_t i = 0;
    while (i < SECONDS && us < units[i].us)
        i++;
    add_part(text, us, &units[i]);
    usec_t rest = us % units[i].us;
    if (i + 1 >= SECONDS || rest < units[i + 1].us) /* "1 min" is near enough */
        return;
    text_add(text, " ");
    add_part(text, rest, &units[i + 1]);
}

void text_add_about(struct text *text, usec_t us)
{
    size_t i = 0;
    while (i < SECONDS && us < 2 * units[i].us)
        i++;
    add_part(text, us, &units[i]);
}
