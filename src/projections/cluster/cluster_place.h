/* cluster_place.h - where a cluster lies, and whose it is. */
#ifndef DBK_PROJECTIONS_CLUSTER_PLACE_H
#define DBK_PROJECTIONS_CLUSTER_PLACE_H

#include "cluster_process.h"
#include "store/error.h"
#include "store/uuid.h"

#include <limits.h>

#define CLUSTER_PORT "5432"    /* names the socket; no TCP port is opened */
#define CLUSTER_SOCKET_DIR 108 /* bytes, with the NUL */

/* Tell the operator. */
void cluster_say(const struct cluster_caller *caller, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct cluster_place {
    struct cluster_user user;
    char base[PATH_MAX]; /* holds the cluster, its log, and a cluster half made */
    char dir[PATH_MAX];  /* base/postgres */
    char log[PATH_MAX];  /* base/postgres.log */
    char socket_dir[CLUSTER_SOCKET_DIR];
    bool own_socket_dir; /* below /tmp, to be removed with the cluster's end */
};

/* Decide where the cluster of this data directory lies: inside it, or where its user
 * cannot get there in /var/lib/daybook-postgres/<store id>. An absolute data_dir.
 * DBK_IO. */
enum dbk_code cluster_place_find(const char *data_dir, const struct dbk_uuid *store_id,
                                 const struct cluster_caller *caller,
                                 struct cluster_place *place, struct dbk_error *err);

/* Decide where the socket lies: in the cluster's directory, or where its path is too
 * long for a socket in a new directory below /tmp; that of the last time (may be "")
 * again if it is still ours. DBK_IO. */
enum dbk_code cluster_place_socket(struct cluster_place *place, const char *last,
                                   struct dbk_error *err);

/* Write base and name, joined, to out of PATH_MAX bytes. DBK_TOO_LARGE. */
enum dbk_code cluster_path(char *out, const char *base, const char *name,
                           struct dbk_error *err);

#endif
