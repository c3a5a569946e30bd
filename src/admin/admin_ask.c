/* admin_ask.c - what a viewer asks for, and may see: which community, and with what the sender sent or without. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin_private.h"

static bool has_realm(const struct state *state, const char *name)
{
    char realm[REALM_MAX_BYTES + 1] = "";
    while (state_next_realm(state, realm))
        if (strcmp(realm, name) == 0)
            return true;
    return false;
}

static bool has_community(const struct admin *admin, const char *name)
{
    const struct config *config = admin->parts.config;
    if (strchr(name, '@'))
        return has_realm(admin->parts.state, name);
    for (size_t i = 0; i < config->n_communities; i++)
        if (strcmp(config->communities[i].name, name) == 0)
            return true;
    return false;
}

int admin_ask_community(const struct http_request *request, const char **ret, struct err *err)
{
    const char *own = request->caller->community, *wanted = http_query(request, "community");
    *ret = *own ? own : wanted && *wanted ? wanted : NULL;
    if (*own && wanted && *wanted && strcmp(own, wanted) != 0)
        return err_set(err, -EPERM, "that community is not yours to see");
    return 0;
}

int admin_ask_configured(const struct admin *admin, const struct http_request *request, const char **ret,
                         struct err *err)
{
    int r = admin_ask_community(request, ret, err);
    if (r < 0 || !*ret || has_community(admin, *ret))
        return r;
    struct text sentence CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&sentence, *ret, strlen(*ret), REALM_MAX_BYTES);
    return err_set(err, -ENOENT, "no community is called \"%s\"", sentence.s);
}

/* What the sender sent is more than a board needs. */
int admin_ask_data(const struct http_request *request, bool *ret, struct err *err)
{
    const char *word = http_query(request, "data");
    *ret = word && strcmp(word, "1") == 0;
    if (word && !*ret && strcmp(word, "0") != 0)
        return err_set(err, -EINVAL, "data: expected 1 or 0");
    if (*ret && !request->caller->data)
        return err_set(err, -EPERM, "data is for those who may read all of an event");
    return 0;
}

int admin_ask_number(const struct http_request *request, const char *name, int64_t min, int64_t max, int64_t *ret,
                     struct err *err)
{
    const char *word = http_query(request, name);
    char *end;
    if (!word)
        return 0;
    errno = 0;
    long long number = strtoll(word, &end, 10);
    bool is_number = (*word == '-' || (*word >= '0' && *word <= '9')) && end != word && !*end && !errno;
    if (!is_number || number < min || number > max)
        return err_set(err, -EINVAL, "%s: expected a whole number%s", name, min >= 0 ? " that is not negative" : "");
    *ret = number;
    return 1;
}
