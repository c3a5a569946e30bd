/* session_records.c - the CAD's hub protocol, read and written. */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "session_records.h"

#define TYPE_MAX_CHARS 16 /* of a number that may be a type */
#define ID_MAX_BYTES 256  /* of an invocation's id, which is kept until that is answered; theirs have a few digits */

enum { INVOCATION = 1, COMPLETION = 3, CLOSES = 7 };

bool session_records_next(struct span *left, struct span *ret_record)
{
    const char *end = left->size ? memchr(left->s, SESSION_RECORD_END, left->size) : NULL;
    if (!end)
        return false;
    *ret_record = (struct span){ left->s, (size_t) (end - left->s) };
    left->size -= ret_record->size + 1;
    left->s = end + 1;
    return true;
}

/* ---- a record ---- */

static bool is_text(struct span value)
{
    return value.size && value.s[0] == '"';
}

static bool is_empty_text(struct span value)
{
    return value.size == JSON_QUOTES;
}

/* Names are compared as what they stand for, as every parser does. */
static bool is_name(struct span name, const char *word)
{
    size_t size = strlen(word);
    if (name.size == size + JSON_QUOTES && memcmp(name.s + 1, word, size) == 0)
        return true;
    if (name.size <= size + JSON_QUOTES || !memchr(name.s, '\\', name.size))
        return false;
    size_t value_size;
    char *value CLEANUP(cleanup_free) = json_string_value(name, &value_size);
    return value && strcmp(value, word) == 0;
}

/* What stands in a record, whatever its type. */
struct members {
    struct span type, target, arguments, invocation, result, error, allow_reconnect;
};

static void take_member(struct members *members, struct span name, struct span value)
{
    const struct {
        const char *name;
        struct span *value;
    } all[] = {
        { "type", &members->type },
        { "target", &members->target },
        { "arguments", &members->arguments },
        { "invocationId", &members->invocation },
        { "result", &members->result },
        { "error", &members->error },
        { "allowReconnect", &members->allow_reconnect },
    };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (is_name(name, all[i].name))
            *all[i].value = value;
}

static int read_members(struct span record, struct members *ret, struct err *err)
{
    struct json_scan scan = json_scan_of(record);
    struct span name, value;
    *ret = (struct members){ 0 };
    int r = json_scan_object_begin(&scan, err);
    while (r == 1) {
        r = json_scan_member(&scan, &name, &value, err);
        if (r < 0)
            return scan.met.not_taken ? -ENOTSUP : r;
        take_member(ret, name, value);
        r = json_scan_object_next(&scan, err);
    }
    return r;
}

/* -1: it is a number, but none that we know. */
static int type_of(struct span value)
{
    char text[TYPE_MAX_CHARS + 1] = "";
    if (value.size <= TYPE_MAX_CHARS)
        memcpy(text, value.s, value.size);
    double number = strtod(text, NULL);
    return number == INVOCATION || number == COMPLETION || number == CLOSES ? (int) number : -1;
}

static struct span unless_null(struct span value)
{
    static const struct span none;
    return span_is(value, "null") ? none : value;
}

static int read_invocation(const struct members *members, struct session_record *ret, struct err *err)
{
    if (!is_text(members->target) || is_empty_text(members->target))
        return err_set(err, -EINVAL, "an invocation without a target");
    if (!members->arguments.size || members->arguments.s[0] != '[')
        return err_set(err, -EINVAL, "an invocation without arguments");
    ret->kind = SESSION_INVOCATION;
    ret->target = members->target;
    ret->arguments = members->arguments;
    return 0;
}

static int read_completion(const struct members *members, struct session_record *ret, struct err *err)
{
    ret->kind = SESSION_COMPLETION;
    ret->result = members->result;
    ret->error = unless_null(members->error);
    if (!members->invocation.size)
        return err_set(err, -EINVAL, "a completion without an id");
    if (ret->error.size && (!is_text(ret->error) || is_empty_text(ret->error)))
        return err_set(err, -EINVAL, "a completion whose error is no text");
    if (ret->error.size && unless_null(ret->result).size)
        return err_set(err, -EINVAL, "a completion with result and error");
    return 0;
}

static void read_close(const struct members *members, struct session_record *ret)
{
    ret->kind = SESSION_CLOSES;
    ret->error = is_text(members->error) ? members->error : (struct span){ 0 };
    ret->allow_reconnect = span_is(members->allow_reconnect, "true");
}

