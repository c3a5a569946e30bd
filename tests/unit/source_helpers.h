/* source_helpers.h - sources on a pipeline that runs, for test_source_*.c: a table of two rows, of which one is the
 * test's own and one says no when it is told to; and a store that fails or waits when it is told to. Linked with
 * -Wl,--wrap=store_commit. */
#pragma once

#include "pipeline_helpers.h"

#include <sonoran-pushd/source_set.h>

static _Atomic bool commit_fails, commit_waits;

int __real_store_commit(struct store *log, struct err *error);
int __wrap_store_commit(struct store *log, struct err *error);

int __wrap_store_commit(struct store *log, struct err *error)
{
    while (commit_waits)
        usleep(100);
    return commit_fails ? err_set(error, -ENOSPC, "the disk is full") : __real_store_commit(log, error);
}

/* ---- a row that says no ---- */

static bool refuses;
static size_t n_applied, n_dropped;

static int picky_open(void *self, const struct source_parts *parts, struct err *error)
{
    (void) self;
    (void) parts;
    return refuses ? err_set(error, SOURCE_NEEDS_HELP, "not today") : 0;
}

static int picky_prepare(void *self, const struct config *next, void **ret_change, struct err *error)
{
    (void) self;
    (void) next;
    *ret_change = NULL;
    return refuses ? err_set(error, -EADDRINUSE, "not today") : 0;
}

static void picky_apply(void *self, void *change)
{
    (void) self;
    (void) change;
    n_applied++;
}

static void picky_drop(void *self, void *change)
{
    (void) self;
    (void) change;
    n_dropped++;
}

static void picky_close(void *self)
{
    (void) self;
}

static const struct source_type source_picky = { .name = "picky",
                                                 .instance_size = 1,
                                                 .open = picky_open,
                                                 .prepare = picky_prepare,
                                                 .apply = picky_apply,
                                                 .drop = picky_drop,
                                                 .close = picky_close };

/* ---- the table ---- */

static const struct source_type *source_rows[] = { NULL, &source_picky }; /* the first is the test's */
static const struct source_types types = { source_rows, ARRAY_SIZE(source_rows) };
static struct source_set *set;

static void open_set(void)
{
    assert_int_equal(source_set_new(&set, &types, config, &families_all, NULL, pipeline), 0);
    assert_int_equal(source_set_open(set, &err), 0);
}

/* type: in the first row. */
static int begin_sources(void **state, const struct source_type *type)
{
    source_rows[0] = type;
    n_applied = n_dropped = 0;
    refuses = false;
    commit_fails = commit_waits = false;
    before_writer = open_set;
    return set_up(state);
}
