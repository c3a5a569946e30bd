/* name.c - what a name in a condition or a {placeholder} stands for: a member of the event record, or a fact. */
#include <string.h>

#include "filter_private.h"

/* ---- members of the record ---- */

typedef void write_function(const struct action_record *record, struct text *out);

static void write_id(const struct action_record *record, struct text *out)
{
    text_addf(out, "%llu", (unsigned long long) record->event->id);
}

static void write_log(const struct action_record *record, struct text *out)
{
    text_add(out, record->event->log ? record->event->log : "");
}

static void write_time(const struct action_record *record, struct text *out)
{
    text_add_time_utc(out, record->event->time_us);
}

static void write_type(const struct action_record *record, struct text *out)
{
    text_add_plain(out, record->event->type, strlen(record->event->type));
}

static void write_type_sent(const struct action_record *record, struct text *out)
{
    const char *sent = record->event->type_sent ? record->event->type_sent : record->event->type;
    text_add_plain(out, sent, strlen(sent));
}

static void write_family(const struct action_record *record, struct text *out)
{
    text_add(out, record->event->family ? record->event->family->name : "");
}

static void write_level(const struct action_record *record, struct text *out)
{
    text_add_int(out, record->description->level);
}

static void write_community(const struct action_record *record, struct text *out)
{
    text_add(out, record->event->community);
}

static void write_source(const struct action_record *record, struct text *out)
{
    text_add(out, record->event->origin->source);
}

static void write_listener(const struct action_record *record, struct text *out)
{
    text_add(out, record->event->origin->name);
}

static void write_from(const struct action_record *record, struct text *out)
{
    text_add(out, record->event->origin->peer);
}

static void write_node(const struct action_record *record, struct text *out)
{
    const char *home = record->event->home.node, *node = home ? home : record->node;
    text_add(out, node ? node : "");
}

static void write_verdict(const struct action_record *record, struct text *out)
{
    text_add(out, event_verdict_name(record->event->verdict));
}

static void write_test(const struct action_record *record, struct text *out)
{
    text_add(out, record->event->test ? "yes" : "no");
}

static void write_summary(const struct action_record *record, struct text *out)
{
    text_add_unescaped(out, record->description->line.s, record->description->line.size);
}

static void write_known(const struct action_record *record, struct text *out)
{
    text_add_bytes(out, record->description->known.s, record->description->known.size);
}

static void write_ids(struct text *out, const struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        text_add(out, i ? "," : "");
        text_add_int(out, ids->v[i]);
    }
}

static void write_calls(const struct action_record *record, struct text *out)
{
    write_ids(out, &record->description->calls);
}

static void write_calls911(const struct action_record *record, struct text *out)
{
    write_ids(out, &record->description->calls911);
}

static void write_units(const struct action_record *record, struct text *out)
{
    write_ids(out, &record->description->units);
}

/* As a row of facts, whose values are parts of what write writes: where a comma is when there are several. */
static const struct member {
    struct fact fact;
    write_function *write;
} members[] = {
#define MEMBER(name, kind, flags)                                                                                      \
    {                                                                                                                  \
        name, "", kind, flags, NULL, NULL, NULL                                                                        \
    }
    { MEMBER("id", FACT_NUMBER, 0), write_id },
    { MEMBER("log", FACT_TEXT, 0), write_log },
    { MEMBER("time", FACT_TEXT, 0), write_time },
    { MEMBER("type", FACT_TEXT, 0), write_type },
    { MEMBER("type_sent", FACT_TEXT, 0), write_type_sent },
    { MEMBER("family", FACT_TEXT, 0), write_family },
    { MEMBER("level", FACT_NUMBER, 0), write_level },
    { MEMBER("community", FACT_TEXT, 0), write_community },
    { MEMBER("source", FACT_TEXT, 0), write_source },
    { MEMBER("listener", FACT_TEXT, 0), write_listener },
    { MEMBER("from", FACT_TEXT, 0), write_from },
    { MEMBER("node", FACT_TEXT, 0), write_node },
    { MEMBER("verdict", FACT_TEXT, 0), write_verdict },
    { MEMBER("test", FACT_FLAG, 0), write_test },
    { MEMBER("summary", FACT_TEXT, 0), write_summary },
    { MEMBER("calls", FACT_NUMBER, FACT_SEVERAL), write_calls },
    { MEMBER("calls911", FACT_NUMBER, FACT_SEVERAL), write_calls911 },
    { MEMBER("units", FACT_NUMBER, FACT_SEVERAL), write_units },
    { MEMBER("known", FACT_TEXT, 0), write_known },
};

const char *record_member_name(size_t i)
{
    return i < ARRAY_SIZE(members) ? members[i].fact.name : NULL;
}

static const struct member *find_member(struct span name)
{
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (span_is(name, members[i].fact.name))
            return &members[i];
    return NULL;
}

static void emit_member(const struct member *member, const struct action_record *record, fact_take *take, void *context)
{
    struct text all CLEANUP(text_free) = TEXT_INIT;
    bool several = member->fact.flags & FACT_SEVERAL, flag = member->fact.kind == FACT_FLAG;
    member->write(record, &all);
    for (char *p = all.s, *next; *p; p = next) {
        char *end = several ? p + strcspn(p, ",") : all.s + all.size;
        next = *end ? end + 1 : end;
        *end = '\0';
        const char *number = flag ? (*p == 'y' ? "1" : "0") : NULL;
        take(context, &member->fact, &(struct fact_value){ .text = p, .number = number });
    }
}

/* ---- either ---- */

