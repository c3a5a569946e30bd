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
    struct text which CLEANUP(text_free) = TEXT_INIT;
    if (summary->n_recent == 1)
        text_add(&which, "event");
    else
        text_addf(&which, "%llu events all", (unsigned long long) summary->n_recent);
    if (summary->from_near)
        finding_add(&doctor->findings, FINDING_WARN, "peers",
                    "right if a FiveM resource forwards them (enablePushEventForwarding), a proxy passes them on, or "
                    "they were tests; else the CAD itself does not get through",
                    "the newest %s came from this machine or a private network, the last from %s", which.s,
                    summary->peer);
}

void doctor_check_events(struct doctor *doctor)
{
    const struct summary *summary = &doctor->summary;
    struct text ago CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    if (!doctor->store)
        return;
    int r = summary_read(doctor->store, doctor->now, &doctor->summary, &err);
    doctor->read = r >= 0;
    if (r < 0) {
        bool denied = r == -EACCES || (!doctor->root && doctor->running && !doctor->told);
        finding_add(&doctor->findings, doctor->running && !denied ? FINDING_FAIL : FINDING_WARN, "events",
                    denied && !doctor->root ? AS_ROOT : NULL, "%s", err.msg);
        return;
    }
    if (!summary->newest_id) {
        finding_add(&doctor->findings, FINDING_WARN, "events",
                    "send one: " CTL_NAME " send EVENT_911; if that arrives, what is wrong is between here and the CAD",
                    "no event has ever come");
        return;
    }
    table_write_ago(&ago, summary->newest_us, doctor->now);
    bool quiet = summary->newest_us + doctor->quiet_us < doctor->now;
    doctor->recent = !quiet;
    finding_add(&doctor->findings, quiet ? FINDING_WARN : FINDING_OK, "events",
                quiet ? "send one: " CTL_NAME " send EVENT_911; if that arrives, see the list below" : NULL,
                "the newest event, %llu, came %s", (unsigned long long) summary->newest_id, ago.s);
    check_peers(doctor);
}

void doctor_check_storing(struct doctor *doctor)
{
    const cJSON *storing = json_get(doctor->told, "storing");
    if (cJSON_IsFalse(storing))
        finding_add(&doctor->findings, FINDING_FAIL, "storing",
                    doctor->systemd ? "journalctl -u " PROGRAM_NAME
                                      " -p warning tells the reason; it goes on by itself when that is gone"
                                    : "its output tells the reason; it goes on by itself when that is gone",
                    "events cannot be stored now: posted ones are answered 503, those of sessions wait");
    else if (cJSON_IsTrue(storing))
        finding_add(&doctor->findings, FINDING_OK, "storing", NULL, "events are stored");
}

/* Who reads on and on keeps what was written from being used again. */
static void check_reader(struct doctor *doctor)
{
    const cJSON *store = json_get(doctor->told, "store");
    const char *who = json_get_text(store, "held_by");
    struct text size CLEANUP(text_free) = TEXT_INIT;
    if (!*who)
        return;
    table_write_size(&size, json_get_count(store, "wal_bytes"));
    finding_add(&doctor->findings, FINDING_WARN, "log", "end it, or let it finish what it reads",
                "%s reads the event log and holds it as it was, so that its WAL grows (%s) and cannot shrink", who,
                size.s);
}

/* They take room that store.max_size knows nothing of, and only a person knows whether anything in them is missed. */
static void check_kept(struct doctor *doctor)
{
    struct store_kept *kept = NULL;
    size_t n = 0;
    if (!doctor->store)
        return;
    (void) !store_list_kept(doctor->store, &kept, &n); /* a folder that cannot be read is told with the events */
    for (size_t i = 0; i < n; i++) {
        struct text size CLEANUP(text_free) = TEXT_INIT;
        table_write_size(&size, kept[i].bytes);
        finding_add(&doctor->findings, FINDING_WARN, "kept",
                    "look into it: " CTL_NAME " events --store FILE; when nothing in it is missed: rm FILE*",
                    "a restore put the log aside that was there (%s): %s", size.s, kept[i].path);
    }
    store_free_kept(kept, n);
}

void doctor_check_log(struct doctor *doctor)
{
    struct err err;
    check_reader(doctor);
    check_kept(doctor);
    if (!doctor->check_log || !doctor->store)
        return;
    int r = store_check(doctor->store, &err);
    if (r < 0)
        finding_add(&doctor->findings, r == -EUCLEAN ? FINDING_FAIL : FINDING_WARN, "log",
                    r == -EUCLEAN ? "end the daemon, move the file away, and put a copy back or start with none" : NULL,
                    "%s", err.msg);
    else
        finding_add(&doctor->findings, FINDING_OK, "log", NULL, "all of the event log was read: no damage");
}

void doctor_check_disk(struct doctor *doctor)
{
    char *path CLEANUP(cleanup_free) = doctor->store ? strdup(doctor->store) : NULL;
    struct statvfs fs;
    struct text size CLEANUP(text_free) = TEXT_INIT;
    if (!path)
        return;
    if (statvfs(dirname(path), &fs) < 0) {
        if (errno == ENOENT) /* told with the log */
            return;
        finding_add(&doctor->findings, FINDING_WARN, "disk", errno == EACCES && !doctor->root ? AS_ROOT : NULL,
                    "the disk of %s cannot be looked at: %s", doctor->store, strerror(errno));
        return;
    }
    uint64_t free_bytes = (uint64_t) fs.f_bavail * fs.f_frsize, all_bytes = (uint64_t) fs.f_blocks * fs.f_frsize;
    bool no_inodes = fs.f_files > 0 && fs.f_favail == 0;
    bool full = free_bytes < DISK_FULL_BYTES || no_inodes;
    bool low = free_bytes < DISK_LOW_BYTES && free_bytes < all_bytes / DISK_LOW_PART;
    table_write_size(&size, free_bytes);
    finding_add(&doctor->findings,
                full  ? FINDING_FAIL
                : low ? FINDING_WARN
                      : FINDING_OK,
                "disk", full || low ? "make room, or let the event log be smaller: store.max_size, store.keep" : NULL,
                "%s%s free where the event log is%s", full ? "the disk is full: " : "", size.s,
                no_inodes ? ", and no room for another file" : "");
}

/* Times of events tell nothing any more when the clock jumps, and neither do TLS and the age limits of actions. */
void doctor_check_clock(struct doctor *doctor)
{
    struct timex timex = { .modes = 0 };
    struct stat st;
    usec_t newest_us = doctor->read ? doctor->summary.newest_us : 0;
    if (doctor->store && stat(doctor->store, &st) == 0 && (usec_t) st.st_mtime * USEC_PER_SEC > newest_us)
        newest_us = (usec_t) st.st_mtime * USEC_PER_SEC;
    bool back = newest_us > doctor->now + CLOCK_SLACK_US;
    if (back)
        finding_add(&doctor->findings, FINDING_FAIL, "clock",
                    doctor->systemd ? "set it, and let it be kept right: timedatectl set-ntp true"
                                    : "set it, and let something keep it right; in a container that is up to its host",
                    "the event log was written in the future: the clock is wrong, or was");
    if (adjtimex(&timex) >= 0 && (timex.status & STA_UNSYNC))
        finding_add(&doctor->findings, FINDING_WARN, "clock",
                    doctor->systemd ? "timedatectl set-ntp true" : "in a container that is up to its host",
                    "nothing keeps the clock right that the kernel knows of");
    else if (!back)
        finding_add(&doctor->findings, FINDING_OK, "clock", NULL, "the clock looks right");
}
