/* exec_output.c - what a program writes, as lines of the log.
 *
 * The program may repeat what a player typed, or write without end: lines are made safe and stop at a limit; the rest
 * is only counted.
 */
#include <string.h>

#include "exec.h"

#define OUTPUT_MAX_LINES 20
#define OUTPUT_MAX_BYTES 4096 /* of one run */

static void write_line(const struct output *output, const char *s, size_t size)
{
    struct text line CLEANUP(text_free) = TEXT_INIT;
    const struct log_field fields[] = {
        log_text("SONORAN_ACTION", output->name),
        { .name = "SONORAN_EVENT_ID", .number = (int64_t) output->event_id },
    };

    text_addf(&line, "%s: ", output->name);
    text_add_safe(&line, s, size, 0);
    log_write(&(struct log_record){ .level = LOG_INFO,
                                    .message_id = LOG_ID_ACTION_OUTPUT,
                                    .line = line.s,
                                    .fields = fields,
                                    .n_fields = ARRAY_SIZE(fields) });
}

/* Empty lines are left out. */
static void end_line(struct output *output)
{
    struct text *line = &output->line;
    if (line->size > 0 && line->s[line->size - 1] == '\r')
        line->size--;
    if (line->size > 0) {
        write_line(output, line->s, line->size);
        output->n_lines++;
    }
    text_reset(line);
}

static bool is_full(const struct output *output)
{
    return output->n_lines == OUTPUT_MAX_LINES || output->n_bytes == OUTPUT_MAX_BYTES;
}

void exec_output_add(struct output *output, const char *s, size_t size)
{
    while (size > 0 && !is_full(output)) {
        size_t room = OUTPUT_MAX_BYTES - output->n_bytes, n = size < room ? size : room;
        const char *end = memchr(s, '\n', n);
        if (end)
            n = (size_t) (end - s) + 1;

        text_add_bytes(&output->line, s, end ? n - 1 : n);
        output->n_bytes += n;
        if (end || is_full(output))
            end_line(output);
        s += n;
        size -= n;
    }
    output->n_more_bytes += size;
}

void exec_output_end(struct output *output)
{
    char more[64];
    end_line(output);
    if (output->n_more_bytes) {
        int n = snprintf(more, sizeof(more), "… %llu more byte%s of output", (unsigned long long) output->n_more_bytes,
                         text_plural(output->n_more_bytes));
        write_line(output, more, (size_t) n);
    }
    text_free(&output->line);
}
