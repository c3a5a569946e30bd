/* test_state.c - the CAD as we last heard it: texts, units, groups, limits, communities, names. */
#include <errno.h>

#include "state_helpers.h"

/* Entry 7 of one of the three kinds, whose texts are then tried one by one. */
union any {
    struct state_unit unit;
    struct state_call call;
    struct state_call911 call911;
};

static int put_any(struct state *state, char kind, const union any *patch, usec_t now)
{
    return kind == 'u'   ? state_unit_put(state, "a", &patch->unit, now)
           : kind == 'c' ? state_call_put(state, "a", &patch->call, now)
                         : state_call911_put(state, "a", &patch->call911, now);
}

static union any get_any(const struct state_snapshot *s, char kind)
{
    return kind == 'u'   ? (union any){ .unit = s->units[0] }
           : kind == 'c' ? (union any){ .call = s->calls[0] }
                         : (union any){ .call911 = s->calls911[0] };
}

static union any blank(char kind)
{
    return kind == 'u'   ? (union any){ .unit = STATE_UNIT_PATCH(7) }
           : kind == 'c' ? (union any){ .call = STATE_CALL_PATCH(7) }
                         : (union any){ .call911 = STATE_CALL911_PATCH(7) };
}

static const struct text_member {
    char kind;
    size_t offset;
} text_members[] = {
    { 'u', offsetof(struct state_unit, number) },      { 'u', offsetof(struct state_unit, name) },
    { 'u', offsetof(struct state_unit, location) },    { 'u', offsetof(struct state_unit, department) },
    { 'u', offsetof(struct state_unit, group) },       { 'c', offsetof(struct state_call, title) },
    { 'c', offsetof(struct state_call, code) },        { 'c', offsetof(struct state_call, address) },
    { 'c', offsetof(struct state_call, postal) },      { 'c', offsetof(struct state_call, description) },
    { 'c', offsetof(struct state_call, last_note) },   { '9', offsetof(struct state_call911, caller) },
    { '9', offsetof(struct state_call911, location) }, { '9', offsetof(struct state_call911, description) },
};

static int tell(struct state *state, const struct text_member *m, const char *s)
{
    union any patch = blank(m->kind);
    *(const char **) ((char *) &patch + m->offset) = s;
    return put_any(state, m->kind, &patch, T0);
}

/* What the member says, after a look that the other texts of the entry say "other" still. */
static void expect_text(const struct state *state, const struct text_member *m, const char *expected, const char *other)
{
    SNAP(s, state);
    union any entry = get_any(s, m->kind);
    for (size_t i = 0; i < ARRAY_SIZE(text_members); i++)
        if (text_members[i].kind == m->kind)
            assert_string_equal(*(const char **) ((char *) &entry + text_members[i].offset),
                                text_members[i].offset == m->offset ? expected : other);
}

static void texts_are_told_kept_and_cleared(void **fixture)
{
    struct state *state = *fixture;
    for (size_t i = 0; i < ARRAY_SIZE(text_members); i++)
        tell(state, &text_members[i], "other");

    for (size_t i = 0; i < ARRAY_SIZE(text_members); i++) {
        const struct text_member *m = &text_members[i];
        assert_int_equal(tell(state, m, "Zoë"), 1);
        assert_int_equal(tell(state, m, "Zoë"), 0);
        assert_int_equal(tell(state, m, NULL), 0);
        expect_text(state, m, "Zoë", "other");
        assert_int_equal(tell(state, m, "Zo"), 1);
        expect_text(state, m, "Zo", "other");
        assert_int_equal(tell(state, m, "Zoë"), 1);
        assert_int_equal(tell(state, m, ""), 1);
        assert_int_equal(tell(state, m, ""), 0);
        expect_text(state, m, "", "other");
        assert_int_equal(tell(state, m, "other"), 1);
    }
}

