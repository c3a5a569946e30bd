/* fixture_cases.h - tests whose cases stand in fixtures/FOLDER/<name>.json, each a list: a case is a body and what has
 * to come of it, "expect". A sample, an object or raw text is a body. With FIXTURES_WRITE (fixtures/update) what came
 * is written instead of compared. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <sonoran-pushd/text.h>

#define KEY "TEST-API-KEY-0000"

struct cases {
    struct {
        char name[64];
        cJSON *json;
    } files[16];
    size_t n_files;
    struct CMUnitTest tests[2000];
    size_t n;
};

static inline char *read_file(const char *folder, const char *name)
{
    char path[1024], piece[4096];
    struct text text = TEXT_INIT;
    snprintf(path, sizeof(path), "%s/%s/%s", FIXTURES, folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        text_add_bytes(&text, piece, n);
    fclose(file);
    return text.s;
}

static inline char *body_of(const cJSON *item)
{
    const cJSON *sample = cJSON_IsString(item) ? item : cJSON_GetObjectItem(item, "sample");
    const cJSON *raw = cJSON_GetObjectItem(item, "raw"), *body = cJSON_GetObjectItem(item, "body");
    if (sample)
        return read_file("samples", sample->valuestring);
    if (raw)
        return strdup(raw->valuestring);
    cJSON *copy = cJSON_Duplicate(body ? body : item, true);
    cJSON_AddStringToObject(copy, "key", KEY);
    char *text = cJSON_PrintUnformatted(copy);
    cJSON_Delete(copy);
    return text;
}

static inline void cases_load(struct cases *cases, const char *folder_name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", FIXTURES, folder_name);
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        assert_true(cases->n_files < sizeof(cases->files) / sizeof(cases->files[0]));
        char *text = read_file(folder_name, entry->d_name);
        cJSON *json = cJSON_ParseWithOpts(text, NULL, true);
        if (!json)
            fail_msg("%s: not JSON near %.40s", entry->d_name, cJSON_GetErrorPtr());
        snprintf(cases->files[cases->n_files].name, sizeof(cases->files[0].name), "%.60s", entry->d_name);
        cases->files[cases->n_files++].json = json;
        free(text);
    }
    if (folder)
        closedir(folder);
    if (!cases->n_files)
        fail_msg("no cases in %s", path);
}

/* A file that holds no cases, for who needs it otherwise. */
static inline cJSON *cases_take_out(struct cases *cases, const char *name)
{
    for (size_t i = 0; i < cases->n_files; i++)
        if (strcmp(cases->files[i].name, name) == 0) {
            cJSON *json = cases->files[i].json;
            cases->files[i] = cases->files[--cases->n_files];
            return json;
        }
    fail_msg("no %s", name);
    return NULL;
}

static inline void cases_add(struct cases *cases, CMUnitTestFunction test)
{
    for (size_t i = 0; i < cases->n_files; i++) {
        cJSON *fixture;
        cJSON_ArrayForEach (fixture, cases->files[i].json) {
            const char *why = cJSON_GetStringValue(cJSON_GetObjectItem(fixture, "why"));
            assert_true(cases->n < sizeof(cases->tests) / sizeof(cases->tests[0]));
            cases->tests[cases->n++] = (struct CMUnitTest){ why ? why : "?", test, NULL, NULL, fixture };
        }
    }
}

static inline int cases_run(struct cases *cases, const char *name)
{
    int failed = _cmocka_run_group_tests(name, cases->tests, cases->n, NULL, NULL);
    for (size_t i = 0; i < cases->n_files; i++)
        cJSON_Delete(cases->files[i].json);
    return failed;
}

static inline void case_write(const cJSON *fixture, const char *came)
{
    FILE *file = fopen(getenv("FIXTURES_WRITE"), "ae");
    char *why = cJSON_PrintUnformatted(cJSON_GetObjectItem(fixture, "why"));
    fprintf(file, "{\"why\":%s,\"came\":%s}\n", why, came);
    fclose(file);
    free(why);
}

/* Takes what came. Through text, because ids may be added as raw digits. */
static inline void case_check(const cJSON *fixture, cJSON *take_came)
{
    char *came = cJSON_PrintUnformatted(take_came);
    char *wanted = cJSON_PrintUnformatted(cJSON_GetObjectItem(fixture, "expect"));
    if (getenv("FIXTURES_WRITE"))
        case_write(fixture, came);
    else if (!wanted || strcmp(came, wanted) != 0)
        fail_msg("\n came:   %s\n wanted: %s", came, wanted);
    free(came);
    free(wanted);
    cJSON_Delete(take_came);
}
