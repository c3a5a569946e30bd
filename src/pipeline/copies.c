/* copies.c - the same event by two kinds of source: a forwarder and a session that are both on. Nothing is dropped: it
 * is counted, and told once, with who sent the copy.
 *
 * While one kind alone is heard of a community nothing is looked at. Otherwise each event leaves a hash of what it says
 * (of the parsed form: a forwarder writes numbers, escapes and the order of members in a way of its own), which is
 * looked for in those of the last ten seconds. */
#include <stdlib.h>
#include <string.h>

#include "pipeline_private.h"

#define COPY_US (10 * USEC_PER_SEC)
#define BESIDE_US (3600 * USEC_PER_SEC) /* so long both kinds are taken to be in use */
#define SLOTS 4096                      /* of events in ten seconds; more push out the oldest */
#define PROBES 8
#define COMMUNITIES_MAX 64 /* of more the first are looked at */
#define KINDS_MAX 4

struct kind {
    struct origin last; /* that was heard of this kind of source */
    usec_t heard_us;
};

struct community {
    char name[REALM_MAX_BYTES + 1];
    struct kind kinds[KINDS_MAX];
    size_t n_kinds;
    bool told;
};

struct slot {
    uint64_t hash;
    usec_t time_us; /* 0: free */
    uint8_t kind;
};

struct copies {
    struct community communities[COMMUNITIES_MAX];
    size_t n_communities;
    struct slot *slots; /* NULL: none was needed yet */
};

/* ---- what an event says, as one number ---- */

static uint64_t mix(uint64_t hash, uint64_t number)
{
    hash ^= number + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
    return hash * 0xff51afd7ed558ccd;
}

static uint64_t hash_text(char kind, const char *text)
{
    return hash_bytes(hash_bytes(HASH_START, &kind, 1), text, strlen(text));
}

static uint64_t hash_of(const cJSON *json);

/* In whatever order; a null is no member. */
static uint64_t hash_object(const cJSON *object)
{
    uint64_t sum = 0;
    const cJSON *member;
    cJSON_ArrayForEach (member, object)
        if (!cJSON_IsNull(member))
            sum += mix(hash_text('n', member->string), hash_of(member));
    return sum;
}

static uint64_t hash_list(const cJSON *list)
{
    uint64_t hash = list->child ? 'l' : 0; /* Lua writes an empty list as an empty object */
    const cJSON *element;
    cJSON_ArrayForEach (element, list)
        hash = mix(hash, hash_of(element));
    return hash;
}

static uint64_t hash_of(const cJSON *json)
{
    char number[JSON_DOUBLE_MAX_BYTES];
    if (cJSON_IsObject(json) && !event_is_list(json))
        return hash_object(json);
    if (cJSON_IsObject(json) || cJSON_IsArray(json))
        return hash_list(json);
    if (cJSON_IsString(json))
        return hash_text('s', json->valuestring);
    if (cJSON_IsBool(json))
        return cJSON_IsTrue(json) ? 't' : 'f';
    if (!cJSON_IsNumber(json))
        return 0;
    json_write_double(number, json->valuedouble);
    return hash_text('s', number); /* as a long one, which is a text by now */
}

static uint64_t hash_event(const struct event *event)
{
    uint64_t hash = mix(hash_text('c', event->realm), hash_text('y', event->type));
    hash = mix(hash, event->test);
    return mix(hash, event->data ? hash_of(event->data) : 1);
}

/* ---- who is heard ---- */

static struct community *community_of(struct copies *copies, const char *name)
{
    for (size_t i = 0; i < copies->n_communities; i++)
        if (strcmp(copies->communities[i].name, name) == 0)
            return &copies->communities[i];
    if (copies->n_communities == COMMUNITIES_MAX)
        return NULL;
    struct community *community = &copies->communities[copies->n_communities++];
    text_copy(community->name, sizeof(community->name), name);
    return community;
}

/* Its number from 0 on; KINDS_MAX: one too many. */
static size_t hear_kind(struct community *community, const struct origin *origin, usec_t now)
{
    size_t i = 0;
    while (i < community->n_kinds && strcmp(community->kinds[i].last.source, origin->source) != 0)
        i++;
    if (i == KINDS_MAX)
        return i;
    if (i == community->n_kinds)
        community->n_kinds++;
    community->kinds[i] = (struct kind){ *origin, now };
    return i;
}

static bool are_beside(const struct community *community, usec_t now)
{
    size_t n = 0;
    for (size_t i = 0; i < community->n_kinds; i++)
        n += now - community->kinds[i].heard_us < BESIDE_US;
    return n > 1;
}

/* ---- the last ten seconds ---- */

/* Which other kind told it; KINDS_MAX: none, and it is noted. A copy is used up: a third that comes is another's copy.
 */
static size_t find_or_note(struct copies *copies, uint64_t hash, uint8_t kind, usec_t now)
{
    struct slot *oldest = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct slot *slot = &copies->slots[(hash + i) % SLOTS];
        bool fresh = slot->time_us && now - slot->time_us <= COPY_US;
        if (fresh && slot->hash == hash && slot->kind != kind) {
            slot->time_us = 0;
            return slot->kind;
        }
        if (!oldest || slot->time_us < oldest->time_us)
            oldest = slot;
    }
    *oldest = (struct slot){ hash, now, kind };
    return KINDS_MAX;
}

/* ---- of the writer ---- */

static void tell(struct community *community, const struct event *event, const struct origin *other)
{
    const struct origin *origin = event->origin;
    if (community->told)
        return;
    community->told = true;
    log_line(
        LOG_WARNING, LOG_ID_COPIES,
        "events of community %s come twice: event %llu, %s, by %s %s from %s within 10 s of the same by %s %s from "
        "%s. Nothing is dropped; switch off the forwarding, or the session",
        community->name, (unsigned long long) event->id, event->type, origin->source, origin->name, origin->peer,
        other->source, other->name, other->peer);
}

/* Who forwards is the one that posts. */
static void count(struct pipeline *pipeline, const struct event *event, const struct origin *other)
{
    bool posted = strcmp(other->source, EVENT_SOURCE_PUSH) != 0;
    report_count(&pipeline->counts.copies, 1);
    pthread_mutex_lock(&pipeline->lock);
    text_copy(pipeline->copies_from, sizeof(pipeline->copies_from), posted ? event->origin->peer : other->peer);
    pipeline->copies_us = event->time_us;
    pthread_mutex_unlock(&pipeline->lock);
}

void copies_look(struct pipeline *pipeline, const struct event *event)
{
    if (event->verdict == EVENT_INTERNAL)
        return;
    usec_t now = uptime_us();
    struct copies *copies = pipeline->copies;
    struct community *community = copies ? community_of(copies, event->realm) : NULL;
    size_t kind = community ? hear_kind(community, event->origin, now) : KINDS_MAX;
    if (kind == KINDS_MAX || !are_beside(community, now))
        return;
    if (!copies->slots)
        copies->slots = calloc(SLOTS, sizeof(*copies->slots));
    size_t other = copies->slots ? find_or_note(copies, hash_event(event), (uint8_t) kind, now) : KINDS_MAX;
    if (other == KINDS_MAX)
        return;
    count(pipeline, event, &community->kinds[other].last);
    tell(community, event, &community->kinds[other].last);
}

struct copies *copies_new(void)
{
    return calloc(1, sizeof(struct copies));
}

void copies_free(struct copies *copies)
{
    if (copies)
        free(copies->slots);
    free(copies);
}
