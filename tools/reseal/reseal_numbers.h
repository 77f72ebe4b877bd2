/* reseal_numbers.h - the numbers of the keys of a new ring, and which one each of an old ring's
 * becomes.
 *
 * The first numbers are those whose keys are destroyed before anything is sealed: how many is
 * counted first. Behind them, from the first that the ring has left, come those that are there.
 * Whoever has a key of its own in the old ring has one of its own in the new one, so that what
 * records say of each other by the numbers stays true. Eight bytes of memory for each number of
 * the old ring.
 */
#ifndef DBK_TOOLS_RESEAL_NUMBERS_H
#define DBK_TOOLS_RESEAL_NUMBERS_H

#include "store/error.h"

#include <stdbool.h>
#include <stdint.h>

struct reseal_number {
    uint64_t number; /* 0: of no key */
    bool gone;       /* its key is destroyed */
};

struct reseal_numbers {
    uint64_t gone; /* so many are to be destroyed: the numbers from 1 on */
    uint64_t old;  /* the old ring has so many; private, as what follows */
    uint64_t *becomes;
    uint64_t next_gone, highest;
};

/* old: how many numbers the old ring has; 0: there is none. DBK_NO_MEMORY. */
enum dbk_code reseal_numbers_init(struct reseal_numbers *numbers, uint64_t old,
                                  struct dbk_error *err);
void reseal_numbers_finish(struct reseal_numbers *numbers); /* zeroed is fine */

/* Counting: one more is to be destroyed, which the old ring never had; or it is what this one
 * of the old ring becomes, which may be told again. DBK_DAMAGED: that has no such number. */
void reseal_numbers_count(struct reseal_numbers *numbers);
enum dbk_code reseal_numbers_destroy(struct reseal_numbers *numbers, uint64_t old,
                                     struct dbk_error *err);

/* All are counted: the first number that is free, behind those. */
void reseal_numbers_begin(struct reseal_numbers *numbers, uint64_t free);

/* The next one. No more of those gone than were counted. */
struct reseal_number reseal_numbers_take(struct reseal_numbers *numbers, bool gone);

/* What this one of the old ring becomes. DBK_DAMAGED, as above. */
enum dbk_code reseal_numbers_become(struct reseal_numbers *numbers, uint64_t old,
                                    struct reseal_number *out, struct dbk_error *err);

#endif
