/* post.c - one HTTP request: to the machine named, through no proxy, following no redirect. */
#include <errno.h>

#include <curl/curl.h>

#include "post.h"

#define TIMEOUT_MS 10000L
#define ANSWER_MAX_BYTES ((size_t) 16 << 10)

static void cleanup_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void cleanup_headers(struct curl_slist **headers)
{
    curl_slist_free_all(*headers);
}

static size_t take(char *bytes, size_t size, size_t n, void *context)
{
    struct text *answer = context;
    size_t room = ANSWER_MAX_BYTES - answer->size;
    text_add_bytes(answer, bytes, size * n < room ? size * n : room);
    return size * n;
}

static CURLcode set_options(CURL *curl, const char *url, const struct text *body, struct curl_slist *headers,
                            struct text *answer)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    code = code ? code : curl_easy_setopt(curl, CURLOPT_PROXY, "");
    code = code ? code : curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_USERAGENT, CTL_NAME "/" PROGRAM_VERSION);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (code || !body)
        return code;
    code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) body->size);
    code = code ? code : curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->s);
    return code ? code : curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
}

int http_ask(const char *url, const struct text *body, long *ret_status, struct text *ret_answer, struct err *err)
{
    CURL *curl CLEANUP(cleanup_curl) = curl_easy_init();
    struct curl_slist *headers CLEANUP(cleanup_headers) = curl_slist_append(NULL, "Content-Type: application/json");
    if (!curl || !headers)
        return err_set(err, -ENOMEM, "no memory");
    text_reset(ret_answer);
    CURLcode code = set_options(curl, url, body, headers, ret_answer);
    if (code == CURLE_OK)
        code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
    if (code != CURLE_OK)
        return err_set(err, code == CURLE_COULDNT_CONNECT ? -ECONNREFUSED : -EIO, "%s", curl_easy_strerror(code));
    return ret_answer->failed ? err_set(err, -ENOMEM, "no memory") : 0;
}
