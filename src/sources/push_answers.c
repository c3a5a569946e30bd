/* push_answers.c - the words that a sender gets: the CAD and its users know them (design section 3). */
#include <stdlib.h>

#include "push_private.h"

#define PAGE                                                                                                           \
    PROGRAM_NAME " is running and listening for the push events of Sonoran CAD.\n"                                     \
                 "You see this, so the port is open. Enter the address in the CAD's panel.\n"

void push_answer(struct http_answer *ret, unsigned status, const char *text)
{
    ret->status = status;
    ret->body = text;
}

/* What is wrong with the data. */
void push_answer_invalid(struct http_answer *ret, const char *reason)
{
    struct text text = TEXT_INIT;
    text_addf(&text, "Invalid Data: %s", reason);
    if (text.failed) {
        text_free(&text);
        push_answer(ret, 400, "Invalid Data");
        return;
    }
    push_answer(ret, 400, text.s);
    ret->free_body = free;
}

void push_answer_verdict(const struct event *event, struct http_answer *ret)
{
    switch (event->verdict) {
    case EVENT_ACCEPTED:
    case EVENT_INTERNAL: /* of no body */
        push_answer(ret, 200, "ok");
        return;
    case EVENT_UNKNOWN:
        push_answer(ret, 400, "Invalid Type");
        return;
    case EVENT_INVALID:
        push_answer_invalid(ret, event->reason);
    }
}

/* People open it in a browser to see whether the port is open. */
void push_show_page(void *userdata, struct http_request *request, struct http_answer *ret)
{
    (void) userdata;
    (void) request;
    push_answer(ret, 200, PAGE);
}

void push_answer_refusal(void *userdata, unsigned status, const char *what, struct http_answer *ret)
{
    (void) userdata;
    (void) what;
    push_answer(ret, status,
                status == 400   ? "Bad Request"
                : status == 404 ? "Not Found"
                : status == 405 ? "Method Not Allowed"
                : status == 413 ? "Body Too Large"
                : status == 415 ? "Unsupported Content-Encoding"
                                : "Busy");
}
