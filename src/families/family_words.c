/* family_words.c - the words for the CAD's numbers, the same in lines and in facts. Source: events.md 2.6. */
#include "fields.h"

const struct fact_word words_unit_status[] = { { 0, "unavailable", NULL }, { 1, "busy", NULL },
                                               { 2, "available", NULL },   { 3, "en route", NULL },
                                               { 4, "on scene", NULL },    { 100, "offline", NULL },
                                               { 0, NULL, NULL } };

const struct fact_word words_page[] = {
    { 0, "police", NULL }, { 1, "fire", NULL }, { 2, "EMS", NULL }, { 3, "dispatch", NULL }, { 0, NULL, NULL }
};

const struct fact_word words_origin[] = { { 0, "from a caller", "caller" },
                                          { 1, "from radio dispatch", "radio dispatch" },
                                          { 2, "observed", NULL },
                                          { 3, "walk-up", NULL },
                                          { 0, NULL, NULL } };

const struct fact_word words_call_status[] = {
    { 0, "pending", NULL }, { 1, "active", NULL }, { 2, "closed", NULL }, { 0, NULL, NULL }
};

const struct fact_word words_record_type[] = { { 2, "warrant", NULL },
                                               { 3, "BOLO", NULL },
                                               { 4, "license", NULL },
                                               { 5, "vehicle registration", NULL },
                                               { 7, "character", NULL },
                                               { 8, "police record", NULL },
                                               { 9, "police report", NULL },
                                               { 10, "medical record", NULL },
                                               { 11, "medical report", NULL },
                                               { 12, "fire record", NULL },
                                               { 13, "fire report", NULL },
                                               { 14, "DMV", NULL },
                                               { 15, "law record", NULL },
                                               { 16, "law report", NULL },
                                               { 0, NULL, NULL } };

static const struct {
    const struct fact_word *words;
    const char *unnamed; /* in front of a number without a word */
} wordings[] = {
    [WORD_NONE] = { (const struct fact_word[]){ { 0, NULL, NULL } }, "" },
    [WORD_UNIT_STATUS] = { words_unit_status, "status " },
    [WORD_PAGE] = { words_page, "page " },
    [WORD_ORIGIN] = { words_origin, "origin " },
    [WORD_CALL_STATUS] = { words_call_status, "status " },
    [WORD_RECORD_TYPE] = { words_record_type, "type " },
};

void phrase_say_word(struct text *out, enum wording wording, int32_t number)
{
    for (const struct fact_word *word = wordings[wording].words; word->word; word++)
        if (word->number == number) {
            text_add(out, word->word);
            return;
        }
    text_add(out, wordings[wording].unnamed);
    text_add_int(out, number);
}

int32_t word_number(enum wording wording, const char *text)
{
    struct span written = { text, strlen(text) };
    for (const struct fact_word *word = wordings[wording].words; word->word; word++)
        if (fact_same_words(written, word->word) || (word->also && fact_same_words(written, word->also)))
            return word->number;
    return STATE_UNSET;
}
