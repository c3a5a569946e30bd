/* send.c - "sonoran-pushctl send": an event to try things with, posted as the CAD would. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <sonoran-pushd/families.h>

#include "body.h"
#include "destination.h"
#include "post.h"
#include "samples.h"

#define TIMES_MAX 10000
#define KEY_SHOWN "YOUR-API-KEY"
#define ANSWER_MAX_CHARS 600

struct arguments {
    struct ctl_common common;
    struct destination_choice choice;
    const char *data;
    uint64_t times;
    bool list, print, real;
};

/* All that a request needs. */
struct target {
    struct destination to;
    struct text body;
};

static int read_url(void *context, const char *value, struct err *err)
{
    ((struct arguments *) context)->choice.url = value;
    return destination_check_url(value, err);
}

static int read_data(void *context, const char *value, struct err *err)
{
    cJSON *parsed = cJSON_ParseWithOpts(value, NULL, true);
    ((struct arguments *) context)->data = value;
    bool sound = parsed != NULL;
    cJSON_Delete(parsed);
    return sound ? 0 : err_set(err, -EINVAL, "expected JSON");
}

static int read_times(void *context, const char *value, struct err *err)
{
    struct arguments *arguments = context;
    if (options_read_id(value, &arguments->times) < 0 || arguments->times > TIMES_MAX)
        return err_set(err, -EINVAL, "expected a whole number from 1 to %d", TIMES_MAX);
    return 0;
}

#define AT(member) offsetof(struct arguments, member)

static const struct ctl_option rows[] = {
    { "list", 0, NULL, NULL, "print the types that there are samples of, and end", AT(list) },
    { "data", 0, "JSON", read_data, "this data instead of the sample's", 0 },
    { "print", 0, NULL, NULL, "print the body, without the key, and post nothing", AT(print) },
    { "real", 0, NULL, NULL, "no test event: it goes to the actions like one of the CAD", AT(real) },
    { "times", 0, "N", read_times, "so many times, one after the other", 0 },
    { "community", 0, "NAME", NULL, "with the key of this community (the first one)", AT(choice.community) },
    { "listener", 0, "NAME", NULL, "to this listener (the first one)", AT(choice.listener) },
    { "key-file", 0, "FILE", NULL, "with the key in FILE", AT(choice.key_file) },
    OPTION_JSON("print answers as objects, equal ones in a row as one"),
    { "url", 0, "URL", read_url, "to this URL; with --key-file, no configuration is read", 0 },
};

static const struct ctl_spec spec = {
    .verb = "send",
    .usage = "TYPE|FILE [OPTION]...",
    .about = "Posts a sample of an event, or the body in FILE (-: stdin), to the running daemon, with its own key. "
             "It is a test event, if the body does not say otherwise: it goes to the log and, marked as a test, to "
             "its readers, and to no action.",
    .footer = CTL_NAME " test ACTION tries an action.\n"
                       "Exit status: 0 every answer was 200, 1 another answer or none, 2 usage, 78 configuration.",
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .words_max = 1,
};

static int list_types(void)
{
    struct text out CLEANUP(text_free) = TEXT_INIT;
    for (size_t i = 0; i < families_all.n; i++)
        for (size_t j = 0; j < families_all.list[i]->n_types; j++) {
            const struct event_type *type = &families_all.list[i]->types[j];
            text_addf(&out, "%s\n", type->name);
            if (type->alias)
                text_addf(&out, "%s (another name of %s)\n", type->alias, type->name);
        }
    return table_write_stdout(&out);
}

/* ---- the body ---- */

static int make_from_file(const struct arguments *arguments, const char *path, struct target *target, struct err *err)
{
    struct text json CLEANUP(text_wipe) = TEXT_INIT;
    if (arguments->data)
        return err_set(err, -EINVAL, "--data goes with a type, not with a file");
    int r = body_read(path, &json, err);
    if (r < 0)
        return r;
    r = body_with_key(&json, target->to.key, !arguments->real, &target->body, err);
    return r < 0 ? err_wrap(err, r, "%s", strcmp(path, "-") == 0 ? "stdin" : "the file") : 0;
}

