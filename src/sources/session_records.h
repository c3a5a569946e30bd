/* session_records.h - the CAD's hub protocol, SignalR's in JSON: records read, and those that we send written.
 *
 * Shape:   pure. A record is a JSON object and the byte RECORD_END; what came is split into records first.
 *          Members may stand in any order; those that are not known are passed.
 * Owner:   spans borrow the text that was read.
 * Threads: any.
 * Errors:  -EINVAL and a sentence: what is no record of the protocol. It shows nothing of the text. -ENOTSUP: a record
 *          that may be sound, but has JSON that is not taken (json.h).
 * Source:  dotnet/aspnetcore, src/SignalR/docs/specs/HubProtocol.md; which of the odd cases are taken is what
 *          Microsoft's JsonHubProtocol takes, but for an invocation without arguments, which .NET refuses as well, and
 *          an id of more than 256 bytes.
 */
#pragma once

#include <sonoran-pushd/json.h>

#define SESSION_RECORD_END '\x1e'
#define SESSION_HANDSHAKE "{\"protocol\":\"json\",\"version\":1}\x1e"
#define SESSION_PING "{\"type\":6}\x1e"
#define SESSION_CLOSE "{\"type\":7}\x1e"
#define SESSION_LOGIN_ID "1"

enum session_record_kind {
    SESSION_INVOCATION,
    SESSION_COMPLETION,
    SESSION_CLOSES,
    SESSION_OTHER, /* a ping, and what is of no interest */
};

/* Spans are JSON as it stands there; a text has its quotes, and size 0 is a member that is not there, or null. */
struct session_record {
    enum session_record_kind kind;
    struct span target, arguments; /* of an invocation; the arguments are an array */
    struct span invocation;        /* whom the answer is for */
    struct span result;            /* of a completion; null too */
    struct span error;             /* of a completion, or why it closes */
    bool allow_reconnect;          /* it closes, and would have us back */
};

/* The next record in what is left of a text, without its end, which then is passed. False: no whole one is left. */
bool session_records_next(struct span *left, struct span *ret_record);

int session_record_read(struct span record, struct session_record *ret, struct err *err) MUST_CHECK;

/* The first record that the hub sends. 0: it takes ours. -EPROTO: it does not, and its words in ret_error. */
int session_record_read_handshake(struct span record, struct span *ret_error, struct err *err) MUST_CHECK;

/* Whether a text of JSON says the word, ignoring ASCII case. */
bool session_record_is(struct span text, const char *word);

/* The first argument; size 0: there is none. */
struct span session_record_argument(const struct session_record *record);

/* The bytes that an argument is: what a text stands for, anything else as it is. From malloc, with a NUL behind them;
 * NULL: no memory. */
char *session_record_body(struct span argument, size_t *ret_size);

/* Whether the login was taken: a completion's result; else its error, with its quotes, or size 0. */
bool session_record_logged_in(struct span result, struct span *ret_error);

/* server: 0 is none. The key stands in it: text_wipe. */
void session_record_write_login(struct text *out, const char *community, const char *key, uint64_t server);

/* The answer to an invocation, whose id is a text of JSON. error: a word of ours; NULL: it is done. */
void session_record_write_answer(struct text *out, struct span invocation, const char *error);
