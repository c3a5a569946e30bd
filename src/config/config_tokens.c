/* config_tokens.c - tokens, each of which opens something else, and the door that they are for: what rows cannot say of
 * them. What has a mistake of its own is unset. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_private.h"

#define HOST_MAX_BYTES 253

/* Of the file; setting NULL: the file does not have it. */
struct token {
    const char *secret;
    const struct node *setting;
    char name[NAME_ROOM]; /* "communities[0].bot_token_file" */
};

struct tokens {
    struct token *all;
    size_t n;
};

static void add_token(struct tokens *tokens, const struct node *group, const char *prefix, const char *option,
                      const char *secret)
{
    struct token *token = &tokens->all[tokens->n];
    char name[NAME_ROOM];
    snprintf(name, sizeof(name), "%s_file", option);
    token->setting = node_member(group, name);
    if (!token->setting)
        token->setting = node_member(group, option);
    snprintf(token->name, sizeof(token->name), "%s%s", prefix, token->setting ? token->setting->name : option);
    token->secret = secret;
    tokens->n += secret && token->setting;
}

static void gather(const struct walk *walk, const struct node *root, struct tokens *tokens)
{
    const struct config *config = walk->config;
    const struct node *communities = node_member(root, "communities");
    add_token(tokens, node_member(root, "admin"), "admin.", "token", config->admin.token);
    for (unsigned i = 0; i < config->n_communities && communities && i < communities->n_members; i++) {
        char prefix[NAME_ROOM];
        snprintf(prefix, sizeof(prefix), "communities[%u].", i);
        add_token(tokens, &communities->members[i], prefix, "board_token", config->communities[i].board_token);
        add_token(tokens, &communities->members[i], prefix, "bot_token", config->communities[i].bot_token);
    }
}

/* It is part of a header, and of a link. */
static bool is_plain(const char *secret)
{
    for (const char *p = secret; *p; p++)
        if (*p <= ' ' || *p > '~')
            return false;
    return true;
}

/* A key ignores case, as it is compared. */
static bool is_key(const struct config *config, const char *secret, unsigned *ret_community)
{
    for (unsigned i = 0; i < config->n_communities; i++)
        for (size_t k = 0; k < config->communities[i].n_api_keys; k++)
            if (config->communities[i].api_keys[k] && strcasecmp(secret, config->communities[i].api_keys[k]) == 0) {
                *ret_community = i;
                return true;
            }
    return false;
}

static const struct token *find_twin(const struct tokens *tokens, size_t of)
{
    for (size_t i = 0; i < of; i++)
        if (strcmp(tokens->all[i].secret, tokens->all[of].secret) == 0)
            return &tokens->all[i];
    return NULL;
}

static void check_token(const struct walk *walk, const struct tokens *tokens, size_t i)
{
    const struct token *token = &tokens->all[i], *twin = find_twin(tokens, i);
    char sentence[2 * NAME_ROOM] = "";
    unsigned community;
    if (strlen(token->secret) < CONFIG_TOKEN_MIN_BYTES)
        snprintf(sentence, sizeof(sentence), "expected a token of at least %d characters, which nobody can guess",
                 CONFIG_TOKEN_MIN_BYTES);
    else if (!is_plain(token->secret))
        snprintf(sentence, sizeof(sentence), "expected a token of ASCII characters without blanks");
    else if (is_key(walk->config, token->secret, &community))
        snprintf(sentence, sizeof(sentence),
                 "expected a token of its own, this is an API key of communities[%u]: whoever has it may send events",
                 community);
    else if (twin)
        snprintf(sentence, sizeof(sentence), "expected a token of its own, %s has it already", twin->name);
    if (*sentence)
        setting_refuse(walk, token->setting, token->name, true, sentence);
}

/* ---- the door ---- */

static bool is_host(const char *host)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
    size_t size = strlen(host);
    return size && size <= HOST_MAX_BYTES && strspn(host, letters) == size;
}

static void check_hosts(const struct walk *walk, const struct node *hosts)
{
    for (unsigned i = 0; i < walk->config->admin.n_hosts && hosts && i < hosts->n_members; i++) {
        const char *host = walk->config->admin.hosts[i];
        char name[NAME_ROOM];
        snprintf(name, sizeof(name), "admin.hosts[%u]", i);
        if (host && !is_host(host))
            setting_refuse(walk, &hosts->members[i], name, false,
                           "expected the name of a host alone, such as cad.example.org");
    }
}

static void check_address(const struct walk *walk, const struct node *setting)
{
    const struct config *config = walk->config;
    char sentence[2 * NAME_ROOM];
    for (unsigned i = 0; i < config->n_listeners; i++) {
        const char *address = config->listeners[i].address;
        if (!address || !address_overlap(config->admin.address, address))
            continue;
        snprintf(sentence, sizeof(sentence), "expected an address of its own, listeners[%u] has it already", i);
        setting_refuse(walk, setting, "admin.address", false, sentence);
        return;
    }
}

/* Nobody but who is on this machine may look without a token. */
static void check_open(const struct walk *walk, const struct node *admin)
{
    const struct config *config = walk->config;
    if (node_member(admin, "token") || node_member(admin, "token_file"))
        return;
    if (config->admin.address && !address_is_loopback(config->admin.address))
        setting_refuse(walk, node_member(admin, "address"), "admin.address", false,
                       "expected token_file as well, since other machines can reach it: token_file: admin-token");
    else if (config->admin.n_hosts)
        setting_refuse(walk, node_member(admin, "hosts"), "admin.hosts", false,
                       "expected token_file as well, since others look by these names: token_file: admin-token");
}

void config_check_door(const struct walk *walk, const struct node *root)
{
    const struct node *admin = node_member(root, "admin"), *address = node_member(admin, "address");
    struct token *all CLEANUP(cleanup_free) = calloc(2 * walk->config->n_communities + 1, sizeof(*all));
    struct tokens tokens = { all, 0 };
    walk->problems->failed |= !all;
    if (!all)
        return;
    gather(walk, root, &tokens);
    for (size_t i = 0; i < tokens.n; i++)
        check_token(walk, &tokens, i);
    check_hosts(walk, node_member(admin, "hosts"));
    if (address && walk->config->admin.address)
        check_address(walk, address);
    if (admin)
        check_open(walk, admin);
}
