/* lives.c - the lives of a log: which one an id is of, and when a new one begins.
 *
 * With durability "normal" a power cut takes what was not synced yet, though it was answered and told. The next event
 * would get an id that another one had. So while events are written unsynced, meta says so with the boot id; a start
 * that finds that and another boot id begins a new life behind the newest event. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "store_private.h"

#define RUN_UNSYNCED "unsynced"
#define RUN_SYNCED "synced"
#define RESTORED "restored" /* in meta: the life before, until it is told */

/* So many were begun by this process: readers that have seen fewer look again. */
static _Atomic unsigned n_begun;

static void read_boot_id(char ret[STORE_BOOT_ID_BYTES])
{
    FILE *file CLEANUP(cleanup_fclose) = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file || !fgets(ret, STORE_BOOT_ID_BYTES, file))
        *ret = '\0';
    ret[strcspn(ret, "\n")] = '\0';
}

/* The host's name as names may be, which a node is called by until it is told otherwise. */
static void read_host_name(char ret[NAME_MAX_BYTES + 1])
{
    char name[256] = "";
    size_t n = 0;
    (void) gethostname(name, sizeof(name) - 1);
    for (const char *p = name; *p && n < NAME_MAX_BYTES; p++)
        ret[n++] = strchr("._-0123456789", *p) || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ? *p : '-';
    ret[n] = '\0';
    if (!n)
        memcpy(ret, "node", sizeof("node"));
}

static int read_last(struct store *store, struct store_life *ret, struct err *err)
{
    sqlite3_stmt *statement = store->statements[LAST_LIFE];
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        snprintf(ret->log, sizeof(ret->log), "%s", store_text(statement, 0));
        ret->epoch_ms = (uint64_t) sqlite3_column_int64(statement, 1);
        ret->first_id = (uint64_t) sqlite3_column_int64(statement, 2);
    }
    int r = code == SQLITE_ROW ? 0 : code == SQLITE_DONE ? -ENOENT : store_problem(store->db, code, err, "cannot read");
    sqlite3_reset(statement);
    return r;
}

/* In a transaction that has begun. */
static int insert_life(struct store *store, uint64_t first_id, struct err *err)
{
    struct store_life life = { .first_id = first_id, .epoch_ms = now_us() / USEC_PER_MSEC };
    sqlite3_stmt *statement = store->statements[INSERT_LIFE];
    unsigned char random[STORE_LOG_BYTES / 2];
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return err_set(err, -EIO, "no random bytes for the log's id");
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(life.log + 2 * i, 3, "%02x", random[i]);
    if (life.epoch_ms <= store->life.epoch_ms)
        life.epoch_ms = store->life.epoch_ms + 1;
    store_bind_text(statement, 1, life.log, strlen(life.log));
    sqlite3_bind_int64(statement, 2, (sqlite3_int64) life.epoch_ms);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64) life.first_id);
    int r = store_run(store, INSERT_LIFE, err, "cannot begin a life of the log");
    if (r == 0)
        store->life = life;
    return r;
}

static int insert_first(struct store *store, struct err *err)
{
    char name[NAME_MAX_BYTES + 1];
    read_host_name(name);
    int r = insert_life(store, 1, err);
    return r == 0 ? meta_set(store, "node", name, err) : r;
}

int store_get_node(struct store *store, char ret[NAME_MAX_BYTES + 1], struct err *err)
{
    int r = meta_get(store, "node", ret, NAME_MAX_BYTES + 1, err);
    if (r == 0 && !event_is_node(ret))
        r = -ENOENT;
    if (r == -ENOENT) /* of an older version, or somebody has written into the log */
        read_host_name(ret);
    return r == -ENOENT ? 0 : r;
}

/* Ends a transaction with r. */
static int end(struct store *store, int r, struct err *err)
{
    if (r == 0)
        r = store_run(store, COMMIT, err, "cannot commit");
    if (r < 0)
        store_rollback(store);
    return r;
}

int store_begin_life(struct store *store, struct err *err)
{
    const struct store_life old = store->life;
    bool replaced = store->life_news == STORE_LIFE_BEGUN && old.first_id == store->last_id + 1;
    int r = store_run(store, BEGIN, err, "cannot begin a transaction");
    if (r < 0)
        return r;
    r = end(store, insert_life(store, store->last_id + 1, err), err);
    if (r < 0) {
        store->life = old;
        return r;
    }
    n_begun++;
    if (!replaced) /* no event was of that one */
        store->life_before = old;
    store->life_news = STORE_LIFE_BEGUN;
    return 0;
}

enum store_life_news store_get_life(const struct store *store, struct store_life *ret, struct store_life *ret_before)
{
    *ret = store->life;
    *ret_before = store->life_before;
    return store->life_news;
}

/* Where it cannot be written it is told again. */
void store_life_told(struct store *store)
{
    struct err ignored;
    if (store->life_news != STORE_LIFE_GOES_ON)
        (void) !meta_set(store, RESTORED, "", &ignored);
}

