/* test_exec.c - the exec action: what it refuses, what a program is given, what its end means, its log lines. */
#include <sonoran-pushd/families.h>

#include "exec_helpers.h"

/* ---- check ---- */

static void note_complaint(void *context, const char *option, const char *sentence)
{
    struct text *complaints = context;
    text_addf(complaints, "%s: %s\n", option, sentence);
}

/* The complaints about a command, without the folder. */
static void assert_complaints(const char *program, const char *argument, const char *expected)
{
    struct text complaints = TEXT_INIT;
    struct siren siren;
    siren_init(&siren, LONG_US, program, argument);
    action_exec.check(&siren.config, &families_all, note_complaint, &complaints);
    action_exec.check_present(&siren.config, note_complaint, &complaints);

    char *found;
    text_add(&complaints, "");
    while ((found = strstr(complaints.s, folder)))
        memmove(found, found + strlen(folder) + 1, strlen(found + strlen(folder) + 1) + 1);
    assert_string_equal(complaints.s, expected);
    text_free(&complaints);
    siren_free(&siren);
}

static void test_check(void **state)
{
    (void) state;
    write_script("good", "");
    write_file("plain", "#!/bin/sh\n", 0644);
    write_file("no-first-line", "echo hello\n", 0755);
    write_file("empty", "", 0755);
    write_file("dos", "#!/bin/sh\r\necho\r\n", 0755);
    write_file("python9", "#! /usr/bin/python9 -u\n", 0755);
    write_file("nothing", "#! \n", 0755);

    assert_complaints("good", "--call", "");
    assert_complaints("/bin/sh", "{summary}", "");
    assert_complaints(
        "absent", NULL,
        "command: expected a program, but absent: No such file or directory; a service has a /tmp of its own "
        "(PrivateTmp=yes): put the program elsewhere, such as into /usr/local/bin\n");
    assert_complaints("plain", NULL, "command: expected a program, but plain is not executable for this user\n");
    assert_complaints("/tmp", NULL, "command: expected a program, but /tmp is not a regular file\n");
    assert_complaints("empty", NULL, "command: expected a program, but empty is empty\n");
    assert_complaints("no-first-line", NULL,
                      "command: expected a program, but no-first-line is a script without a first line such as "
                      "#!/bin/sh\n");
    assert_complaints("dos", NULL, "command: expected a program, but dos has the line ends of DOS (\\r\\n)\n");
    assert_complaints("python9", NULL,
                      "command: expected a program, but python9 needs /usr/bin/python9: No such file or directory\n");
    assert_complaints("nothing", NULL, "command: expected a program, but nothing names no interpreter behind its #!\n");

    assert_complaints("/root/siren", NULL,
                      "command: expected a program, but /root/siren: No such file or directory; a service does not see "
                      "/home and /root: ProtectHome=read-only in a drop-in of its unit opens them, as in "
                      "/usr/share/doc/sonoran-pushd/examples/exec-actions.conf\n");

    struct text complaints = TEXT_INIT;
    char program[] = "/bin/sh", template[] = "{id", *words[] = { program, template, NULL };
    const struct config_action config = { .settings = &(struct exec_settings){ words, 2 } };
    action_exec.check(&config, &families_all, note_complaint, &complaints);
    assert_non_null(strstr(complaints.s, "command: expected ")); /* about the template */
    assert_non_null(strstr(complaints.s, "{id"));
    text_free(&complaints);
}

/* ---- render ---- */

static void test_render(void **state)
{
    (void) state;
    char program[] = "/bin/{id}", a[] = "--from={from}", b[] = "{/none}", c[] = "{/note}", d[] = "", name[] = "siren";
    char *words[] = { program, a, b, c, d, NULL };
    const char *data = "{\"note\":\"-rf $(reboot); \\\"x\\\"\\n'y'\",\n\"x\":1}";
    const struct config_action config = { .name = name, .settings = &(struct exec_settings){ words, 5 } };
    static const char *const variables[] = {
        "SONORAN_ACTION=siren",
        "SONORAN_EVENT=EVENT_911",
        "SONORAN_EVENT_ID=1042",
        "SONORAN_TIME=2026-11-23T16:00:00.123456Z",
        "SONORAN_COMMUNITY=default",
        "SONORAN_LISTENER=main",
        "SONORAN_FROM=192.0.2.7",
        "SONORAN_VERDICT=accepted",
        "SONORAN_FAMILY=",
        "SONORAN_SOURCE=push",
        "SONORAN_TEST=",
        "SONORAN_LEVEL=0",
        "SONORAN_SUMMARY=911 call 90417 from John \"Doe\"",
        "SONORAN_CALLS=",
        "SONORAN_CALLS911=90417",
        "SONORAN_UNITS=4127,-1",
        "SONORAN_LEFT_OUT=0",
    };
    struct action_payload payload = ACTION_PAYLOAD_INIT;
    struct sample sample;
    struct err err;

    sample_init(&sample, data);
    assert_int_equal(action_exec.render(&config, &sample.record, &payload, &err), 0);
    assert_int_equal(payload.event_id, 1042);
    assert_int_equal(payload.words.n, 5);
    assert_string_equal(payload.words.v[0], "/bin/{id}"); /* never up to an event */
    assert_string_equal(payload.words.v[1], "--from=192.0.2.7");
    assert_string_equal(payload.words.v[2], "");
    assert_string_equal(payload.words.v[3], "-rf $(reboot); \"x\"\n'y'");
    assert_string_equal(payload.words.v[4], "");
    assert_null(payload.words.v[5]);
    assert_int_equal(payload.environment.n, ARRAY_SIZE(variables));
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        assert_string_equal(payload.environment.v[i], variables[i]);

    struct text record = TEXT_INIT;
    event_write_record(&sample.event, &sample.description, &record);
    text_add(&record, "\n");
    assert_string_equal(payload.body.s, record.s);
    assert_ptr_equal(strchr(record.s, '\n'), record.s + record.size - 1);
    text_free(&record);
    action_payload_free(&payload);
    sample_free(&sample);
}

