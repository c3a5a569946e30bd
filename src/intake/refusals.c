/* refusals.c - lines about refused requests, few enough that a stranger cannot bury the events. */
#include <string.h>

#include <sonoran-pushd/log.h>

#include "intake_private.h"

/* What is told, in short. */
struct told {
    const char *reason;
    int level;
    struct host host;
};

static bool is_of(const struct refusal_kind *kind, const struct told *told)
{
    return kind->level == told->level && kind->hosts[0].source == told->host.source &&
           strncmp(kind->reason, told->reason, sizeof(kind->reason) - 1) == 0;
}

static bool has_host(const struct refusal_kind *kind, const struct host *host)
{
    for (size_t i = 0; i < kind->n_hosts; i++)
        if (hosts_equal(&kind->hosts[i], host))
            return true;
    return false;
}

/* Its place, or a free one, or NULL. one_host: for its host alone. */
static struct refusal_kind *find_place(struct refusal_kind *kinds, size_t n, const struct told *told, bool one_host)
{
    for (size_t i = 0; i < n; i++) {
        if (!kinds[i].reason[0]) {
            snprintf(kinds[i].reason, sizeof(kinds[i].reason), "%s", told->reason);
            kinds[i].level = told->level;
            return &kinds[i];
        }
        if (is_of(&kinds[i], told) && (!one_host || has_host(&kinds[i], &told->host)))
            return &kinds[i];
    }
    return NULL;
}

/* Whether it has a line of its own. */
static bool count(struct refusal_kind *kind, const struct host *host, const char *peer)
{
    if (kind->n_hosts < REFUSAL_HOSTS && !has_host(kind, host)) {
        kind->hosts[kind->n_hosts++] = *host;
        return true;
    }
    kind->n_more++;
    snprintf(kind->last_peer, sizeof(kind->last_peer), "%s", peer);
    return false;
}

/* A peer without an address counts as one host with all such. */
static bool is_told(struct refusals *refusals, const struct gate_refusal *refusal, int level, bool known)
{
    const char *peer = refusal->origin->peer;
    struct told told = { refusal->reason, level, { IN6ADDR_ANY_INIT, hosts_source(refusal->origin->source) } };
    (void) hosts_read(told.host.source, peer, &told.host);
    pthread_mutex_lock(&refusals->lock);
    struct refusal_kind *kind = known ? find_place(refusals->known, REFUSAL_KNOWN, &told, true) : NULL;
    if (!kind)
        kind = find_place(refusals->kinds, REFUSAL_KINDS, &told, false);
    bool shown = count(kind ? kind : &refusals->kinds[REFUSAL_KINDS - 1], &told.host, peer);
    pthread_mutex_unlock(&refusals->lock);
    return shown;
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

void refusals_tell(struct refusals *refusals, const struct gate_refusal *refusal, int level, bool known)
{
    if (!is_told(refusals, refusal, level, known))
        return;

    const struct origin *origin = refusal->origin;
    struct text line CLEANUP(text_free) = TEXT_INIT;
    text_addf(&line, "refused a request from %s: %s", origin->peer, refusal->reason);
    if (refusal->claimed && *refusal->claimed)
        text_addf(&line, ", for %s", refusal->claimed);
    if (refusal->detail && *refusal->detail)
        text_addf(&line, " (%s)", refusal->detail);
    struct log_field fields[6] = {
        log_text("SONORAN_LISTENER", origin->name),
        log_text("SONORAN_FROM", origin->peer),
        log_text("SONORAN_VERDICT", "refused"),
        log_text("SONORAN_REASON", refusal->reason),
    };
    size_t n_fields = 4;
    if (refusal->claimed && *refusal->claimed)
        fields[n_fields++] = log_text("SONORAN_EVENT", refusal->claimed);
    if (refusal->path)
        fields[n_fields++] = log_text("SONORAN_PATH", refusal->path);
    write_record(level, LOG_ID_REQUEST_REFUSED, line.s, fields, n_fields);
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
