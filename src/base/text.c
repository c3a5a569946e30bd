/* text.c - a growing text, and text from outside made safe. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <sonoran-pushd/text.h>

char text_nothing[1] = "";

void text_free(struct text *text)
{
    if (text->room)
        free(text->s);
    *text = (struct text) TEXT_INIT;
}

void text_wipe(struct text *text)
{
    if (text->room)
        explicit_bzero(text->s, text->room); /* it may have been longer */
    text_free(text);
}

void text_reset(struct text *text)
{
    text->size = 0;
    text->failed = false;
    if (text->room)
        text->s[0] = '\0';
}

static bool grow(struct text *text, size_t more_bytes)
{
    if (more_bytes > TEXT_MAX_BYTES || text->size + more_bytes > TEXT_MAX_BYTES) {
        text->failed = true;
        return false;
    }

    size_t room = text->room ? text->room : 128;
    while (room <= text->size + more_bytes)
        room *= 2;
    char *s = realloc(text->room ? text->s : NULL, room);
    if (!s) {
        text->failed = true;
        return false;
    }

    s[text->size] = '\0';
    text->s = s;
    text->room = room;
    return true;
}

bool text_reserve(struct text *text, size_t more_bytes)
{
    return text->room - text->size > more_bytes || grow(text, more_bytes);
}

void text_add_bytes(struct text *text, const char *s, size_t size)
{
    if (!text_reserve(text, size))
        return;
    if (size)
        memcpy(text->s + text->size, s, size);
    text->size += size;
    text->s[text->size] = '\0';
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n >= 0 && text_reserve(text, (size_t) n)) {
        vsnprintf(text->s + text->size, (size_t) n + 1, format, again);
        text->size += (size_t) n;
    }
    va_end(again);
    va_end(args);
}

void text_add_int(struct text *text, int64_t number)
{
    char digits[24], *p = digits + sizeof(digits);
    uint64_t rest = number < 0 ? 0 - (uint64_t) number : (uint64_t) number;
    do
        *--p = (char) ('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--p = '-';
    text_add_bytes(text, p, (size_t) (digits + sizeof(digits) - p));
}

size_t utf8_read(const char *text, size_t size, uint32_t *ret_code)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *s = (const unsigned char *) text;

    if (s[0] < 0x80) {
        *ret_code = s[0];
        return 1;
    }
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || length > size)
        return 0;

    uint32_t code = s[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;

    *ret_code = code;
    return length;
}

/* UNSAFE: what a terminal would obey rather than show: C0, DEL, C1, line and paragraph separators, marks that turn the
 * direction of writing or are invisible (bidi controls, zero width space, byte order mark, tags). The joiners U+200C
 * and U+200D are left alone: scripts and emoji need them. UNSEEN: no terminal obeys them, and nobody sees them. EMPTY:
 * white space of any script, and letters that are empty. */
enum { UNSAFE, UNSEEN, EMPTY };

static const struct {
    uint32_t first, last;
    int what;
} marks[] = {
    { 0x00, 0x1f, UNSAFE },     { ' ', ' ', EMPTY },        { 0x7f, 0x9f, UNSAFE },       { 0xa0, 0xa0, EMPTY },
    { 0xad, 0xad, UNSEEN },     { 0x34f, 0x34f, EMPTY },    { 0x61c, 0x61c, UNSAFE },     { 0x115f, 0x1160, EMPTY },
    { 0x1680, 0x1680, EMPTY },  { 0x17b4, 0x17b5, EMPTY },  { 0x180e, 0x180e, UNSEEN },   { 0x2000, 0x200a, EMPTY },
    { 0x200b, 0x200b, UNSAFE }, { 0x200c, 0x200d, EMPTY },  { 0x200e, 0x200f, UNSAFE },   { 0x2028, 0x202e, UNSAFE },
    { 0x202f, 0x202f, EMPTY },  { 0x205f, 0x205f, EMPTY },  { 0x2060, 0x206f, UNSAFE },   { 0x2800, 0x2800, EMPTY },
    { 0x3000, 0x3000, EMPTY },  { 0x3164, 0x3164, EMPTY },  { 0xfe00, 0xfe0f, EMPTY },    { 0xfeff, 0xfeff, UNSAFE },
    { 0xffa0, 0xffa0, EMPTY },  { 0xfff9, 0xfffb, UNSEEN }, { 0xe0000, 0xe007f, UNSAFE },
};

