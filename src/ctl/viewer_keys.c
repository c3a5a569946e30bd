/* viewer_keys.c - what each key does. */
#include <limits.h>
#include <string.h>

#include <curses.h>

#include "viewer_desk.h"

#define ESCAPE 27
#define CTRL_L 12
#define PAGE 10
#define FAR 100000

/* ---- the filter ---- */

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

/* ---- moves ---- */

/* In what is open, else in the list. */
static void walk(struct viewer_look *look, int by)
{
    if (look->detail) {
        look->detail->top += by; /* viewer_draw brings it back, as the others */
        return;
    }
    if (!look->chooses)
        by = by > 0 ? by - 1 : 0; /* the first press shows where it is */
    look->chooses = true;
    look->chosen[look->focus] += by;
    if (by && look->focus < VIEWER_N_KINDS)
        look->marked[look->focus].known = false;
}

static void next_list(struct viewer_look *look, int by)
{
    if (!look->detail)
        look->focus = (enum viewer_kind)(((int) look->focus + by + VIEWER_N_PANES) % VIEWER_N_PANES);
}

static void forget_choice(struct viewer_look *look)
{
    look->filter[0] = '\0';
    look->chooses = false;
}

/* ---- letters ---- */

static void leave(struct viewer_desk *desk, bool quits)
{
    if (desk->look->detail)
        viewer_desk_close(desk);
    else if (quits)
        desk->left = true;
    else
        forget_choice(desk->look);
}

static void obey_letter(struct viewer_desk *desk, wint_t key)
{
    struct viewer_look *look = desk->look;
    bool helped = look->help;
    look->help = key == '?' && !helped;
    if (key == 'q' || key == 'Q' || key == ESCAPE) {
        if (!helped || key != ESCAPE)
            leave(desk, key != ESCAPE);
    } else if (key == '\t') {
        next_list(look, 1);
    } else if (key == '/') {
        look->typing = !look->detail;
    } else if (key == '\n' || key == '\r') {
        if (look->detail)
            viewer_desk_close(desk);
        else
            viewer_desk_open(desk);
    } else if (key == 'p') {
        viewer_desk_hold(desk);
    } else if (key == 'b') {
        look->bell = !look->bell;
    } else if (key == 'a') {
        viewer_desk_acknowledge(desk);
    } else if (key == 'j' || key == 'k') {
        walk(look, key == 'j' ? 1 : -1);
    } else if (key == ' ' && look->detail) {
        walk(look, PAGE);
    } else if (key == CTRL_L) {
        desk->anew = true;
    }
}

static void obey_function(struct viewer_desk *desk, wint_t key)
{
    struct viewer_look *look = desk->look;
    static const struct {
        wint_t key;
        int by;
    } moves[] = { { KEY_DOWN, 1 },      { KEY_UP, -1 },   { KEY_NPAGE, PAGE },
                  { KEY_PPAGE, -PAGE }, { KEY_END, FAR }, { KEY_HOME, -FAR } };
    for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
        if (moves[i].key == key)
            walk(look, moves[i].by);
    if (key == KEY_RESIZE) /* where the terminal has put what was there is its own affair */
        desk->anew = true;
    if (key == KEY_RIGHT)
        next_list(look, 1);
    if (key == KEY_LEFT || key == KEY_BTAB)
        next_list(look, -1);
    if (key == KEY_BACKSPACE && look->typing)
        type(look, 127);
    if (key == KEY_ENTER && look->typing)
        type(look, '\n');
    else if (key == KEY_ENTER)
        obey_letter(desk, '\n');
}

void viewer_obey(struct viewer_desk *desk, wint_t key, bool function)
{
    if (function)
        obey_function(desk, key);
    else if (desk->look->typing)
        type(desk->look, key);
    else
        obey_letter(desk, key);
}