int lives_note_restored(struct store *store, struct err *err)
{
    return meta_set(store, RESTORED, store->life_before.log, err);
}

static int read_restored(struct store *store, struct err *err)
{
    int r = meta_get(store, RESTORED, store->life_before.log, sizeof(store->life_before.log), err);
    if (r == 0 && store->life_before.log[0])
        store->life_news = STORE_LIFE_RESTORED;
    return r == -ENOENT ? 0 : r;
}

/* Whether a power cut may have taken something from the log as it was left. */
static int may_have_lost(struct store *store, bool *ret, struct err *err)
{
    char run[16] = "", boot_id[STORE_BOOT_ID_BYTES] = "";
    int r = meta_get(store, "run", run, sizeof(run), err);
    if (r >= 0)
        r = meta_get(store, "boot_id", boot_id, sizeof(boot_id), err);
    *ret = r >= 0 && strcmp(run, RUN_UNSYNCED) == 0 && strcmp(boot_id, store->boot_id) != 0;
    return r == -ENOENT ? 0 : r;
}

static int begin_first(struct store *store, struct err *err)
{
    int r = store_run(store, BEGIN, err, "cannot begin a transaction");
    return r < 0 ? r : end(store, insert_first(store, err), err);
}

int lives_open(struct store *store, const struct store_settings *settings, struct err *err)
{
    bool lost = false;
    if (settings->boot_id)
        snprintf(store->boot_id, sizeof(store->boot_id), "%s", settings->boot_id);
    else
        read_boot_id(store->boot_id);
    int r = read_last(store, &store->life, err);
    if (r == -ENOENT)
        return begin_first(store, err);
    if (r >= 0)
        r = may_have_lost(store, &lost, err);
    if (r < 0)
        return r;
    return lost ? store_begin_life(store, err) : read_restored(store, err);
}

/* Synced, since it is what counts after a power cut. Where nothing changes nothing is written. */
static int write_run(struct store *store, const char *run, struct err *err)
{
    char old_run[16] = "", old_boot_id[STORE_BOOT_ID_BYTES] = "";
    int r = meta_get(store, "run", old_run, sizeof(old_run), err);
    if (r >= 0 || r == -ENOENT)
        r = meta_get(store, "boot_id", old_boot_id, sizeof(old_boot_id), err);
    if (r < 0 && r != -ENOENT)
        return r;
    if (strcmp(run, old_run) == 0 && strcmp(store->boot_id, old_boot_id) == 0)
        return 0;
    store_set_synchronous(store, true);
    r = store_run(store, BEGIN, err, "cannot begin a transaction");
    if (r == 0)
        r = meta_set(store, "run", run, err);
    if (r == 0)
        r = meta_set(store, "boot_id", store->boot_id, err);
    r = end(store, r, err);
    store_set_synchronous(store, store->durable);
    return r;
}

int lives_note_run(struct store *store, struct err *err)
{
    int r = write_run(store, store->durable ? RUN_SYNCED : RUN_UNSYNCED, err);
    store->noted = r == 0 || store->durable; /* of a synced log a power cut takes nothing */
    return store->noted ? 0 : r;
}

void lives_end_run(struct store *store)
{
    struct err ignored;
    if (store->noted)
        (void) !write_run(store, RUN_SYNCED, &ignored); /* then a new life begins without need */
}

int store_get_lives(const struct store *store, struct store_life **ret, size_t *ret_n, struct err *err)
{
    return lives_read(store->db, ret, ret_n, err);
}

int lives_look(struct store_reader *reader, struct err *err)
{
    struct store_life *lives = NULL;
    unsigned n = n_begun;
    size_t n_lives = 0;
    if (reader->any || (reader->lives && reader->n_begun == n))
        return 0;
    int r = lives_read(reader->db, &lives, &n_lives, err);
    if (r < 0) {
        free(lives);
        return r;
    }
    free(reader->lives);
    reader->lives = lives;
    reader->n_lives = n_lives;
    reader->n_begun = n;
    return 0;
}

int lives_read(sqlite3 *db, struct store_life **ret, size_t *ret_n, struct err *err)
{
    sqlite3_stmt *statement CLEANUP(store_finalize) = NULL;
    struct store_life *lives = NULL, *more;
    size_t n = 0;
    int code = sqlite3_prepare_v2(db, "SELECT log, epoch, first_id FROM lives ORDER BY first_id", -1, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        if (!(more = realloc(lives, (n + 1) * sizeof(*lives)))) {
            free(lives);
            return err_set(err, -ENOMEM, "no memory");
        }
        lives = more;
        snprintf(lives[n].log, sizeof(lives[n].log), "%s", store_text(statement, 0));
        lives[n].epoch_ms = (uint64_t) sqlite3_column_int64(statement, 1);
        lives[n++].first_id = (uint64_t) sqlite3_column_int64(statement, 2);
    }
    *ret = lives;
    *ret_n = n;
    return code == SQLITE_DONE ? 0 : store_problem(db, code, err, "cannot read the lives of the log");
}