/* ---- what a program is given ---- */

static void test_arguments(void **state)
{
    (void) state;
    struct siren siren;
    write_script("script", "printf '%s\\n' \"$#\" \"$1\" >$D/args; cat >$D/stdin");
    siren_init(&siren, LONG_US, "script", "-x {/note} *");
    struct action_outcome outcome = run_siren(&siren, "{\"note\":\"`id` $HOME\"}", -1);
    siren_free(&siren);
    assert_outcome(&outcome, ACTION_DONE, "");
    assert_string_equal(read_all("args"), "1\n-x `id` $HOME *\n");

    cJSON *record = cJSON_Parse(read_all("stdin"));
    assert_non_null(record);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(record, "id")->valueint, 1042);
    cJSON_Delete(record);
    assert_no_children();
}

/* ---- what its end means ---- */

static void test_results(void **state)
{
    (void) state;
    static const struct {
        const char *lines;
        enum action_result result;
        const char *sentence;
    } rows[] = {
        { "exit 0", ACTION_DONE, "" },
        { "exit 1", ACTION_GIVE_UP, "ended with status 1" },
        { "exit 3", ACTION_GIVE_UP, "ended with status 3" },
        { "exit 75", ACTION_RETRY, "ended with status 75" },
        { "exit 255", ACTION_GIVE_UP, "ended with status 255" },
        { "kill -9 $$", ACTION_GIVE_UP, "was ended by signal 9 (Killed)" },
        { "kill -TERM $$", ACTION_GIVE_UP, "was ended by signal 15 (Terminated)" },
        { "kill -PIPE $$", ACTION_GIVE_UP, "was ended by signal 13 (Broken pipe)" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct action_outcome outcome = run_script(rows[i].lines, LONG_US);
        assert_outcome(&outcome, rows[i].result, rows[i].sentence);
        assert_no_children();
    }
}

static void test_not_started(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        mode_t mode;
        const char *why;
    } rows[] = {
        { NULL, 0, ": No such file or directory" },
        { "#!/bin/sh\n", 0644, " is not executable for this user" },
        { "exit 0\n", 0755, " is a script without a first line such as #!/bin/sh" },
        { "#!/usr/bin/python9\n", 0755, " needs /usr/bin/python9: No such file or directory" },
        { "\177ELF", 0755, ": Exec format error" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char sentence[512];
        struct siren siren;
        siren_init(&siren, LONG_US, "script", NULL);
        if (rows[i].text)
            write_file("script", rows[i].text, rows[i].mode);
        if (rows[i].text && rows[i].text[0] == '\177')
            assert_int_equal(truncate(siren.words[0], 1000), 0);
        struct action_outcome outcome = run_siren(&siren, "{}", -1);
        snprintf(sentence, sizeof(sentence), "cannot be started: %s%s", siren.words[0], rows[i].why);
        siren_free(&siren);
        assert_outcome(&outcome, ACTION_RETRY, sentence);
        assert_no_children();
    }
}

/* ---- its output ---- */

static void test_output(void **state)
{
    (void) state;
    struct action_outcome outcome =
        run_script("echo one; echo; printf '\\033[31mtwo\\r\\n' >&2; printf 'last'", LONG_US);
    assert_outcome(&outcome, ACTION_DONE, "");

    static const char *const messages[] = { "siren: one", "siren: \\x1b[31mtwo", "siren: last" };
    const char *next = read_all("log");
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        cJSON *line = cJSON_ParseWithOpts(next, &next, 0);
        assert_non_null(line);
        assert_string_equal(cJSON_GetObjectItemCaseSensitive(line, "message")->valuestring, messages[i]);
        assert_string_equal(cJSON_GetObjectItemCaseSensitive(line, "action")->valuestring, "siren");
        assert_int_equal(cJSON_GetObjectItemCaseSensitive(line, "event_id")->valueint, 1042);
        assert_int_equal(cJSON_GetObjectItemCaseSensitive(line, "priority")->valueint, 6);
        assert_string_equal(cJSON_GetObjectItemCaseSensitive(line, "message_id")->valuestring, LOG_ID_ACTION_OUTPUT);
        cJSON_Delete(line);
    }
    assert_string_equal(next, "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        exec_test(test_check),   exec_test(test_render),      exec_test(test_arguments),
        exec_test(test_results), exec_test(test_not_started), exec_test(test_output),
    };
    return cmocka_run_group_tests(tests, be_like_the_daemon, NULL);
}
