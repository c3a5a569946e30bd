/* findings.h - inside src/ctl: what doctor found, as lines or as JSON. */
#pragma once

#include "ctl_private.h"

enum finding_level {
    FINDING_OK,
    FINDING_WARN, /* may be as it should be; a person has to judge */
    FINDING_FAIL, /* no events come, or some are lost, until something is done */
};

#define FINDINGS_MAX 128

struct finding {
    enum finding_level level;
    const char *check;
    char *sentence;
    const char *advice; /* a constant, or NULL */
};

struct findings {
    struct finding list[FINDINGS_MAX]; /* more are dropped */
    size_t n;
    bool failed; /* no memory */
};

/* The sentence may hold text from outside. */
void finding_add(struct findings *findings, enum finding_level level, const char *check, const char *advice,
                 const char *format, ...) PRINTF_LIKE(5, 6);

bool findings_have(const struct findings *findings, enum finding_level level);
void findings_write(const struct findings *findings, const char *const *hints, size_t n_hints, bool json,
                    struct text *out);
void findings_done(struct findings *findings);
