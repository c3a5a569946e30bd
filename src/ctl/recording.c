/* recording.c - what "sonoran-pushctl events --json" printed, read again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/families.h>

#include "play.h"

static int refuse(const struct recording *recording, int r, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    if (strcmp(recording->path, "-") == 0)
        text_add(&shown, "standard input");
    else
        text_add_safe(&shown, recording->path, strlen(recording->path), 200);
    return err_set(err, r, "cannot read %s: %s", shown.failed ? "it" : shown.s, strerror(-r));
}

int recording_open(struct recording *ret, const char *path, struct err *err)
{
    *ret = (struct recording){ .path = path, .file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re") };
    return ret->file ? 0 : refuse(ret, -errno, err);
}

void recording_close(struct recording *recording)
{
    if (recording->file && recording->file != stdin)
        fclose(recording->file);
    free(recording->line);
}

static int read_line(struct recording *recording, struct span *ret, struct err *err)
{
    errno = 0;
    ssize_t n = getline(&recording->line, &recording->room, recording->file);
    if (n < 0 && feof(recording->file))
        return 0;
    if (n < 0)
        return refuse(recording, errno ? -errno : -EIO, err);
    recording->n_lines++;
    *ret = (struct span){ recording->line, (size_t) n };
    return 1;
}

static bool is_blank(struct span line)
{
    for (size_t i = 0; i < line.size; i++)
        if (!strchr(" \t\r\n", line.s[i]))
            return false;
    return true;
}

/* The line of an event that was refused is kept from playing; a record that a later version wrote is read all the same.
 */
static int read_record(struct recording *recording, struct span line, struct play_event *ret, struct err *err)
{
    int r = event_read_record(line, &families_all, &ret->batch, &ret->description, err);
    if (r == -EINVAL)
        return err_wrap(err, r, "line %llu is no event record as \"" CTL_NAME " events --json\" prints them",
                        (unsigned long long) recording->n_lines);
    if (r < 0)
        return r;
    ret->at_us = ret->batch.events[0].time_us;
    return 1;
}

int recording_next(struct recording *recording, struct play_event *ret, struct err *err)
{
    struct span line = { 0 };
    int r;
    while ((r = read_line(recording, &line, err)) > 0) {
        if (is_blank(line))
            continue;
        r = read_record(recording, line, ret, err);
        if (r < 0 || ret->batch.events[0].verdict == EVENT_ACCEPTED)
            return r;
        recording->n_skipped++;
        batch_done(&ret->batch);
    }
    return r;
}
