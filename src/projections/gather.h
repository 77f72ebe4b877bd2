/* gather.h - look-ups of single things by id, asked by many threads, as few statements.
 *
 * A thread that asks while a carrier is free carries its own look-up to PostgreSQL.
 * Whoever asks meanwhile waits, and the next carrier takes all of them along: one
 * statement, one wake-up of PostgreSQL. A carrier carries once, and passes on to the one
 * that has waited longest. So a lone caller waits for nobody, no thread works for others
 * without end, and there is no thread of its own.
 *
 * More carriers take fewer along each. On two processors one carrier of events took 13 at
 * a time, at 7 us of PostgreSQL each; two took 5, at 11 us. But where a look-up is much
 * work for PostgreSQL, one carrier leaves a processor idle.
 */
#ifndef DBK_PROJECTIONS_GATHER_H
#define DBK_PROJECTIONS_GATHER_H

#include "deadline.h"
#include "projections/read_model.h"

#include <pthread.h>
#include <semaphore.h>

#define GATHER_MAX 64 /* look-ups in one statement, at most */

/* One thing wanted, on the stack of the thread that wants it. */
struct look_up {
    struct dbk_uuid id;
    unsigned limit; /* what the statement makes of it */
    dbk_deadline
        deadline; /* of the statement, where this one is carried by its thread */
    struct dbk_rows *rows; /* receives the row, or stays empty; cleared by the caller */

    enum dbk_code code; /* how it ended */
    struct dbk_error error;

    struct look_up *next; /* private from here on */
    sem_t woken;
    bool carries;
};

/* Ask for count of them at once: fill the rows and the code of each. Runs on the thread
 * of asked[0], which is the one that has waited longest. */
typedef void gather_carry(void *context, struct look_up *const *asked, size_t count);

struct gather;

/* For the function above, once PostgreSQL has answered, so that it gets the next statement
 * while this answer is looked through. Else it is done for it in the end. */
void gather_pass_on(struct gather *gather, struct look_up *carrier);

struct gather {
    gather_carry *carry;
    void *context;
    size_t most; /* look-ups in one statement */
    pthread_mutex_t mutex;
    struct look_up *first, **last; /* those that wait; none while a carrier is free */
    unsigned carriers, carriers_max;
};

/* most: look-ups in one statement, at most GATHER_MAX. carriers: how many may be under way
 * at once. */
void gather_init(struct gather *gather, size_t most, unsigned carriers,
                 gather_carry *carry, void *context);
void gather_finish(struct gather *gather); /* nobody may be asking */

/* Ask, and wait. Each carrier is bounded by its own deadline, which is earlier than that
 * of those it takes along, so this is too. Any thread. */
void gather_ask(struct gather *gather, struct look_up *look_up);

#endif
