/* doctor_machine.c - the log, and the disk and the clock that it depends on. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include "doctor.h"

#define DISK_FULL_BYTES ((uint64_t) 16 << 20)
#define DISK_LOW_BYTES ((uint64_t) 256 << 20)
#define DISK_LOW_PART 20 /* a twentieth */
#define CLOCK_SLACK_US (60 * USEC_PER_SEC)

static void check_peers(struct doctor *doctor)
{
    const struct summary *summary = &doctor->summary;
    if (summary->from_near)
        finding_add(&doctor->findings, FINDING_WARN, "peers",
                    "right if a FiveM resource forwards them (enablePushEventForwarding), a proxy passes them on, or "
                    "they were tests; else the CAD itself does not get through",
                    "the newest %llu events all came from this machine or a private network, the last from %s",
                    (unsigned long long) summary->n_recent, summary->peer);
}

void check_events(struct doctor *doctor)
{
    const struct summary *summary = &doctor->summary;
    struct text ago CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    int r = summary_read(doctor->store, doctor->now, &doctor->summary, &err);
    doctor->read = r >= 0;
    if (r < 0) {
        finding_add(&doctor->findings, doctor->running && r != -EACCES ? FINDING_FAIL : FINDING_WARN, "events", NULL,
                    "%s", err.msg);
        return;
    }
    if (!summary->newest_id) {
        finding_add(&doctor->findings, FINDING_WARN, "events",
                    "send one: " CTL_NAME " send EVENT_911; if that arrives, what is wrong is between here and the CAD",
                    "no event has ever come");
        return;
    }
    write_ago(&ago, summary->newest_us, doctor->now);
    bool quiet = summary->newest_us + doctor->quiet_us < doctor->now;
    finding_add(&doctor->findings, quiet ? FINDING_WARN : FINDING_OK, "events",
                quiet ? "send one: " CTL_NAME " send EVENT_911; if that arrives, see the list below" : NULL,
                "the newest event, %llu, came %s", (unsigned long long) summary->newest_id, ago.s);
    check_peers(doctor);
}

void check_storing(struct doctor *doctor)
{
    const cJSON *storing = cJSON_GetObjectItemCaseSensitive(doctor->told, "storing");
    if (cJSON_IsFalse(storing))
        finding_add(&doctor->findings, FINDING_FAIL, "storing",
                    "journalctl -u " PROGRAM_NAME
                    " -p warning tells the reason; it goes on by itself when that is gone",
                    "events cannot be stored now, and are answered with 503");
    else if (cJSON_IsTrue(storing))
        finding_add(&doctor->findings, FINDING_OK, "storing", NULL, "events are stored");
}

void check_disk(struct doctor *doctor)
{
    char *path CLEANUP(cleanup_free) = strdup(doctor->store);
    struct statvfs fs;
    struct text size CLEANUP(text_free) = TEXT_INIT;
    if (!path || statvfs(dirname(path), &fs) < 0) {
        finding_add(&doctor->findings, FINDING_WARN, "disk", NULL, "the disk of %s cannot be looked at: %s",
                    doctor->store, strerror(errno));
        return;
    }
    uint64_t free_bytes = (uint64_t) fs.f_bavail * fs.f_frsize, all_bytes = (uint64_t) fs.f_blocks * fs.f_frsize;
    bool no_inodes = fs.f_files > 0 && fs.f_favail == 0;
    bool full = free_bytes < DISK_FULL_BYTES || no_inodes;
    bool low = free_bytes < DISK_LOW_BYTES && free_bytes < all_bytes / DISK_LOW_PART;
    write_size(&size, free_bytes);
    finding_add(&doctor->findings,
                full  ? FINDING_FAIL
                : low ? FINDING_WARN
                      : FINDING_OK,
                "disk", full || low ? "make room, or let the event log be smaller: store.max_size, store.keep" : NULL,
                "%s%s free where the event log is%s", full ? "the disk is full: " : "", size.s,
                no_inodes ? ", and no room for another file" : "");
}

/* Times of events tell nothing any more when the clock jumps, and neither do TLS and the age limits of actions. */
void check_clock(struct doctor *doctor)
{
    struct timex timex = { .modes = 0 };
    struct stat st;
    usec_t newest_us = doctor->read ? doctor->summary.newest_us : 0;
    if (stat(doctor->store, &st) == 0 && (usec_t) st.st_mtime * USEC_PER_SEC > newest_us)
        newest_us = (usec_t) st.st_mtime * USEC_PER_SEC;
    bool back = newest_us > doctor->now + CLOCK_SLACK_US;
    if (back)
        finding_add(&doctor->findings, FINDING_FAIL, "clock",
                    "set it, and let it be kept right: timedatectl set-ntp true",
                    "the event log was written in the future: the clock is wrong, or was");
    if (adjtimex(&timex) >= 0 && (timex.status & STA_UNSYNC))
        finding_add(&doctor->findings, FINDING_WARN, "clock", "timedatectl set-ntp true",
                    "nothing keeps the clock right that the kernel knows of");
    else if (!back)
        finding_add(&doctor->findings, FINDING_OK, "clock", NULL, "the clock looks right");
}
