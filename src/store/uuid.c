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

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_hyphen_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool dbk_uuid_parse(const char *text, size_t length, struct dbk_uuid *out)
{
    struct dbk_uuid id;
    size_t digits = 0;

    if (length != DBK_UUID_TEXT)
        return false;
    for (size_t i = 0; i < length; i++) {
        int value = hex_value(text[i]);

        if (is_hyphen_place(i)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        if (value < 0)
            return false;
        if (digits % 2 == 0)
            id.bytes[digits / 2] = (uint8_t)(value << 4);
        else
            id.bytes[digits / 2] = (uint8_t)(id.bytes[digits / 2] | value);
        digits++;
    }
    *out = id;
    return true;
}

void dbk_uuid_format(const struct dbk_uuid *id, char out[DBK_UUID_TEXT + 1])
{
    static const unsigned char place[] = {0,  2,  4,  6,  9,  11, 14, 16,
                                          19, 21, 24, 26, 28, 30, 32, 34};
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
