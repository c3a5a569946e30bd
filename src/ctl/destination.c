/* destination.c - the configuration says it, unless the options do; a port chosen at its start the daemon alone knows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "ctl_daemon.h"
#include "destination.h"
#include "settings.h"

int destination_check_url(const char *value, struct err *err)
{
    if (strncasecmp(value, "http://", 7) != 0 && strncasecmp(value, "https://", 8) != 0)
        return err_set(err, -EINVAL, "expected http://…");
    return 0;
}

static int find_url(const struct ctl_common *common, const struct destination_choice *choice, struct destination *ret,
                    struct err *err)
{
    struct daemon_answer answer CLEANUP(daemon_answer_free) = DAEMON_ANSWER_INIT;
    const char *store = common->store ? common->store : ret->config->store.path;
    const struct config_listener *listener = settings_listener(ret->config, choice->listener, err);
    struct err unasked;
    if (!listener)
        return -EINVAL;
    /* Without its answer the configuration has to do. */
    (void) !daemon_get(store, "/api/status", &answer, &unasked);
    return settings_url(ret->config, listener, answer.json, &ret->url, err);
}

static int take_config(const struct ctl_common *common, const struct destination_choice *choice,
                       struct destination *ret, struct err *err)
{
    const struct config_community *community =
        ret->key ? NULL : settings_community(ret->config, choice->community, err);
    if (!ret->key && !community)
        return -EINVAL;
    if (community && !(ret->key = strdup(community->api_keys[0])))
        return err_set(err, -ENOMEM, "no memory");
    return choice->url ? 0 : find_url(common, choice, ret, err);
}

int destination_find(const struct ctl_common *common, const struct destination_choice *choice, struct destination *ret)
{
    struct err err;
    int r = choice->key_file ? body_read_key(choice->key_file, &ret->key, &err) : 0;
    if (r >= 0 && choice->url)
        text_add(&ret->url, choice->url);
    if (r >= 0 && !(choice->key_file && choice->url)) {
        int status = settings_need(common->config_file, &ret->config,
                                   "a key that only systemd holds (LoadCredential=) can be read by root, while the "
                                   "service runs; with --key-file FILE --url URL no configuration is needed");
        if (status != EXIT_SUCCESS)
            return status;
        r = take_config(common, choice, ret, &err);
    }
    return r < 0 ? ctl_fail(r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, "%s", err.msg) : EXIT_SUCCESS;
}

void destination_done(struct destination *destination)
{
    body_wipe_key(&destination->key);
    text_free(&destination->url);
    config_free(destination->config);
}

const char *destination_key_of(const struct destination *destination, const struct destination_choice *choice,
                               const char *community)
{
    struct err ignored;
    const struct config_community *same = NULL;
    if (destination->config && !choice->community && !choice->key_file)
        same = settings_community(destination->config, community, &ignored);
    return same ? same->api_keys[0] : destination->key;
}
