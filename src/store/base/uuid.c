#include "store/uuid.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Random bytes are fetched for several ids at once: a system call an id was a tenth of what
 * a write costs its thread. Each thread has its own, so no two get the same. */
static _Thread_local struct {
    uint8_t bytes[256]; /* so many are given whole or not at all (getrandom(2)) */
    size_t left;
} pool;

/* In the child of a fork, which has only the thread that forked: else parent and child
 * would make their next ids of the same bytes. */
static void forget_pool(void)
{
    pool.left = 0;
}

static void watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, forget_pool) != 0)
        abort();
}

static void take_random(uint8_t out[8])
{
    static pthread_once_t watching = PTHREAD_ONCE_INIT;

    if (pool.left == 0) {
        pthread_once(&watching, watch_forks);
        if (getrandom(pool.bytes, sizeof pool.bytes, 0) != sizeof pool.bytes)
            abort();
        pool.left = sizeof pool.bytes;
    }
    pool.left -= 8;
    memcpy(out, pool.bytes + pool.left, 8);
}

struct dbk_uuid dbk_uuid_new(void)
{
    struct dbk_uuid id;
    struct timespec now;
    uint64_t ms;
    unsigned fraction;

    clock_gettime(CLOCK_REALTIME, &now);
    ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    fraction = (unsigned)((uint64_t)(now.tv_nsec % 1000000) * 4096 / 1000000);

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t)(0x70 | fraction >> 8);
    id.bytes[7] = (uint8_t)fraction;
    take_random(id.bytes + 8);
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

/* Where the two digits of each byte stand in the text. */
static const unsigned char place[] = {0,  2,  4,  6,  9,  11, 14, 16,
                                      19, 21, 24, 26, 28, 30, 32, 34};

/* What a character is worth as a digit, with a bit that tells it from what is none. */
#define DIGIT 0x10
static const uint8_t digits[256] = {
    ['0'] = DIGIT | 0,  ['1'] = DIGIT | 1,  ['2'] = DIGIT | 2,  ['3'] = DIGIT | 3,
    ['4'] = DIGIT | 4,  ['5'] = DIGIT | 5,  ['6'] = DIGIT | 6,  ['7'] = DIGIT | 7,
    ['8'] = DIGIT | 8,  ['9'] = DIGIT | 9,  ['a'] = DIGIT | 10, ['b'] = DIGIT | 11,
    ['c'] = DIGIT | 12, ['d'] = DIGIT | 13, ['e'] = DIGIT | 14, ['f'] = DIGIT | 15,
    ['A'] = DIGIT | 10, ['B'] = DIGIT | 11, ['C'] = DIGIT | 12, ['D'] = DIGIT | 13,
    ['E'] = DIGIT | 14, ['F'] = DIGIT | 15,
};

bool dbk_uuid_parse(const char *text, size_t length, struct dbk_uuid *out)
{
    uint8_t all = DIGIT; /* so far, all are digits */
    struct dbk_uuid id;

    if (length != DBK_UUID_TEXT || text[8] != '-' || text[13] != '-' ||
        text[18] != '-' || text[23] != '-')
        return false;
    for (size_t i = 0; i < sizeof id.bytes; i++) {
        uint8_t high = digits[(unsigned char)text[place[i]]];
        uint8_t low = digits[(unsigned char)text[place[i] + 1]];

        all &= high & low;
        id.bytes[i] = (uint8_t)(high << 4 | (low & 0x0f));
    }
    if (!all)
        return false;
    *out = id;
    return true;
}

void dbk_uuid_format(const struct dbk_uuid *id, char out[DBK_UUID_TEXT + 1])
{
    static const char hex[] = "0123456789abcdef";

    out[8] = out[13] = out[18] = out[23] = '-';
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        out[place[i]] = hex[id->bytes[i] >> 4];
        out[place[i] + 1] = hex[id->bytes[i] & 0x0f];
    }
    out[DBK_UUID_TEXT] = '\0';
}

bool dbk_uuid_equal(const struct dbk_uuid *a, const struct dbk_uuid *b)
{
    return !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool dbk_uuid_is_nil(const struct dbk_uuid *id)
{
    static const struct dbk_uuid nil;

    return dbk_uuid_equal(id, &nil);
}
