#include "limiter.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

void limiter_init(struct limiter *limiter)
{
    pthread_mutex_init(&limiter->mutex, NULL);
}

void limiter_finish(struct limiter *limiter)
{
    pthread_mutex_destroy(&limiter->mutex);
}

static bool is_older(const struct limited *one, const struct limited *other)
{
    if (one->failures == 0 || other->failures == 0)
        return one->failures == 0 && other->failures > 0;
    return one->since < other->since;
}

/* The place of this address, or the one that is given to it. */
static struct limited *find_place(struct limiter *limiter, uint32_t address)
{
    struct limited *oldest = &limiter->list[0];

    for (size_t i = 0; i < LIMITER_ADDRESSES; i++) {
        struct limited *one = &limiter->list[i];
        if (one->failures > 0 && one->address == address)
            return one;
        if (is_older(one, oldest))
            oldest = one;
    }
    *oldest = (struct limited){.address = address};
    return oldest;
}

unsigned limiter_fail(struct limiter *limiter, uint32_t address, int64_t now_ms)
{
    struct limited *place;
    unsigned wait = 0;

    pthread_mutex_lock(&limiter->mutex);
    place = find_place(limiter, address);
    if (place->failures == 0 || now_ms - place->since >= LIMITER_WINDOW_MS) {
        place->failures = 0;
        place->since = now_ms;
    }
    if (place->failures < LIMITER_FAILURES)
        place->failures++;
    else
        wait = (unsigned)((place->since + LIMITER_WINDOW_MS - now_ms + 999) / 1000);
    assert(place->failures > 0 && place->failures <= LIMITER_FAILURES);
    pthread_mutex_unlock(&limiter->mutex);
    return wait;
}
