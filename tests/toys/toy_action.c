/* toy_action.c - a type of action with an option, a check, a payload of its own and batches: this file, and a row in
 * include/sonoran-pushd/actions.h. It adds each event's line to a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sonoran-pushd/actions.h>

struct toy_settings {
    char *file;
    int mood;
};

struct action {
    const struct toy_settings *settings;
};

static const char *const moods[] = { "calm", "loud", NULL };

#define OPTION(member) .group = CONFIG_ACTION, CONFIG_MEMBER(struct toy_settings, member)

static const struct config_option options[] = {
    { OPTION(file), .name = "file", .type = CONFIG_TEXT, .required = true, .help = "Where the lines go." },
    { OPTION(mood), .name = "mood", .type = CONFIG_WORD, .fallback = "calm", .words = moods,
      .help = "Whether it shouts." },
};

static void check_settings(const struct config_action *config, config_complain *complain, void *context)
{
    const struct toy_settings *settings = config->settings;
    if (settings->file[0] != '/')
        complain(context, "file", "expected an absolute path");
}

static int toy_open(struct action **ret, const struct action_context *context, struct err *err)
{
    *ret = calloc(1, sizeof(**ret));
    if (!*ret)
        return err_set(err, -ENOMEM, "no memory");
    (*ret)->settings = context->config->settings;
    return 0;
}

static struct action *toy_close(struct action *action)
{
    free(action);
    return NULL;
}

static int render(const struct config_action *config, const struct action_record *record, struct action_payload *ret,
                  struct err *err)
{
    const struct toy_settings *settings = config->settings;
    (void) err;
    text_addf(&ret->body, "%s%s\n", record->description->line.s, settings->mood ? "!" : "");
    return 0;
}

static void deliver(struct action *action, const struct action_payload *payloads, size_t n,
                    struct action_outcome *outcomes)
{
    int fd CLEANUP(cleanup_close) = open(action->settings->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (size_t i = 0; i < n; i++) {
        bool written =
            fd >= 0 && write(fd, payloads[i].body.s, payloads[i].body.size) == (ssize_t) payloads[i].body.size;
        outcomes[i].result = written ? ACTION_DONE : ACTION_RETRY;
        if (!written)
            err_set(&outcomes[i].err, -errno, "cannot write: %s", strerror(errno));
    }
}

const struct action_type action_toy = {
    .kind = { .name = "toy",
              .options = options,
              .n_options = ARRAY_SIZE(options),
              .settings_size = sizeof(struct toy_settings),
              .check = check_settings },
    .open = toy_open,
    .close = toy_close,
    .render = render,
    .deliver = deliver,
    .max_batch = 16,
};
