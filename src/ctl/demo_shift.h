/* demo_shift.h - inside src/ctl: an evening in a small town that is made up, as its CAD would tell it.
 *
 * Shape:   rows in the order of time. In data, C_01 stands for the id of the first dispatch call and E_01 for that of
 *          the first 911 call: each shift has ids of its own (demo.c). Ids of units stay the same.
 * Units:   at_s in seconds since the shift began.
 *
 * No stdbool.h here: its true and false are macros, and the rows are made of what stands in macros.
 */
#pragma once

#include <stddef.h>

struct demo_row {
    unsigned at_s;
    const char *type;
    const char *data; /* JSON, but for the ids */
};

extern const struct demo_row demo_shift[];
extern const size_t demo_shift_n;
