/* cluster_lock.h - the file lock that says who uses the cluster, and whether it is kept.
 *
 * data_dir/postgres.lock has two locks. Every user of the cluster shares the one as long
 * as it uses it; the cluster's keeper holds the other as long as it lives, and ends the
 * cluster when it gets the users' lock for itself. The file holds the directory of the
 * socket, for whoever wants to connect, and behind it a mark for each time the server
 * has ended by itself.
 */
#ifndef DBK_PROJECTIONS_CLUSTER_LOCK_H
#define DBK_PROJECTIONS_CLUSTER_LOCK_H

#include "cluster_place.h"
#include "store/error.h"

#include <stdbool.h>

struct cluster_lock {
    char path[PATH_MAX];
    int user;   /* the file, as a user has it; -1: not open */
    int keeper; /* the file, as the keeper has it; -1: not claimed */
};

/* Open the file; with make, making it where it is missing. DBK_NOT_FOUND (without make:
 * it is missing, or cannot be locked where it lies), DBK_IO, DBK_NO_ROOM. */
enum dbk_code cluster_lock_open(const char *data_dir, bool make,
                                struct cluster_lock *lock, struct dbk_error *err);

/* Become a user; false while the cluster is being ended. */
bool cluster_lock_join(const struct cluster_lock *lock);

/* Be no user any more. */
void cluster_lock_leave(const struct cluster_lock *lock);

/* Whether there are other users now. */
bool cluster_lock_shared(const struct cluster_lock *lock);

/* Whether there is a keeper now, or somebody about to start one. */
bool cluster_lock_kept(const struct cluster_lock *lock);

/* Take the keeper's lock, or find that another process has it (*mine is false). It is
 * kept by what is forked with lock->keeper open. DBK_IO. */
enum dbk_code cluster_lock_claim(struct cluster_lock *lock, bool *mine,
                                 struct dbk_error *err);

/* Close lock->keeper here. */
void cluster_lock_unclaim(struct cluster_lock *lock);

/* As the keeper, with the file as `fd`: true where no user is left, and none can join
 * from now on. */
bool cluster_lock_end(int fd);

/* The directory of the socket as it was told last, "" where it was not. Returns how
 * often the server has ended since. */
unsigned cluster_lock_read(const struct cluster_lock *lock,
                           char socket_dir[CLUSTER_SOCKET_DIR]);

/* Tell where the socket is, as the one who has claimed. DBK_IO. */
enum dbk_code cluster_lock_tell(const struct cluster_lock *lock, const char *socket_dir,
                                struct dbk_error *err);

/* As the keeper: mark that the server has ended once more. */
void cluster_lock_mark_death(int fd, const char *socket_dir, unsigned deaths_before);

/* Give all up. */
void cluster_lock_close(struct cluster_lock *lock);

#endif