/* Whether it is one of these, or of what comes before it in the list of what they are. */
static bool is_mark(uint32_t code, int what)
{
    if (code > ' ' && code < 0x7f)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(marks) && code >= marks[i].first; i++)
        if (code <= marks[i].last)
            return marks[i].what <= what;
    return false;
}

bool text_is_unsafe(uint32_t code)
{
    return is_mark(code, UNSAFE);
}

bool text_is_unseen(uint32_t code)
{
    return is_mark(code, UNSEEN);
}

static bool is_blank(uint32_t code)
{
    return is_mark(code, EMPTY);
}

size_t utf8_cut(const char *s, size_t size, size_t max_bytes)
{
    if (size <= max_bytes)
        return size;

    for (size_t back = 0; back <= 3 && back <= max_bytes; back++)
        if ((s[max_bytes - back] & 0xc0) != 0x80)
            return max_bytes - back;
    return max_bytes;
}

bool text_is_blank(const char *s, size_t size)
{
    for (size_t i = 0, length; i < size; i += length) {
        uint32_t code;
        length = utf8_read(s + i, size - i, &code);
        if (length == 0 || !is_blank(code))
            return false;
    }
    return true;
}

static void add_shown(struct text *text, uint32_t code)
{
    switch (code) {
    case '\n':
        text_add(text, "\\n");
        break;
    case '\r':
        text_add(text, "\\r");
        break;
    case '\t':
        text_add(text, "\\t");
        break;
    default:
        text_addf(text, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
    }
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r' || c == '\t';
}

/* Line breaks, tabs and what blanks are around them: one blank, and none at either end. */
static const char *pass_breaks(struct text *text, size_t start, const char *p, const char *end)
{
    while (p < end && (is_break(*p) || *p == ' '))
        p++;
    if (p < end && text->size > start && text->s[text->size - 1] != ' ')
        text_add(text, " ");
    return p;
}

/* One character that is not plain ASCII; behind it. */
static const char *add_strange(struct text *text, const char *p, const char *end)
{
    uint32_t code;
    size_t length = utf8_read(p, (size_t) (end - p), &code);
    if (!length) {
        text_addf(text, "\\x%02x", (unsigned char) *p);
        return p + 1;
    }
    if (text_is_unsafe(code))
        add_shown(text, code);
    else
        text_add_bytes(text, p, length);
    return p + length;
}

/* Not in the middle of a word where a blank is near. */
static void add_cut(struct text *text, size_t start, size_t max_chars, bool in_word)
{
    size_t near = max_chars / 4, blank = text->size;
    while (in_word && blank > start && text->size - blank <= near && text->s[blank - 1] != ' ')
        blank--;
    if (near && blank > start && text->s[blank - 1] == ' ')
        text->s[text->size = blank - 1] = '\0';
    text_add(text, "…");
}

static void add_safe(struct text *text, const char *s, size_t size, size_t max_chars, bool prose)
{
    const char *p = s, *end = s + size;
    const size_t start = text->size;

    for (size_t n = 0; p < end; n++) {
        if (prose && is_break(*p)) {
            p = pass_breaks(text, start, p, end);
            continue;
        }
        if (max_chars && n >= max_chars) {
            add_cut(text, start, prose ? max_chars : 0, *p != ' ');
            return;
        }
        size_t plain = 0, most = max_chars ? max_chars - n : size;
        while (plain < most && p + plain < end && p[plain] >= 0x20 && p[plain] < 0x7f)
            plain++;
        if (plain) {
            text_add_bytes(text, p, plain);
            p += plain;
            n += plain - 1;
        } else {
            p = add_strange(text, p, end);
        }
    }
}

void text_add_safe(struct text *text, const char *s, size_t size, size_t max_chars)
{
    add_safe(text, s, size, max_chars, false);
}

void text_add_prose(struct text *text, const char *s, size_t size, size_t max_chars)
{
    add_safe(text, s, size, max_chars, true);
}

/* The bytes of an escape of add_shown at p, 0: there is none. */
static size_t escape_size(const char *p, const char *end)
{
    static const struct {
        const char *start;
        size_t digits;
    } forms[] = { { "\\ue00", 5 }, { "\\u", 4 }, { "\\x", 2 } };
    char digits[8] = "";
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        size_t size = 2 + forms[i].digits;
        if ((size_t) (end - p) < size || strncmp(p, forms[i].start, strlen(forms[i].start)) != 0)
            continue;
        memcpy(digits, p + 2, forms[i].digits);
        bool shown = text_is_unsafe((uint32_t) strtoul(digits, NULL, 16));
        return strspn(digits, "0123456789abcdef") == forms[i].digits && shown ? size : 0;
    }
    return 0;
}

