/* admin_who.c - who is who on the admin side, and who is sent away whatever they ask for. */
#include <string.h>
#include <strings.h>

#include "admin_private.h"

/* What every browser sends along; programs do not. */
#define OF_BROWSERS "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-User"
static const char *const of_browsers[] = { OF_BROWSERS, NULL };
const char *const admin_headers[] = { OF_BROWSERS, "Host", "Authorization", "X-Sonoran-Token", ADMIN_OF_PROXIES, NULL };

static void refuse(struct http_caller *ret, unsigned status, const char *what)
{
    ret->refused = status;
    ret->what = what;
}

static void tell(const struct admin *admin, const struct http_request *request, const char *reason, const char *detail)
{
    struct origin origin = { .source = "admin" };
    struct text safe CLEANUP(text_free) = TEXT_INIT;
    snprintf(origin.name, sizeof(origin.name), "%s", request->origin->listener);
    snprintf(origin.peer, sizeof(origin.peer), "%s", request->origin->peer);
    if (detail)
        text_add_safe(&safe, detail, strlen(detail), 100);
    gate_refuse(admin->door, &(struct gate_refusal){ .origin = &origin, .reason = reason, .detail = safe.s });
}

/* ---- pages of others ---- */

/* A page of another site in a browser that knows where it is from, and for others its origin. */
static bool is_of_other_site(const struct http_request *request)
{
    const char *site = http_header(request, "Sec-Fetch-Site"), *origin = http_header(request, "Origin");
    if (site)
        return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    return origin && !admin_host_is_origin(http_header(request, "Host"), origin);
}

/* Links may lead from anywhere to what is open. */
static bool may_be_linked_to(struct admin *admin, const struct http_request *request)
{
    const struct http_route *route = request->route;
    if (!route)
        return true;
    bool open = route->role == HTTP_ROLE_OPEN || (route->opens && route->opens(admin, request));
    return open && strcmp(route->method, "GET") == 0;
}

/* ---- by TCP ---- */

static bool find_token(const struct http_request *request, struct span *ret)
{
    static const char bearer[] = "Bearer";
    const size_t n = strlen(bearer);
    const char *token = http_header(request, "X-Sonoran-Token"), *given = http_header(request, "Authorization");
    /* Basic is for a proxy in front of us. Of an empty token libmicrohttpd 1.0 has cut the blank. */
    if (!token && given && strncasecmp(given, bearer, n) == 0 && (!given[n] || given[n] == ' '))
        token = given + n + strspn(given + n, " ");
    if (!token)
        return false;
    *ret = span_of(token);
    return true;
}

/* A right one is always taken: behind a proxy all are of one address, and anybody there could shut out the others. */
const struct admin_token *admin_take_token(struct admin *admin, const struct http_request *request, struct span sent,
                                           struct http_caller *ret)
{
    usec_t now = uptime_us();
    const struct admin_token *token = admin_tokens_find(&admin->tokens, sent);
    if (token) {
        gate_right_key(admin->door, request->peer_address, now);
        return token;
    }
    usec_t wait_us = gate_wait_us(admin->door, request->peer_address, now);
    if (wait_us) {
        refuse(ret, 429, ADMIN_TOO_MANY_TOKENS);
        ret->retry_after_s = (unsigned) (wait_us / USEC_PER_SEC) + 1;
        return NULL;
    }
    gate_wrong_key(admin->door, request->peer_address, now);
    tell(admin, request, ADMIN_WRONG_TOKEN, NULL);
    refuse(ret, 401, ADMIN_WRONG_TOKEN);
    return NULL;
}

static void set_caller(struct http_caller *ret, const struct admin_token *token)
{
    ret->role = HTTP_ROLE_READ;
    ret->data = token->data;
    text_copy(ret->community, sizeof(ret->community), token->community);
}

static void who_by_tcp(struct admin *admin, const struct http_request *request, struct http_caller *ret)
{
    struct span sent;
    const struct admin_token *token = NULL;
    if (admin->tokens.n && find_token(request, &sent)) {
        token = admin_take_token(admin, request, sent, ret);
        if (!token)
            return;
    } else {
        token = admin_session_find(admin, request, &ret->set_cookie);
    }
    if (token) {
        set_caller(ret, token);
    } else if (!admin->tokens.whole && admin->board_is_loopback && !admin_is_by_proxy(request)) {
        ret->role = HTTP_ROLE_READ;
        ret->data = true;
    }
}

/* ---- by either door ---- */

static bool is_browser(const struct http_request *request)
{
    for (const char *const *name = of_browsers; *name; name++)
        if (http_header(request, *name))
            return true;
    return false;
}

void admin_who(void *userdata, const struct http_request *request, struct http_caller *ret)
{
    struct admin *admin = userdata;
    const char *host = http_header(request, "Host");
    uid_t user;
    if (!admin_host_is_ours(&admin->parts, host)) {
        tell(admin, request, ADMIN_OTHER_HOST, host);
        refuse(ret, 421, ADMIN_OTHER_HOST);
    } else if (is_of_other_site(request) && !may_be_linked_to(admin, request)) {
        refuse(ret, 403, ADMIN_OTHER_SITE);
    } else if (http_peer_user(request, &user)) {
        ret->data = !is_browser(request);
        ret->role = ret->data ? HTTP_ROLE_ADMIN : HTTP_ROLE_READ;
    } else {
        who_by_tcp(admin, request, ret);
    }
}
