#include "random.h"

/* splitmix64. Source: S. Vigna, https://prng.di.unimi.it/splitmix64.c (public domain),
 * after G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number
 * generators", 2014. */
uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15U;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    return random_next(random) % bound; /* a bias of bound / 2^64 harms nobody here */
}

double random_share(struct random *random)
{
    return (double)(random_next(random) >> 11) / 9007199254740992.0; /* 2^53 */
}

static void put_big_endian(uint8_t *at, uint64_t value, int count)
{
    for (int i = 0; i < count; i++)
        at[i] = (uint8_t)(value >> (8 * (count - 1 - i)));
}

static struct dbk_uuid version(struct dbk_uuid id, unsigned number)
{
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0FU) | (number << 4));
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3FU) | 0x80U);
    return id;
}

struct dbk_uuid random_uuid4(struct random *random)
{
    struct dbk_uuid id;

    put_big_endian(id.bytes, random_next(random), 8);
    put_big_endian(id.bytes + 8, random_next(random), 8);
    return version(id, 4);
}

struct dbk_uuid random_uuid7(struct random *random, int64_t ms)
{
    struct dbk_uuid id = random_uuid4(random);

    put_big_endian(id.bytes, (uint64_t)ms, 6);
    return version(id, 7);
}
