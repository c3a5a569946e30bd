/* redis_id.c - ids of entries of streams. */
#include <inttypes.h>
#include <stdio.h>

#include <sonoran-pushd/redis.h>

static const char *read_number(const char *p, const char *end, uint64_t *ret)
{
    const char *start = p;
    for (*ret = 0; p < end && *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t) (*p - '0');
        if (*ret > (UINT64_MAX - digit) / 10)
            return NULL;
        *ret = *ret * 10 + digit;
    }
    return p == start ? NULL : p;
}

bool redis_id_read(struct span text, struct redis_id *ret)
{
    const char *end = text.s + text.size;
    const char *p = text.size ? read_number(text.s, end, &ret->ms) : NULL;
    p = p && p < end && *p == '-' ? read_number(p + 1, end, &ret->seq) : NULL;
    if (p && p == end)
        return true;
    *ret = (struct redis_id){ 0 };
    return false;
}

const char *redis_id_write(struct redis_id id, char ret[REDIS_ID_BYTES])
{
    snprintf(ret, REDIS_ID_BYTES, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
    return ret;
}

int redis_id_compare(struct redis_id a, struct redis_id b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}
