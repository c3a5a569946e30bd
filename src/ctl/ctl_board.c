/* ctl_board.c - "sonoran-pushctl board": 911 calls, calls and units as they are now, in a terminal. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sonoran-pushd/log.h>

#include "ctl_daemon.h"
#include "interrupt.h"
#include "viewer_desk.h"

#define PRINTED_COLUMNS 100 /* where stdout is no terminal */
#define PRINTED_ROWS_MAX 20000

struct arguments {
    struct ctl_common common;
    bool once, no_colour, ascii, bell;
    const char *community;
};

static int read_community(void *context, const char *value, struct err *err)
{
    ((struct arguments *) context)->community = value;
    return options_is_name(value) ? 0 : err_set(err, -EINVAL, "expected the name of a community");
}

#define AT(member) offsetof(struct arguments, member)

static const struct ctl_option rows[] = {
    { "once", 0, NULL, NULL, "print it and end, as where stdout is no terminal", AT(once) },
    OPTION_JSON("print the state as one object (/api/state) and end"),
    { "no-color", 0, NULL, NULL, "without colours; as NO_COLOR in the environment", AT(no_colour) },
    { "ascii", 0, NULL, NULL, "nothing but ASCII on the screen", AT(ascii) },
    { "bell", 0, NULL, NULL,
      "ring the terminal's bell for each panic and 911 emergency, again every 30 s until a panic is acknowledged",
      AT(bell) },
    { "community", 0, "NAME", read_community, "this community alone", 0 },
};

static const struct ctl_spec spec = {
    .verb = "board",
    .usage = "[OPTION]...",
    .about = "Shows 911 calls, calls, units and what comes, live: panics first, in each list who waits longest first. "
             "It asks the running daemon, and tries on by itself where that is away; STALE tells for how long.",
    .footer = "Keys: q leaves, Tab goes to the next list, arrows move in it, Enter opens a call or unit, / filters, "
              "p holds the picture, b switches the bell, a acknowledges a panic, ? helps.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
};

/* ---- printed ---- */

static int print_json(const struct arguments *arguments, const char *store)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    struct text path CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    text_add(&path, "/api/state");
    if (arguments->community)
        text_addf(&path, "?community=%s", arguments->community);
    if (daemon_get(store, path.s, &answer, &err) < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    struct text out CLEANUP(text_free) = TEXT_INIT;
    show_json(answer.line.s, answer.line.size, isatty(STDOUT_FILENO), &out);
    return table_write_stdout(&out);
}

static int print_board(const struct arguments *arguments, const struct viewer *viewer)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct viewer_look look = { .now_us = now_us() + (usec_t) viewer->clock_us,
                                .community = arguments->community,
                                .once = true };
    int columns = (int) wrap_width(), rows_wanted = viewer_rows(viewer, &look);
    struct canvas canvas;
    if (canvas_open(&canvas, rows_wanted < PRINTED_ROWS_MAX ? rows_wanted : PRINTED_ROWS_MAX,
                    columns ? columns : PRINTED_COLUMNS, arguments->ascii) < 0)
        return ctl_fail(EXIT_FAILURE, "no memory");
    viewer_draw(viewer, &look, &canvas);
    for (int row = 0; row < canvas.rows; row++) {
        canvas_write_row(&canvas, row, &out);
        text_add(&out, "\n");
    }
    canvas_close(&canvas);
    return table_write_stdout(&out);
}

/* ---- live ---- */

struct follower {
    struct viewer *viewer;
    struct viewer_source source;
};

static void *follow(void *context)
{
    struct follower *follower = context;
    viewer_follow(follower->viewer, &follower->source);
    return NULL;
}

static bool has_unicode(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int show_live(const struct arguments *arguments, struct follower *follower, int interrupt_fd)
{
    static const uint64_t one = 1;
    struct viewer_look look = { .community = arguments->community, .bell = arguments->bell };
    bool colours = !arguments->no_colour && log_has_colours(STDOUT_FILENO);
    struct err err;
    pthread_t thread;
    daemon_be_quiet();
    /* ncurses would take them for the terminal's size, also when that has changed. Before there are threads. */
    unsetenv("COLUMNS");
    unsetenv("LINES");
    if (pthread_create(&thread, NULL, follow, follower) != 0)
        return ctl_fail(EXIT_FAILURE, "no thread to be had");
    struct viewer_stories stories;
    int r = viewer_stories_begin(&stories, follower->viewer, &follower->source, &err);
    bool begun = r >= 0;
    if (begun)
        r = viewer_show(follower->viewer, &look, &stories, arguments->ascii || !has_unicode(), colours, interrupt_fd,
                        &err);
    (void) !write(follower->source.stop_fd, &one, sizeof(one));
    pthread_join(thread, NULL);
    if (begun)
        viewer_stories_end(&stories);
    return r < 0 ? ctl_fail(EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

static int live(const struct arguments *arguments, struct follower *follower)
{
    struct err err;
    int interrupt_fd = interrupt_begin(&err);
    int stop CLEANUP(cleanup_close) = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int changed CLEANUP(cleanup_close) = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (interrupt_fd < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    if (stop < 0 || changed < 0)
        return ctl_fail(EXIT_FAILURE, "no descriptor: %s", strerror(errno));
    follower->source.stop_fd = stop;
    follower->viewer->changed_fd = changed;
    return show_live(arguments, follower, interrupt_fd);
}

static int show(const struct arguments *arguments, const char *store)
{
    struct viewer viewer CLEANUP(viewer_done);
    struct follower follower = { &viewer, { .store = store, .community = arguments->community, .stop_fd = -1 } };
    struct err err;
    viewer_init(&viewer);
    /* The first time it has to be there: who mistyped something learns it at once. */
    if (viewer_load(&viewer, &follower.source, &err) < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    if (arguments->once || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
        return print_board(arguments, &viewer);
    return live(arguments, &follower);
}

int board_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file };
    char *store CLEANUP(cleanup_free) = NULL;
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;
    status = settings_find_store(&arguments.common, &store);
    if (status != EXIT_SUCCESS)
        return status;
    if (arguments.common.json)
        return print_json(&arguments, store);
    /* What is printed is UTF-8 wherever it goes to, and widths are known to a locale alone. */
    if (!setlocale(LC_CTYPE, "") || !has_unicode())
        arguments.ascii |= isatty(STDOUT_FILENO) || !setlocale(LC_CTYPE, "C.UTF-8");
    return show(&arguments, store);
}
