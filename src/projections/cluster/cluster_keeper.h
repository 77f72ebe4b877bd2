/* cluster_keeper.h - the process that keeps the cluster's server running.
 *
 * It is forked by the first user and belongs to none: it starts the server again where
 * that ends by itself, and ends it, and itself, when the last user is gone, however that
 * went. Killed itself, the server gets SIGINT, and a user that watches starts another.
 */
#ifndef DBK_PROJECTIONS_CLUSTER_KEEPER_H
#define DBK_PROJECTIONS_CLUSTER_KEEPER_H

#include "cluster_lock.h"
#include "cluster_place.h"
#include "cluster_programs.h"
#include "store/error.h"

#include <sys/types.h>

/* How long ending the server may take: a fast shutdown, an immediate one, a kill. */
#define CLUSTER_END_MS 25000

/* Fork the keeper, which has part in the claim of the lock. The caller gives its own part
 * up, and waits for the child whenever that has ended. DBK_IO. */
enum dbk_code cluster_keeper_start(const struct cluster_place *place,
                                   const struct cluster_programs *programs,
                                   const struct cluster_lock *lock, pid_t *pid,
                                   struct dbk_error *err);

#endif
