/* streams.c - the source streams: events of other nodes, by Redis Streams. Opened, given another configuration, taken
 * down. */
#include <errno.h>
#include <sonoran-pushd/wait.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "streams_private.h"

#define LEAVE_US (2 * USEC_PER_SEC) /* at a reload, which holds up the main thread */

#define STREAMS_OPTION(member) .group = "streams[]", CONFIG_MEMBER(struct streams_settings, member)
#define STREAMS_LIST(member) .group = "streams[]", CONFIG_MEMBERS(struct streams_settings, member)

CONFIG_ASSERT_LIST(struct streams_settings, urls);
CONFIG_ASSERT_LIST(struct streams_settings, keys);
CONFIG_ASSERT_LIST(struct streams_settings, communities);

static const char *const starts[] = { "first", "now", NULL };

static const struct config_option options[] = {
    { STREAMS_OPTION(name), .name = "name", .type = CONFIG_NAME, .required = true, .fallback = "edges", .unique = true,
      .help = "How it is called in the log." },
    { STREAMS_LIST(urls), .name = "url", .type = CONFIG_SECRET, .single = true, .required = true,
      .help = "The Redis server: redis://host:6379, rediss:// (TLS) or unix:/path; several are tried in order." },
    { STREAMS_LIST(urls), .name = "url_file", .type = CONFIG_FILE, .single = true,
      .help = "A file with the URL: in secrets/ beside this one, else beside it." },
    { STREAMS_OPTION(username), .name = "username", .type = CONFIG_TEXT,
      .help = "The account at the server; without it \"default\"." },
    { STREAMS_OPTION(password), .name = "password", .type = CONFIG_SECRET,
      .help = "Its password; password_file keeps it out of this file." },
    { STREAMS_OPTION(password), .name = "password_file", .type = CONFIG_FILE,
      .help = "A file with the password: in secrets/ beside this one, else beside it." },
    { STREAMS_OPTION(database), .name = "database", .type = CONFIG_COUNT, .fallback = "0", .max = 1000000,
      .help = "Which of the server's databases." },
    { STREAMS_OPTION(ca_file), .name = "ca_file", .type = CONFIG_TEXT,
      .help = "Certificates in PEM that alone vouch for a rediss URL; a path." },
    { STREAMS_LIST(keys), .name = "keys", .type = CONFIG_TEXT, .fallback = "cad:events:*",
      .help = "Which streams are read; globs are looked up every 30s." },
    { STREAMS_OPTION(start), .name = "start", .type = CONFIG_WORD, .fallback = "first", .words = starts,
      .help = "Where a stream begins of which nothing was read: at its first entry, or now." },
    { STREAMS_LIST(communities), .name = "communities", .type = CONFIG_TEXT,
      .help = "Globs: whose events are taken; without it everybody's." },
};

/* ---- rows ---- */

static struct streams_row *row_free(struct streams_row *row)
{
    struct streams_stream *stream;
    if (!row)
        return NULL;
    while ((stream = row->list)) {
        row->list = stream->next;
        free(stream);
    }
    if (row->wake_fd >= 0)
        close(row->wake_fd);
    streams_settings_free(&row->settings);
    free(row);
    return NULL;
}

static int row_new(struct streams_row **ret, struct streams *all, const struct streams_settings *settings,
                   struct err *err)
{
    struct streams_row *row = calloc(1, sizeof(*row));
    if (!row)
        return err_set(err, -ENOMEM, "no memory");
    row->all = all;
    row->values.cut_us = now_us();
    row->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = row->wake_fd < 0 ? err_set(err, -errno, "no eventfd for streams: %s", strerror(errno)) : 0;
    if (!streams_settings_copy(&row->settings, settings) && r >= 0)
        r = err_set(err, -ENOMEM, "no memory");
    if (r < 0) {
        row_free(row);
        return r;
    }
    *ret = row;
    return 0;
}

static void add_row(struct streams *all, struct streams_row *take_row)
{
    struct streams_row **link = &all->rows;
    pthread_mutex_lock(&all->lock);
    take_row->n_failures = all->n_failures;
    while (*link)
        link = &(*link)->next;
    *link = take_row;
    pthread_mutex_unlock(&all->lock);
}

static int start_row(struct streams_row *row, struct err *err)
{
    int r = pthread_create(&row->thread, NULL, streams_row_thread, row);
    row->running = r == 0;
    return r ? err_set(err, -r, "no thread for streams %s: %s", row->settings.name, strerror(r)) : 0;
}

static void begin_end(struct streams_row *row)
{
    pthread_mutex_lock(&row->all->lock);
    row->stopping = true;
    pipeline_flush(row->all->parts.way_in); /* so that all that is under way can be seen */
    pthread_cond_broadcast(&row->all->changed);
    pthread_mutex_unlock(&row->all->lock);
    streams_row_wake(row);
}

static bool end_thread(struct streams_row *row, usec_t until_us)
{
    if (row->running)
        row->running = !wait_thread(row->thread, until_us);
    return !row->running;
}

/* ---- another configuration ---- */

static void free_rows(struct streams_row *list)
{
    for (struct streams_row *next; list; list = next) {
        next = list->next;
        row_free(list);
    }
}

