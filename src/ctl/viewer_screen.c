/* viewer_screen.c - the terminal, by ncurses: canvases onto the screen, keys from it.
 *
 * One refresh for a frame, of what differs from the one before: ncurses knows that. A frame is drawn when something
 * changed, at most five a second, and each second for the ages. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>

#include "viewer_desk.h"

#define FRAME_US (USEC_PER_SEC / 5)
#define ESCAPE_MS 50 /* within which what follows an Escape belongs to it */

struct screen {
    struct viewer *viewer;
    struct viewer_look *look;
    struct viewer_desk desk;
    bool ascii, colours;
};

static const struct {
    short colour;         /* -1: the terminal's own */
    attr_t with, without; /* colours */
} styles[STYLE_N] = {
    [STYLE_PLAIN] = { -1, A_NORMAL, A_NORMAL },
    [STYLE_BOLD] = { -1, A_BOLD, A_BOLD },
    [STYLE_DIM] = { -1, A_DIM, A_NORMAL },
    [STYLE_BAR] = { -1, A_REVERSE, A_REVERSE },
    [STYLE_STALE] = { COLOR_YELLOW, A_REVERSE | A_BOLD, A_BOLD },
    [STYLE_PANIC] = { COLOR_RED, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD },
    [STYLE_ALERT] = { COLOR_RED, A_BOLD, A_BOLD },
    [STYLE_WARN] = { COLOR_YELLOW, A_BOLD, A_NORMAL },
    [STYLE_LATE] = { COLOR_RED, A_BOLD, A_BOLD },
    [STYLE_AVL] = { COLOR_GREEN, A_NORMAL, A_NORMAL },
    [STYLE_BSY] = { COLOR_YELLOW, A_NORMAL, A_NORMAL },
    [STYLE_ENR] = { COLOR_CYAN, A_NORMAL, A_NORMAL },
    [STYLE_SCN] = { COLOR_MAGENTA, A_BOLD, A_NORMAL },
    [STYLE_UNV] = { -1, A_DIM, A_NORMAL },
    [STYLE_CHOSEN] = { -1, A_BOLD | A_REVERSE, A_BOLD | A_REVERSE },
};

static void set_colours(struct screen *screen)
{
    screen->colours = screen->colours && has_colors();
    if (!screen->colours)
        return;
    start_color();
    use_default_colors();
    for (short i = 0; i < STYLE_N; i++)
        init_pair((short) (i + 1), styles[i].colour, -1);
}

/* ---- a frame ---- */

static void put_cell(const struct screen *screen, int row, int column, const struct canvas_cell *cell)
{
    wchar_t letters[CANVAS_MARKS + 2] = { cell->code };
    cchar_t out;
    short pair = screen->colours && styles[cell->style].colour >= 0 ? (short) (cell->style + 1) : (short) 0;
    attr_t attributes = screen->colours ? styles[cell->style].with : styles[cell->style].without;
    memcpy(letters + 1, cell->marks, sizeof(cell->marks));
    setcchar(&out, letters, attributes, pair, NULL);
    mvadd_wch(row, column, &out);
}

static void draw(struct screen *screen)
{
    struct canvas canvas;
    struct viewer *viewer = screen->viewer;
    if (canvas_open(&canvas, LINES, COLS, screen->ascii) < 0)
        return;
    pthread_mutex_lock(&viewer->lock);
    screen->look->now_us = now_us() + (usec_t) viewer->clock_us;
    screen->look->uptime_us = uptime_us();
    viewer_desk_prepare(&screen->desk);
    viewer_draw(viewer_desk_shown(&screen->desk), screen->look, &canvas);
    bool rings = viewer_desk_rings(&screen->desk, screen->look->uptime_us);
    pthread_mutex_unlock(&viewer->lock);

    for (int row = 0; row < canvas.rows; row++)
        for (int column = 0; column < canvas.columns; column++) {
            const struct canvas_cell *cell = &canvas.cells[row * canvas.columns + column];
            if (cell->code)
                put_cell(screen, row, column, cell);
        }
    canvas_close(&canvas);
    if (screen->desk.anew)
        clearok(curscr, TRUE);
    screen->desk.anew = false;
    refresh();
    if (rings) /* by then it is to be seen what for */
        beep();
}

/* ---- keys ---- */

/* Whether there were any. */
static bool read_keys(struct screen *screen)
{
    wint_t key;
    bool any = false;
    for (int r; (r = get_wch(&key)) != ERR; any = true)
        viewer_obey(&screen->desk, key, r == KEY_CODE_YES);
    return any;
}

/* ---- on and on ---- */

/* What there is to draw for. */
struct reasons {
    bool key, changed, stop;
};

/* With a change in hand nothing more of them is heard of: they come in the same frame. */
static struct reasons wait_for_any(const struct screen *screen, int stop_fd, bool has_change, usec_t until_us)
{
    struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                            { .fd = stop_fd, .events = POLLIN },
                            { .fd = has_change ? -1 : screen->viewer->changed_fd, .events = POLLIN } };
    usec_t now = uptime_us();
    int ms = until_us > now ? (int) ((until_us - now + 999) / 1000) : 0;
    if (poll(fds, ARRAY_SIZE(fds), ms) < 0)
        return (struct reasons){ .key = errno == EINTR }; /* SIGWINCH: ncurses has a key for it */
    return (struct reasons){ .key = fds[0].revents & POLLIN,
                             .changed = fds[2].revents & POLLIN,
                             .stop = fds[1].revents || ((fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) };
}

static void forget_changes(const struct screen *screen)
{
    uint64_t n;
    (void) !read(screen->viewer->changed_fd, &n, sizeof(n));
}

static void run(struct screen *screen, int stop_fd)
{
    bool changed = false;
    usec_t drawn_us = 0;
    draw(screen);
    while (!screen->desk.left) {
        usec_t pause_us = changed ? FRAME_US : USEC_PER_SEC;
        struct reasons reasons = wait_for_any(screen, stop_fd, changed, drawn_us + pause_us);
        if (reasons.stop)
            return;
        if (reasons.changed) {
            forget_changes(screen);
            changed = true;
        }
        bool key = reasons.key && read_keys(screen);
        if (!key && uptime_us() < drawn_us + (changed ? FRAME_US : USEC_PER_SEC))
            continue;
        drawn_us = uptime_us();
        changed = false;
        draw(screen);
    }
}

static void set_up(struct screen *screen)
{
    set_escdelay(ESCAPE_MS);
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_colours(screen);
}

int viewer_show(struct viewer *viewer, struct viewer_look *look, struct viewer_stories *stories, bool ascii,
                bool colours, int stop_fd, struct err *err)
{
    struct screen screen = { .viewer = viewer, .look = look, .ascii = ascii, .colours = colours };
    SCREEN *terminal = newterm(NULL, stdout, stdin);
    if (!terminal)
        return err_set(err, -ENOTTY, "this terminal (TERM=%s) cannot show a board; --once prints one",
                       getenv("TERM") ? getenv("TERM") : "");
    set_up(&screen);
    viewer_desk_init(&screen.desk, viewer, look);
    screen.desk.stories = stories;
    run(&screen, stop_fd);
    viewer_desk_done(&screen.desk);
    endwin();
    delscreen(terminal);
    return 0;
}
