/* cluster_lock.h - the file locks that say who owns the cluster, and whether it runs.
 *
 * postgres.lock, beside the cluster, has two locks. The process that starts the server, its owner,
 * holds the one for itself. The server and all that it starts inherit the other: while
 * one process of a cluster lives, no other cluster is started. They are locks of the
 * open file, which the kernel drops however their holders end.
 */
#ifndef DBK_PROJECTIONS_CLUSTER_LOCK_H
#define DBK_PROJECTIONS_CLUSTER_LOCK_H

#include "store/error.h"

#include <stdbool.h>

/* Note in the file whose cluster it is, where that does not lie in its data directory; and
 * whether it is that one's, or nobody has noted it. */
struct cluster_place;
void cluster_lock_name(int lock, const struct cluster_place *place);
bool cluster_lock_is_for(int lock, const struct cluster_place *place);

/* Open the file; with make, making it where it is missing. DBK_NOT_FOUND (without make:
 * it is missing, or cannot be locked where it lies), DBK_IO, DBK_NO_ROOM. */
enum dbk_code cluster_lock_open(const char *base, bool make, int *lock,
                                struct dbk_error *err);

/* Become the owner, until cluster_lock_disown or the end of the process; *mine is false
 * where another process is. DBK_IO. */
enum dbk_code cluster_lock_own(int lock, bool *mine, struct dbk_error *err);
void cluster_lock_disown(int lock);

/* Whether another process is the owner. */
bool cluster_lock_owned(int lock);

/* Whether a process of a cluster lives, be it one that its owner has left behind. */
bool cluster_lock_runs(int lock);

/* The file with the lock for the server to inherit; close it once that is started.
 * -1 and errno. */
int cluster_lock_inherit(int lock);

#endif
