/* wake.h - waking all who sleep on one word, with one system call (Linux's futex).
 *
 * A sleeper reads the word (wake_look), then looks whether what it waits for is there,
 * and only then sleeps on what it read. Whoever wakes first makes the thing be there, then
 * calls wake_all: it changes the word, so a sleeper that comes too late does not sleep
 * at all. Sleeping may end for no reason: look again.
 *
 * Private to the store.
 */
#ifndef DBK_STORE_WAKE_H
#define DBK_STORE_WAKE_H

#include <stdatomic.h>
#include <stdint.h>

struct wake {
    _Atomic uint32_t word; /* zeroed is fine */
};

static inline uint32_t wake_look(struct wake *wake)
{
    return atomic_load(&wake->word);
}

void wake_sleep(struct wake *wake, uint32_t seen);
void wake_all(struct wake *wake);

#endif
