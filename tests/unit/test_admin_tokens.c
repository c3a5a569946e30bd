/* test_admin_tokens.c - the file of a token that is made. */
#include "http_helpers.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "admin_private.h"

/* Of one that is killed while it writes the file there is none, or a whole one. */
static void a_crash_while_a_token_is_made(void **state)
{
    char folder[] = "/tmp/admin-tokens-XXXXXX", path[96], command[128];
    struct config config = { 0 };
    struct config_secret_file file = { .field = &config.admin.token, .to_make = path };
    struct admin_tokens tokens;
    struct err err;
    (void) state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/token", folder);
    config.secret_files = &file;
    config.n_secret_files = 1;
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 0, 0 }); /* ends who writes */
        signal(SIGXFSZ, SIG_DFL);
        _exit(admin_tokens_load(&tokens, &config, &err) < 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    assert_int_equal(access(path, F_OK), -1);

    assert_int_equal(admin_tokens_load(&tokens, &config, &err), 0);
    assert_int_equal(access(path, R_OK), 0);
    struct admin_tokens again; /* as if somebody else had made it just now */
    assert_int_equal(admin_tokens_load(&again, &config, &err), 0);
    assert_true(admin_tokens_are_same(&tokens, &again));
    admin_tokens_done(&tokens);
    admin_tokens_done(&again);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_crash_while_a_token_is_made) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
