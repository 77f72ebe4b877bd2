/* cluster.h - the private PostgreSQL: a cluster of our own inside the data directory.
 *
 * For whoever has configured no database. It listens on a unix socket in a directory of
 * mode 0700 and on no TCP port. It is disposable: what is in it can be rebuilt from the
 * log, so the directory may be deleted while nothing runs. Started as root, it runs as
 * the unprivileged user "postgres" (or else "nobody"); where that user cannot reach the
 * data directory (below /root, say) the cluster lies in
 * /var/lib/daybook-postgres/<store id>-<hash of the data directory's path>, and
 * the report says so. cluster_dir puts it on another disk.
 *
 * It belongs to the process that has started it, its owner, and ends with that, however
 * it ends: closed, or killed. Others that open it connect to it; when its owner ends, and
 * with it the server, the first of them to see it starts it again, as its next owner. So
 * it runs as long as somebody has it open, with a break of a second or so, in which
 * connections are lost, when its owner is not the last (dbk_cluster_restarted).
 */
#ifndef DBK_PROJECTIONS_CLUSTER_H
#define DBK_PROJECTIONS_CLUSTER_H

#include "projections/database.h"
#include "store/uuid.h"
#include "store/watch.h"

#include <stdbool.h>
#include <stddef.h>

struct dbk_cluster; /* safe to share between threads */

/* How many connections reads may have at most; there is room for some more, for what
 * else connects. */
#define DBK_CLUSTER_READS_MAX 256

struct dbk_cluster_options {
    const char *data_dir;     /* the cluster goes to data_dir/postgres */
    struct dbk_uuid store_id; /* for the place outside data_dir */
    const char *cluster_dir;  /* ... or to cluster_dir/postgres; NULL or "": not */
    bool attach_only;         /* never start one: DBK_UNAVAILABLE where none runs */
    /* Open though it does not start, and go on trying, with pauses of up to half a minute:
     * dbk_cluster_away tells why it does not run. */
    bool keep_trying;
    /* Has each step reported (initdb, started, died, restarted), and is asked to stop
     * while the open waits; both from any thread, as long as the cluster is open. */
    struct dbk_watch watch;
};

/* Start the cluster (making it first where there is none, or one that is damaged, fails to
 * start twice or is of another version, which is set aside once the new one is made; of
 * damaged ones the last is kept), or attach to the one that another process runs, and wait
 * until it accepts connections. While it is open, files that are taken away or turn out to
 * be damaged are noticed, and made again. Call it from a thread that lives until it is
 * closed, as main does: the server gets SIGINT when the thread ends that has started it.
 *
 * DBK_NOT_FOUND    no PostgreSQL server programs on this machine; err says what to install
 * DBK_UNAVAILABLE  attach_only, and none runs
 * DBK_TIMEOUT      it did not accept connections in time; err names its log file
 * DBK_CONFLICT     another log's private PostgreSQL runs in cluster_dir
 * DBK_INTERRUPTED  the watch said stop
 * DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY
 *
 * With keep_trying only DBK_INTERRUPTED, DBK_NO_MEMORY and what is wrong with data_dir.
 */
enum dbk_code dbk_cluster_open(const struct dbk_cluster_options *options,
                               struct dbk_cluster **cluster, struct dbk_error *err);

/* Which PostgreSQL programs would be used; text receives "15, in /usr/lib/…". Asked of no
 * server. DBK_NOT_FOUND as dbk_cluster_open. */
enum dbk_code dbk_cluster_programs(char *text, size_t size, struct dbk_error *err);

/* How to connect. Borrowed until dbk_cluster_close; schema is NULL. */
const struct dbk_database *dbk_cluster_database(const struct dbk_cluster *cluster);

/* Whether it should not be used now: it does not run, or the rest of the disk that it
 * shares with the log is the log's. why (of size bytes; 0: not wanted) receives the
 * reason. Any thread; cheap. */
bool dbk_cluster_away(struct dbk_cluster *cluster, char *why, size_t size);

/* Whether it is only that: the rest of the disk is the log's. */
bool dbk_cluster_full(struct dbk_cluster *cluster, char *why, size_t size);

/* What a cluster takes, whether it runs or not: nothing is opened. */
struct dbk_cluster_size {
    char dir[4096];       /* where it is, or would be */
    uint64_t bytes;       /* all of it; 0: there is none, or it cannot be read */
    uint64_t wal_bytes;   /* of these, the write-ahead log */
    uint64_t aside_bytes; /* of the damaged one that was set aside, beside it */
};
/* DBK_IO, DBK_TOO_LARGE. */
enum dbk_code dbk_cluster_size(const struct dbk_cluster_options *options,
                               struct dbk_cluster_size *out, struct dbk_error *err);

/* For whoever has lost a connection: whether another server runs now than at the open, or
 * at the last such call. One that is being started is waited for. What was not committed
 * is to be done again then. By one thread at a time. */
bool dbk_cluster_restarted(struct dbk_cluster *cluster);

/* Use it no more. The owner stops it (a fast shutdown: open transactions are rolled back)
 * and waits until it has ended, whoever else uses it. NULL is fine. */
void dbk_cluster_close(struct dbk_cluster *cluster);

#endif
