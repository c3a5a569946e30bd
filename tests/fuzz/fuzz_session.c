/* fuzz_session.c - any bytes as what the CAD's hub sends: split into records, read as a handshake and as records, the
 * events in them taken out, the answers to them written. libFuzzer's target.
 *
 * Looked for besides crashes: a span outside of what came, an answer that is no record, a text that is another one
 * after it was written and read again. */
#include <stdlib.h>

#include "session_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_within(struct span part, struct span whole)
{
    require(!part.size || (part.s >= whole.s && part.size <= whole.size && part.s <= whole.s + whole.size - part.size));
}

/* What we send has to be sound, whatever their id is. */
static void look_at_answer(struct span invocation)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct session_record again;
    struct span left, record;
    session_record_write_answer(&out, invocation, "Invalid Data");
    left = (struct span){ out.s, out.size };
    require(session_records_next(&left, &record) && !left.size);
    require(session_record_read(record, &again, NULL) == 0 && again.kind == SESSION_COMPLETION);
    require(again.invocation.size == invocation.size && again.error.size);
}

static void look_at_body(struct span argument)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    size_t size = 0, again_size = 0;
    char *body CLEANUP(cleanup_free) = session_record_body(argument, &size);
    require(body && body[size] == '\0');
    if (!argument.size || argument.s[0] != '"') {
        require(size == argument.size);
        return;
    }
    json_quote(&out, body, size);
    char *again CLEANUP(cleanup_free) = session_record_body((struct span){ out.s, out.size }, &again_size);
    require(again && again_size == size && memcmp(again, body, size) == 0);
}

static void look_at_record(struct span text)
{
    struct session_record record;
    struct span error;
    if (session_record_read_handshake(text, &error, NULL) >= 0)
        require_within(error, text);
    if (session_record_read(text, &record, NULL) < 0)
        return;
    require_within(record.target, text);
    require_within(record.arguments, text);
    require_within(record.result, text);
    require_within(record.error, text);
    if (record.invocation.size)
        look_at_answer(record.invocation);
    if (record.kind == SESSION_INVOCATION) {
        struct span argument = session_record_argument(&record);
        (void) session_record_is(record.target, "pushEvent");
        require_within(argument, record.arguments);
        look_at_body(argument);
    }
    (void) session_record_logged_in(record.result, &error);
    require_within(error, record.result);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *copy = malloc(size + 1); /* of its own, so that a byte too far is found */
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, bytes, size);
    struct span left = { copy, size }, record;
    while (session_records_next(&left, &record))
        look_at_record(record);
    look_at_record(left);
    free(copy);
    return 0;
}
