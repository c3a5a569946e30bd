/* web_open.c - the connection: how it is made, and what holds for every request on it. */
#include <errno.h>
#include <stdlib.h>

#include "web_private.h"

#define CONNECT_MAX_US (5 * USEC_PER_SEC)

/* One that was told to wait for no answer stays open until some more have been posted. */
static int close_socket(void *userdata, curl_socket_t fd)
{
    struct web *web = userdata;
    if (web->request && web->request->wait == WEB_WAIT_SENT && !web->stream) {
        int *left = &web->left_fds[web->next_left++ % WEB_LEFT_MAX];
        int oldest = *left;
        *left = fd;
        fd = oldest;
    }
    cleanup_close(&fd);
    return 0;
}

static void set_options(struct web *web, const struct web_settings *settings)
{
    CURL *easy = web->target.easy;
    const char *user_agent = settings->user_agent;
    if (settings->use_proxy)
        net_target_use_proxy(&web->target);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent ? user_agent : PROGRAM_NAME "/" PROGRAM_VERSION);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    web_libcurl.curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, web);
}

static int prepare(struct web *web, const struct web_settings *settings, struct err *err)
{
    for (size_t i = 0; i < WEB_LEFT_MAX; i++)
        web->left_fds[i] = -1;
    web->timeout_us = settings->timeout_us;
    web->target.connect_us = web->timeout_us < CONNECT_MAX_US ? web->timeout_us : CONNECT_MAX_US;
    web->cancel_fd = settings->cancel_fd;
    web->multi = web_libcurl.curl_multi_init();
    int r = web->multi ? net_target_open(&web->target, settings->unix_path, settings->ca_file, err)
                       : err_set(err, -ENOMEM, "no memory for a connection");
    if (r >= 0)
        set_options(web, settings);
    return r;
}

int web_open(struct web **ret, const struct web_settings *settings, struct err *err)
{
    int r = web_library_load(err);
    if (r < 0)
        return r;
    struct web *web = calloc(1, sizeof(*web));
    r = web ? prepare(web, settings, err) : err_set(err, -ENOMEM, "no memory for a connection");
    if (r < 0) {
        web_close(web);
        return r;
    }
    *ret = web;
    return 0;
}

struct web *web_close(struct web *web)
{
    if (!web)
        return NULL;
    web_libcurl.curl_easy_cleanup(web->target.easy);
    web_libcurl.curl_multi_cleanup(web->multi);
    for (size_t i = 0; i < WEB_LEFT_MAX; i++)
        cleanup_close(&web->left_fds[i]);
    free(web);
    return NULL;
}
