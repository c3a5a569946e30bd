/* admin_session.c - a token exchanged for a cookie, which pages cannot read and other sites cannot send.
 *
 * The cookie is UNTIL:KIND:COMMUNITY:SIGNATURE, until when (in seconds since 1970) it counts, and for what, signed with
 * the token that it was given for: nothing of it has to be kept, it outlives a restart, and ends with the token. It has
 * no path, so that it goes with what is beside api/session, whatever is in front of that behind a proxy. All ports of a
 * host share their cookies: the name tells of which log it is. KIND is a capital letter where it was given to a page of
 * https, and no browser sends it by http then. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sonoran-pushd/hmac.h>

#include "routes.h"

#define DAY_S ((uint64_t) 24 * 3600)
#define COOKIE_S (30 * DAY_S)

void admin_session_name(const char *log, char ret[ADMIN_COOKIE_NAME_BYTES + 1])
{
    snprintf(ret, ADMIN_COOKIE_NAME_BYTES + 1, "sonoran_%08x", (unsigned) hash_bytes(HASH_START, log, strlen(log)));
}

static char kind_of(const struct admin_token *token)
{
    return !token->community[0] ? 'a' : token->data ? 't' : 'b';
}

/* What is signed begins with the name: it is no cookie of another log with the same token. */
static int sign(const struct admin *admin, const struct admin_token *token, struct span claim,
                char ret[HMAC_HEX_BYTES + 1])
{
    struct text said CLEANUP(text_free) = TEXT_INIT;
    text_addf(&said, "%s=", admin->cookie);
    text_add_bytes(&said, claim.s, claim.size);
    return said.failed ? -ENOMEM : hmac_hex(token->secret, (struct span){ said.s, said.size }, ret);
}

/* As the header has it; NULL: no memory. */
static char *make_cookie(const struct admin *admin, const struct admin_token *token, bool https)
{
    struct text claim CLEANUP(text_free) = TEXT_INIT;
    char signature[HMAC_HEX_BYTES + 1], *cookie, kind = kind_of(token);
    text_addf(&claim, "%llu:%c:%s", (unsigned long long) (now_us() / USEC_PER_SEC + COOKIE_S),
              https ? toupper(kind) : kind, token->community);
    if (claim.failed || sign(admin, token, (struct span){ claim.s, claim.size }, signature) < 0)
        return NULL;
    int n = asprintf(&cookie, "%s=%s:%s; HttpOnly; SameSite=Strict; Max-Age=%llu%s", admin->cookie, claim.s, signature,
                     (unsigned long long) COOKIE_S, https ? "; Secure" : "");
    return n < 0 ? NULL : cookie;
}

static const struct admin_token *find_claimed(const struct admin_tokens *tokens, char kind, struct span community)
{
    for (size_t i = 0; i < tokens->n; i++)
        if (kind_of(&tokens->all[i]) == kind && span_is(community, tokens->all[i].community))
            return &tokens->all[i];
    return NULL;
}

/* NULL: it is none of ours, or counts no more. */
static const struct admin_token *read_cookie(const struct admin *admin, const char *cookie, uint64_t *ret_until_s,
                                             bool *ret_https)
{
    const char *end = strrchr(cookie, ':');
    char *kind, expected[HMAC_HEX_BYTES + 1];
    uint64_t now_s = now_us() / USEC_PER_SEC;
    errno = 0;
    *ret_until_s = strtoull(cookie, &kind, 10);
    if (errno || *kind != ':' || !kind[1] || kind[2] != ':' || end < kind + 2 || *cookie < '0' || *cookie > '9')
        return NULL;
    const struct span community = { kind + 3, end > kind + 2 ? (size_t) (end - kind - 3) : 0 };
    *ret_https = isupper((unsigned char) kind[1]);
    const struct admin_token *token = find_claimed(&admin->tokens, (char) tolower((unsigned char) kind[1]), community);
    if (!token || sign(admin, token, (struct span){ cookie, (size_t) (end - cookie) }, expected) < 0)
        return NULL;
    bool counts = now_s < *ret_until_s && *ret_until_s <= now_s + COOKIE_S + DAY_S;
    return counts && text_is_secret(span_of(end + 1), expected, false) ? token : NULL;
}

const struct admin_token *admin_session_find(const struct admin *admin, const struct http_request *request,
                                             char **ret_set_cookie)
{
    uint64_t until_s;
    bool https;
    const char *cookie = http_cookie(request, admin->cookie);
    const struct admin_token *token = cookie ? read_cookie(admin, cookie, &until_s, &https) : NULL;
    if (token && until_s < now_us() / USEC_PER_SEC + COOKIE_S - DAY_S)
        *ret_set_cookie = make_cookie(admin, token, https);
    return token;
}

/* ---- POST /api/session ---- */

/* A header lives as long as the body: here it stands behind the end of one that is empty. */
static void give_cookie(const struct admin *admin, const struct admin_token *token, const char *origin,
                        struct http_answer *ret)
{
    bool https = origin && strncasecmp(origin, "https://", strlen("https://")) == 0;
    char *cookie CLEANUP(cleanup_free) = make_cookie(admin, token, https), *body;
    if (!cookie || asprintf(&body, "%c%s", '\0', cookie) < 0) {
        admin_answer_error(ret, 503, "no memory");
        return;
    }
    *ret = (struct http_answer){
        .status = 204, .body = body, .free_body = free, .headers = { { "Set-Cookie", body + 1 } }
    };
}

static void take(struct admin *admin, struct http_request *request, struct span sent, struct http_answer *ret)
{
    struct http_caller caller = { .role = HTTP_ROLE_OPEN };
    const struct admin_token *token = admin_take_token(admin, request, sent, &caller);
    if (token) {
        give_cookie(admin, token, http_header(request, "Origin"), ret);
        return;
    }
    admin_answer_error(ret, caller.refused, caller.what);
    ret->retry_after_s = caller.retry_after_s;
}

/* Its member token; yours to wipe and free. NULL: it has none, or is no object. */
static char *read_token(struct span body, size_t *ret_size)
{
    struct json_scan scan = json_scan_of(body);
    struct span name, value;
    char *token = NULL;
    int r = json_scan_object_begin(&scan, NULL);
    while (r > 0 && (r = json_scan_member(&scan, &name, &value, NULL)) >= 0) {
        if (!token && span_is(name, "\"token\""))
            token = json_string_value(value, ret_size);
        r = json_scan_object_next(&scan, NULL);
    }
    if (r >= 0 || !token)
        return token;
    explicit_bzero(token, *ret_size);
    free(token);
    return NULL;
}

void admin_post_session(void *userdata, struct http_request *request, struct http_answer *ret)
{
    struct admin *admin = userdata;
    size_t size = 0;
    const char *body = *request->take_body;
    char *token = body ? read_token((struct span){ body, request->body_size }, &size) : NULL;
    if (!token)
        admin_answer_error(ret, 400, "expected {\"token\":\"…\"}");
    else if (!admin->tokens.n && !admin->tokens.whole)
        *ret = (struct http_answer){ .status = 204 }; /* there is nothing that it could be shown for */
    else
        take(admin, request, (struct span){ token, size }, ret);
    if (token)
        explicit_bzero(token, size);
    free(token);
}
