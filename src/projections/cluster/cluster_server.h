/* cluster_server.h - the server that this process, as the owner, keeps running.
 *
 * It gets SIGINT, and so ends, when the thread ends that has started it. Belongs to one
 * thread at a time.
 */
#ifndef DBK_PROJECTIONS_CLUSTER_SERVER_H
#define DBK_PROJECTIONS_CLUSTER_SERVER_H

#include "cluster_place.h"
#include "cluster_programs.h"
#include "store/clock.h"
#include "store/error.h"

#include <sys/types.h>

struct cluster_server {
    const struct cluster_place *place; /* borrowed */
    struct cluster_programs programs;
    int lock;              /* the file of cluster_lock.h, whose owner we are */
    pid_t pid;             /* 0: none runs */
    dbk_deadline started;  /* when it was */
    dbk_deadline start_at; /* not before, where none runs */
    unsigned deaths;       /* since the first start */
};

/* Start it where it does not run, after a pause where it keeps ending. True: it had ended
 * since the last call. */
bool cluster_server_keep(struct cluster_server *server);

/* Stop it and wait for its end: a fast shutdown, or else an immediate one, or a kill. Fine
 * where it does not run. */
void cluster_server_end(struct cluster_server *server);

/* Before the first start: the server of an owner that was killed may be on its way out.
 * Wait for its end, and end it where it does not end by itself. DBK_TIMEOUT. */
enum dbk_code cluster_server_end_leftover(const struct cluster_server *server,
                                          const struct dbk_watch *watch,
                                          struct dbk_error *err);

/* The number in postmaster.pid: of the server that runs, or of one that was killed; 0:
 * neither. */
pid_t cluster_server_pid(const struct cluster_place *place);

#endif
