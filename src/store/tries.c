/* tries.c - what actions are trying to deliver, and where they began, in meta: "began:ACTION" is an id, "try:ACTION" is
 * "ID ATTEMPTS FIRST_US" for each event, with commas between them. It is read once, at a start, so that a table of its
 * own would only be a schema of its own. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

#define NAME_ROOM (sizeof("began:") + NAME_MAX_BYTES)
#define TRY_MAX_BYTES ((size_t) 64) /* three numbers */

static void make_name(const char *action, char ret[NAME_ROOM])
{
    snprintf(ret, NAME_ROOM, "try:%s", action);
}

int store_get_tries(struct store *store, const char *action, struct store_try *ret, size_t room, size_t *ret_n,
                    struct err *err)
{
    char name[NAME_ROOM];
    size_t size = room * TRY_MAX_BYTES + 1;
    CLEANUP(cleanup_free) char *text = malloc(size);
    *ret_n = 0;
    if (!text)
        return err_set(err, -ENOMEM, "no memory");
    make_name(action, name);
    int r = meta_get(store, name, text, size, err);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    for (char *rest = text, *word; *ret_n < room && (word = strsep(&rest, ","));) {
        struct store_try *try = &ret[*ret_n];
        *ret_n += sscanf(word, "%" SCNu64 " %u %" SCNu64, &try->event_id, &try->attempts, &try->first_us) == 3;
    }
    return 0;
}

int store_set_tries(struct store *store, const char *action, const struct store_try *tries, size_t n, struct err *err)
{
    char name[NAME_ROOM];
    struct text text CLEANUP(text_free) = TEXT_INIT;
    make_name(action, name);
    for (size_t i = 0; i < n; i++)
        text_addf(&text, "%s%" PRIu64 " %u %" PRIu64, i ? "," : "", tries[i].event_id, tries[i].attempts,
                  tries[i].first_us);
    if (text.failed)
        return err_set(err, -ENOMEM, "no memory");
    return n ? meta_set(store, name, text.s, err) : meta_drop(store, name, err);
}

int store_get_began(struct store *store, const char *action, uint64_t *ret_id, struct err *err)
{
    char name[NAME_ROOM];
    int64_t id = 0;
    snprintf(name, sizeof(name), "began:%s", action);
    int r = meta_get_number(store, name, &id, err);
    *ret_id = r < 0 ? 0 : (uint64_t) id;
    return r == -ENOENT ? 0 : r;
}

int store_set_began(struct store *store, const char *action, uint64_t id, struct err *err)
{
    char name[NAME_ROOM], number[24];
    snprintf(name, sizeof(name), "began:%s", action);
    snprintf(number, sizeof(number), "%" PRIu64, id);
    return meta_set(store, name, number, err);
}

int tries_forget_began(struct store *store, const char *action, struct err *err)
{
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "began:%s", action);
    return meta_drop(store, name, err);
}
