/* cluster_supervisor.h - the thread that keeps the cluster's server running.
 *
 * The server gets SIGINT when the thread that started it ends; so it is started, and
 * started again, by a thread that lives as long as the cluster is open.
 */
#ifndef DBK_PROJECTIONS_CLUSTER_SUPERVISOR_H
#define DBK_PROJECTIONS_CLUSTER_SUPERVISOR_H

#include "cluster_place.h"
#include "cluster_programs.h"
#include "store/error.h"

struct cluster_supervisor;

/* Start the server and keep it running. place is borrowed until the stop.
 * DBK_NO_MEMORY, DBK_IO. */
enum dbk_code cluster_supervisor_start(const struct cluster_place *place,
                                       const struct cluster_programs *programs,
                                       const struct cluster_report *report,
                                       struct cluster_supervisor **supervisor,
                                       struct dbk_error *err);

/* How often the server has ended by itself so far. */
unsigned cluster_supervisor_deaths(struct cluster_supervisor *supervisor);

/* Stop the server and wait until it has ended: a fast shutdown, then an immediate one,
 * then a kill. NULL is fine. */
void cluster_supervisor_stop(struct cluster_supervisor *supervisor);

#endif
