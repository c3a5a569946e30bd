/* duty.c - units of a log, from event to event: on duty or not, in which status, at which calls. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sonoran-pushd/duty.h>

#include "digest.h"
#include "finder.h"
#include "story_private.h"

#define STATUS_OFFLINE 100
#define AFTER_LOGOUT_US (60 * USEC_PER_SEC) /* what the CAD still says of a unit then is of its time on duty */

struct watched {
    struct duty_unit out;
    bool on;
    bool logged_in; /* since then, as far as it is heard of */
    bool counted;   /* something of it lies in the time that was asked for */
    int8_t panic;
    enum duty_status status;
    usec_t from_us;           /* counted so far */
    usec_t heard_us;          /* its last word; 0: none yet */
    usec_t off_us;            /* its log-out */
    struct text number, name; /* JSON, as it was told */
};

/* An id of a call. */
struct use {
    uint32_t turn; /* how often it was opened */
    usec_t heard_us;
    bool open;
};

struct pass {
    const struct duty_asked *asked;
    struct duty *duty;
    struct finder_names communities;
    struct finder units, calls, pairs;
    struct watched *watched;
    size_t room;
    struct use *uses;
    size_t n_uses, room_uses;
    usec_t newest_us;
};

static void *make_room(void *v, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return v;
    size_t more = *room ? 2 * *room : 64;
    void *larger = realloc(v, more * size);
    if (larger)
        *room = more;
    return larger;
}

/* ---- one unit ---- */

/* The part of a lapse that was asked for. */
static usec_t part(const struct pass *pass, usec_t from_us, usec_t until_us)
{
    if (from_us < pass->asked->since_us)
        from_us = pass->asked->since_us;
    return until_us > from_us ? until_us - from_us : 0;
}

static void count(const struct pass *pass, struct watched *unit, usec_t until_us)
{
    usec_t us = part(pass, unit->from_us, until_us);
    if (unit->on) {
        unit->out.on_us += us;
        unit->out.status_us[unit->status] += us;
        unit->out.before |= pass->asked->since_us && unit->from_us < pass->asked->since_us && us;
        unit->counted |= us > 0;
    }
    if (until_us > unit->from_us || unit->from_us - until_us > DIGEST_DISORDER_US)
        unit->from_us = until_us;
}

static void go_on_duty(struct watched *unit, usec_t time_us)
{
    unit->on = true;
    unit->from_us = time_us;
    unit->status = DUTY_OTHER;
}

static void go_off_duty(const struct pass *pass, struct watched *unit, usec_t time_us)
{
    count(pass, unit, time_us);
    unit->on = unit->logged_in = false;
    unit->panic = 0;
}

static bool is_asked_for(const struct pass *pass, usec_t time_us)
{
    return time_us >= pass->asked->since_us;
}

/* Nobody spoke of it for a day: as state does, it is not taken to be there any more. */
static void look_for_silence(const struct pass *pass, struct watched *unit, usec_t time_us)
{
    if (!unit->on || time_us <= unit->heard_us + STATE_KEEP_US)
        return;
    go_off_duty(pass, unit, unit->heard_us);
    unit->out.no_logout |= is_asked_for(pass, unit->heard_us);
}

static enum duty_status status_of(int32_t status)
{
    return status >= 0 && status < DUTY_OTHER ? (enum duty_status) status : DUTY_OTHER;
}

static bool keep_text(struct text *text, struct span told)
{
    if (!told.size || (text->size == told.size && memcmp(text->s, told.s, told.size) == 0))
        return true;
    text_reset(text);
    text_add_bytes(text, told.s, told.size);
    return !text->failed;
}

static void take_panic(const struct pass *pass, struct watched *unit, const struct digest_unit *told, usec_t time_us)
{
    if (told->panic == 1 && unit->panic != 1) {
        unit->out.n_panics += is_asked_for(pass, time_us);
        unit->counted |= is_asked_for(pass, time_us);
    }
    unit->panic = told->panic >= 0 ? told->panic : unit->panic;
}

static void begin_duty(const struct pass *pass, struct watched *unit, const struct digest *digest)
{
    bool login = digest->kind == DIGEST_LOGIN;
    bool echo = unit->off_us && digest->time_us < unit->off_us + AFTER_LOGOUT_US;
    if (unit->on || (!login && echo))
        return;
    go_on_duty(unit, digest->time_us);
    unit->out.no_login |= !login && is_asked_for(pass, digest->time_us);
}

