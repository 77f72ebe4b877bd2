/* cluster_place.h - where a cluster lies, and whose it is. */
#ifndef DBK_PROJECTIONS_CLUSTER_PLACE_H
#define DBK_PROJECTIONS_CLUSTER_PLACE_H

#include "cluster_process.h"
#include "store/error.h"
#include "store/uuid.h"

#include <limits.h>

#define CLUSTER_PORT "5432"    /* names the socket; no TCP port is opened */
#define CLUSTER_SOCKET_DIR 108 /* bytes, with the NUL */

struct cluster_place {
    struct cluster_user user;
    bool outside; /* its user cannot reach the data directory */
    bool chosen;  /* CLUSTER_DIR says where */
    char data_dir[PATH_MAX];
    char base[PATH_MAX]; /* holds the cluster, its log, and a cluster half made */
    char dir[PATH_MAX];  /* base/postgres */
    char log[PATH_MAX];  /* base/postgres.log */
    char socket_dir[CLUSTER_SOCKET_DIR];
    bool own_socket_dir; /* below /tmp, to be removed with the cluster's end */
};

/* Say where the cluster of this data directory lies, the same to everybody who asks:
 * in cluster_dir (NULL or "": none) where there is one, else inside it, or where its user
 * cannot get there in /var/lib/daybook-postgres/<store id>-<hash of data_dir>;
 * and its socket in the cluster's directory, or where its path is too long for a socket
 * in /tmp/daybook-<the same>. Makes nothing. An absolute data_dir. DBK_TOO_LARGE. */
enum dbk_code cluster_place_find(const char *data_dir, const char *cluster_dir,
                                 const struct dbk_uuid *store_id,
                                 struct cluster_place *place, struct dbk_error *err);

/* Make the directories outside data_dir that it needs. Not base's place for the cluster
 * itself. DBK_NO_ROOM, DBK_IO: or what is there is not ours. */
enum dbk_code cluster_place_make(const struct cluster_place *place,
                                 struct dbk_error *err);

/* Write base and name, joined, to out of PATH_MAX bytes. DBK_TOO_LARGE. */
enum dbk_code cluster_path(char *out, const char *base, const char *name,
                           struct dbk_error *err);

#endif
