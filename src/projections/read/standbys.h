/* standbys.h - reads go round the streaming replicas of the PostgreSQL that is posted to.
 *
 * A standby shows rows and checkpoint as they were committed together, a while ago. A thread
 * for each asks it how far its checkpoint is; a read goes to one that is as far as it must
 * see, waits for that a moment, and else goes to the primary. One that does not answer, is of
 * another log or no standby any more is left out until it does, or is not.
 *
 * What a standby was once seen to have it keeps: so the address of each is to be that of one
 * server, not of whichever a proxy chooses.
 */
#ifndef DBK_PROJECTIONS_STANDBYS_H
#define DBK_PROJECTIONS_STANDBYS_H

#include "pool.h"
#include "projections/read_model.h"
#include "store/clock.h"

#include <pthread.h>
#include <stdatomic.h>

struct standbys;

struct standby {
    struct standbys *all;
    struct dbk_database database; /* the primary's, but for where it is */
    char *host, *port;            /* owned; of database */
    struct pool *look_ups, *lists;
    atomic_bool in;                 /* it answers, and is of this log */
    atomic_uint_least64_t position; /* of its checkpoint, as it was seen last */
    pthread_t thread;
    bool started;
    bool told; /* of the thread: that it is left out */
};

/* Safe to share between threads once opened; zeroed: none, and the primary is asked. */
struct standbys {
    struct standby *list;
    size_t count;
    struct dbk_uuid store_id;
    const struct dbk_standby_options *options;
    atomic_uint turn;
    atomic_int_least64_t vain_until; /* clock.h: no read waits before */
    pthread_mutex_t mutex;           /* guards what follows */
    pthread_cond_t moved;            /* for reads that wait */
    pthread_cond_t wanted;           /* for the threads: a read waits, or it is over */
    unsigned waiting;
    bool stopping;
};

/* A thread and two pools for each of options->hosts. open_pool makes a pool as the
 * primary's are. On failure all is zeroed again. DBK_INVALID: a host that is none.
 * DBK_NO_MEMORY, DBK_IO. */
typedef enum dbk_code standby_pools(void *context, struct standby *standby,
                                    struct dbk_error *err);
enum dbk_code standbys_open(struct standbys *standbys,
                            const struct dbk_database *primary,
                            const struct dbk_standby_options *options,
                            standby_pools *open_pools, void *context,
                            struct dbk_error *err);
void standbys_close(struct standbys *standbys); /* zeroed is fine */

/* One that shows `wanted`, waiting for that a moment, unless others just did in vain; NULL:
 * none does. */
struct standby *standbys_pick(struct standbys *standbys, uint64_t wanted);

/* How many there are, and how many are not left out. */
void standbys_look(const struct standbys *standbys, unsigned *all, unsigned *in);

/* It failed a read: left out until its thread has had an answer. */
void standby_leave_out(struct standby *standby);

#endif
