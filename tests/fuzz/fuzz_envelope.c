/* fuzz_envelope.c - any bytes as a body: parsed, checked, described, applied, printed, its facts told. libFuzzer's
 * target.
 *
 * Looked for besides crashes: a batch whose events are not of one verdict, bytes that are not the sender's, a line or
 * a record that a terminal would obey, a key that got out. */
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/facts.h>
#include <sonoran-pushd/families.h>
#include <sonoran-pushd/state.h>

#define KEY "TEST-API-KEY-0000"

/* The same bytes as data that came without a body. */
static void look_at_data(const struct envelope_rules *rules, const struct origin *origin, const uint8_t *bytes,
                         size_t size)
{
    static const struct span type = { "EVENT_911", sizeof("EVENT_911") - 1 };
    const struct span data = { (const char *) bytes, size };
    struct batch batch;
    struct err err;
    if (envelope_make_one(type, data, rules, "default", origin, 1, &batch, &err) == ENVELOPE_OK)
        batch_done(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_plain(const char *s)
{
    for (; *s; s++)
        require((unsigned char) *s >= 0x20 && *s != 0x7f);
}

/* What the log gives back says the same. */
static void look_at_restored(const struct event *event)
{
    struct batch batch;
    int r = batch_restore(&batch, event, &families_all);
    require(r == 0);
    require(batch.n_events == 1 && batch.events[0].verdict == event->verdict);
    require(!event->reason == !batch.events[0].reason);
    require(!event->reason || strcmp(event->reason, batch.events[0].reason) == 0);
    batch_done(&batch);
}

/* A value is never empty, and what is a flag is one. */
static void look_at_fact(void *context, const struct fact *fact, const struct fact_value *value)
{
    (void) context;
    require(*value->text && strcmp(value->text, "nil") != 0);
    require(fact->kind != FACT_FLAG || strcmp(value->number, "0") == 0 || strcmp(value->number, "1") == 0);
    require(!value->number || value->number[strspn(value->number, "-0123456789.")] == '\0');
}

static void look_at(const struct event *event, struct state *state, const uint8_t *bytes, size_t size)
{
    struct description description = DESCRIPTION_INIT;
    struct text record = TEXT_INIT;

    description_reset(&description);
    if (event->verdict == EVENT_ACCEPTED && event->handler) {
        event->handler->describe(event, state, &description);
        require(description.line.size > 0 && !description.line.failed);
        if (event->handler->apply)
            event->handler->apply(event, state);
    }
    if (event->verdict == EVENT_ACCEPTED)
        facts_emit(event, NULL, event->data, look_at_fact, NULL); /* data as known is as wild as known gets */
    require_plain(description.line.s);
    require(event->data_text.size == 0 || memmem(bytes, size, event->data_text.s, event->data_text.size) != NULL);
    if (event->verdict != EVENT_ACCEPTED)
        event_describe(event, state, &description);
    require_plain(description.line.s);
    look_at_restored(event);
    event_write_record(event, &description, &record);
    require(strchr(record.s, '\n') == NULL);
    cJSON *json = cJSON_ParseWithOpts(record.s, NULL, true);
    /* The sender's own bytes may hold what cJSON gives up on: half a surrogate pair, a number of over 63 letters. */
    require(json != NULL || strcasestr(record.s, "\\ud") || event->data_text.size + event->extra_text.size > 60);
    cJSON_Delete(json);
    text_free(&record);
    description_free(&description);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct state *state;
    static const struct event_community communities[] = { { "default", KEY } };
    static const struct origin origin = { EVENT_SOURCE_PUSH, "main", "192.0.2.1" };
    const struct envelope_rules rules = {
        .communities = communities, .n_communities = 1, .families = &families_all, .accept_unknown_types = size % 2 == 0
    };
    struct batch batch;
    struct err err;
    char claimed[EVENT_TYPE_MAX_BYTES + 1];

    if (!state)
        state = state_new();
    char *body = malloc(size + 1);
    if (!body || !state)
        return 0;
    memcpy(body, bytes, size);
    body[size] = '\0';
    look_at_data(&rules, &origin, bytes, size);
    enum envelope_refusal refusal =
        envelope_parse(body, size, &rules, &origin, 1795449600000000, &batch, claimed, &err);
    require_plain(claimed);
    if (refusal != ENVELOPE_OK)
        return 0;

    require(batch.n_events > 0);
    for (size_t i = 0; i < batch.n_events; i++) {
        require(batch.events[i].verdict == batch.events[0].verdict);
        look_at(&batch.events[i], state, bytes, size);
    }
    batch_done(&batch);
    return 0;
}
