/* refusals.c - lines about refused requests, few enough that a stranger cannot bury the events. */
#include <string.h>

#include "private.h"

static bool is_of(const struct refusal_kind *kind, const struct refusal *refusal)
{
    return kind->level == refusal->level && strncmp(kind->reason, refusal->reason, sizeof(kind->reason) - 1) == 0;
}

static bool has_host(const struct refusal_kind *kind, const struct in6_addr *host)
{
    for (size_t i = 0; i < kind->n_hosts; i++)
        if (IN6_ARE_ADDR_EQUAL(&kind->hosts[i], host))
            return true;
    return false;
}

/* Its place, or a free one, or NULL. host: the only one that it is for, NULL: any. */
static struct refusal_kind *find_place(struct refusal_kind *kinds, size_t n, const struct refusal *refusal,
                                       const struct in6_addr *host)
{
    for (size_t i = 0; i < n; i++) {
        if (!kinds[i].reason[0]) {
            snprintf(kinds[i].reason, sizeof(kinds[i].reason), "%s", refusal->reason);
            kinds[i].level = refusal->level;
            return &kinds[i];
        }
        if (is_of(&kinds[i], refusal) && (!host || has_host(&kinds[i], host)))
            return &kinds[i];
    }
    return NULL;
}

/* Whether it has a line of its own. */
static bool count(struct refusal_kind *kind, const struct in6_addr *host, const char *peer)
{
    if (kind->n_hosts < REFUSAL_HOSTS && !has_host(kind, host)) {
        kind->hosts[kind->n_hosts++] = *host;
        return true;
    }
    kind->n_more++;
    snprintf(kind->last_peer, sizeof(kind->last_peer), "%s", peer);
    return false;
}

static bool is_told(struct refusals *refusals, const struct refusal *refusal)
{
    struct in6_addr host = IN6ADDR_ANY_INIT;
    (void) hosts_read(refusal->origin->peer, &host);
    pthread_mutex_lock(&refusals->lock);
    struct refusal_kind *kind = NULL;
    if (refusal->known)
        kind = find_place(refusals->known, REFUSAL_KNOWN, refusal, &host);
    if (!kind)
        kind = find_place(refusals->kinds, REFUSAL_KINDS, refusal, NULL);
    bool told = count(kind ? kind : &refusals->kinds[REFUSAL_KINDS - 1], &host, refusal->origin->peer);
    pthread_mutex_unlock(&refusals->lock);
    return told;
}

static void write_record(int level, const char *id, const char *line, const struct log_field *fields, size_t n_fields)
{
    log_write(&(struct log_record){ .level = level,
                                    .mark = { .colour = "33", .size = strlen("refused") },
                                    .message_id = id,
                                    .line = line,
                                    .fields = fields,
                                    .n_fields = n_fields });
}

void refusals_tell(struct refusals *refusals, const struct refusal *refusal)
{
    if (!is_told(refusals, refusal))
        return;

    const struct http_origin *origin = refusal->origin;
    struct text line CLEANUP(text_free) = TEXT_INIT;
    text_addf(&line, "refused a request from %s: %s", origin->peer, refusal->reason);
    if (refusal->claimed && *refusal->claimed)
        text_addf(&line, ", for %s", refusal->claimed);
    if (refusal->detail && *refusal->detail)
        text_addf(&line, " (%s)", refusal->detail);
    struct log_field fields[6] = {
        log_text("SONORAN_LISTENER", origin->listener),
        log_text("SONORAN_FROM", origin->peer),
        log_text("SONORAN_VERDICT", "refused"),
        log_text("SONORAN_REASON", refusal->reason),
    };
    size_t n_fields = 4;
    if (refusal->claimed && *refusal->claimed)
        fields[n_fields++] = log_text("SONORAN_EVENT", refusal->claimed);
    if (refusal->path)
        fields[n_fields++] = log_text("SONORAN_PATH", refusal->path);
    write_record(refusal->level, LOG_ID_REQUEST_REFUSED, line.s, fields, n_fields);
}

static void tell_sums(const struct refusal_kind *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!kinds[i].n_more)
            continue;
        struct text line CLEANUP(text_free) = TEXT_INIT;
        text_addf(&line, "refused %llu more like this in the last minute: %s (the last from %s)",
                  (unsigned long long) kinds[i].n_more, kinds[i].reason, kinds[i].last_peer);
        struct log_field fields[] = { log_text("SONORAN_FROM", kinds[i].last_peer),
                                      log_text("SONORAN_VERDICT", "refused"),
                                      log_text("SONORAN_REASON", kinds[i].reason),
                                      { .name = "SONORAN_COUNT", .number = (int64_t) kinds[i].n_more } };
        write_record(kinds[i].level, LOG_ID_REQUESTS_REFUSED, line.s, fields, ARRAY_SIZE(fields));
    }
}

void refusals_sum_up(struct refusals *refusals)
{
    struct refusal_kind kinds[REFUSAL_KINDS], known[REFUSAL_KNOWN];
    pthread_mutex_lock(&refusals->lock);
    memcpy(kinds, refusals->kinds, sizeof(kinds));
    memcpy(known, refusals->known, sizeof(known));
    memset(refusals->kinds, 0, sizeof(kinds));
    memset(refusals->known, 0, sizeof(known));
    pthread_mutex_unlock(&refusals->lock);
    tell_sums(known, REFUSAL_KNOWN);
    tell_sums(kinds, REFUSAL_KINDS);
}
