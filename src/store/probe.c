/* probe.c - whether a log that could not be written can be again. */
#include "store_private.h"

/* Of an INSERT and its DELETE nothing is left but a page that was written and synced. */
static int commit_something(struct store *store, struct err *err)
{
    int r = store_begin(store, err);
    if (r == 0)
        r = store_run(store, TOUCH, err, "cannot write");
    if (r == 0)
        r = store_run(store, UNTOUCH, err, "cannot write");
    if (r == 0)
        r = store_commit(store, err);
    if (r < 0)
        store_rollback(store);
    return r;
}

int store_probe(struct store *store, size_t bytes, struct err *err)
{
    int r = store_write_over(store, bytes, err);
    return r < 0 ? r : commit_something(store, err);
}
