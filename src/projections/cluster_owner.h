/* cluster_owner.h - the file lock that says which process runs the cluster.
 *
 * data_dir/postgres.lock is locked as long as its owner lives, and holds the directory
 * of the socket, for whoever wants to connect.
 */
#ifndef DBK_PROJECTIONS_CLUSTER_OWNER_H
#define DBK_PROJECTIONS_CLUSTER_OWNER_H

#include "cluster_place.h"
#include "store/error.h"

#include <stdbool.h>

struct cluster_owner {
    int fd; /* -1: not open */
};

/* Open the file, making it where it is missing. DBK_IO. */
enum dbk_code cluster_owner_open(const char *data_dir, struct cluster_owner *owner,
                                 struct dbk_error *err);

/* Become the owner, or find that another process is (*mine is false). DBK_IO. */
enum dbk_code cluster_owner_claim(struct cluster_owner *owner, bool *mine,
                                  struct dbk_error *err);

/* Whether another process is the owner now. */
bool cluster_owner_other(const struct cluster_owner *owner);

/* The directory of the socket as it was told last; "" where it was not. */
void cluster_owner_read(const struct cluster_owner *owner,
                        char socket_dir[CLUSTER_SOCKET_DIR]);

/* Tell where the socket is, as the owner. DBK_IO. */
enum dbk_code cluster_owner_tell(struct cluster_owner *owner, const char *socket_dir,
                                 struct dbk_error *err);

/* Give the lock up, too. */
void cluster_owner_close(struct cluster_owner *owner);

#endif
