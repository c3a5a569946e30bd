/* session_target.c - one session of the configuration: checked, copied, compared. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include <sonoran-pushd/net.h>

#include "session_private.h"

/* ---- its URL ---- */

/* "host:port", of "https://host:port/path". */
static struct span authority_of(const char *url)
{
    const char *start = strstr(url, "://");
    start = start ? start + strlen("://") : url;
    return (struct span){ start, strcspn(start, "/?#") };
}

/* "host", without the brackets of an IPv6 address. */
static struct span host_of(const char *url)
{
    struct span host = authority_of(url);
    if (host.size && host.s[0] == '[') {
        const char *end = memchr(host.s, ']', host.size);
        return (struct span){ host.s + 1, end ? (size_t) (end - host.s - 1) : host.size - 1 };
    }
    const char *colon = memchr(host.s, ':', host.size);
    return (struct span){ host.s, colon ? (size_t) (colon - host.s) : host.size };
}

/* What stands behind the host: nothing, or a port. */
static bool is_port(struct span rest)
{
    unsigned port = 0;
    if (rest.size == 0)
        return true;
    if (rest.s[0] != ':' || rest.size < 2 || rest.size > strlen(":65535"))
        return false;
    for (size_t i = 1; i < rest.size; i++) {
        if (rest.s[i] < '0' || rest.s[i] > '9')
            return false;
        port = port * 10 + (unsigned) (rest.s[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

static struct span behind_host(struct span authority, struct span host)
{
    const char *end = host.s + host.size, *all_end = authority.s + authority.size;
    end += authority.s[0] == '[' && end < all_end;
    return (struct span){ end, (size_t) (all_end - end) };
}

/* Around an address alone. */
static bool are_brackets_right(struct span authority)
{
    bool opens = authority.size && authority.s[0] == '[';
    const char *end = memchr(authority.s, ']', authority.size);
    struct span rest = { authority.s + opens, authority.size - opens };
    return opens == (end != NULL) && !memchr(rest.s, '[', rest.size) &&
           (!end || !memchr(end + 1, ']', (size_t) (authority.s + authority.size - end - 1)));
}

static bool is_loopback(struct span host)
{
    static const char net[] = "127.";
    bool digits = strspn(host.s, "0123456789.") >= host.size;
    return span_is(host, "localhost") || span_is(host, "::1") ||
           (digits && host.size > strlen(net) && strncmp(host.s, net, strlen(net)) == 0);
}

static bool is_plain(const char *url)
{
    return strncasecmp(url, "http://", strlen("http://")) == 0;
}

bool session_may_use_proxy(const char *url)
{
    return !is_plain(url);
}

static const char *doubt_of_url(const char *url)
{
    bool plain = is_plain(url);
    struct span authority = authority_of(url);
    if (!plain && strncasecmp(url, "https://", strlen("https://")) != 0)
        return "expected https://HOST/PATH";
    if (url[strcspn(url, " \t\r\n\\\"<>#")] || memchr(authority.s, '@', authority.size))
        return "expected https://HOST/PATH, without blanks, # and a login";
    if (!host_of(url).size)
        return "expected a host in it";
    if (!are_brackets_right(authority) || !is_port(behind_host(authority, host_of(url))))
        return "expected nothing behind the host, or a port from 1 to 65535";
    if (authority.s[authority.size] != '/')
        return "expected https://HOST/PATH: the hub's path is missing, such as /apiWsHub";
    if (plain && !is_loopback(host_of(url)))
        return "expected https://: over http:// the key would go in the clear, which only this machine itself may see";
    return NULL;
}

/* ---- the configuration ---- */

/* As it was copied: with a blank the CAD would refuse the login, and nobody would see why. */
static const char *doubt_of_id(const char *id)
{
    if (!*id)
        return "expected the id that the CAD's panel shows";
    for (size_t i = 0, n; id[i]; i += n) {
        uint32_t code;
        n = utf8_read(id + i, strlen(id + i), &code);
        if (!n || text_is_blank(id + i, n))
            return "expected the id that the CAD's panel shows, without blanks and control characters";
    }
    return NULL;
}

/* Without the port that it has anyway. */
static void add_url(struct text *out, const char *url)
{
    struct span authority = authority_of(url), port = behind_host(authority, host_of(url));
    const char *path = authority.s + authority.size;
    bool usual = port.size && port.s[0] == ':' && strtoul(port.s + 1, NULL, 10) == (is_plain(url) ? 80 : 443);
    text_add_bytes(out, url, (size_t) ((usual ? port.s : path) - url));
    text_add(out, path);
}

/* A number of what is the same whatever it is written like; 0: no memory. */
static uint64_t place_of(const struct session_settings *settings)
{
    struct text place CLEANUP(text_free) = TEXT_INIT;
    add_url(&place, settings->url);
    text_addf(&place, "\n%s\n%llu", settings->community_id, (unsigned long long) settings->server);
    for (size_t i = 0; i < place.size; i++)
        place.s[i] = (char) tolower((unsigned char) place.s[i]);
    return place.failed ? 0 : hash_bytes(HASH_START, place.s, place.size);
}

static bool meet(const struct session_settings *a, const struct session_settings *b)
{
    return a->community_id && b->community_id && a->url && b->url && place_of(a) == place_of(b);
}

void session_check(const struct config *config, const void *settings, config_complain *complain, void *context)
{
    const struct session_settings *session = settings;
    const struct config_settings all = config_section_get(config, &source_session.section);
    const char *url_doubt = doubt_of_url(session->url), *id_doubt = doubt_of_id(session->community_id);
    if (url_doubt)
        complain(context, "url", url_doubt);
    if (id_doubt)
        complain(context, "community_id", id_doubt);
    if (session->ca_file && session->ca_file[0] != '/')
        complain(context, "ca_file", "expected the absolute path of a file, such as /etc/ssl/hub.pem");
    for (const struct session_settings *other = all.elements; other < session; other++) {
        char sentence[128];
        if (!meet(other, session))
            continue;
        snprintf(sentence, sizeof(sentence), "session %s is for this server already", other->name);
        complain(context, "server", sentence);
        return;
    }
}

void session_check_present(const void *settings, config_complain *complain, void *context)
{
    const struct session_settings *session = settings;
    struct err err;
    if (session->ca_file && web_check_ca_file(session->ca_file, &err) < 0)
        complain(context, "ca_file", err.msg);
}

/* ---- a copy ---- */

static char *copy(const char *s, bool *failed)
{
    char *made = strdup(s);
    *failed |= !made;
    return made;
}

static const char *key_of(const struct config *config, const char *community)
{
    for (size_t i = 0; i < config->n_communities; i++)
        if (strcmp(config->communities[i].name, community) == 0)
            return config->communities[i].api_keys[0];
    return NULL;
}

int session_target_new(struct session_target **ret, const struct session_settings *settings,
                       const struct config *config, struct err *err)
{
    struct session_target *target = calloc(1, sizeof(*target));
    const char *key = key_of(config, settings->community);
    bool failed = false;
    if (!target)
        return err_set(err, -ENOMEM, "no memory");
    target->settings =
        (struct session_settings){ .name = copy(settings->name, &failed),
                                   .community = copy(settings->community, &failed),
                                   .community_id = copy(settings->community_id, &failed),
                                   .url = copy(settings->url, &failed),
                                   .ca_file = settings->ca_file ? copy(settings->ca_file, &failed) : NULL,
                                   .server = settings->server,
                                   .prime = settings->prime };
    target->key = key ? copy(key, &failed) : NULL;
    target->its = (struct event_community){ target->settings.community, target->key };
    target->rules = (struct envelope_rules){ .communities = &target->its, .n_communities = 1 };
    target->place = place_of(settings);
    failed |= !target->place;
    struct span host = host_of(settings->url);
    size_t size = host.size < sizeof(target->host) ? host.size : sizeof(target->host) - 1;
    memcpy(target->host, host.s, size);
    if (failed || !key) {
        session_target_free(target);
        return key ? err_set(err, -ENOMEM, "no memory")
                   : err_set(err, -EINVAL, "session %s: its community has no key", settings->name);
    }
    *ret = target;
    return 0;
}

struct session_target *session_target_free(struct session_target *target)
{
    if (!target)
        return NULL;
    free(target->settings.name);
    free(target->settings.community);
    free(target->settings.community_id);
    free(target->settings.url);
    free(target->settings.ca_file);
    if (target->key)
        explicit_bzero(target->key, strlen(target->key));
    free(target->key);
    free(target);
    return NULL;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool session_targets_equal(const struct session_target *a, const struct session_target *b)
{
    const struct session_settings *x = &a->settings, *y = &b->settings;
    return same(x->name, y->name) && same(x->community, y->community) && same(x->community_id, y->community_id) &&
           same(x->url, y->url) && same(x->ca_file, y->ca_file) && x->server == y->server && x->prime == y->prime &&
           same(a->key, b->key);
}

bool session_targets_meet(const struct session_target *a, const struct session_target *b)
{
    return a->place == b->place;
}

bool session_targets_log_in_alike(const struct session_target *a, const struct session_target *b)
{
    return session_targets_meet(a, b) && same(a->key, b->key);
}
