/* viewer_sources.c - how events come in: what is cut, since when. */
#include <string.h>

#include "ctl_daemon.h"
#include "viewer.h"

#define WORDS_MAX_CHARS 200

void viewer_take_sources(struct viewer *viewer, cJSON *take_sources)
{
    cJSON_Delete(viewer->sources);
    viewer->sources = take_sources;
}

/* NULL: there are not so many that are cut. */
static const cJSON *find_cut(const struct viewer *viewer, int i, usec_t *ret_since_us)
{
    const cJSON *source;
    cJSON_ArrayForEach (source, viewer->sources) {
        *ret_since_us = daemon_get_time(source, "cut_since");
        if (*ret_since_us && i-- == 0)
            return source;
    }
    return NULL;
}

int viewer_count_cuts(const struct viewer *viewer)
{
    usec_t since_us;
    int n = 0;
    while (n < VIEWER_CUTS_SHOWN && find_cut(viewer, n, &since_us))
        n++;
    return n;
}

int viewer_put_cuts(const struct viewer *viewer, const struct viewer_look *look, int row, struct canvas *canvas)
{
    int n = viewer_count_cuts(viewer);
    for (int i = 0; i < n; i++) {
        struct text words CLEANUP(text_free) = TEXT_INIT, age CLEANUP(text_free) = TEXT_INIT;
        usec_t since_us = 0;
        const char *told = json_get_text(find_cut(viewer, i, &since_us), "words");
        text_add_prose(&words, told, strlen(told), WORDS_MAX_CHARS);
        viewer_write_age(&age, since_us, look->now_us);
        canvas_fill(canvas, row + i, 0, canvas->columns, STYLE_STALE);
        canvas_put(canvas, row + i, 1, canvas->columns - 10, STYLE_STALE, words.s);
        canvas_put_right(canvas, row + i, canvas->columns - 8, 7, STYLE_STALE, age.s);
    }
    return n;
}
