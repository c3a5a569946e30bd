/* web_library.h - libcurl, loaded when something is asked for the first time. With all that it brings it takes 5 MB of
 * memory, which whoever only logs, runs programs or reads the log does without.
 *
 * Threads: any. Source: dlopen(3); curl_global_init(3), which is called once, here.
 */
#pragma once

#include <curl/curl.h>
#include <sonoran-pushd/base.h>

/* They check types, and would take the members below for themselves. */
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

#define WEB_LIBRARY_FUNCTIONS(F)                                                                                       \
    F(curl_easy_cleanup)                                                                                               \
    F(curl_easy_getinfo)                                                                                               \
    F(curl_easy_init)                                                                                                  \
    F(curl_easy_recv)                                                                                                  \
    F(curl_easy_send)                                                                                                  \
    F(curl_easy_setopt)                                                                                                \
    F(curl_easy_strerror)                                                                                              \
    F(curl_free)                                                                                                       \
    F(curl_global_init)                                                                                                \
    F(curl_multi_add_handle)                                                                                           \
    F(curl_multi_cleanup)                                                                                              \
    F(curl_multi_info_read)                                                                                            \
    F(curl_multi_init)                                                                                                 \
    F(curl_multi_perform)                                                                                              \
    F(curl_multi_poll)                                                                                                 \
    F(curl_multi_remove_handle)                                                                                        \
    F(curl_slist_append)                                                                                               \
    F(curl_slist_free_all)                                                                                             \
    F(curl_url)                                                                                                        \
    F(curl_url_cleanup)                                                                                                \
    F(curl_url_get)                                                                                                    \
    F(curl_url_set)

#define WEB_LIBRARY_MEMBER(function) __typeof__(function) *function;

struct web_library {
    WEB_LIBRARY_FUNCTIONS(WEB_LIBRARY_MEMBER)
};

extern struct web_library web_libcurl;

/* Before the first use of libcurl; does nothing the next time. -ELIBACC: it is not there. */
int web_library_load(struct err *err) MUST_CHECK;
