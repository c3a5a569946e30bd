/* test_net_certificates.c - the system's certificates, in a folder and in a file: who stands in one of them is taken.
 *
 * In a namespace of its own with another /etc/ssl/certs; skipped where that is not allowed, or libcurl knows no such
 * folder. */
#include "net_peer.h"

#include <sched.h>
#include <sys/mount.h>

#include "web_library.h"

#define CERTIFICATES "/etc/ssl/certs"
#define ALL CERTIFICATES "/ca-certificates.crt"

static X509 *other;
static bool is_ours;

static void write_all(const char *words)
{
    FILE *file = fopen(ALL, "we");
    assert_non_null(file);
    fputs(words, file);
    fclose(file);
}

static void name_by_hash(char ret[64])
{
    snprintf(ret, 64, CERTIFICATES "/%08lx.0", X509_subject_name_hash(certificate));
}

static int connect_to_localhost(void)
{
    peer_start(TLS, speak_in_halves);
    int r = connect_with(&(struct net_settings){ .url = url, .connect_us = CONNECT_US });
    if (r == 0)
        send_words("x");
    end();
    peer_stop();
    return r;
}

/* What is in the folder is enough: the file is not even read. */
static void test_folder(void **state)
{
    char name[64];
    (void) state;
    if (!is_ours)
        skip();
    name_by_hash(name);
    write_all("nothing\n");
    write_certificate(name, certificate);
    assert_int_equal(connect_to_localhost(), 0);
    unlink(name);
}

static void test_nowhere(void **state)
{
    (void) state;
    if (!is_ours)
        skip();
    write_certificate(ALL, other);
    assert_int_equal(connect_to_localhost(), -EPROTO);
    assert_non_null(strstr(err.msg, ": certificate problem: "));
}

static void test_file_alone(void **state)
{
    (void) state;
    if (!is_ours)
        skip();
    write_certificate(ALL, certificate);
    assert_int_equal(connect_to_localhost(), 0);
}

/* -1: it may not be done here. */
static int take_folder(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return mount(folder, CERTIFICATES, NULL, MS_BIND, NULL);
}

static int set_up_folder(void **state)
{
    const char *path = NULL;
    int r = set_up(state);
    other = make_certificate(key);
    if (web_library_load(&err) < 0)
        return -1;
    CURL *easy = web_libcurl.curl_easy_init();
    web_libcurl.curl_easy_getinfo(easy, CURLINFO_CAPATH, &path);
    is_ours = path && strcmp(path, CERTIFICATES) == 0 && take_folder() == 0;
    web_libcurl.curl_easy_cleanup(easy);
    return r;
}

static int tear_down_folder(void **state)
{
    if (is_ours) {
        unlink(ALL);
        umount(CERTIFICATES);
    }
    X509_free(other);
    return tear_down(state);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_file_alone), /* from here on both are read */
        cmocka_unit_test(test_nowhere),
    };
    return cmocka_run_group_tests(tests, set_up_folder, tear_down_folder);
}