static int make_rows(struct streams_row **ret, struct streams *all, const struct config *config, struct err *err)
{
    const struct config_settings section = config_section_get(config, &source_streams.section);
    const struct streams_settings *settings = section.elements;
    struct streams_row **link = ret;
    *ret = NULL;
    for (size_t i = 0; i < section.n_elements; i++) {
        int r = row_new(link, all, &settings[i], err);
        if (r < 0) {
            free_rows(*ret);
            *ret = NULL;
            return r;
        }
        link = &(*link)->next;
    }
    return 0;
}

static int streams_prepare(void *self, const struct config *config, void **ret_change, struct err *err)
{
    struct streams_row *rows;
    int r = make_rows(&rows, self, config, err);
    if (r >= 0)
        *ret_change = rows;
    return r;
}

static void streams_drop(void *self, void *take_change)
{
    (void) self;
    free_rows(take_change);
}

/* Out of the new ones, where it is the same, and there was a thread for it. */
static bool stays(const struct streams_row *row, struct streams_row **list)
{
    for (struct streams_row **link = list; *link; link = &(*link)->next) {
        struct streams_row *other = *link;
        if (!row->running || !streams_settings_equal(&row->settings, &other->settings))
            continue;
        *link = other->next;
        row_free(other);
        return true;
    }
    return false;
}

/* Those that nobody needs any more. */
static void free_left(struct streams *all)
{
    struct streams_row **link = &all->leaving, *row;
    while ((row = *link)) {
        bool open = !end_thread(row, 0);
        pthread_mutex_lock(&all->lock);
        for (const struct streams_stream *stream = row->list; stream; stream = stream->next)
            open |= stream->n_open > 0;
        if (!open)
            *link = row->next;
        pthread_mutex_unlock(&all->lock);
        if (open)
            link = &row->next;
        else
            row_free(row);
    }
}

static void leave(struct streams *all, struct streams_row **link)
{
    struct streams_row *row = *link;
    begin_end(row);
    pthread_mutex_lock(&all->lock);
    *link = row->next;
    row->next = all->leaving;
    all->leaving = row;
    pthread_mutex_unlock(&all->lock);
    (void) end_thread(row, uptime_us() + LEAVE_US);
    streams_tell(row, LOG_NOTICE, "closed");
}

static void streams_apply(void *self, void *take_change)
{
    struct streams *all = self;
    struct streams_row *list = take_change, *row;
    struct err err;
    for (struct streams_row **link = &all->rows; *link;) {
        if (stays(*link, &list))
            link = &(*link)->next;
        else
            leave(all, link);
    }
    free_left(all);
    while ((row = list)) {
        list = row->next;
        row->next = NULL;
        add_row(all, row);
        if (start_row(row, &err) < 0)
            streams_tell(row, LOG_ERR, "%s", err.msg);
    }
}

/* ---- open, stop ---- */

static int streams_open(void *self, const struct source_parts *parts, struct err *err)
{
    struct streams *all = self;
    struct streams_row *row;
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->changed, NULL);
    all->parts = *parts;
    all->parts.config = NULL; /* which may be gone */
    all->store_path = strdup(parts->config->store.path);
    if (!all->store_path)
        return err_set(err, -ENOMEM, "no memory");
    int r = make_rows(&all->rows, all, parts->config, err);
    for (row = all->rows; row && r >= 0; row = row->next)
        r = start_row(row, err);
    return r;
}

static int streams_stop(void *self, usec_t timeout_us)
{
    struct streams *all = self;
    usec_t until_us = uptime_us() + timeout_us;
    bool ended = true;
    for (struct streams_row *row = all->rows; row; row = row->next)
        begin_end(row);
    for (struct streams_row *row = all->rows; row; row = row->next)
        ended &= end_thread(row, until_us);
    for (struct streams_row *row = all->leaving; row; row = row->next)
        ended &= end_thread(row, until_us);
    return ended ? 0 : -ETIMEDOUT;
}

static void streams_close(void *self)
{
    struct streams *all = self;
    free_rows(all->rows);
    free_rows(all->leaving);
    free(all->store_path);
    pthread_cond_destroy(&all->changed);
    pthread_mutex_destroy(&all->lock);
}

static bool streams_alive(void *self)
{
    struct streams *all = self;
    bool alive = true;
    for (struct streams_row *row = all->rows; row; row = row->next) {
        uint64_t n_rounds = row->n_rounds;
        alive &= !row->running || n_rounds != row->seen_rounds;
        row->seen_rounds = n_rounds;
        streams_row_wake(row);
    }
    pthread_mutex_lock(&all->lock);
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
    return alive;
}

const struct source_type source_streams = {
    .name = STREAMS_SOURCE,
    .section = { .group = "streams[]",
                 .one = "row of streams",
                 .options = options,
                 .n_options = ARRAY_SIZE(options),
                 .settings_size = sizeof(struct streams_settings),
                 .alone = true,
                 .check = streams_check },
    .instance_size = sizeof(struct streams),
    .open = streams_open,
    .prepare = streams_prepare,
    .apply = streams_apply,
    .drop = streams_drop,
    .stop = streams_stop,
    .close = streams_close,
    .settled = streams_settled,
    .settled_all = streams_settled_all,
    .pause = streams_pause,
    .resume = streams_resume,
    .ordered = true,
    .thread = "the thread of streams",
    .alive = streams_alive,
    .add_status = streams_add_status,
    .add_health = streams_add_health,
    .add_report = streams_add_report,
    .add_board = streams_add_board,
};
