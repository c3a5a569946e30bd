/* redis_judge.c - what an error reply comes to, and what people can do about it. Its first word is a code; where that
 * is only ERR, its words tell it apart. Source: redis.io, "ERR" replies in server.c and script.c of Redis 5 to 7.2. */
#include <string.h>

#include <sonoran-pushd/redis.h>
#include <sonoran-pushd/text.h>

#define WORDS_MAX_CHARS 160
#define WORDS_MAX_BYTES 300 /* characters that nobody should obey take several */

struct row {
    const char *code; /* the first word; of "ERR": words that stand in it */
    enum redis_verdict verdict;
    const char *sentence; /* NULL: its own words */
};

#define CLUSTER "it is a node of a Redis Cluster, which is not spoken here: name a server without one"
#define ACCOUNT "username and password_file, or the url, have to name an account of the server, with its password"
#define SCRIPT_ACL "its account may not do all that a script of ours does: it has too few commands or keys (ACL)"
#define LOGIN "it lets nobody in like that: " ACCOUNT

static const struct row codes[] = {
    { "OOM", REDIS_LATER, "its memory is full: it needs a higher maxmemory, or the action a lower max_len" },
    { "MISCONF", REDIS_LATER, "it cannot save to its own disk and takes nothing meanwhile: see its log" },
    { "BUSY", REDIS_LATER, "it is busy with a script of somebody else" },
    { "NOREPLICAS", REDIS_LATER,
      "it has fewer replicas than min-replicas-to-write wants, and takes nothing meanwhile" },
    { "READONLY", REDIS_ELSEWHERE, "it is a replica, which takes nothing: the address has to be that of the master" },
    { "LOADING", REDIS_ELSEWHERE, "it has been started and still reads what it had saved" },
    { "MASTERDOWN", REDIS_ELSEWHERE, "it is a replica that has lost its master" },
    { "NOSCRIPT", REDIS_NO_SCRIPT, "it has forgotten the script" },
    { "MOVED", REDIS_NEVER, CLUSTER },
    { "ASK", REDIS_NEVER, CLUSTER },
    { "CROSSSLOT", REDIS_NEVER, CLUSTER },
    { "CLUSTERDOWN", REDIS_NEVER, CLUSTER },
    { "TRYAGAIN", REDIS_NEVER, CLUSTER },
    { "NOAUTH", REDIS_NEVER, "it wants a login: " ACCOUNT },
    { "WRONGPASS", REDIS_NEVER, LOGIN },
    { "NOPERM", REDIS_NEVER, NULL },
    { "DENIED", REDIS_NEVER,
      "it is in protected mode and takes nobody from other machines: it needs a password, and bind" },
    { "WRONGTYPE", REDIS_NOT_THIS_KEY,
      "the key is there already, and is no stream: delete it, or choose another name" },
    { NULL, REDIS_LATER, NULL },
};

/* NOPERM is said of a command, or of "one of the keys", "a key". */
static const struct row not_this_key = { "NOPERM", REDIS_NOT_THIS_KEY, NULL };

/* Of ERR. */
static const struct row errors[] = {
    { "max number of clients", REDIS_LATER, "it has as many clients as it takes (maxclients)" },
    { "invalid password", REDIS_NEVER, LOGIN },
    { "without any password configured", REDIS_NEVER, "it has no password, but the action sends one" },
    { "no password is set", REDIS_NEVER, "it has no password, but the action sends one" },
    { "wrong number of arguments for 'auth'", REDIS_NEVER, "it is older than Redis 6 and knows no username" },
    { "DB index is out of range", REDIS_NEVER, "it does not have a database of that number" },
    { "invalid DB index", REDIS_NEVER, "it does not have a database of that number" },
    { "SELECT is not allowed in cluster mode", REDIS_NEVER, CLUSTER },
    { "unknown command", REDIS_NEVER, NULL },
    { "Unknown Redis command called from", REDIS_NEVER, NULL },
    { "user executing the script can't", REDIS_NEVER, SCRIPT_ACL },
    { "ACL failure in script", REDIS_NEVER, SCRIPT_ACL },
    { "no permission", REDIS_NEVER, NULL },
    { "invalid bulk length", REDIS_TOO_LARGE, "it takes nothing as large as that (proto-max-bulk-len)" },
    { "exceeds maximum allowed size", REDIS_TOO_LARGE, "it takes nothing as large as that (proto-max-bulk-len)" },
    { NULL, REDIS_LATER, NULL },
};

static const struct row *find_code(struct span words)
{
    size_t size = 0;
    while (size < words.size && words.s[size] != ' ')
        size++;
    const struct row *row = codes;
    while (row->code && !span_is((struct span){ words.s, size }, row->code))
        row++;
    return row;
}

static const struct row *find_words(const char *words)
{
    const struct row *row = errors;
    while (row->code && !strcasestr(words, row->code))
        row++;
    return row;
}

/* Of a script that has called a command, servers before 7 put it behind the place in the script, once or twice:
 * "ERR Error running script (call to f_…): @user_script:12: @user_script: 12: -READONLY You can't …". NULL: none is. */
static const struct row *find_inside(struct span words)
{
    static const char place[] = "@user_script";
    const char *code = NULL, *end = words.s + words.size;
    for (const char *at = words.s; (at = strstr(at, place)); at = code) {
        code = at + strlen(place);
        code += strspn(code, ": 0123456789");
    }
    if (!code)
        return NULL;
    code += *code == '-';
    return find_code((struct span){ code, (size_t) (end - code) });
}

static const struct row *find(struct span words)
{
    const struct row *row = find_code(words);
    if (!row->code)
        row = find_inside(words);
    if (!row || !row->code)
        return find_words(words.s);
    bool is_of_a_key = strcmp(row->code, not_this_key.code) == 0 && strcasestr(words.s, "key");
    return is_of_a_key ? &not_this_key : row;
}

enum redis_verdict redis_judge(const struct redis_reply *reply, struct err *err)
{
    struct text shown CLEANUP(text_free) = TEXT_INIT;
    if (reply->type != REDIS_FAULT)
        return REDIS_DONE;
    const struct row *row = find(reply->text);
    text_add_safe(&shown, reply->text.s, reply->text.size, WORDS_MAX_CHARS);
    if (row->sentence && strchr(row->code, ' ')) /* it has no code of its own */
        err_set(err, 0, "%s", row->sentence);
    else if (row->sentence)
        err_set(err, 0, "%s (%s)", row->sentence, row->code);
    else
        err_set(err, 0, "it answers \"%.*s\"", (int) utf8_cut(shown.s, shown.size, WORDS_MAX_BYTES), shown.s);
    return row->verdict;
}

const struct redis_reply *redis_member(const struct redis_reply *list, const char *name)
{
    for (size_t i = 0; list->type == REDIS_LIST && i + 1 < list->n_elements; i += 2)
        if (list->elements[i].type == REDIS_TEXT && span_is(list->elements[i].text, name))
            return &list->elements[i + 1];
    return NULL;
}
