/* player.c - when an event is due, and what becomes of it. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "body.h"
#include "interrupt.h"
#include "player.h"

#define TIMEOUT_US (10 * USEC_PER_SEC)
#define RETRY_US USEC_PER_SEC
#define ANSWER_MAX_BYTES ((size_t) 16 << 10)
#define ANSWER_MAX_CHARS 300
#define LINE_INDENT 9 /* behind the time */

/* ---- when ---- */

/* Of a recording whose clock went back, the events follow each other at once. */
static usec_t pause_before(const struct player *player, const struct play_event *event)
{
    if (!player->begun || event->at_us <= player->last_us)
        return 0;
    usec_t pause_us = event->at_us - player->last_us;
    if (pause_us > player->longest_us)
        pause_us = player->longest_us;
    return (usec_t) ((double) pause_us / player->speed);
}

/* From one due time to the next, so that what the posting takes does not add up. */
static bool wait_for_turn(struct player *player, const struct play_event *event)
{
    usec_t now = uptime_us();
    usec_t due_us = player->begun ? player->due_us + pause_before(player, event) : now;
    bool goes_on = interrupt_wait(due_us);
    player->begun = true;
    player->last_us = event->at_us;
    player->due_us = due_us;
    return goes_on;
}

void player_rest(struct player *player, usec_t pause_us)
{
    (void) interrupt_wait(uptime_us() + pause_us);
    player->begun = false;
}

/* ---- the body ---- */

/* It says itself that it is a test, and whose it is; names count as the daemon reads them, whatever escapes spell them.
 * What cannot be read is rather lost. */
static bool is_ours(struct span name)
{
    size_t size;
    char *word CLEANUP(cleanup_free) = json_string_value(name, &size);
    return !word || strcasecmp(word, "test") == 0 || strcasecmp(word, "key") == 0;
}

static void add_others(struct span extra, struct text *out)
{
    struct json_scan children = json_children_of(extra);
    struct span name, value;
    while (extra.size && json_next_child(&children, &name, &value)) {
        if (is_ours(name))
            continue;
        text_add(out, out->size ? "," : "");
        text_add_bytes(out, name.s, name.size);
        text_add(out, ":");
        text_add_bytes(out, value.s, value.size);
    }
}

static int make_body(const struct player *player, const struct event *event, struct text *ret, struct err *err)
{
    struct text data CLEANUP(text_free) = TEXT_INIT, others CLEANUP(text_free) = TEXT_INIT;
    const char *key = destination_key_of(player->to, player->choice, event->community);
    text_add_bytes(&data, event->data_text.s, event->data_text.size);
    add_others(event->extra_text, &others);
    if (data.failed || others.failed)
        return err_set(err, -ENOMEM, "no memory");
    return body_make(key, event->type_sent ? event->type_sent : event->type, data.size ? data.s : NULL,
                     others.size ? others.s : NULL, true, ret, err);
}

/* ---- the request ---- */

static int ask(struct player *player, const struct text *body, struct web_answer *ret, struct err *err)
{
    static char type[] = "Content-Type: application/json";
    static char *const headers[] = { type };
    const struct web_settings settings = { .timeout_us = TIMEOUT_US,
                                           .cancel_fd = player->interrupt_fd,
                                           .user_agent = CTL_NAME "/" PROGRAM_VERSION };
    const struct web_request request = { .url = player->to->url.s,
                                         .more_headers = headers,
                                         .n_more_headers = ARRAY_SIZE(headers),
                                         .body = { body->s, body->size },
                                         .max_answer_bytes = ANSWER_MAX_BYTES,
                                         .wait = WEB_WAIT_BODY };
    int r = player->web ? 0 : web_open(&player->web, &settings, err);
    return r < 0 ? r : web_post(player->web, &request, ret, err);
}