void name_emit(const struct action_record *record, struct span name, fact_take *take, void *context)
{
    const struct member *member = find_member(name);
    const struct fact *fact = member ? NULL : facts_find(record->event->handler, name);
    if (member)
        emit_member(member, record, take, context);
    if (fact)
        fact_emit(fact, record->event, record->description, record->known, take, context);
}

/* As in the variables of a program: in one line, and nothing that nobody sees. */
static void write_fact(const struct fact *fact, const struct action_record *record, struct text *out)
{
    struct text raw CLEANUP(text_free) = TEXT_INIT;
    (void) fact_write(fact, record->event, record->description, record->known, &raw);
    text_add_plain(out, raw.s, raw.size);
    out->failed |= raw.failed;
}

void name_write(const struct action_record *record, struct span name, struct text *out)
{
    const struct member *member = find_member(name);
    const struct fact *fact = member ? NULL : facts_find(record->event->handler, name);
    if (member)
        member->write(record, out);
    if (fact)
        write_fact(fact, record, out);
}

/* ---- of which types ---- */

/* Calls look for each type that the action takes, until it returns something. */
static const struct fact *each_type(const struct event_families *families, const struct config_action *config,
                                    const struct fact *(*look)(const struct event_type *type, void *context),
                                    void *context)
{
    for (size_t i = 0; i < families->n; i++)
        for (size_t k = 0; k < families->list[i]->n_types; k++) {
            const struct event_type *type = &families->list[i]->types[k];
            const struct fact *found = !config || filter_wants_row(config, type) ? look(type, context) : NULL;
            if (found)
                return found;
        }
    return NULL;
}

static const struct fact *look_for_name(const struct event_type *type, void *context)
{
    return facts_find(type, *(const struct span *) context);
}

const struct fact *name_find(const struct event_families *families, const struct config_action *config,
                             struct span name)
{
    const struct member *member = find_member(name);
    const struct fact *common = member ? &member->fact : facts_find(NULL, name);
    return common ? common : each_type(families, config, look_for_name, &name);
}

struct owner {
    struct span name;
    const char *type;
};

static const struct fact *look_for_owner(const struct event_type *type, void *context)
{
    struct owner *owner = context;
    owner->type = type->name;
    return facts_find(type, owner->name);
}

const char *name_owner(const struct event_families *families, struct span name)
{
    struct owner owner = { name, "" };
    return each_type(families, NULL, look_for_owner, &owner) ? owner.type : "none";
}

static const struct fact *look_for_text(const struct event_type *type, void *context)
{
    const struct fact *fact = facts_find(type, *(const struct span *) context);
    return fact && (fact->kind == FACT_TEXT || fact->kind == FACT_WORD) ? fact : NULL;
}

bool name_is_quote(const struct event_families *families, struct span name)
{
    if (find_member(name))
        return span_is(name, "summary") || span_is(name, "known") || span_is(name, "type_sent");
    return each_type(families, NULL, look_for_text, &name);
}

/* ---- what may have been meant ---- */

struct search {
    char written[NEAREST_MAX_BYTES + 1];
    struct nearest nearest;
};

/* The last step of one of the ways to a fact: "callId" of "call.callId callId". */
static bool ways_end_in(const char *where, const char *step)
{
    size_t size = strlen(step);
    for (const char *p = where; p && (p = strcasestr(p, step)); p += size) {
        bool begins = p == where || strchr(". +", p[-1]), ends = !p[size] || p[size] == ' ' || p[size] == '+';
        if (begins && ends)
            return true;
    }
    return false;
}

static const struct fact *look_for_field(const struct event_type *type, void *context)
{
    const struct search *search = context;
    for (size_t i = 0; type->facts && i < type->facts->n; i++)
        if (strcasecmp(type->facts->rows[i].name, search->written) == 0 ||
            ways_end_in(type->facts->rows[i].where, search->written))
            return &type->facts->rows[i];
    return NULL;
}

static const struct fact *look_for_nearest(const struct event_type *type, void *context)
{
    struct search *search = context;
    for (size_t i = 0; type->facts && i < type->facts->n; i++)
        nearest_try(&search->nearest, type->facts->rows[i].name, (int) strlen(type->facts->rows[i].name));
    return NULL;
}

static struct span last_step(struct span written)
{
    const char *slash = memrchr(written.s, '/', written.size);
    return slash ? (struct span){ slash + 1, (size_t) (written.s + written.size - slash - 1) } : written;
}

const char *name_of_field(const struct event_families *families, const struct config_action *config,
                          struct span pointer)
{
    struct search search;
    struct span step = last_step(pointer);
    if (step.size == 0 || step.size > NEAREST_MAX_BYTES)
        return NULL;
    snprintf(search.written, sizeof(search.written), "%.*s", (int) step.size, step.s);
    const struct fact *field = each_type(families, config, look_for_field, &search);
    return field ? field->name : NULL;
}

const char *name_meant(const struct event_families *families, const struct config_action *config, struct span written)
{
    struct search search;
    written = last_step(written); /* of a pointer, the member that it leads to */
    if (written.size == 0 || written.size > NEAREST_MAX_BYTES)
        return NULL;
    snprintf(search.written, sizeof(search.written), "%.*s", (int) written.size, written.s);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (strcasecmp(members[i].fact.name, search.written) == 0)
            return members[i].fact.name;
    const char *field = name_of_field(families, config, written);
    if (field)
        return field;
    search.nearest = nearest_to(search.written);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        nearest_try(&search.nearest, members[i].fact.name, (int) strlen(members[i].fact.name));
    for (size_t i = 0; i < facts_of_every_event.n; i++)
        nearest_try(&search.nearest, facts_of_every_event.rows[i].name,
                    (int) strlen(facts_of_every_event.rows[i].name));
    (void) each_type(families, config, look_for_nearest, &search);
    return search.nearest.name;
}
