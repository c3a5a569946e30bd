/* action_helpers.h - events for actions, from fixtures/actions/NAME.json.
 *
 * A fixture says why, and an event: type (else CUSTOM), data (an object, or raw text where each letter counts), extra
 * (raw text of more top-level members). */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sonoran-pushd/action_type.h>
#include <sonoran-pushd/families.h>

#define KEY "TEST-API-KEY-0000"
#define NOON_US ((usec_t) 1795449600123456)
#define CASES_MAX 200

static const char *get_text(const cJSON *object, const char *name, const char *fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : fallback;
}

static cJSON *load_fixtures(const char *name)
{
    char path[1024], piece[4096];
    struct text text CLEANUP(text_free) = TEXT_INIT;
    snprintf(path, sizeof(path), "%s/actions/%s.json", FIXTURES, name);
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        text_add_bytes(&text, piece, n);
    fclose(file);
    cJSON *fixtures = cJSON_ParseWithOpts(text.s, NULL, true);
    if (!fixtures) {
        fprintf(stderr, "%s: not JSON near %.40s\n", path, cJSON_GetErrorPtr());
        exit(1);
    }
    return fixtures;
}

/* Two forms of the fixture's event: as it came, and as it is read back from the log. */
struct two_events {
    struct batch came, restored;
};

static void make_events(const cJSON *fixture, struct two_events *ret)
{
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = {
        .communities = communities, .n_communities = 1, .families = &families_all, .accept_unknown_types = true
    };
    struct text body = TEXT_INIT;
    struct err err;

    const cJSON *data = cJSON_GetObjectItemCaseSensitive(fixture, "data");
    char *printed = cJSON_IsString(data) || !data ? NULL : cJSON_PrintUnformatted(data);
    text_addf(&body, "{\"key\":\"" KEY "\",\"type\":\"%s\"", get_text(fixture, "type", "CUSTOM"));
    if (data)
        text_addf(&body, ",\"data\":%s", printed ? printed : data->valuestring);
    text_addf(&body, "%s%s}", get_text(fixture, "extra", NULL) ? "," : "", get_text(fixture, "extra", ""));
    free(printed);
    /* body is not freed here: the batch keeps it. */
    if (envelope_parse(body.s, body.size, &rules, &origin, NOON_US, &ret->came, NULL, &err) != ENVELOPE_OK)
        fail_msg("%s", err.msg);
    ret->came.events[0].id = 1042;
    assert_int_equal(batch_restore(&ret->restored, &ret->came.events[0], &families_all), 0);
}

static void free_events(struct two_events *events)
{
    batch_done(&events->came);
    batch_done(&events->restored);
}

/* One test for each fixture, by its "why", and the others behind. */
static int run_fixtures(const char *group, const cJSON *fixtures, CMUnitTestFunction test_fixture,
                        const struct CMUnitTest *others, size_t n_others)
{
    static struct CMUnitTest tests[CASES_MAX];
    size_t n = 0;
    for (cJSON *fixture = fixtures->child; fixture && n < CASES_MAX - n_others; fixture = fixture->next)
        tests[n++] = (struct CMUnitTest){ get_text(fixture, "why", "?"), test_fixture, NULL, NULL, fixture };
    for (size_t i = 0; i < n_others; i++)
        tests[n++] = others[i];
    return _cmocka_run_group_tests(group, tests, n, NULL, NULL);
}
