/* play.c - "sonoran-pushctl play": a recorded log, or a shift that is built in, as if the CAD said it now. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "player.h"

#define SPEED_MAX 10000.0
#define LONGEST_US (60 * USEC_PER_SEC)
#define LONGEST_MAX_S 86400
#define BETWEEN_US (5 * USEC_PER_SEC) /* two rounds */

struct arguments {
    struct ctl_common common;
    struct destination_choice choice;
    bool demo, loop;
    double speed;
    usec_t longest_us;
};

static int read_speed(void *context, const char *value, struct err *err)
{
    char *end;
    double speed = strtod(value, &end);
    if (end == value || *end || !isfinite(speed) || speed <= 0 || speed > SPEED_MAX)
        return err_set(err, -EINVAL, "expected a number above 0, up to %g: 2 is twice as fast", SPEED_MAX);
    ((struct arguments *) context)->speed = speed;
    return 0;
}

static int read_longest(void *context, const char *value, struct err *err)
{
    uint64_t seconds = 0;
    if (strcmp(value, "0") != 0 && (options_read_id(value, &seconds) < 0 || seconds > LONGEST_MAX_S))
        return err_set(err, -EINVAL, "expected seconds, up to %d; 0: as long as they were", LONGEST_MAX_S);
    ((struct arguments *) context)->longest_us = seconds ? seconds * USEC_PER_SEC : UINT64_MAX;
    return 0;
}

static int read_url(void *context, const char *value, struct err *err)
{
    ((struct arguments *) context)->choice.url = value;
    return destination_check_url(value, err);
}

#define AT(member) offsetof(struct arguments, member)

static const struct ctl_option rows[] = {
    { "demo", 0, NULL, NULL, "the evening of a small town, about ten minutes long, that is built in", AT(demo) },
    { "speed", 0, "N", read_speed, "so many times as fast (1); 0.5 is half as fast", 0 },
    { "longest", 0, "SECONDS", read_longest, "no pause is longer than this at speed 1 (60); 0: as they were", 0 },
    { "loop", 0, NULL, NULL, "from the beginning again, until Ctrl-C", AT(loop) },
    { "community", 0, "NAME", NULL,
      "with the key of this community (the one of the same name as in the record, else the first one)",
      AT(choice.community) },
    { "listener", 0, "NAME", NULL, "to this listener (the first one)", AT(choice.listener) },
    { "key-file", 0, "FILE", NULL, "with the key in FILE", AT(choice.key_file) },
    { "url", 0, "URL", read_url, "to this URL; with --key-file, no configuration is read", 0 },
};

static const struct ctl_spec spec = {
    .verb = "play",
    .usage = "FILE|--demo [OPTION]...",
    .about =
        "Plays what \"" CTL_NAME " events --json\" printed (FILE, -: stdin), or a built-in evening, at the running "
        "daemon: posts each event as the CAD would, with the times between, so that there is something to see "
        "without a CAD. All are test events: they go to the log and, marked as tests, to its readers, and to no "
        "action, whatever they were when they were recorded.",
    .footer = "What cannot be posted is tried again until it can. Events that were refused when they were recorded are "
              "left out. Ctrl-C ends it; what was posted stays.\n"
              "Exit status: 0 played, or ended by Ctrl-C; 1 not all of it, 2 usage, 78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_max = 1,
};

/* ---- one round ---- */

/* Where events come from: one of the two. */
struct source {
    const char *path; /* NULL: the demo */
    struct demo demo;
    struct recording recording;
};

static int source_begin(struct source *source, uint64_t round, struct err *err)
{
    return source->path ? recording_open(&source->recording, source->path, err) : demo_begin(&source->demo, round, err);
}

static int source_next(struct source *source, struct play_event *ret, struct err *err)
{
    return source->path ? recording_next(&source->recording, ret, err) : demo_next(&source->demo, ret, err);
}

static void source_end(struct source *source)
{
    if (source->path)
        recording_close(&source->recording);
    else
        demo_end(&source->demo);
}

static int play_all(struct source *source, struct player *player, struct err *err)
{
    struct play_event event = PLAY_EVENT_INIT;
    int r;
    while ((r = source_next(source, &event, err)) > 0) {
        r = player_play(player, &event, err);
        play_event_done(&event);
        if (r < 0)
            break;
    }
    description_free(&event.description);
    return r;
}

/* ---- all rounds ---- */

static int say_end(const struct player *player, uint64_t n_skipped, bool interrupted)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    uint64_t n = player->n_accepted + player->n_refused;
    text_addf(&out, "%s%llu test event%s posted", interrupted ? "ended: " : "", (unsigned long long) n, text_plural(n));
    if (player->n_refused)
        text_addf(&out, ", %llu refused", (unsigned long long) player->n_refused);
    if (n_skipped)
        text_addf(&out, ", %llu left out that %s refused when recorded", (unsigned long long) n_skipped,
                  n_skipped == 1 ? "was" : "were");
    text_add(&out, interrupted && n ? "; they stay in the log\n" : "\n");
    return table_write_stdout(&out);
}

static int end(int r, const struct player *player, uint64_t n_skipped, const struct err *err)
{
    if (r == -EPIPE)
        return EXIT_SUCCESS;
    if (r < 0 && r != -EINTR)
        ctl_fail(0, "%s", err->msg);
    int status = say_end(player, n_skipped, r == -EINTR);
    return (r < 0 && r != -EINTR) || player->n_refused ? EXIT_FAILURE : status;
}

static int play(const struct arguments *arguments, const char *path, const struct destination *to)
{
    struct player player = {
        .to = to, .choice = &arguments->choice, .speed = arguments->speed, .longest_us = arguments->longest_us
    };
    struct err err;
    uint64_t round = now_us() / USEC_PER_SEC / 10, n_skipped = 0;
    int r = path && strcmp(path, "-") == 0 ? interrupt_ends_stdin(&err) : 0;
    if (r >= 0)
        r = player.interrupt_fd = interrupt_begin(&err);
    if (r < 0)
        return ctl_fail(EXIT_FAILURE, "%s", err.msg);
    do {
        struct source source = { .path = path };
        r = source_begin(&source, round++, &err);
        if (r < 0)
            break;
        r = play_all(&source, &player, &err);
        n_skipped += source.recording.n_skipped;
        source_end(&source);
        if (r >= 0 && arguments->loop)
            player_rest(&player, (usec_t) ((double) BETWEEN_US / arguments->speed));
        if (interrupt_came())
            r = -EINTR;
    } while (r >= 0 && arguments->loop);
    player_done(&player);
    return end(r, &player, n_skipped, &err);
}

int play_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file, .speed = 1, .longest_us = LONGEST_US };
    struct destination to CLEANUP(destination_done) = DESTINATION_INIT;
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;
    const char *path = optind < argc ? argv[optind] : NULL;
    if (!path == !arguments.demo) {
        ctl_fail(0, path ? "either a file or --demo: play %s" : "what to play is missing: play %s", spec.usage);
        return options_usage(&spec);
    }
    if (path && strcmp(path, "-") == 0 && arguments.loop) {
        ctl_fail(0, "--loop: what comes from stdin cannot be read again");
        return options_usage(&spec);
    }
    status = destination_find(&arguments.common, &arguments.choice, &to);
    return status == EXIT_SUCCESS ? play(&arguments, path, &to) : status;
}
