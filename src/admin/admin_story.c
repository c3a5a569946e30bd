/* admin_story.c - one call as a timeline, read from the log. */
#include <errno.h>
#include <stdlib.h>

#include <sonoran-pushd/story.h>

#include "routes.h"

#define EVENTS_MAX 2000 /* of a story: nobody else is answered while it is read */

static int read_asked(const struct http_request *request, struct story_asked *ret, struct err *err)
{
    const char *call = http_query(request, "call"), *call911 = http_query(request, "call911");
    *ret = (struct story_asked){ .max_events = EVENTS_MAX };
    if (!call == !call911)
        return err_set(err, -EINVAL, "say which call: call=55120, or call911=90417");
    if (story_read_call(call ? call : call911, ret) < 0 || ret->is_911)
        return err_set(err, -EINVAL, "expected the id of a call, a whole number");
    ret->is_911 = call911;
    return admin_ask_community(request, &ret->community, err);
}

static int read_story(const struct admin *admin, const struct http_request *request, struct story **ret,
                      struct err *err)
{
    struct store_reader *reader = NULL;
    struct story_asked asked;
    int r = read_asked(request, &asked, err);
    if (r >= 0)
        r = admin_open_log(admin, &reader, err);
    if (r >= 0)
        r = story_read(reader, &asked, ret, err);
    store_reader_close(reader);
    return r;
}

void admin_get_story(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct admin *admin = userdata;
    struct story *story = NULL;
    struct text body = TEXT_INIT;
    struct err err;
    if (!admin_has_time(admin, ret))
        return;
    int r = read_story(admin, request, &story, &err);
    if (r < 0) {
        admin_answer_failure(ret, r, &err);
        return;
    }
    struct json_writer out = admin_begin(&body);
    story_write(story, &out);
    admin_answer(ret, 200, &out);
    story_free(story);
}
