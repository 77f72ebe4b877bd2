/* budget.h - one bound for the memory of all request bodies under way, and of what is made
 * of them.
 *
 * Little ones are not counted: there are at most as many as threads, so that an event
 * comes through whatever batches others send. Of what is counted, the last eighth is kept
 * from large ones. Whoever is alone is let in, however large. Safe to share between
 * threads.
 */
#ifndef DBK_HTTP_BUDGET_H
#define DBK_HTTP_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    size_t max;
    atomic_size_t used, released; /* the second: since memory was given back last */
};

/* Also tells the C library to give large blocks back as soon as they are freed. */
void budget_init(struct budget *budget, size_t max);

/* Hold `wanted` bytes in place of *held, or more where that is more. False: there is no
 * room now, and *held is as before. */
bool budget_hold(struct budget *budget, size_t *held, size_t wanted);

/* Hold nothing any more. What it was held for must have been freed: now and then the
 * system gets back what the C library would keep of it. */
void budget_release(struct budget *budget, size_t *held);

#endif