static void texts_are_cut_at_a_character(void **fixture)
{
    static const struct {
        size_t n_plain;
        const char *tail;
        size_t kept;
    } cases[] = {
        { 512, "", 512 },
        { 512, "b", 512 },
        { 511, "é", 511 },
        { 510, "é", 512 },
        { 510, "é!", 512 },
        { 510, "€", 510 },
        { 509, "🚨", 509 },
        { 508, "🚨x", 512 },
        { 511, "🚨", 511 },
        { 513, "é", 512 },
        { 500, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 512 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char full[600], kept[600];
        memset(full, 'a', sizeof(full));
        strcpy(full + cases[i].n_plain, cases[i].tail);
        strcpy(kept, full);
        kept[cases[i].kept] = '\0';

        assert_int_equal(put_named(*fixture, (int64_t) i, "", full), 1);
        assert_int_equal(put_named(*fixture, (int64_t) i, "", full), 0); /* told cut, kept cut: the same */
        SNAP(s, *fixture);
        assert_string_equal(s->units[i].name, kept);
    }
}

static void unit_numbers_and_flags(void **fixture)
{
    struct state *state = *fixture;
    assert_int_equal(put_unit(state, 7, -1, T0), 1);
    SNAP(fresh, state);
    assert_int_equal(fresh->n_units, 1);
    const struct state_unit *u = &fresh->units[0];
    assert_true(u->id == 7 && u->status == STATE_UNSET && u->page == STATE_UNSET && u->seen_us == T0);
    assert_true(u->panic == 0 && u->dispatcher == 0 && u->online == 1);

    struct state_unit patch = STATE_UNIT_PATCH(7);
    patch.status = 0;
    assert_int_equal(state_unit_put(state, "a", &patch, T0), 1);
    patch.page = -1;
    assert_int_equal(state_unit_put(state, "a", &patch, T0), 1);
    patch.panic = 1;
    assert_int_equal(state_unit_put(state, "a", &patch, T0), 1);
    patch.dispatcher = 1;
    assert_int_equal(state_unit_put(state, "a", &patch, T0), 1);
    assert_int_equal(state_unit_put(state, "a", &patch, T0 + 5), 0);
    assert_int_equal(put_unit(state, 7, -1, T0 + 6), 0);
    SNAP(told, state);
    u = &told->units[0];
    assert_true(u->status == 0 && u->page == -1 && u->panic == 1 && u->dispatcher == 1 && u->online == 1);
    assert_true(u->seen_us == T0 + 6);
}

static void unit_logs_out_and_in(void **fixture)
{
    struct state *state = *fixture;
    struct state_unit patch = STATE_UNIT_PATCH(7);
    patch.panic = 1;
    patch.name = "Mara";
    assert_int_equal(state_unit_put(state, "a", &patch, T0), 1);
    assert_int_equal(state_call_attach(state, "a", 50, IDS(7), T0), 1);
    assert_int_equal(put_unit(state, 7, 0, T0), 1);
    assert_int_equal(put_unit(state, 7, 0, T0), 0);
    patch.online = 0; /* panic told with the logout is off too */
    assert_int_equal(state_unit_put(state, "a", &patch, T0), 0);
    assert_int_equal(put_unit(state, 7, -1, T0), 0);
    SNAP(out, state);
    assert_true(out->units[0].online == 0 && out->units[0].panic == 0);
    assert_string_equal(out->units[0].name, "Mara");
    assert_true(out->n_attached[0] == 1 && out->attached[0][0] == 7);

    assert_int_equal(put_unit(state, 7, 1, T0), 1);
    assert_int_equal(put_unit(state, 8, 0, T0), 1); /* never heard of, and leaving */
    SNAP(in, state);
    assert_true(in->units[0].online == 1 && in->units[0].panic == 0 && in->units[1].online == 0);
}

static void groups_are_renamed(void **fixture)
{
    struct state *state = *fixture;
    put_group(state, 1, "K9");
    put_group(state, 2, "k9");
    put_group(state, 3, "K9");
    put_group(state, 4, "");
    assert_int_equal(state_group_rename(state, "a", "SWAT", "X", T0), 0);
    assert_int_equal(state_group_rename(state, "a", "", "X", T0), 0);
    assert_int_equal(state_group_rename(state, "b", "K9", "X", T0), 0);
    assert_int_equal(state_group_rename(state, "a", "K9", "K9", T0), 0);
    assert_int_equal(state_group_rename(state, "a", "K9", "Dogs", T0 + 1), 1);
    SNAP(s, state);
    static const char *const expected[] = { "Dogs", "k9", "Dogs", "" };
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_string_equal(s->units[i].group, expected[i]);
        assert_true(s->units[i].seen_us == (i % 2 ? T0 : T0 + 1));
    }
    assert_int_equal(state_group_rename(state, "a", "Dogs", "", T0), 1);
    SNAP(none, state);
    assert_string_equal(none->units[0].group, "");
}

