/* viewer_stories.c - the story of the call that is open, asked for by a thread: a daemon that is slow holds up no key.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ctl_daemon.h"
#include "viewer_desk.h"

#define AGAIN_MS 2000 /* between two looks at the same one, which costs the daemon a read of its log */

static const uint64_t one = 1;

/* ---- the thread ---- */

/* False: it has to end. */
static bool wait_for_wanted(const struct viewer_stories *stories)
{
    struct pollfd fds[] = { { .fd = stories->source->stop_fd, .events = POLLIN },
                            { .fd = stories->wanted_fd, .events = POLLIN } };
    uint64_t n;
    while (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
        ;
    (void) !read(stories->wanted_fd, &n, sizeof(n));
    return !fds[0].revents;
}

static bool pause_unless_stopped(const struct viewer_stories *stories)
{
    struct pollfd fd = { .fd = stories->source->stop_fd, .events = POLLIN };
    return poll(&fd, 1, AGAIN_MS) <= 0;
}

static void copy_path(struct viewer_stories *stories, struct text *ret)
{
    pthread_mutex_lock(&stories->lock);
    text_reset(ret);
    text_add_bytes(ret, stories->path.s, stories->path.size);
    pthread_mutex_unlock(&stories->lock);
}

static void answer(struct viewer_stories *stories, const char *path, struct daemon_answer *take, const struct err *err)
{
    pthread_mutex_lock(&stories->lock);
    if (strcmp(stories->path.s, path) == 0) {
        cJSON_Delete(stories->story);
        stories->story = take->json;
        take->json = NULL;
        stories->answered = true;
        text_reset(&stories->trouble);
        text_add(&stories->trouble, err->msg);
    }
    pthread_mutex_unlock(&stories->lock);
    if (stories->viewer->changed_fd >= 0)
        (void) !write(stories->viewer->changed_fd, &one, sizeof(one));
}

static void ask(struct viewer_stories *stories, const char *path)
{
    struct daemon_answer story CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct daemon_question question = { .path = path, .cancel_fd = &stories->source->stop_fd };
    struct err err = { "" };
    (void) !daemon_ask(stories->source->store, &question, &story, &err);
    answer(stories, path, &story, &err);
}

static void *run(void *context)
{
    struct viewer_stories *stories = context;
    struct text path CLEANUP(text_free) = TEXT_INIT, last CLEANUP(text_free) = TEXT_INIT;
    while (wait_for_wanted(stories)) {
        copy_path(stories, &path);
        if (path.size && strcmp(path.s, last.s) == 0) {
            if (!pause_unless_stopped(stories))
                break;
            copy_path(stories, &path);
        }
        if (path.size)
            ask(stories, path.s);
        text_reset(&last);
        text_add(&last, path.s);
    }
    return NULL;
}

/* ---- from outside ---- */

int viewer_stories_begin(struct viewer_stories *stories, struct viewer *viewer, const struct viewer_source *source,
                         struct err *err)
{
    *stories = (struct viewer_stories){
        .source = source, .viewer = viewer, .lock = PTHREAD_MUTEX_INITIALIZER, .path = TEXT_INIT, .trouble = TEXT_INIT
    };
    stories->wanted_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stories->wanted_fd < 0)
        return err_set(err, -errno, "no descriptor: %s", strerror(errno));
    int r = pthread_create(&stories->thread, NULL, run, stories);
    if (r == 0)
        return 0;
    close(stories->wanted_fd);
    return err_set(err, -r, "no thread to be had: %s", strerror(r));
}

void viewer_stories_end(struct viewer_stories *stories)
{
    pthread_join(stories->thread, NULL);
    close(stories->wanted_fd);
    cJSON_Delete(stories->story);
    text_free(&stories->path);
    text_free(&stories->trouble);
}

/* Whatever the daemon calls a community, it is no part of a path unless it is a name. */
static void write_path(enum viewer_kind kind, const struct viewer_item *item, struct text *out)
{
    if (!options_is_name(item->community) || (*item->node && !options_is_name(item->node)))
        return;
    text_addf(out, "/api/story?community=%s%s%s&%s=%lld", item->community, *item->node ? "@" : "", item->node,
              kind == VIEWER_CALL911 ? "call911" : "call", (long long) item->id);
}

void viewer_stories_want(struct viewer_stories *stories, enum viewer_kind kind, const struct viewer_item *item)
{
    pthread_mutex_lock(&stories->lock);
    text_reset(&stories->path);
    if (item)
        write_path(kind, item, &stories->path);
    stories->answered = false;
    pthread_mutex_unlock(&stories->lock);
    (void) !write(stories->wanted_fd, &one, sizeof(one));
}

bool viewer_stories_take(struct viewer_stories *stories, cJSON **ret, struct text *trouble)
{
    pthread_mutex_lock(&stories->lock);
    bool answered = stories->answered;
    if (answered) {
        *ret = stories->story;
        stories->story = NULL;
        text_add(trouble, stories->trouble.s);
        stories->answered = false;
    }
    pthread_mutex_unlock(&stories->lock);
    return answered;
}
