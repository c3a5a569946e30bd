/* admin_state.c - units, calls and 911 calls as they are now, for a board to begin with. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/board.h>

#include "routes.h"

/* Another answer has another one: of another process, under another configuration, after a change of the sources, as of
 * another event or after a turn, or of one community (only; NULL: of all). */
static void write_tag(struct admin *admin, const struct state_moment *moment, uint64_t n_sources, const char *only)
{
    snprintf(admin->tag, sizeof(admin->tag), "\"%" PRIx64 "-%" PRIu64 ".%" PRIu64 "-%" PRIu64 ".%" PRIu64 "%s%s\"",
             admin->started_us, admin->n_configured, n_sources, moment->as_of, moment->n_turns, only ? "-" : "",
             only ? only : "");
}

static int add_community(struct json_writer *out, const struct board *board, struct state_moment *moment)
{
    struct state_snapshot *snapshot;
    int r = state_snapshot(board->state, board->community, &snapshot);
    if (r < 0)
        return r;
    json_begin_object(out, NULL);
    board_write_realm(out, "name", board->community);
    board_write_lists(out, board, snapshot);
    json_end(out);
    if (snapshot->as_of < moment->as_of)
        moment->as_of = snapshot->as_of;
    if (snapshot->n_turns < moment->n_turns)
        moment->n_turns = snapshot->n_turns;
    state_snapshot_free(snapshot);
    return 0;
}

/* Those of other nodes are in no configuration here. */
static int add_others(struct json_writer *out, struct board *board, const char *only, struct state_moment *moment)
{
    char realm[REALM_MAX_BYTES + 1] = "";
    int r = 0;
    board->community = realm;
    while (r >= 0 && state_next_realm(board->state, realm))
        if (strchr(realm, '@') && (!only || strcmp(only, realm) == 0))
            r = add_community(out, board, moment);
    board->community = NULL;
    return r;
}

/* Each community is as of its own moment; whoever goes on from the earliest has all of it. */
static int add_communities(const struct admin *admin, const char *only, struct json_writer *out,
                           struct state_moment *ret)
{
    const struct config *config = admin->parts.config;
    struct board board = { .limits = &config->board, .state = admin->parts.state, .now_us = now_us() };
    int r = 0;
    *ret = state_moment(board.state);
    json_begin_array(out, "communities");
    for (size_t i = 0; r >= 0 && i < config->n_communities; i++) {
        board.community = config->communities[i].name;
        if (!only || strcmp(only, board.community) == 0)
            r = add_community(out, &board, ret);
    }
    if (r >= 0)
        r = add_others(out, &board, only, ret);
    json_end(out);
    json_add_int(out, "as_of", (int64_t) ret->as_of);
    json_add_time(out, "time", board.now_us);
    return r;
}

static bool has_it(struct admin *admin, const struct http_request *request, const char *only)
{
    const char *known = http_header(request, "If-None-Match");
    const struct state_moment now = state_moment(admin->parts.state);
    write_tag(admin, &now, sse_n_sources(admin->sse), only);
    return known && strstr(known, admin->tag);
}

void admin_add_sources(const struct admin *admin, const char *community, struct json_writer *out)
{
    if (admin->parts.add_sources)
        admin->parts.add_sources(admin->parts.userdata, community, out);
}

static void add_rest(const struct admin *admin, const char *only, struct json_writer *out)
{
    json_begin_array(out, "sources");
    admin_add_sources(admin, only, out);
    json_end(out);

    json_add_text(out, "log", feed_life(admin->parts.feed)->log);
}

void admin_get_state(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct admin *admin = userdata;
    struct text body = TEXT_INIT;
    const char *only;
    struct err err;
    struct state_moment moment;
    int r = admin_ask_configured(admin, request, &only, &err);
    if (r < 0) {
        admin_answer_failure(ret, r, &err);
        return;
    }
    if (has_it(admin, request, only)) {
        admin_answer_unchanged(ret, admin->tag);
        return;
    }
    if (!admin_has_time(admin, ret))
        return;
    uint64_t n_sources = sse_n_sources(admin->sse); /* before: one that changes meanwhile is another answer's */
    struct json_writer out = admin_begin(&body);
    r = add_communities(admin, only, &out, &moment);
    if (r < 0)
        err_set(&err, r, "no memory");
    else
        add_rest(admin, only, &out);
    admin_answer_result(ret, r, &err, &out);
    write_tag(admin, &moment, n_sources, only);
    if (r >= 0)
        admin_add_header(ret, "ETag", admin->tag);
}
