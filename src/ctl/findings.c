/* findings.c - what doctor found. */
#include <stdlib.h>
#include <string.h>

#include "findings.h"

static const char *const level_names[] = { [FINDING_OK] = "ok", [FINDING_WARN] = "warn", [FINDING_FAIL] = "FAIL" };

void finding_add(struct findings *findings, enum finding_level level, const char *check, const char *advice,
                 const char *format, ...)
{
    struct text safe = TEXT_INIT;
    char *sentence CLEANUP(cleanup_free) = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&sentence, format, args);
    va_end(args);
    if (n < 0)
        sentence = NULL;
    if (sentence)
        text_add_safe(&safe, sentence, (size_t) n, 0);
    if (!sentence || safe.failed || findings->n == FINDINGS_MAX) {
        findings->failed |= findings->n < FINDINGS_MAX;
        text_free(&safe);
        return;
    }
    char *kept = strdup(safe.s);
    text_free(&safe);
    findings->failed |= !kept;
    if (kept)
        findings->list[findings->n++] = (struct finding){ level, check, kept, advice };
}

bool findings_have(const struct findings *findings, enum finding_level level)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->list[i].level == level)
            return true;
    return false;
}

static void write_lines(const struct findings *findings, const char *const *hints, size_t n_hints, struct text *out)
{
    size_t width = wrap_width();
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->list[i];
        text_addf(out, "%-4s  ", level_names[finding->level]);
        wrap_write(out, finding->sentence, 6, width);
        if (!finding->advice)
            continue;
        text_add(out, "      -> ");
        wrap_write(out, finding->advice, 9, width);
    }
    text_add(out, "\nWhat cannot be seen from here:\n");
    for (size_t i = 0; i < n_hints; i++) {
        text_add(out, "  * ");
        wrap_write(out, hints[i], 4, width);
    }
}

static void write_json(const struct findings *findings, const char *const *hints, size_t n_hints, struct text *out)
{
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    json_begin_array(&json, "findings");
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->list[i];
        json_begin_object(&json, NULL);
        json_add_text(&json, "level", finding->level == FINDING_FAIL ? "fail" : level_names[finding->level]);
        json_add_text(&json, "check", finding->check);
        json_add_text(&json, "sentence", finding->sentence);
        if (finding->advice)
            json_add_text(&json, "advice", finding->advice);
        json_end(&json);
    }
    json_end(&json);
    json_begin_array(&json, "look_at");
    for (size_t i = 0; i < n_hints; i++)
        json_add_text(&json, NULL, hints[i]);
    json_end(&json);
    json_end(&json);
    text_add(out, "\n");
}

void findings_write(const struct findings *findings, const char *const *hints, size_t n_hints, bool json,
                    struct text *out)
{
    if (json)
        write_json(findings, hints, n_hints, out);
    else
        write_lines(findings, hints, n_hints, out);
    out->failed |= findings->failed;
}

void findings_done(struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        free(findings->list[i].sentence);
    findings->n = 0;
}
