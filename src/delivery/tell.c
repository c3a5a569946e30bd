/* tell.c - lines about actions. */
#include <string.h>

#include <sonoran-pushd/log.h>

#include "private.h"

void tell(const struct worker *worker, int level, const char *message_id, uint64_t event_id, unsigned attempts,
          const char *format, ...)
{
    const char *name = worker->action->name;
    struct text line CLEANUP(text_free) = TEXT_INIT;
    struct log_field fields[3];
    char sentence[1024];
    size_t n = 0;
    va_list args;
    if (!log_wants(level))
        return;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    text_addf(&line, "action %s: ", name);
    text_add_safe(&line, sentence, strlen(sentence), 0);
    fields[n++] = log_text("SONORAN_ACTION", name);
    if (event_id)
        fields[n++] = (struct log_field){ .name = "SONORAN_EVENT_ID", .number = (int64_t) event_id };
    if (attempts)
        fields[n++] = (struct log_field){ .name = "SONORAN_ATTEMPT", .number = attempts };
    log_write(&(struct log_record){
        .level = level, .message_id = message_id, .line = line.s, .fields = fields, .n_fields = n });
}
