/* wal.c - the write-ahead log: how large it may be, and who keeps it from shrinking. What a reader still sees cannot be
 * written into the database, so while one holds its transaction open the WAL takes everything, deletions as well.
 *
 * It begins again from its start, over what is there, when all of it is in the database and nobody reads in it. Beside
 * a writer that goes on a checkpoint never sees its end; so when the WAL is long enough and the thread has copied all
 * but the last frames, the writer copies those itself: sqlite.org, wal.html, "Avoiding Excessively Large WAL Files". */
#include "store_private.h"

#define RESTART_MIN_FRAMES 16
#define RESTART_MAX_FRAMES 4000
#define HELD_US (60 * USEC_PER_SEC) /* whoever reads for so long is told of */
#define CHECKPOINT_WAIT_US (500 * USEC_PER_MSEC)
#define READERS_MS 20

static int note_frames(void *userdata, sqlite3 *db, const char *name, int n_frames)
{
    struct store *store = userdata;
    (void) db;
    (void) name;
    store->wal.n_frames = n_frames;
    return SQLITE_OK;
}

void wal_configure(struct store *store)
{
    uint64_t frames = store->max_size_bytes ? store->max_size_bytes / 16 / STORE_PAGE_BYTES : RESTART_MAX_FRAMES;
    frames = frames < RESTART_MIN_FRAMES ? RESTART_MIN_FRAMES : frames;
    frames = frames > RESTART_MAX_FRAMES ? RESTART_MAX_FRAMES : frames;
    store->wal.restart_frames = (int) frames;
    store->wal_limit_bytes = 2 * frames * STORE_PAGE_BYTES;
    char limit[64];
    snprintf(limit, sizeof(limit), "PRAGMA journal_size_limit = %llu", (unsigned long long) store->wal_limit_bytes);
    sqlite3_exec(store->db, limit, NULL, NULL, NULL);
    sqlite3_wal_hook(store->db, note_frames, store); /* instead of SQLite's own checkpoints in a commit */
}

/* Readers that end soon are waited for where the mode is for that, one that does not holds nobody up for long. */
static bool checkpoint_patiently(struct store *store, int mode)
{
    sqlite3_busy_timeout(store->db, READERS_MS);
    bool complete = checkpoint_run(&store->checkpoint, store->db, mode);
    sqlite3_busy_timeout(store->db, store->patience_ms);
    return complete;
}

/* Each quarter of restart_frames the thread is asked to copy (asked_at). From restart_frames on, once the thread has
 * copied all but a few frames, the writer copies those itself (tried_at), so that the next transaction begins the WAL
 * again. At three times that length (over) the writer waits for the thread, for half a second at most, copies all that
 * is left, and waits a moment for readers. */
void wal_care(struct store *store)
{
    struct wal *wal = &store->wal;
    const int step = wal->restart_frames / 4, n = wal->n_frames;
    int n_copied = 0;
    if (n < wal->asked_at || n < wal->tried_at) /* it has begun again */
        wal->asked_at = wal->tried_at = 0;
    bool over = n >= 3 * wal->restart_frames, running = store->checkpoint.running;
    bool due = n >= wal->restart_frames && n - wal->tried_at >= (over ? step : step / 4);
    bool rests = due && checkpoint_rests(&store->checkpoint, over ? CHECKPOINT_WAIT_US : 0, &n_copied);
    if (due && over) /* a disk that hangs is not waited for before each transaction */
        wal->tried_at = n;
    if (rests && (over || !running || n - n_copied < step / 4)) {
        wal->tried_at = n;
        (void) checkpoint_patiently(store, over ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE);
    } else if (running && n - wal->asked_at >= step && checkpoint_ask(&store->checkpoint)) {
        wal->asked_at = n;
    }
}

/* Longer than it has to be: what was given back at its end goes when all of the WAL has been copied. */
static bool file_is_long(const struct store *store, uint64_t bytes)
{
    struct stat st;
    return stat(store->path, &st) == 0 && (uint64_t) st.st_size > bytes;
}

static uint64_t wal_bytes(const struct store *store)
{
    struct stat st;
    return stat(store->wal_path, &st) == 0 ? (uint64_t) st.st_size : 0;
}

uint64_t wal_index_bytes(const struct store *store)
{
    char path[PATH_MAX];
    struct stat st;
    return leftovers_name(path, store->path, "-shm") && stat(path, &st) == 0 ? (uint64_t) st.st_size : 0;
}

void wal_settle(struct store *store, uint64_t file_bytes, struct store_trimmed *ret)
{
    struct wal *wal = &store->wal;
    int n_copied;
    bool cut = ret->wal_bytes > store->wal_limit_bytes;
    bool running = store->checkpoint.running, looked_at = wal->settled_at == wal->n_frames;
    if (!cut && !file_is_long(store, file_bytes))
        return;
    ret->left = true;
    wal->settled_at = wal->n_frames;
    if (running && !looked_at)
        (void) checkpoint_ask(&store->checkpoint);
    if (running && (!looked_at || !checkpoint_rests(&store->checkpoint, 0, &n_copied)))
        return;
    bool complete = checkpoint_patiently(store, cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE);
    ret->wal_bytes = wal_bytes(store);
    if (!ret->wal_bytes)
        wal->n_frames = wal->settled_at = 0;
    ret->left = !complete; /* a file that is too long all the same is cut when events are deleted, and not before */
}

/* Whether a reader is in the way of a checkpoint. */
static bool checkpoint_is_held(struct store *store)
{
    int n_frames = 0, n_done = 0;
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &n_frames, &n_done);
    return code == SQLITE_OK ? n_done < n_frames : code == SQLITE_BUSY && store->held_since_us;
}

bool wal_is_held(struct store *store, const struct store_time *now, struct store_trimmed *ret)
{
    ret->wal_bytes = wal_bytes(store);
    if (ret->wal_bytes <= 2 * store->wal_limit_bytes || !checkpoint_is_held(store)) {
        store->held_since_us = 0;
        return false;
    }
    if (!store->held_since_us)
        store->held_since_us = now->boottime_us;
    ret->held = true;
    if (now->boottime_us >= store->held_since_us + HELD_US)
        holder_find(store, STORE_FIRST_READ_LOCK, STORE_LAST_READ_LOCK, ret->held_by);
    return true;
}