static void take_word(const struct pass *pass, struct watched *unit, const struct digest *digest,
                      const struct digest_unit *told)
{
    usec_t time_us = digest->time_us;
    if (digest->kind == DIGEST_LOGOUT || told->status == STATUS_OFFLINE) {
        unit->out.before |= !unit->heard_us && pass->asked->since_us && is_asked_for(pass, time_us);
        unit->out.no_login |= !unit->heard_us && is_asked_for(pass, time_us);
        unit->counted |= !unit->heard_us && is_asked_for(pass, time_us);
        go_off_duty(pass, unit, time_us);
        unit->off_us = time_us;
        return;
    }
    begin_duty(pass, unit, digest);
    if (digest->kind == DIGEST_LOGIN) {
        unit->out.n_logins += !unit->logged_in && is_asked_for(pass, time_us); /* the same event may come twice */
        unit->logged_in = true;
    }
    count(pass, unit, time_us);
    if (unit->on && told->status != STATE_UNSET)
        unit->status = status_of(told->status);
    unit->counted |= unit->on && is_asked_for(pass, time_us);
    take_panic(pass, unit, told, time_us);
}

/* ---- one event ---- */

static struct watched *find_unit(struct pass *pass, uint32_t community, int64_t id)
{
    bool made;
    size_t i = finder_get(&pass->units, community, id, &made);
    if (i == SIZE_MAX)
        return NULL;
    if (!made)
        return &pass->watched[i];
    struct watched *watched = make_room(pass->watched, i, &pass->room, sizeof(*watched));
    if (!watched)
        return NULL;
    pass->watched = watched;
    watched[i] = (struct watched){ .out.id = id, .number = TEXT_INIT, .name = TEXT_INIT };
    text_copy(watched[i].out.community, sizeof(watched[i].out.community), pass->communities.v[community]);
    return &watched[i];
}

static struct use *find_use(struct pass *pass, uint32_t community, int64_t call)
{
    bool made;
    size_t i = finder_get(&pass->calls, community, call, &made);
    struct use *uses = i == SIZE_MAX ? NULL : make_room(pass->uses, i, &pass->room_uses, sizeof(*uses));
    if (!uses)
        return NULL;
    pass->uses = uses;
    if (made)
        uses[i] = (struct use){ 0 };
    return &uses[i];
}

static int take_use(struct pass *pass, const struct digest *digest, uint32_t community, int64_t call)
{
    struct use *use = find_use(pass, community, call);
    if (!use)
        return -ENOMEM;
    bool silent = digest->time_us > use->heard_us + STATE_KEEP_US;
    if (digest->kind == DIGEST_OPENED && (!use->open || silent)) {
        use->turn++;
        use->open = true;
    }
    use->open &= digest->kind != DIGEST_CLOSED;
    use->heard_us = digest->time_us;
    return 0;
}

/* How often the ids of its calls were opened, so that a unit at two calls of one id was at two. */
static int take_uses(struct pass *pass, const struct digest *digest, uint32_t community)
{
    if (digest->kind == DIGEST_CLOSED) {
        for (size_t i = 0; i < digest->calls.n; i++)
            if (take_use(pass, digest, community, digest->calls.v[i]) < 0)
                return -ENOMEM;
        return 0;
    }
    bool is_call = digest->kind == DIGEST_OPENED || digest->kind == DIGEST_LISTED || digest->kind == DIGEST_ATTACHED ||
                   digest->kind == DIGEST_DETACHED;
    return is_call && digest->call != STATE_UNSET_ID ? take_use(pass, digest, community, digest->call) : 0;
}

static int count_call(struct pass *pass, const struct digest *digest, uint32_t community, struct watched *unit)
{
    const struct use *use = find_use(pass, community, digest->call);
    bool made;
    size_t unit_number = (size_t) (unit - pass->watched);
    if (!use)
        return -ENOMEM;
    uint64_t pair = hash_bytes(HASH_START, &digest->call, sizeof(digest->call));
    pair = hash_bytes(pair, &unit_number, sizeof(unit_number));
    pair = hash_bytes(pair, &use->turn, sizeof(use->turn));
    if (finder_get(&pass->pairs, community, (int64_t) pair, &made) == SIZE_MAX)
        return -ENOMEM;
    bool counts = made && is_asked_for(pass, digest->time_us);
    unit->out.n_calls += counts;
    unit->counted |= counts;
    return 0;
}

