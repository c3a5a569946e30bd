/* secrets.c - secrets that come from elsewhere than files: of the environment, and handed over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_private.h"

#define VARIABLE "SONORAN_SECRET_"

/* environment: the name is the variable's. */
struct item {
    char *name, *secret;
    bool environment;
};

struct config_secrets {
    struct item *items;
    size_t n;
};

static int add(struct config_secrets *secrets, const char *name, const char *secret, bool environment)
{
    struct item item = { strdup(name), strdup(secret), environment };
    struct item *items = reallocarray(secrets->items, secrets->n + 1, sizeof(items[0]));
    secrets->items = items ? items : secrets->items;
    if (!items || !item.name || !item.secret) {
        free(item.name);
        secret_wipe(item.secret);
        return -ENOMEM;
    }
    items[secrets->n++] = item;
    return 0;
}

/* The process was started with it, so that others of its user see it in /proc until it is wiped. */
static int take_variable(struct config_secrets *secrets, char *variable)
{
    char *value = strchr(variable, '=');
    if (strncmp(variable, VARIABLE, strlen(VARIABLE)) != 0 || !value)
        return 0;
    char *name CLEANUP(cleanup_free) = strndup(variable, (size_t) (value - variable));
    int r = name ? add(secrets, name, value + 1, true) : -ENOMEM;
    explicit_bzero(value + 1, strlen(value + 1));
    if (name)
        unsetenv(name);
    return r < 0 ? r : 1;
}

int config_secrets_take_environment(struct config_secrets *secrets)
{
    if (!environ)
        return 0;
    for (char **variable = environ; *variable;) {
        int r = take_variable(secrets, *variable);
        if (r < 0)
            return r;
        if (r == 0) /* else the next one has moved here */
            variable++;
    }
    return 0;
}

int config_secrets_new(struct config_secrets **ret)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : -ENOMEM;
}

int config_secrets_copy_environment(const struct config_secrets *secrets, struct config_secrets **ret)
{
    struct config_secrets *copy = calloc(1, sizeof(*copy));
    int r = copy ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < secrets->n; i++)
        if (secrets->items[i].environment)
            r = add(copy, secrets->items[i].name, secrets->items[i].secret, true);
    if (r < 0) {
        config_secrets_free(copy);
        return r;
    }
    *ret = copy;
    return 0;
}

int config_secrets_hand_over(struct config_secrets *secrets, const char *name, const char *secret)
{
    for (size_t i = 0; i < secrets->n; i++) {
        struct item *item = &secrets->items[i];
        if (item->environment || strcmp(item->name, name) != 0)
            continue;
        char *newer = strdup(secret);
        if (!newer)
            return -ENOMEM;
        secret_wipe(item->secret);
        item->secret = newer;
        return 0;
    }
    return add(secrets, name, secret, false);
}

/* NAME\0SECRET\0 and so on. */
void config_secrets_write(const struct config_secrets *secrets, struct text *ret)
{
    size_t size = 0;
    for (size_t i = 0; i < secrets->n; i++)
        size += strlen(secrets->items[i].name) + strlen(secrets->items[i].secret) + 2;
    if (!text_reserve(ret, size)) /* at once: growing would leave copies behind */
        ret->failed = true;
    for (size_t i = 0; i < secrets->n && !ret->failed; i++) {
        const struct item *item = &secrets->items[i];
        if (item->environment)
            continue;
        text_add_bytes(ret, item->name, strlen(item->name) + 1);
        text_add_bytes(ret, item->secret, strlen(item->secret) + 1);
    }
}

static int read_pairs(struct config_secrets *secrets, const char *p, const char *end)
{
    while (p < end) {
        const char *secret = memchr(p, '\0', (size_t) (end - p));
        const char *rest = secret ? memchr(secret + 1, '\0', (size_t) (end - secret - 1)) : NULL;
        if (!rest || !*p)
            return -EINVAL;
        int r = config_secrets_hand_over(secrets, p, secret + 1);
        if (r < 0)
            return r;
        p = rest + 1;
    }
    return 0;
}

int config_secrets_read(struct config_secrets *secrets, char *bytes, size_t size)
{
    int r = read_pairs(secrets, bytes, bytes + size);
    explicit_bzero(bytes, size);
    return r;
}

struct config_secrets *config_secrets_free(struct config_secrets *secrets)
{
    if (!secrets)
        return NULL;
    for (size_t i = 0; secrets->items && i < secrets->n; i++) {
        free(secrets->items[i].name);
        secret_wipe(secrets->items[i].secret);
    }
    free(secrets->items);
    free(secrets);
    return NULL;
}

const char *secrets_handed_over(const struct config_secrets *secrets, const char *name)
{
    for (size_t i = 0; secrets && i < secrets->n; i++)
        if (!secrets->items[i].environment && strcmp(secrets->items[i].name, name) == 0)
            return secrets->items[i].secret;
    return NULL;
}

/* "api-key" is SONORAN_SECRET_API_KEY. */
static char letter_of_variable(char c)
{
    char upper = c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
    bool plain = (upper >= 'A' && upper <= 'Z') || (upper >= '0' && upper <= '9');
    return plain ? upper : '_';
}

static bool names_variable(const char *name, const char *variable)
{
    const char *p = variable + strlen(VARIABLE);
    for (; *name && *p; name++, p++)
        if (*p != letter_of_variable(*name))
            return false;
    return !*name && !*p;
}

void secrets_add_variable(struct text *out, const char *before, const char *name)
{
    text_addf(out, "%s" VARIABLE, before);
    for (; *name; name++)
        text_addf(out, "%c", letter_of_variable(*name));
}

const char *secrets_of_environment(const struct config_secrets *secrets, const char *name)
{
    for (size_t i = 0; secrets && i < secrets->n; i++)
        if (secrets->items[i].environment && names_variable(name, secrets->items[i].name))
            return secrets->items[i].secret;
    return NULL;
}
