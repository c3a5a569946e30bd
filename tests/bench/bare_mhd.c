/* bare_mhd.c - what libmicrohttpd alone costs: reads each upload, looks at nothing, answers `ok`.
 * The yardstick of tests/bench/run; not a part of the daemon. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
    static int seen;

    (void) url;
    (void) method;
    (void) version;
    (void) upload;
    if (!*request) { /* head read, body to come */
        *request = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

static struct MHD_Response *make_ok(void)
{
    static char text[] = "ok";
    struct MHD_Response *ok = MHD_create_response_from_buffer(2, text, MHD_RESPMEM_PERSISTENT);

    if (ok)
        MHD_add_response_header(ok, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    return ok;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct MHD_Response *ok = make_ok();
    struct MHD_Daemon *daemon;
    sigset_t end;
    int signal_number;

    if (argc != 2 || !ok) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    address.sin_port = htons((uint16_t) strtoul(argv[1], NULL, 10));

    sigemptyset(&end);
    sigaddset(&end, SIGINT);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL); /* before the thread starts, so that it inherits the mask */

    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, ok, MHD_OPTION_SOCK_ADDR,
                              (struct sockaddr *) &address, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "cannot listen on 127.0.0.1:%s\n", argv[1]);
        return 1;
    }

    sigwait(&end, &signal_number);
    MHD_stop_daemon(daemon);
    MHD_destroy_response(ok);
    return 0;
}
