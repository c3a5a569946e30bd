/* answer.c - an answer as libmicrohttpd sends it. */
#include <string.h>

#include "private.h"

static void add_number(struct MHD_Response *response, const char *name, const char *in_front, uint64_t number)
{
    char value[32];
    snprintf(value, sizeof(value), "%s%llu", in_front, (unsigned long long) number);
    MHD_add_response_header(response, name, value);
}

static struct MHD_Response *new_response(const struct http *http, const struct request *request,
                                         const struct http_answer *answer)
{
    bool constant = answer->text != answer->text_buffer;
    union {
        const char *from;
        void *buffer;
    } text = { .from = answer->text };
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(answer->text), text.buffer,
                                        constant ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    if (!response)
        return NULL;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST");
    if (answer->retry_after_s)
        add_number(response, MHD_HTTP_HEADER_RETRY_AFTER, "", answer->retry_after_s);
    if (request->close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (request->keeps)
        add_number(response, "Keep-Alive", "timeout=", http->settings.request_time_us / USEC_PER_SEC);
    return response;
}

/* The few answers that are always the same are made once. */
static struct MHD_Response *find_response(struct http *http, const struct request *request,
                                          const struct http_answer *answer, bool *ret_cached)
{
    *ret_cached = answer->text != answer->text_buffer && !answer->retry_after_s && !request->close;
    for (size_t i = 0; i < HTTP_CACHED_ANSWERS && *ret_cached; i++) {
        struct cached_answer *cached = &http->cached[i];
        if (!cached->response)
            *cached = (struct cached_answer){ answer->status, answer->text, request->keeps,
                                              new_response(http, request, answer) };
        if (cached->response && cached->status == answer->status && cached->text == answer->text &&
            cached->keeps == request->keeps)
            return cached->response;
    }
    *ret_cached = false;
    return new_response(http, request, answer);
}

enum MHD_Result answer_send(struct http *http, struct MHD_Connection *mhd, struct request *request,
                            const struct http_answer *answer)
{
    bool cached;
    struct MHD_Response *response = find_response(http, request, answer, &cached);
    if (!response)
        return MHD_NO;

    request->sent = true;
    enum MHD_Result result = MHD_queue_response(mhd, answer->status, response);
    if (!cached)
        MHD_destroy_response(response);
    return result;
}

void answers_drop(struct http *http)
{
    for (size_t i = 0; i < HTTP_CACHED_ANSWERS; i++) {
        if (http->cached[i].response)
            MHD_destroy_response(http->cached[i].response);
        http->cached[i] = (struct cached_answer){ 0 };
    }
}
