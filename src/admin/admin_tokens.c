/* admin_tokens.c - which tokens there are, and the file of one that is wanted and is not there yet. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <sonoran-pushd/log.h>

#include "admin_private.h"

#define RANDOM_BYTES 32
#define TOKEN_CHARS ((RANDOM_BYTES * 8 + 4) / 5) /* five bits each */

/* To be typed from a screen: no letter that looks like a digit. */
static int make_token(char ret[TOKEN_CHARS + 1])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char random[RANDOM_BYTES + 1] = { 0 };
    if (getrandom(random, RANDOM_BYTES, 0) != RANDOM_BYTES)
        return -EIO;
    for (unsigned i = 0; i < TOKEN_CHARS; i++) {
        unsigned pair = (unsigned) random[i * 5 / 8] << 8 | random[i * 5 / 8 + 1];
        ret[i] = letters[pair >> (11 - i * 5 % 8) & 31];
    }
    ret[TOKEN_CHARS] = '\0';
    explicit_bzero(random, sizeof(random));
    return 0;
}

/* What somebody else made meanwhile is the token. */
static int read_token(const char *path, char **ret)
{
    char bytes[TOKEN_CHARS + 2] = "";
    int fd CLEANUP(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes) - 1);
    int r = n < 0 ? -errno : 0;
    bytes[strcspn(bytes, "\r\n")] = '\0';
    if (r == 0 && strlen(bytes) != TOKEN_CHARS)
        r = -EEXIST;
    if (r == 0 && !(*ret = strdup(bytes)))
        r = -ENOMEM;
    explicit_bzero(bytes, sizeof(bytes));
    return r;
}

/* Under its name it is whole or not at all, whatever ends us meanwhile: what is left then has another name. */
static int write_token(const char *path, const char *token)
{
    char *other CLEANUP(cleanup_free) = NULL;
    if (asprintf(&other, "%s.XXXXXX", path) < 0) {
        other = NULL;
        return -ENOMEM;
    }
    int fd CLEANUP(cleanup_close) = mkostemp(other, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return -errno;
    errno = EIO;
    bool written = write(fd, token, TOKEN_CHARS) == TOKEN_CHARS && write(fd, "\n", 1) == 1 && fsync(fd) == 0 &&
                   link(other, path) == 0;
    int r = written ? 0 : -errno;
    (void) unlink(other);
    return r;
}

static int make_file(struct admin_tokens *tokens, const char *path, struct err *err)
{
    char token[TOKEN_CHARS + 1];
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    text_add_safe(&shown, path, strlen(path), 200);
    int r = make_token(token);
    if (r >= 0)
        r = write_token(path, token);
    bool made = r >= 0;
    if (made && !(tokens->made = strdup(token)))
        r = -ENOMEM;
    explicit_bzero(token, sizeof(token));
    if (r == -EEXIST)
        r = read_token(path, &tokens->made);
    if (r < 0)
        return err_set(err, r, "admin.token_file: cannot make %s: %s", shown.s, strerror(-r));
    if (made)
        log_line(LOG_NOTICE, LOG_ID_CONFIG, "made a token for the board, in %s; sonoran-pushctl open shows its link",
                 shown.s);
    return 0;
}

static void add(struct admin_tokens *tokens, const char *secret, const char *community, bool data)
{
    struct admin_token *token = &tokens->all[tokens->n];
    if (!secret)
        return;
    *token = (struct admin_token){ .secret = secret, .data = data };
    text_copy(token->community, sizeof(token->community), community);
    tokens->n++;
}

/* The tokens are the config's, but the one that was made. */
int admin_tokens_load(struct admin_tokens *ret, const struct config *config, struct err *err)
{
    struct admin_tokens tokens = { .all = calloc(2 * config->n_communities + 1, sizeof(tokens.all[0])) };
    const char *to_make = config_secret_to_make(config, &config->admin.token);
    tokens.whole = config->admin.token || to_make;
    *ret = (struct admin_tokens){ .whole = tokens.whole };
    if (!tokens.all)
        return err_set(err, -ENOMEM, "no memory");
    int r = to_make ? make_file(&tokens, to_make, err) : 0;
    add(&tokens, config->admin.token ? config->admin.token : tokens.made, "", true);
    for (size_t i = 0; i < config->n_communities; i++) {
        const struct config_community *community = &config->communities[i];
        add(&tokens, community->board_token, community->name, false);
        add(&tokens, community->bot_token, community->name, true);
    }
    *ret = tokens;
    return r;
}

void admin_tokens_done(struct admin_tokens *tokens)
{
    if (tokens->made)
        explicit_bzero(tokens->made, strlen(tokens->made));
    free(tokens->made);
    free(tokens->all);
    *tokens = (struct admin_tokens){ 0 };
}

bool admin_tokens_are_same(const struct admin_tokens *tokens, const struct admin_tokens *others)
{
    bool same = tokens->n == others->n && tokens->whole == others->whole;
    for (size_t i = 0; same && i < tokens->n; i++)
        same = strcmp(tokens->all[i].secret, others->all[i].secret) == 0 &&
               strcmp(tokens->all[i].community, others->all[i].community) == 0 &&
               tokens->all[i].data == others->all[i].data;
    return same;
}

/* All of them are looked at, whichever it is. */
const struct admin_token *admin_tokens_find(const struct admin_tokens *tokens, struct span sent)
{
    const struct admin_token *found = NULL;
    for (size_t i = 0; i < tokens->n; i++)
        if (text_is_secret(sent, tokens->all[i].secret, false))
            found = &tokens->all[i];
    return found;
}
