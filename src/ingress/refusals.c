/* refusals.c - lines about refused requests, few enough that a stranger cannot bury the events. */
#include <string.h>

#include "private.h"

/* Whether it is to be told now; a kind that finds no place is only counted with the last one. */
static bool count(struct refusals *refusals, const char *reason, const char *peer)
{
    bool tell = false;
    pthread_mutex_lock(&refusals->lock);
    for (size_t i = 0; i < REFUSAL_KINDS; i++) {
        struct refusal_kind *kind = &refusals->kinds[i];
        if (!kind->what[0]) {
            snprintf(kind->what, sizeof(kind->what), "%s", reason);
            tell = true;
            break;
        }
        if (strncmp(kind->what, reason, sizeof(kind->what) - 1) == 0 || i == REFUSAL_KINDS - 1) {
            kind->n_more++;
            snprintf(kind->last_peer, sizeof(kind->last_peer), "%s", peer);
            break;
        }
    }
    pthread_mutex_unlock(&refusals->lock);
    return tell;
}

void refusals_tell(struct refusals *refusals, const struct http_origin *origin, const char *reason, const char *detail,
                   const char *claimed)
{
    if (!count(refusals, reason, origin->peer))
        return;

    struct text line CLEANUP(text_free) = TEXT_INIT;
    text_addf(&line, "refused a request from %s: %s", origin->peer, reason);
    if (claimed && *claimed)
        text_addf(&line, ", for %s", claimed);
    if (detail && *detail)
        text_addf(&line, " (%s)", detail);
    struct log_field fields[] = {
        log_text("SONORAN_LISTENER", origin->listener),
        log_text("SONORAN_FROM", origin->peer),
        log_text("SONORAN_VERDICT", "refused"),
        log_text("SONORAN_REASON", reason),
        log_text("SONORAN_EVENT", claimed ? claimed : ""),
    };
    log_write(&(struct log_record){
        .level = LOG_WARNING,
        .label = "deny",
        .colour = 33,
        .message_id = LOG_ID_REQUEST_REFUSED,
        .line = line.s,
        .fields = fields,
        .n_fields = claimed && *claimed ? ARRAY_SIZE(fields) : ARRAY_SIZE(fields) - 1,
    });
}

static void tell_sum(const struct refusal_kind *kind)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    text_addf(&line, "refused %llu more like this in the last minute: %s (the last from %s)",
              (unsigned long long) kind->n_more, kind->what, kind->last_peer);
    struct log_field fields[] = { log_text("SONORAN_VERDICT", "refused"),
                                  log_text("SONORAN_REASON", kind->what),
                                  { .name = "SONORAN_COUNT", .number = (int64_t) kind->n_more } };
    log_write(&(struct log_record){
        .level = LOG_WARNING,
        .label = "deny",
        .colour = 33,
        .message_id = LOG_ID_REQUESTS_REFUSED,
        .line = line.s,
        .fields = fields,
        .n_fields = ARRAY_SIZE(fields),
    });
}

void refusals_sum_up(struct refusals *refusals)
{
    struct refusal_kind kinds[REFUSAL_KINDS];
    pthread_mutex_lock(&refusals->lock);
    memcpy(kinds, refusals->kinds, sizeof(kinds));
    memset(refusals->kinds, 0, sizeof(kinds));
    pthread_mutex_unlock(&refusals->lock);

    for (size_t i = 0; i < REFUSAL_KINDS; i++)
        if (kinds[i].n_more)
            tell_sum(&kinds[i]);
}
