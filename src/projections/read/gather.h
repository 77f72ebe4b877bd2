/* gather.h - look-ups of single things by id, asked by many threads, as few statements.
 *
 * Who asks does not wait: the answer is a call, by whichever thread carried the look-up to
 * PostgreSQL. A thread that asks while another statement may be under way carries its own.
 * What is asked meanwhile is carried together: one statement, one wake-up of PostgreSQL,
 * and of nobody else. So a lone caller waits for nobody; and nobody who asks works for
 * others for longer than one statement and its answers, for then threads of the gather's
 * own carry on.
 *
 * More carriers take fewer along each, at more work of PostgreSQL for each; with too few, a
 * processor idles while PostgreSQL works. Two processors answer the most events with two
 * statements under way (43,500 a second; 39,000 with one, 43,000 with three or four).
 */
#ifndef DBK_PROJECTIONS_GATHER_H
#define DBK_PROJECTIONS_GATHER_H

#include "projections/read_model.h"

#include <pthread.h>

#define GATHER_MAX 64 /* look-ups in one statement, at most */

struct gather;

/* A statement that is under way. */
struct carrying {
    struct gather *gather;
    bool passed_on;
};

/* Ask for count of them at once: fill the rows and the code of each. asked[0] is the one
 * that has waited longest. */
typedef void gather_carry(void *context, struct carrying *carrying,
                          struct dbk_look_up *const *asked, size_t count);

/* For the function above, once PostgreSQL has answered, so that it gets the next statement
 * while this answer is looked through. Else it is done for it in the end. */
void gather_pass_on(struct carrying *carrying);

struct gather {
    gather_carry *carry;
    void *context;
    size_t most; /* look-ups in one statement */
    pthread_mutex_t mutex;
    struct dbk_look_up *first, **last; /* those that wait */
    unsigned carriers, carriers_max;
    unsigned parked, called; /* of the threads: those that sleep; those told to wake */
    pthread_cond_t ready;
    pthread_t *threads;
    unsigned thread_count;
    bool stopping;
};

/* most: look-ups in one statement, at most GATHER_MAX. carriers: how many statements may
 * be under way at once. DBK_NO_MEMORY, also where no thread is to be had. */
enum dbk_code gather_init(struct gather *gather, size_t most, unsigned carriers,
                          gather_carry *carry, void *context, struct dbk_error *err);
void gather_finish(struct gather *gather); /* nobody may be asking; zeroed is fine */

/* Ask. look_up->answered may have been called when this returns, or is called by another
 * thread later. Each statement is bounded by the deadline of its first. One that waited
 * may be taken along by one that asked later, at most by its own deadline again: a look-up
 * takes no longer than twice what was given to it. Any thread. */
void gather_ask(struct gather *gather, struct dbk_look_up *look_up);

/* The same, and wait for the answer. Its `answered` is used for that. */
void gather_wait(struct gather *gather, struct dbk_look_up *look_up);

#endif
