/* gather.h - look-ups of single things by id, asked by many threads, as few statements.
 *
 * Who asks while fewer statements are under way than may be carries its own look-up to
 * PostgreSQL, and with it those that wait. Else it waits, until it was carried along, or
 * until a statement ends: then the one that has waited longest carries the next. So a lone
 * caller waits for nobody, nobody works for others for longer than one statement, and
 * nobody is woken but for its answer or its turn.
 *
 * More carriers take fewer along each, at more work of PostgreSQL for each; with too few, a
 * processor idles while PostgreSQL works.
 */
#ifndef DBK_PROJECTIONS_GATHER_H
#define DBK_PROJECTIONS_GATHER_H

#include "projections/read_model.h"
#include "store/clock.h"

#include <pthread.h>
#include <semaphore.h>

#define GATHER_MAX 64 /* look-ups in one statement, at most */

/* Memory of the caller's. */
struct look_up {
    struct dbk_uuid id;
    unsigned limit; /* what the statement makes of it */
    dbk_deadline deadline;
    struct dbk_rows *rows;  /* receives the row, or stays empty */
    enum dbk_code code;     /* how it ended, */
    struct dbk_error error; /* and why */

    struct look_up *next; /* private from here on */
    bool carries;         /* its turn has come */
    sem_t woken;
};

/* A statement that is under way. */
struct carrying {
    struct gather *gather;
    bool passed_on;
};

/* Ask for count of them at once: fill the rows and the code of each. asked[0] is the one
 * that has waited longest. */
typedef void gather_carry(void *context, struct carrying *carrying,
                          struct look_up *const *asked, size_t count);

/* For the function above, once PostgreSQL has answered, so that it gets the next statement
 * while this answer is looked through. Else it is done for it in the end. */
void gather_pass_on(struct carrying *carrying);

struct gather {
    gather_carry *carry;
    void *context;
    size_t most; /* look-ups in one statement */
    pthread_mutex_t mutex;
    unsigned carriers, carriers_max;
    struct look_up *first, **last; /* those that wait, while there are all carriers */
};

/* most: look-ups in one statement, at most GATHER_MAX. carriers: how many statements may
 * be under way at once. */
void gather_init(struct gather *gather, size_t most, unsigned carriers,
                 gather_carry *carry, void *context);
void gather_finish(struct gather *gather); /* nobody may be asking */

/* Carry those that are at hand together, at most `most`, beside whatever is under way. */
void gather_now(struct gather *gather, struct look_up *const *asked, size_t count);

/* Ask, and wait for the answer. A statement is bounded by the deadline of its first, which
 * asked before all others in it. Any thread. */
void gather_ask(struct gather *gather, struct look_up *look_up);

#endif
