/* redis_replies.c - replies as hiredis reads them, in memory that is given back at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "redis_replies.h"

#define PIECE_BYTES ((size_t) 16 << 10)

/* Since 1.0 lengths are of another type, and there are replies of RESP3. */
#if HIREDIS_MAJOR >= 1
typedef size_t list_length;
#else
typedef int list_length;
#endif

/* ---- memory ---- */

struct redis_piece {
    struct redis_piece *next;
    size_t used, room;
    max_align_t bytes[];
};

static void free_pieces(struct redis_replies *replies)
{
    for (struct redis_piece *piece = replies->pieces, *next; piece; piece = next) {
        next = piece->next;
        free(piece);
    }
    replies->pieces = NULL;
}

/* Until free_pieces. NULL: there is none. */
static void *allocate(struct redis_replies *replies, size_t size)
{
    struct redis_piece *piece = replies->pieces;
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!piece || piece->room - piece->used < size) {
        size_t room = size > PIECE_BYTES ? size : PIECE_BYTES;
        if (!(piece = malloc(sizeof(*piece) + room))) {
            replies->failure = -ENOMEM;
            return NULL;
        }
        *piece = (struct redis_piece){ .next = replies->pieces, .room = room };
        replies->pieces = piece;
    }
    void *ret = (char *) piece->bytes + piece->used;
    piece->used += size;
    return ret;
}

/* ---- what hiredis calls ---- */

/* The place of what is read now: in the list that it is an element of, or all of it. */
static struct redis_reply *place_of(const redisReadTask *task)
{
    struct redis_replies *replies = task->privdata;
    if (!task->parent)
        return &replies->root;
    struct redis_reply *list = task->parent->obj;
    return (struct redis_reply *) (uintptr_t) &list->elements[task->idx];
}

static size_t depth_of(const redisReadTask *task)
{
    size_t depth = 0;
    for (; task; task = task->parent)
        depth++;
    return depth;
}

/* NULL, which ends the reading. */
static void *refuse(const redisReadTask *task, int r)
{
    struct redis_replies *replies = task->privdata;
    replies->failure = r;
    return NULL;
}

static void *create_text(const redisReadTask *task, char *s, size_t size)
{
    bool is_fault = task->type == REDIS_REPLY_ERROR;
    if (!is_fault && task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_STATUS)
        return refuse(task, -EPROTO);
    char *copy = allocate(task->privdata, size + 1);
    if (!copy)
        return NULL;
    memcpy(copy, s, size);
    copy[size] = '\0';
    struct redis_reply *reply = place_of(task);
    *reply = (struct redis_reply){ .type = is_fault ? REDIS_FAULT : REDIS_TEXT, .text = { copy, size } };
    return reply;
}

static void *create_list(const redisReadTask *task, list_length length)
{
    struct redis_replies *replies = task->privdata;
    size_t n = (size_t) length;
    if (task->type != REDIS_REPLY_ARRAY)
        return refuse(task, -EPROTO);
    if (n > REDIS_ELEMENTS_MAX - replies->n_elements || depth_of(task) > REDIS_DEPTH_MAX)
        return refuse(task, -EMSGSIZE);
    struct redis_reply *elements = allocate(replies, (n ? n : 1) * sizeof(*elements));
    if (!elements)
        return NULL;
    memset(elements, 0, (n ? n : 1) * sizeof(*elements));
    replies->n_elements += n;
    struct redis_reply *reply = place_of(task);
    *reply = (struct redis_reply){ .type = REDIS_LIST, .elements = elements, .n_elements = n };
    return reply;
}

static void *create_number(const redisReadTask *task, long long number)
{
    struct redis_reply *reply = place_of(task);
    *reply = (struct redis_reply){ .type = REDIS_NUMBER, .number = number };
    return reply;
}

static void *create_nothing(const redisReadTask *task)
{
    struct redis_reply *reply = place_of(task);
    *reply = (struct redis_reply){ .type = REDIS_NOTHING };
    return reply;
}

#if HIREDIS_MAJOR >= 1
static void *create_double(const redisReadTask *task, double number, char *s, size_t size)
{
    (void) number;
    (void) s;
    (void) size;
    return refuse(task, -EPROTO);
}

static void *create_bool(const redisReadTask *task, int value)
{
    (void) value;
    return refuse(task, -EPROTO);
}
#endif

static void free_nothing(void *reply)
{
    (void) reply; /* all of it goes with its pieces */
}

static redisReplyObjectFunctions functions = {
    .createString = create_text,
    .createArray = create_list,
    .createInteger = create_number,
    .createNil = create_nothing,
#if HIREDIS_MAJOR >= 1
    .createDouble = create_double,
    .createBool = create_bool,
#endif
    .freeObject = free_nothing,
};

/* ---- whole ---- */

int redis_replies_open(struct redis_replies *replies, size_t max_bytes, struct err *err)
{
    replies->max_bytes = max_bytes;
    replies->reader = redisReaderCreateWithFunctions(&functions);
    if (!replies->reader)
        return err_set(err, -ENOMEM, "no memory for a connection");
    replies->reader->privdata = replies;
    return 0;
}

void redis_replies_close(struct redis_replies *replies)
{
    if (replies->reader)
        redisReaderFree(replies->reader);
    replies->reader = NULL;
    free_pieces(replies);
}

int redis_replies_feed(struct redis_replies *replies, const char *bytes, size_t size, struct err *err)
{
    replies->n_bytes += size;
    return redisReaderFeed(replies->reader, bytes, size) == REDIS_OK ? 0
                                                                     : err_set(err, -ENOMEM, "no memory for a reply");
}

static int explain(const struct redis_replies *replies, int r, struct err *err)
{
    if (r == -EMSGSIZE)
        return err_set(err, r, "its reply is larger than %zu MB, or lists within lists", replies->max_bytes >> 20);
    if (r == -ENOMEM)
        return err_set(err, r, "no memory for a reply");
    return err_set(err, r, "its reply is no Redis");
}

/* Where hiredis ends, and nothing here did. */
static int explain_end(const struct redis_replies *replies, struct err *err)
{
    return explain(replies, replies->reader->err == REDIS_ERR_OOM ? -ENOMEM : -EPROTO, err);
}

/* What is known of a reply under way stays where it is, in its pieces. */
int redis_replies_next(struct redis_replies *replies, const struct redis_reply **ret, struct err *err)
{
    void *reply = NULL;
    if (replies->failure)
        return explain(replies, replies->failure, err);
    if (!replies->reader->reply && replies->reader->ridx < 0) { /* none is under way */
        free_pieces(replies);
        replies->n_elements = 0;
    }
    if (redisReaderGetReply(replies->reader, &reply) != REDIS_OK)
        return replies->failure ? explain(replies, replies->failure, err) : explain_end(replies, err);
    if (!reply) {
        if (replies->n_bytes > replies->max_bytes)
            replies->failure = -EMSGSIZE;
        return replies->failure ? explain(replies, replies->failure, err) : -EAGAIN;
    }
    replies->n_bytes = replies->reader->len - replies->reader->pos;
    *ret = &replies->root;
    return 1;
}
