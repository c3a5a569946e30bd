/* head.c - what the head of a request tells, and whether everybody reads it alike.
 *
 * libmicrohttpd 1.0, strict, refuses by itself what is malformed here. 0.9.75 takes it and sees another request than
 * proxies do, which shows in where the texts of the headers are: it cuts them out of the head in place. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_private.h"

#define HEAD_END_BYTES 4 /* the end of the last line, and an empty one */

/* Inline: so the compiler counts the letters of known, and nearly all names are of another length. */
static inline bool is_called(struct span name, const char *known)
{
    return name.size == strlen(known) && strcasecmp(name.s, known) == 0;
}

static void read_known(struct head *head, const char *header, const char *value)
{
    const struct span name = { header, strlen(header) };
    if (is_called(name, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
        head->n_lengths++;
        head->length = strtoull(value, NULL, 10); /* libmicrohttpd refused what is not a number */
    } else if (is_called(name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        head->transfer_encoding = head->transfer_encoding ? "several" : value;
    } else if (is_called(name, MHD_HTTP_HEADER_CONTENT_ENCODING)) {
        head->content_encoding = value;
    } else if (is_called(name, MHD_HTTP_HEADER_EXPECT)) {
        head->expects_continue = true;
    } else if (is_called(name, MHD_HTTP_HEADER_CONNECTION)) {
        head->closes = strcasestr(value, "close") != NULL;
    }
}

static enum MHD_Result read_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct head *head = cls;
    (void) kind;
    if (!*name || strchr(name, ' ') || strchr(name, '\t'))
        head->malformed = true; /* others take it for the name without the blank */
    if (!value)
        return MHD_YES;
    if (value < name)
        head->malformed = true; /* a folded line was added, to the *name*, which was moved behind the head for it */
    if (value >= head->last_value)
        head->last_value = value;
    read_known(head, name, value);
    return MHD_YES;
}

/* A header without a name is taken for the empty line behind the last one. */
static bool ends_early(const struct head *head, struct MHD_Connection *mhd, const char *method)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info && head->last_value &&
           method + info->header_size > head->last_value + strlen(head->last_value) + HEAD_END_BYTES;
}

void head_read(struct MHD_Connection *mhd, const char *method, bool strict_library, struct head *ret)
{
    *ret = (struct head){ 0 };
    MHD_get_connection_values(mhd, MHD_HEADER_KIND, read_header, ret);
    if (!strict_library && !ret->malformed)
        ret->malformed = ends_early(ret, mhd, method);
}
