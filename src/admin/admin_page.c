/* admin_page.c - the board: its page, which has no data in it and is therefore open to all. Whoever looks at it asks
 * for the rest with the token that they have. */
#include <assert.h>
#include <string.h>

#include "routes.h"

struct page_file {
    const char *path, *type, *tag, *gzip_tag;
    const unsigned char *plain;
    size_t plain_size;
    const unsigned char *gzip;
    size_t gzip_size;
};

#include <page_files.h> /* page_files[], made of page/ at build */

/* There is one for each route. */
static const struct page_file *find(const char *path)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(page_files) - 1 && strcmp(page_files[i].path, path) != 0)
        i++;
    assert(strcmp(page_files[i].path, path) == 0);
    return &page_files[i];
}

/* "gzip, deflate, br"; a client that has it and does not want it says so: gzip;q=0. */
static bool takes_gzip(const char *accept_encoding)
{
    const char *gzip = accept_encoding ? strcasestr(accept_encoding, "gzip") : NULL;
    return gzip && !(strncmp(gzip + 4, ";q=0", 4) == 0 && gzip[8] != '.');
}

void admin_get_page(void *userdata, struct http_request *request, struct http_answer *ret)
{
    const struct page_file *file = find(request->route->path);
    (void) userdata;
    bool gzip = takes_gzip(http_header(request, "Accept-Encoding"));
    const char *tag = gzip ? file->gzip_tag : file->tag, *known = http_header(request, "If-None-Match");
    *ret = (struct http_answer){ .status = 200,
                                 .type = file->type,
                                 .body = (const char *) (gzip ? file->gzip : file->plain),
                                 .body_size = gzip ? file->gzip_size : file->plain_size,
                                 .headers = { { "ETag", tag },
                                              { "Cache-Control", "no-cache" },
                                              { "Vary", "Accept-Encoding" },
                                              { gzip ? "Content-Encoding" : NULL, "gzip" } } };
    if (known && strstr(known, tag)) {
        ret->status = 304;
        ret->body = NULL;
        ret->body_size = 0;
        ret->headers[3].name = NULL;
    }
}