static int put_plain(struct state *state, int kind, int64_t id, usec_t now)
{
    return kind == 0   ? put_unit(state, id, -1, now)
           : kind == 1 ? put_call(state, id, STATE_UNSET, now)
                       : put_call911(state, id, NULL, NULL, now);
}

static void the_silent_make_room(void **fixture)
{
    struct state *state = *fixture;
    for (int kind = 0; kind < 3; kind++) {
        for (int64_t id = 0; id < STATE_MAX_ENTRIES; id++)
            assert_int_equal(put_plain(state, kind, id, T0 + (usec_t) id), 1);
        assert_int_equal(put_plain(state, kind, 0, 1), 0); /* heard of last, whatever its clock says */
        assert_int_equal(put_plain(state, kind, INT64_MAX, T0), 1);
        assert_int_equal(put_plain(state, kind, INT64_MIN, T0), 1);
    }
    expect_counts(state, STATE_MAX_ENTRIES, STATE_MAX_ENTRIES, STATE_MAX_ENTRIES);
    SNAP(s, state);
    assert_true(s->units[0].id == INT64_MIN && s->units[1].id == 0 && s->units[2].id == 3);
    assert_true(s->calls[0].id == INT64_MIN && s->calls[1].id == 0 && s->calls[2].id == 3);
    assert_true(s->calls911[0].id == INT64_MIN && s->calls911[1].id == 0 && s->calls911[2].id == 3);
    assert_true(s->units[STATE_MAX_ENTRIES - 1].id == INT64_MAX);
}

static void any_number_is_an_id(void **fixture)
{
    static const int64_t told[] = { 0, INT64_MAX, -1, INT64_MIN, 1 }, sorted[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(told); i++)
        for (int kind = 0; kind < 3; kind++)
            assert_int_equal(put_plain(*fixture, kind, told[i], T0), 1);
    assert_int_equal(state_call_attach(*fixture, "a", -1, told, ARRAY_SIZE(told), T0), 1);
    expect_attached(*fixture, -1, told, ARRAY_SIZE(told));
    SNAP(s, *fixture);
    assert_true(s->n_units == 5 && s->n_calls == 5 && s->n_calls911 == 5);
    for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
        assert_true(s->units[i].id == sorted[i] && s->calls[i].id == sorted[i] && s->calls911[i].id == sorted[i]);
}

/* After puts of random ids exactly those heard of last are there. */
static void many_puts_stay_bounded(void **fixture)
{
    enum { N_PUTS = 100000, N_IDS = 20000 };
    static usec_t heard[N_IDS];
    struct state *state = *fixture;
    uint64_t random = 1;
    for (usec_t now = 1; now <= N_PUTS; now++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t id = (size_t) (random >> 33) % N_IDS;
        assert_true(put_unit(state, (int64_t) id, -1, now) >= 0);
        heard[id] = now;
    }

    SNAP(s, state);
    assert_int_equal(s->n_units, STATE_MAX_ENTRIES);
    usec_t oldest = UINT64_MAX;
    for (size_t i = 0; i < s->n_units; i++) {
        assert_true(i == 0 || s->units[i - 1].id < s->units[i].id);
        assert_true(s->units[i].seen_us == heard[s->units[i].id]);
        if (s->units[i].seen_us < oldest)
            oldest = s->units[i].seen_us;
    }
    size_t n = 0;
    for (size_t i = 0; i < N_IDS; i++)
        n += heard[i] >= oldest;
    assert_int_equal(n, STATE_MAX_ENTRIES);
}

static void communities_are_apart(void **fixture)
{
    struct state *state = *fixture;
    struct state_unit patch = STATE_UNIT_PATCH(1);
    patch.name = "Mara";
    assert_int_equal(state_unit_put(state, "a", &patch, T0), 1);
    patch.name = "Zoë";
    patch.online = 0;
    assert_int_equal(state_unit_put(state, "ab", &patch, T0), 1);
    state_call_attach(state, "ab", 50, IDS(1), T0);
    SNAP(a, state);
    CLEANUP(drop) struct state_snapshot *b = snap_of(state, "ab"), *none = snap_of(state, "c");
    assert_true(a->n_units == 1 && a->n_calls == 0 && b->n_units == 1 && b->n_calls == 1);
    assert_string_equal(a->units[0].name, "Mara");
    assert_string_equal(b->units[0].name, "Zoë");
    assert_true(none->n_units == 0 && none->n_calls == 0 && none->n_calls911 == 0);
}