void text_add_unescaped(struct text *text, const char *s, size_t size)
{
    for (const char *p = s, *end = s + size; p < end;) {
        size_t escape = escape_size(p, end), plain = escape ? 0 : 1;
        while (p + plain < end && plain && p[plain] != '\\')
            plain++;
        text_add_bytes(text, p, plain);
        p += escape + plain;
    }
}

void text_add_plain(struct text *text, const char *s, size_t size)
{
    for (size_t i = 0, length; i < size; i += length ? length : 1) {
        uint32_t code;
        length = utf8_read(s + i, size - i, &code);
        if (is_break(s[i]))
            text_add(text, " ");
        else if (length && !text_is_unsafe(code))
            text_add_bytes(text, s + i, length);
    }
}

void text_add_time_utc(struct text *text, usec_t time_us)
{
    static _Thread_local time_t last = -1;
    static _Thread_local char date[80]; /* 2026-11-23T16:00:00. */

    time_t seconds = (time_t) (time_us / USEC_PER_SEC);
    if (seconds != last) {
        struct tm tm;
        gmtime_r(&seconds, &tm);
        snprintf(date, sizeof(date), "%04d-%02d-%02dT%02d:%02d:%02d.", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                 tm.tm_hour, tm.tm_min, tm.tm_sec);
        last = seconds;
    }
    char fraction[8];
    unsigned rest = (unsigned) (time_us % USEC_PER_SEC);
    for (int i = 5; i >= 0; i--, rest /= 10)
        fraction[i] = (char) ('0' + rest % 10);
    fraction[6] = 'Z';
    text_add(text, date);
    text_add_bytes(text, fraction, 7);
}

static unsigned char as_compared(char letter, bool any_case)
{
    return (unsigned char) (any_case && letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
}

bool text_is_secret(struct span sent, const char *secret, bool any_case)
{
    size_t size = strlen(secret), at = 0; /* again from its start where it is the shorter one */
    unsigned difference = sent.size != size;
    for (size_t i = 0; i < sent.size; i++) {
        difference |= (unsigned) as_compared(sent.s[i], any_case) ^ as_compared(secret[at], any_case);
        at = at + 1 < size ? at + 1 : 0;
    }
    return difference == 0;
}

void text_add_size(struct text *text, uint64_t bytes)
{
    static const char letters[] = "KMG";
    int letter = -1;
    while (letter < 2 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        letter++;
    }
    text_addf(text, "%llu%.*s", (unsigned long long) bytes, letter >= 0, letter >= 0 ? &letters[letter] : "");
}