static int make_body(const struct arguments *arguments, const char *word, struct target *target, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    const struct sample *sample = sample_find(word);
    bool file = !sample && (strcmp(word, "-") == 0 || strchr(word, '/') || access(word, F_OK) == 0);
    if (file)
        return make_from_file(arguments, word, target, err);

    text_add_safe(&shown, word, strlen(word), 80);
    const char *near = sample || arguments->data ? NULL : event_nearest_type(&families_all, word);
    if (near)
        return err_set(err, -EINVAL, "%s: no type with a sample, and no file; did you mean %s?", shown.s, near);
    if (!sample && !arguments->data)
        return err_set(err, -EINVAL, "%s: no type with a sample, and no file; " CTL_NAME " send --list has the types",
                       shown.s);
    const char *data = arguments->data ? arguments->data : sample->data;
    return body_make(target->to.key, word, data, sample ? sample->top : NULL, !arguments->real, &target->body, err);
}

/* ---- the requests ---- */

/* Equal answers in a row are told once. */
static void tell(uint64_t n, const struct arguments *arguments, long status, const char *answer, struct text *out)
{
    if (n == 0)
        return;
    if (arguments->common.json) {
        struct json_writer json = json_writer(out);
        json_begin_object(&json, NULL);
        json_add_int(&json, "times", (int64_t) n);
        json_add_int(&json, "status", status);
        json_add_text(&json, "answer", answer);
        json_end(&json);
        text_add(out, "\n");
        return;
    }
    if (arguments->times > 1)
        text_addf(out, "%llu x ", (unsigned long long) n);
    text_addf(out, "%ld ", status);
    text_add_safe(out, answer, strlen(answer), ANSWER_MAX_CHARS);
    text_add(out, "\n");
}

static int post(const struct target *target, const struct arguments *arguments, struct text *out, struct err *err)
{
    struct text answer CLEANUP(text_free) = TEXT_INIT, last CLEANUP(text_free) = TEXT_INIT;
    long status = 0, last_status = 0;
    uint64_t n = 0;
    bool good = true;
    int r = 0;
    for (uint64_t i = 0; i < arguments->times; i++) {
        r = post_ask(target->to.url.s, &target->body, &status, &answer, err);
        if (r < 0)
            break;
        good &= status == 200;
        if (n && (status != last_status || strcmp(answer.s, last.s) != 0)) {
            tell(n, arguments, last_status, last.s, out);
            n = 0;
        }
        n++;
        last_status = status;
        text_reset(&last);
        text_add_bytes(&last, answer.s, answer.size);
    }
    tell(n, arguments, last_status, last.s, out);
    return r < 0 ? r : good;
}

static void target_done(struct target *target)
{
    destination_done(&target->to);
    text_wipe(&target->body);
}

static int fail(int r, const struct err *err)
{
    return ctl_fail(r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE, "%s", err->msg);
}

/* For whoever wants to post it by hand, or to see what comes; a configuration is not needed for it. */
static int print(const struct arguments *arguments, const char *word)
{
    struct target target CLEANUP(target_done) = { .to = DESTINATION_INIT, .body = TEXT_INIT };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    target.to.key = strdup(KEY_SHOWN);
    int r = target.to.key ? make_body(arguments, word, &target, &err) : err_set(&err, -ENOMEM, "no memory");
    if (r < 0)
        return fail(r, &err);
    show_json(target.body.s, target.body.size, isatty(STDOUT_FILENO), &out);
    return table_write_stdout(&out);
}

static int run(const struct arguments *arguments, const char *word)
{
    struct target target CLEANUP(target_done) = { .to = DESTINATION_INIT, .body = TEXT_INIT };
    struct text out CLEANUP(text_free) = TEXT_INIT;
    struct err err;
    int status = destination_find(&arguments->common, &arguments->choice, &target.to);
    if (status != EXIT_SUCCESS)
        return status;
    int r = make_body(arguments, word, &target, &err);
    if (r < 0)
        return fail(r, &err);

    r = post(&target, arguments, &out, &err);
    status = table_write_stdout(&out);
    if (r < 0)
        return ctl_fail(EXIT_FAILURE, "cannot post to %s: %s",
                        arguments->choice.url ? "the URL given" : target.to.url.s, err.msg);
    return r ? status : EXIT_FAILURE;
}

int send_run(const char *config_file, int argc, char **argv)
{
    struct arguments arguments = { .common.config_file = config_file, .times = 1 };
    int status = options_read(&spec, &arguments, argc, argv);
    if (status >= 0)
        return status;
    if (arguments.list)
        return list_types();
    if (optind == argc) {
        ctl_fail(0, "an argument is missing: send %s", spec.usage);
        return options_usage(&spec);
    }
    return arguments.print ? print(&arguments, argv[optind]) : run(&arguments, argv[optind]);
}