/* Another node may call its communities as it likes, each of its events another way. Ours always find room. */
static void communities_elsewhere_are_so_many(void **fixture)
{
    struct state *state = *fixture, *overlay = state_overlay(state);
    const struct state_unit patch = STATE_UNIT_PATCH(1);
    char name[REALM_MAX_BYTES + 1];
    for (int i = 0; i < STATE_MAX_ELSEWHERE; i++) {
        snprintf(name, sizeof(name), "c%d@edge1", i);
        assert_int_equal(state_unit_put(state, name, &patch, T0), 1);
    }
    assert_int_equal(state_unit_put(state, "one_more@edge1", &patch, T0), -ENOMEM);
    assert_int_equal(state_unit_put(overlay, "one_more@edge1", &patch, T0), -ENOMEM);
    assert_int_equal(state_unit_put(overlay, "c7@edge1", &(struct state_unit) STATE_UNIT_PATCH(2), T0), 1);
    assert_int_equal(state_unit_put(overlay, "ours", &patch, T0), 1);
    assert_int_equal(state_merge(overlay, 1), 0);
    CLEANUP(drop) struct state_snapshot *theirs = snap_of(state, "c7@edge1"), *ours = snap_of(state, "ours");
    assert_true(theirs->n_units == 2 && ours->n_units == 1);
    state_free(overlay);
}

static void expect_name(const struct state *state, int64_t id, bool known, const char *expected)
{
    struct text text = TEXT_INIT;
    text_add(&text, "> ");
    assert_int_equal(state_name_unit(state, "a", id, &text), known);
    assert_string_equal(text.s + 2, expected);
    assert_false(text.failed);
    text_free(&text);
}

static void units_are_named(void **fixture)
{
    struct state *state = *fixture;
    expect_name(state, 4127, false, "unit 4127");
    put_named(state, 1, "3-L-27", "Mara Ellison");
    put_named(state, 2, "3-L-27", "");
    put_named(state, 3, NULL, "Mara Ellison");
    put_named(state, -1, "", NULL);
    put_named(state, 5, "3\n\x1b[31m", "Ma\xe2\x80\xaera");
    expect_name(state, 1, true, "3-L-27 Mara Ellison");
    expect_name(state, 2, true, "3-L-27");
    expect_name(state, 3, true, "Mara Ellison");
    expect_name(state, -1, false, "unit -1");
    expect_name(state, 5, true, "3 \\x1b[31m Ma\\u202era");
    put_unit(state, 1, 0, T0);
    expect_name(state, 1, true, "3-L-27 Mara Ellison");
    put_named(state, 1, "", NULL); /* cleared is as if never told */
    expect_name(state, 1, true, "Mara Ellison");
    put_named(state, 1, NULL, "");
    expect_name(state, 1, false, "unit 1");

    struct text text = TEXT_INIT;
    assert_false(state_name_unit(state, "b", 1, &text));
    assert_string_equal(text.s, "unit 1");
    text_free(&text);
}

static void names_are_cut(void **fixture)
{
    char name[101] = { 0 }, expected[100] = { 0 };
    memset(name, 'n', 100);
    memset(expected, 'n', 60);
    put_named(*fixture, 1, NULL, name);
    strcpy(expected + 60, "…");
    expect_name(*fixture, 1, true, expected);
    name[60] = '\0';
    expected[60] = '\0';
    put_named(*fixture, 1, NULL, name);
    expect_name(*fixture, 1, true, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(texts_are_told_kept_and_cleared),
        TEST(texts_are_cut_at_a_character),
        TEST(unit_numbers_and_flags),
        TEST(unit_logs_out_and_in),
        TEST(groups_are_renamed),
        TEST(the_silent_make_room),
        TEST(any_number_is_an_id),
        TEST(many_puts_stay_bounded),
        TEST(communities_are_apart),
        TEST(communities_elsewhere_are_so_many),
        TEST(units_are_named),
        TEST(names_are_cut),
    };
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
