/* random.h - numbers that look random and are the same for the same seed. */
#ifndef GENERATE_RANDOM_H
#define GENERATE_RANDOM_H

#include "store/uuid.h"

#include <stdint.h>

struct random {
    uint64_t state; /* any value is a seed */
};

uint64_t random_next(struct random *random);

/* 0 to bound - 1; bound is not 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* 0 up to, and without, 1. */
double random_share(struct random *random);

/* An id of version 7 for a millisecond, or of version 4. */
struct dbk_uuid random_uuid7(struct random *random, int64_t ms);
struct dbk_uuid random_uuid4(struct random *random);

#endif
