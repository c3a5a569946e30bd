/* admin_answer.c - an answer of the admin side: one object, one line, and the version of who says it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin_private.h"

#define JSON_TYPE "application/json"
#define NO_MEMORY "{\"error\":\"no memory\"}\n"

void admin_add_time(struct json_writer *out, const char *name, usec_t time_us)
{
    if (time_us)
        json_add_time(out, name, time_us);
}

struct json_writer admin_begin(struct text *body)
{
    struct json_writer answer = json_writer(body);
    json_begin_object(&answer, NULL);
    return answer;
}

static void begin(struct http_answer *ret, unsigned status, const char *type)
{
    *ret = (struct http_answer){ .status = status, .type = type, .retry_after_s = status == 503 ? 1 : 0 };
}

static void answer(struct http_answer *ret, unsigned status, const char *type, struct text *take_body)
{
    if (take_body->failed) {
        text_free(take_body);
        begin(ret, 503, JSON_TYPE);
        ret->body = NO_MEMORY;
        return;
    }
    begin(ret, status, type);
    ret->body = take_body->s;
    ret->body_size = take_body->size;
    ret->free_body = free;
}

void admin_answer(struct http_answer *ret, unsigned status, struct json_writer *object)
{
    json_end(object);
    assert(object->depth == 0);
    text_add(object->out, "\n");
    answer(ret, status, JSON_TYPE, object->out);
}

void admin_answer_text(struct http_answer *ret, const char *type, struct text *take_body)
{
    answer(ret, 200, type, take_body);
}

void admin_add_header(struct http_answer *answer, const char *name, const char *value)
{
    size_t i = 0;
    while (i < HTTP_ANSWER_HEADERS - 1 && answer->headers[i].name)
        i++;
    assert(!answer->headers[i].name);
    answer->headers[i] = (struct http_header){ name, value };
}

void admin_answer_unchanged(struct http_answer *ret, const char *tag)
{
    begin(ret, 304, NULL);
    admin_add_header(ret, "ETag", tag);
}

void admin_answer_error(struct http_answer *ret, unsigned status, const char *sentence)
{
    struct text body = TEXT_INIT;
    struct json_writer answer = admin_begin(&body);
    json_add_text(&answer, "error", sentence);
    admin_answer(ret, status, &answer);
}

static unsigned status_of(int error)
{
    switch (-error) {
    case EINVAL:
    case ERANGE:
    case EBADMSG:
        return 400;
    case EPERM:
        return 403;
    case ENOENT:
        return 404;
    case EBUSY:
        return 409;
    case ESHUTDOWN:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

void admin_answer_failure(struct http_answer *ret, int error, const struct err *err)
{
    admin_answer_error(ret, status_of(error), err->msg);
}

void admin_answer_result(struct http_answer *ret, int error, const struct err *err, struct json_writer *answer)
{
    if (error >= 0) {
        admin_answer(ret, 200, answer);
        return;
    }
    text_free(answer->out);
    admin_answer_failure(ret, error, err);
}

static const char *sentence_of(unsigned status, const char *what)
{
    if (status == 404)
        return "there is nothing at this path in this version of " PROGRAM_NAME;
    if (strcmp(what, HTTP_STRANGER) == 0)
        return "a token is needed: sonoran-pushctl open, on the machine of the daemon, tells where it is";
    if (strcmp(what, HTTP_NOT_ALLOWED) == 0)
        return "that takes the control socket, and is not for a browser";
    if (strcmp(what, HTTP_ONE_COMMUNITY) == 0)
        return "the token of one community does not open this";
    return what;
}

/* What http refuses by itself. */
void admin_answer_refusal(void *userdata, unsigned status, const char *what, struct http_answer *ret)
{
    unsigned retry_after_s = ret->retry_after_s;
    (void) userdata;
    admin_answer_error(ret, status, sentence_of(status, what));
    ret->retry_after_s = retry_after_s ? retry_after_s : ret->retry_after_s;
    if (status == 401)
        ret->headers[0] = (struct http_header){ "WWW-Authenticate", "Bearer" };
}