static int take_unit(struct pass *pass, const struct digest *digest, uint32_t community, const struct digest_unit *told)
{
    struct watched *unit = find_unit(pass, community, told->id);
    if (!unit || !keep_text(&unit->number, told->number) || !keep_text(&unit->name, told->name))
        return -ENOMEM;
    look_for_silence(pass, unit, digest->time_us);
    int r = 0;
    if (digest->kind == DIGEST_LOGIN || digest->kind == DIGEST_LOGOUT || digest->kind == DIGEST_STATUS)
        take_word(pass, unit, digest, told);
    else if (digest->call != STATE_UNSET_ID && digest->kind != DIGEST_CLOSED)
        r = count_call(pass, digest, community, unit);
    if (digest->time_us > unit->heard_us)
        unit->heard_us = digest->time_us;
    return r;
}

static int take(void *userdata, const struct digest *digest)
{
    struct pass *pass = userdata;
    uint32_t community = finder_community(&pass->communities, digest->community);
    struct duty *duty = pass->duty;
    duty->set_back |= digest_is_set_back(pass->newest_us, digest->time_us);
    pass->newest_us = digest->time_us;
    if (community == UINT32_MAX)
        return -ENOMEM;
    if (!duty->since_us)
        duty->since_us = digest->time_us;
    if (take_uses(pass, digest, community) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < digest->n_units; i++) {
        int r = take_unit(pass, digest, community, &digest->units[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- all of them ---- */

static char *text_of(const struct text *json)
{
    size_t size;
    return json->size ? json_string_value((struct span){ json->s, json->size }, &size) : strdup("");
}

static int end_unit(struct pass *pass, struct watched *unit)
{
    struct duty *duty = pass->duty;
    look_for_silence(pass, unit, duty->until_us);
    unit->out.still = unit->on;
    if (unit->on && duty->until_us > unit->from_us)
        count(pass, unit, duty->until_us);
    unit->out.still &= unit->counted;
    if (!unit->counted)
        return 0;
    unit->out.number = text_of(&unit->number);
    unit->out.name = text_of(&unit->name);
    duty->units[duty->n_units++] = unit->out;
    return unit->out.number && unit->out.name ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
    const struct duty_unit *x = a, *y = b;
    if (x->on_us != y->on_us)
        return x->on_us < y->on_us ? 1 : -1;
    int order = strcmp(x->number, y->number);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static int end(struct pass *pass)
{
    struct duty *duty = pass->duty;
    if (pass->asked->since_us)
        duty->since_us = pass->asked->since_us;
    if (duty->oldest_us <= duty->since_us)
        duty->oldest_us = 0;
    duty->several_communities = pass->communities.n > 1;
    duty->units = calloc(pass->units.n + 1, sizeof(*duty->units));
    int r = duty->units ? 0 : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < pass->units.n; i++)
        r = end_unit(pass, &pass->watched[i]);
    if (r >= 0)
        qsort(duty->units, duty->n_units, sizeof(*duty->units), compare);
    return r;
}

static void pass_done(struct pass *pass)
{
    for (size_t i = 0; pass->watched && i < pass->units.n && i < pass->room; i++) {
        text_free(&pass->watched[i].number);
        text_free(&pass->watched[i].name);
    }
    free(pass->watched);
    free(pass->uses);
    free(pass->communities.v);
    finder_free(&pass->units);
    finder_free(&pass->calls);
    finder_free(&pass->pairs);
}

static int run(struct pass *pass, struct store_reader *reader, struct err *err)
{
    const struct duty_asked *asked = pass->asked;
    const struct digest_period period = { asked->since_us, asked->until_us, asked->community };
    int r = digest_read_period(reader, &period, take, pass, err);
    if (r >= 0)
        r = story_read_end(reader, asked->since_us, asked->until_us, pass->newest_us, &pass->duty->until_us, err);
    return r < 0 ? r : end(pass) < 0 ? err_set(err, -ENOMEM, "no memory") : 0;
}

int duty_read(struct store_reader *reader, const struct duty_asked *asked, struct duty **ret, struct err *err)
{
    struct duty *duty = calloc(1, sizeof(*duty));
    struct pass pass CLEANUP(pass_done) = { .asked = asked, .duty = duty };
    if (!duty)
        return err_set(err, -ENOMEM, "no memory");
    uint64_t oldest_id;
    int r = story_read_oldest(reader, &oldest_id, &duty->oldest_us, err);
    if (r >= 0)
        r = run(&pass, reader, err);
    if (r < 0) {
        duty_free(duty);
        return r;
    }
    *ret = duty;
    return 0;
}

struct duty *duty_free(struct duty *duty)
{
    if (!duty)
        return NULL;
    for (size_t i = 0; i < duty->n_units; i++) {
        free(duty->units[i].number);
        free(duty->units[i].name);
    }
    free(duty->units);
    free(duty);
    return NULL;
}
