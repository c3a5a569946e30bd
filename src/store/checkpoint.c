/* checkpoint.c - the write-ahead log copied into the database by a thread with a connection of its own, beside the
 * writer. A checkpoint takes no lock that a writer waits for, and most of it is waiting for the disk. */
#include <string.h>

#include "store_private.h"

static int open_connection(struct store *store, struct err *err)
{
    struct checkpoint *checkpoint = &store->checkpoint;
    int code = sqlite3_open_v2(store->path, &checkpoint->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(checkpoint->db, "PRAGMA schema_version", NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : store_problem(checkpoint->db, code, err, store->path);
}

bool checkpoint_run(struct checkpoint *checkpoint, sqlite3 *db, int mode)
{
    struct err err = { "" };
    int n_frames = 0, n_copied = 0;
    int code = sqlite3_wal_checkpoint_v2(db, NULL, mode, &n_frames, &n_copied);
    bool busy = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED; /* a reader, or another program's */
    int r = code == SQLITE_OK || busy ? 0 : store_problem(db, code, &err, "the write-ahead log");
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->r = r;
    checkpoint->err = err;
    if (n_copied >= 0 && r == 0)
        checkpoint->n_copied = n_copied;
    pthread_mutex_unlock(&checkpoint->lock);
    return code == SQLITE_OK && n_copied == n_frames;
}

static void *checkpoint_thread(void *argument)
{
    struct checkpoint *checkpoint = argument;
    pthread_setname_np(pthread_self(), "checkpoint");
    pthread_mutex_lock(&checkpoint->lock);
    while (!checkpoint->ending) {
        if (!checkpoint->wanted) {
            pthread_cond_wait(&checkpoint->changed, &checkpoint->lock);
            continue;
        }
        pthread_mutex_unlock(&checkpoint->lock);
        (void) checkpoint_run(checkpoint, checkpoint->db, SQLITE_CHECKPOINT_PASSIVE);
        pthread_mutex_lock(&checkpoint->lock);
        checkpoint->wanted = false;
        pthread_cond_broadcast(&checkpoint->changed);
    }
    pthread_mutex_unlock(&checkpoint->lock);
    return NULL;
}

bool checkpoint_ask(struct checkpoint *checkpoint)
{
    pthread_mutex_lock(&checkpoint->lock);
    bool asked = checkpoint->running && !checkpoint->wanted;
    checkpoint->wanted |= asked;
    if (asked)
        pthread_cond_broadcast(&checkpoint->changed);
    pthread_mutex_unlock(&checkpoint->lock);
    return asked;
}

bool checkpoint_rests(struct checkpoint *checkpoint, usec_t patience_us, int *ret_copied)
{
    usec_t until_us = uptime_us() + patience_us;
    pthread_mutex_lock(&checkpoint->lock);
    while (checkpoint->wanted && patience_us && wait_signal(&checkpoint->changed, &checkpoint->lock, until_us))
        ;
    bool rests = !checkpoint->wanted;
    *ret_copied = checkpoint->n_copied;
    pthread_mutex_unlock(&checkpoint->lock);
    return rests;
}

int store_start_checkpoints(struct store *store, struct err *err)
{
    struct checkpoint *checkpoint = &store->checkpoint;
    int r = open_connection(store, err);
    if (r < 0)
        return r;
    r = pthread_create(&checkpoint->thread, NULL, checkpoint_thread, checkpoint);
    if (r > 0)
        return err_set(err, -r, "cannot start the checkpoints: %s", strerror(r));
    checkpoint->running = true;
    return 0;
}

void store_stop_checkpoints(struct store *store)
{
    struct checkpoint *checkpoint = &store->checkpoint;
    if (checkpoint->running) {
        pthread_mutex_lock(&checkpoint->lock);
        checkpoint->ending = true;
        pthread_cond_broadcast(&checkpoint->changed);
        pthread_mutex_unlock(&checkpoint->lock);
        pthread_join(checkpoint->thread, NULL);
    }
    checkpoint->running = checkpoint->ending = checkpoint->wanted = false;
    sqlite3_close(checkpoint->db);
    checkpoint->db = NULL;
}

int store_checkpoint_result(struct store *store, struct err *err)
{
    struct checkpoint *checkpoint = &store->checkpoint;
    pthread_mutex_lock(&checkpoint->lock);
    int r = checkpoint->r;
    *err = checkpoint->err;
    pthread_mutex_unlock(&checkpoint->lock);
    return r;
}
