/* limiter.h - how many wrong tokens an address may bring: 10 a minute.
 *
 * Secrets of 256 bits cannot be guessed; this keeps a client that tries from filling the
 * log and the processors. So it only tells what to answer to a failure: who brings a
 * right token never meets it, also from behind a proxy that others share. */
#ifndef DBK_HTTP_LIMITER_H
#define DBK_HTTP_LIMITER_H

#include <pthread.h>
#include <stdint.h>

#define LIMITER_ADDRESSES 1024 /* known at once; the oldest makes room */
#define LIMITER_FAILURES 10
#define LIMITER_WINDOW_MS 60000

struct limiter {
    pthread_mutex_t mutex;
    struct limited {
        uint32_t address;
        unsigned failures; /* since then; 0: the place is free */
        int64_t since;
    } list[LIMITER_ADDRESSES];
};

void limiter_init(struct limiter *limiter); /* of zeroed memory */
void limiter_finish(struct limiter *limiter);

/* Count a failure of this address. Returns 0, or in how many seconds its next one will
 * be answered like the first again. */
unsigned limiter_fail(struct limiter *limiter, uint32_t address, int64_t now_ms);

#endif
