/* viewer_screen.c - the terminal, by ncurses: canvases onto the screen, keys from it.
 *
 * One refresh for a frame, of what differs from the one before: ncurses knows that. A frame is drawn when something
 * changed, at most five a second, and each second for the ages. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>

#include "viewer.h"

#define FRAME_US (USEC_PER_SEC / 5)
#define ESCAPE 27
#define ESCAPE_MS 50 /* within which what follows an Escape belongs to it */
#define PAGE 10

struct screen {
    struct viewer *viewer;
    struct viewer_look *look;
    bool ascii, colours;
    unsigned n_alarms; /* rung for */
    bool left;         /* somebody wants to go */
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
    viewer_draw(viewer, screen->look, &canvas);
    unsigned n_alarms = viewer->n_alarms;
    pthread_mutex_unlock(&viewer->lock);

    for (int row = 0; row < canvas.rows; row++)
        for (int column = 0; column < canvas.columns; column++) {
            const struct canvas_cell *cell = &canvas.cells[row * canvas.columns + column];
            if (cell->code)
                put_cell(screen, row, column, cell);
        }
    canvas_close(&canvas);
    if (n_alarms != screen->n_alarms && screen->look->bell)
        beep();
    screen->n_alarms = n_alarms;
    refresh();
}

/* ---- keys ---- */

static void type(struct viewer_look *look, wint_t key)
{
    size_t size = strlen(look->filter);
    char bytes[MB_LEN_MAX];
    if (key == ESCAPE)
        look->filter[0] = '\0';
    if (key == ESCAPE || key == '\n' || key == '\r')
        look->typing = false;
    if (look->typing && (key == 127 || key == '\b') && size) {
        do
            size--;
        while (size && ((unsigned char) look->filter[size] & 0xc0) == 0x80);
        look->filter[size] = '\0';
    }
    if (!look->typing || key < ' ' || key == 127 || text_is_unsafe(key))
        return;
    mbstate_t state = { 0 };
    size_t n = wcrtomb(bytes, (wchar_t) key, &state);
    if (n != (size_t) -1 && size + n <= VIEWER_FILTER_MAX_BYTES) {
        memcpy(look->filter + size, bytes, n);
        look->filter[size + n] = '\0';
    }
}

static void move_chosen(struct viewer_look *look, int by)
{
    if (!look->chooses)
        by = by > 0 ? by - 1 : 0; /* the first press shows where it is */
    look->chooses = true;
    look->chosen[look->focus] += by; /* viewer_draw keeps it in its list */
}

static void next_list(struct viewer_look *look, int by)
{
    look->focus = (enum viewer_kind)(((int) look->focus + by + VIEWER_N_PANES) % VIEWER_N_PANES);
}

static void forget_choice(struct viewer_look *look)
{
    look->filter[0] = '\0';
    look->chooses = false;
}

static void obey_key(struct screen *screen, wint_t key)
{
    struct viewer_look *look = screen->look;
    look->help = key == '?' && !look->help;
    if (key == 'q' || key == 'Q')
        screen->left = true;
    else if (key == '\t')
        next_list(look, 1);
    else if (key == '/')
        look->typing = true;
    else if (key == ESCAPE)
        forget_choice(look);
    else if (key == 'p')
        look->paused = !look->paused;
    else if (key == 'b')
        look->bell = !look->bell;
    else if (key == 'j')
        move_chosen(look, 1);
    else if (key == 'k')
        move_chosen(look, -1);
    else if (key == 12) /* Ctrl-L: something else wrote on the terminal */
        clearok(curscr, TRUE);
}

static void obey_function(struct screen *screen, wint_t key)
{
    struct viewer_look *look = screen->look;
    static const struct {
        wint_t key;
        int by;
    } moves[] = { { KEY_DOWN, 1 },      { KEY_UP, -1 },      { KEY_NPAGE, PAGE },
                  { KEY_PPAGE, -PAGE }, { KEY_END, 100000 }, { KEY_HOME, -100000 } };
    for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
        if (moves[i].key == key)
            move_chosen(look, moves[i].by);
    if (key == KEY_RESIZE) /* where the terminal has put what was there is its own affair */
        clearok(curscr, TRUE);
    if (key == KEY_RIGHT)
        next_list(look, 1);
    if (key == KEY_LEFT || key == KEY_BTAB)
        next_list(look, -1);
    if (key == KEY_BACKSPACE && look->typing)
        type(look, 127);
    if (key == KEY_ENTER && look->typing)
        type(look, '\n');
}

/* Whether there were any. */
static bool read_keys(struct screen *screen)
{
    wint_t key;
    bool any = false;
    for (int r; (r = get_wch(&key)) != ERR; any = true) {
        if (r == KEY_CODE_YES)
            obey_function(screen, key);
        else if (screen->look->typing)
            type(screen->look, key);
        else
            obey_key(screen, key);
    }
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
    while (!screen->left) {
        usec_t pause_us = screen->look->paused ? 60 * USEC_PER_SEC : changed ? FRAME_US : USEC_PER_SEC;
        struct reasons reasons = wait_for_any(screen, stop_fd, changed, drawn_us + pause_us);
        if (reasons.stop)
            return;
        if (reasons.changed) {
            forget_changes(screen);
            changed = true;
        }
        bool key = reasons.key && read_keys(screen);
        if (!key && (screen->look->paused || uptime_us() < drawn_us + (changed ? FRAME_US : USEC_PER_SEC)))
            continue;
        drawn_us = uptime_us();
        changed = false;
        draw(screen);
    }
}

int viewer_show(struct viewer *viewer, struct viewer_look *look, bool ascii, bool colours, int stop_fd, struct err *err)
{
    struct screen screen = { .viewer = viewer, .look = look, .ascii = ascii, .colours = colours };
    SCREEN *terminal = newterm(NULL, stdout, stdin);
    if (!terminal)
        return err_set(err, -ENOTTY, "this terminal (TERM=%s) cannot show a board; --once prints one",
                       getenv("TERM") ? getenv("TERM") : "");
    set_escdelay(ESCAPE_MS);
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_colours(&screen);
    pthread_mutex_lock(&viewer->lock);
    screen.n_alarms = viewer->n_alarms;
    pthread_mutex_unlock(&viewer->lock);
    run(&screen, stop_fd);
    endwin();
    delscreen(terminal);
    return 0;
}