static bool may_pass(long status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static void say_answer(const struct web_answer *answer, struct text *out)
{
    text_addf(out, "%ld ", answer->status);
    text_add_prose(out, answer->body.s, answer->body.size, ANSWER_MAX_CHARS);
}

static void tell_unreachable(struct player *player, const char *why)
{
    if (!player->unreachable)
        ctl_fail(0, "cannot post to %s: %s; trying again each second (Ctrl-C ends it)",
                 player->choice->url ? "the URL given" : player->to->url.s, why);
    player->unreachable = true;
}

/* Until there is an answer that counts. */
static int post(struct player *player, const struct text *body, struct web_answer *ret, struct err *err)
{
    for (;;) {
        struct text why CLEANUP(text_free) = TEXT_INIT;
        int r = ask(player, body, ret, err);
        if (interrupt_came() && (r < 0 || may_pass(ret->status)))
            return -EINTR;
        if (r == -EINVAL || r == -ENOMEM || r == -ELIBACC)
            return r;
        if (r >= 0 && !may_pass(ret->status))
            return 0;
        if (r >= 0)
            say_answer(ret, &why);
        tell_unreachable(player, r < 0 ? err->msg : why.s);
        if (r >= 0)
            web_answer_free(ret);
        if (!interrupt_wait(uptime_us() + RETRY_US))
            return -EINTR;
    }
}

/* ---- what is said of it ---- */

static int write_line(const struct play_event *event, struct text *out, struct err *err)
{
    char clock[16];
    time_t now = (time_t) (now_us() / USEC_PER_SEC);
    struct tm tm;
    struct text line CLEANUP(text_free) = TEXT_INIT;
    strftime(clock, sizeof(clock), "%H:%M:%S ", localtime_r(&now, &tm));
    text_add(out, clock);
    if (log_has_colours(STDOUT_FILENO))
        log_add_marked(&line, event_mark(&event->batch.events[0], &event->description), event->description.line.s);
    else
        text_add(&line, event->description.line.s);
    wrap_write(out, line.s, LINE_INDENT, wrap_width());
    return out->failed || line.failed ? err_set(err, -ENOMEM, "no memory") : 0;
}

static int say(const struct play_event *event, const struct web_answer *answer, struct err *err)
{
    struct text out CLEANUP(text_free) = TEXT_INIT, refusal CLEANUP(text_free) = TEXT_INIT;
    int r = write_line(event, &out, err);
    if (r < 0)
        return r;
    if (answer->status != 200) {
        text_addf(&out, "%*s", LINE_INDENT, "");
        text_add(&refusal, "refused: ");
        say_answer(answer, &refusal);
        wrap_write(&out, refusal.s, LINE_INDENT, wrap_width());
    }
    if (fwrite(out.s, 1, out.size, stdout) != out.size || fflush(stdout) != 0)
        return err_set(err, -errno, "cannot write: %s", strerror(errno));
    return 0;
}

/* ---- one event ---- */

/* What no later event would be spared. */
static int check_answer(const struct web_answer *answer, struct err *err)
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    say_answer(answer, &said);
    if (answer->status == 400 && strstr(answer->body.s, "Authentication Key"))
        return err_set(err, -EACCES, "the daemon does not know this key (it answered %s)", said.s);
    if (answer->status == 401 || answer->status == 403 || answer->status == 404 || answer->status == 405)
        return err_set(err, -EACCES, "what answers there takes no push events (%s)", said.s);
    return 0;
}

static int take_answer(struct player *player, const struct play_event *event, const struct web_answer *answer,
                       struct err *err)
{
    if (player->unreachable)
        ctl_fail(0, "it answers again");
    player->unreachable = false;
    int r = check_answer(answer, err);
    if (r < 0)
        return r;
    if (answer->status == 200)
        player->n_accepted++;
    else
        player->n_refused++;
    return say(event, answer, err);
}

int player_play(struct player *player, const struct play_event *event, struct err *err)
{
    struct text body CLEANUP(text_wipe) = TEXT_INIT;
    struct web_answer answer CLEANUP(web_answer_free) = { .body = TEXT_INIT, .redirect = TEXT_INIT };
    if (!wait_for_turn(player, event))
        return -EINTR;
    int r = make_body(player, &event->batch.events[0], &body, err);
    if (r >= 0)
        r = post(player, &body, &answer, err);
    if (r >= 0)
        r = take_answer(player, event, &answer, err);
    /* While it waited for an answer, time went by: what follows keeps its distance. */
    if (uptime_us() > player->due_us + RETRY_US)
        player->due_us = uptime_us();
    return r;
}

void player_done(struct player *player)
{
    player->web = web_close(player->web);
}