int session_record_read(struct span record, struct session_record *ret, struct err *err)
{
    struct members members;
    *ret = (struct session_record){ .kind = SESSION_OTHER };
    int r = read_members(record, &members, err);
    if (r < 0)
        return r;
    if (!members.type.size || !(members.type.s[0] == '-' || (members.type.s[0] >= '0' && members.type.s[0] <= '9')))
        return err_set(err, -EINVAL, "a record without a type");
    int type = type_of(members.type);
    bool has_id = members.invocation.size && type > 0 && type != CLOSES;
    if (has_id && (!is_text(members.invocation) || is_empty_text(members.invocation)))
        return err_set(err, -EINVAL, "an id of an invocation that is no text");
    if (has_id && members.invocation.size > ID_MAX_BYTES)
        return err_set(err, -EINVAL, "an id of an invocation that is too long");
    if (has_id)
        ret->invocation = members.invocation;
    if (type == INVOCATION)
        return read_invocation(&members, ret, err);
    if (type == COMPLETION)
        return read_completion(&members, ret, err);
    if (type == CLOSES)
        read_close(&members, ret);
    return 0;
}

int session_record_read_handshake(struct span record, struct span *ret_error, struct err *err)
{
    struct members members;
    *ret_error = (struct span){ 0 };
    int r = read_members(record, &members, err);
    if (r < 0)
        return r;
    if (members.type.size)
        return err_set(err, -EINVAL, "a message before the answer to the handshake");
    *ret_error = is_text(members.error) ? members.error : (struct span){ 0 };
    return unless_null(members.error).size ? err_set(err, -EPROTO, "the handshake was refused") : 0;
}

bool session_record_is(struct span text, const char *word)
{
    size_t size;
    if (is_text(text) && !memchr(text.s, '\\', text.size)) /* without memory, for lack of which no event is strange */
        return text.size == strlen(word) + JSON_QUOTES && strncasecmp(text.s + 1, word, strlen(word)) == 0;
    char *value CLEANUP(cleanup_free) = json_string_value(text, &size);
    return value && strcasecmp(value, word) == 0;
}

struct span session_record_argument(const struct session_record *record)
{
    return json_child(record->arguments, 0);
}

char *session_record_body(struct span argument, size_t *ret_size)
{
    if (is_text(argument))
        return json_string_value(argument, ret_size);
    char *body = malloc(argument.size + 1);
    if (!body)
        return NULL;
    if (argument.size)
        memcpy(body, argument.s, argument.size);
    body[argument.size] = '\0';
    *ret_size = argument.size;
    return body;
}

bool session_record_logged_in(struct span result, struct span *ret_error)
{
    struct span name, value, success = { 0 };
    *ret_error = (struct span){ 0 };
    if (!result.size || result.s[0] != '{')
        return false;
    struct json_scan members = json_children_of(result);
    while (json_next_child(&members, &name, &value)) {
        if (is_name(name, "success"))
            success = value;
        else if (is_name(name, "error") && is_text(value))
            *ret_error = value;
    }
    return span_is(success, "true");
}

/* ---- ours ---- */

void session_record_write_login(struct text *out, const char *community, const char *key, uint64_t server)
{
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    json_add_int(&json, "type", INVOCATION);
    json_add_text(&json, "invocationId", SESSION_LOGIN_ID);
    json_add_text(&json, "target", "authenticatev2");
    json_begin_array(&json, "arguments");
    json_add_text(&json, NULL, community);
    json_add_text(&json, NULL, key);
    if (server)
        json_add_int(&json, NULL, (int64_t) server);
    else
        json_add_null(&json, NULL); /* how many there are has to be right */
    json_end(&json);
    json_end(&json);
    text_add_bytes(out, "\x1e", 1);
}

void session_record_write_answer(struct text *out, struct span invocation, const char *error)
{
    struct json_writer json = json_writer(out);
    json_begin_object(&json, NULL);
    json_add_int(&json, "type", COMPLETION);
    json_add_raw(&json, "invocationId", invocation);
    if (error)
        json_add_text(&json, "error", error);
    else
        json_add_null(&json, "result");
    json_end(&json);
    text_add_bytes(out, "\x1e", 1);
}
