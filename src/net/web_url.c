/* web_url.c - can this be asked: URLs, and files of certificates. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "web_private.h"

void web_cleanup_url(CURLU **url)
{
    web_libcurl.curl_url_cleanup(*url);
}

void web_cleanup_text(char **text)
{
    web_libcurl.curl_free(*text);
}

static int check_parts(const char *url, struct err *err)
{
    CURLU *parts CLEANUP(web_cleanup_url) = web_libcurl.curl_url();
    char *scheme CLEANUP(web_cleanup_text) = NULL, *host CLEANUP(web_cleanup_text) = NULL;
    CURLUcode r = parts ? web_libcurl.curl_url_set(parts, CURLUPART_URL, url, 0) : CURLUE_OUT_OF_MEMORY;
    if (r == CURLUE_OK)
        r = web_libcurl.curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    if (r == CURLUE_OK)
        r = web_libcurl.curl_url_get(parts, CURLUPART_HOST, &host, 0);
    if (r == CURLUE_OUT_OF_MEMORY)
        return err_set(err, -ENOMEM, "no memory for a URL");
    if (r == CURLUE_OK && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) && *host)
        return 0;
    return err_set(err, -EINVAL, "expected an http or https URL with a host");
}

int web_check_ca_file(const char *path, struct err *err)
{
    struct stat is = { .st_mode = 0 };
    char line[128];
    if (stat(path, &is) == 0 && !S_ISREG(is.st_mode)) /* a pipe would be waited for */
        return err_set(err, -EINVAL, "%s is not a file", path);
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    if (!file)
        return err_set(err, -errno, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof(line), file))
        if (strstr(line, "-----BEGIN CERTIFICATE-----") || strstr(line, "-----BEGIN TRUSTED CERTIFICATE-----"))
            return 0;
    return err_set(err, -EINVAL, "%s has no certificate in it: expected -----BEGIN CERTIFICATE-----", path);
}

int web_check_url(const char *url, struct err *err)
{
    int r = web_library_load(err);
    return r < 0 ? r : check_parts(url, err);
}
