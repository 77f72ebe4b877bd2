/* cluster.h - the private PostgreSQL: a cluster of our own inside the data directory.
 *
 * For whoever has configured no database. It listens on a unix socket in a directory of
 * mode 0700 and on no TCP port. It is disposable: what is in it can be rebuilt from the
 * log, so the directory may be deleted while nothing runs. Started as root, it runs as
 * the unprivileged user "postgres" (or else "nobody"); where that user cannot reach the
 * data directory (below /root, say) the cluster lies in
 * /var/lib/daybook-postgres/<store id>, and
 * the report says so.
 *
 * It runs as long as somebody has it open: the first one forks a process, its keeper,
 * which starts the server, starts it again when it dies, and ends it when the last one is
 * gone, closed or killed (data_dir/postgres.lock tells). Others that open it connect to
 * the one that runs. A keeper that was killed is replaced by whoever has it open.
 */
#ifndef DBK_PROJECTIONS_CLUSTER_H
#define DBK_PROJECTIONS_CLUSTER_H

#include "projections/database.h"
#include "store/error.h"
#include "store/uuid.h"

#include <stdbool.h>

struct dbk_cluster; /* safe to share between threads */

/* How many connections reads may have at most; there is room for some more, for what
 * else connects. */
#define DBK_CLUSTER_READS_MAX 256

struct dbk_cluster_options {
    const char *data_dir;     /* the cluster goes to data_dir/postgres */
    struct dbk_uuid store_id; /* for the place outside data_dir */
    bool attach_only;         /* never start one: DBK_UNAVAILABLE where none runs */
    /* Told of each step (initdb, started, died, restarted), one line, from any thread.
     * May be NULL. */
    void (*report)(void *context, const char *line);
    void *report_context;
    /* Asked again and again, with the same context, while the open waits; true: it has
     * waited enough, DBK_INTERRUPTED. Also from any thread. May be NULL. */
    bool (*stop)(void *context);
};

/* Start the cluster (making it first where there is none), or attach to the one that
 * another process runs, and wait until it accepts connections.
 *
 * DBK_NOT_FOUND    no PostgreSQL server programs on this machine; err says what to install
 * DBK_UNAVAILABLE  attach_only, and none runs
 * DBK_TIMEOUT      it did not accept connections in time; err names its log file
 * DBK_INTERRUPTED  stop said so
 * DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY
 */
enum dbk_code dbk_cluster_open(const struct dbk_cluster_options *options,
                               struct dbk_cluster **cluster, struct dbk_error *err);

/* How to connect. Borrowed until dbk_cluster_close; schema is NULL. */
const struct dbk_database *dbk_cluster_database(const struct dbk_cluster *cluster);

/* Use it no more. Where nobody else does, it is stopped (a fast shutdown: open
 * transactions are rolled back), and this waits until it has ended. NULL is fine. */
void dbk_cluster_close(struct dbk_cluster *cluster);

#endif
