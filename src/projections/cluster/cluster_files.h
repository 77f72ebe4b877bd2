/* cluster_files.h - the files of a cluster: made, set aside, left behind. */
#ifndef DBK_PROJECTIONS_CLUSTER_FILES_H
#define DBK_PROJECTIONS_CLUSTER_FILES_H

#include "cluster_place.h"
#include "cluster_programs.h"
#include "store/error.h"

/* The major version that made the cluster; 0 where there is none. */
int cluster_version(const struct cluster_place *place);

/* Make a new cluster. Whole or not at all: it is made beside its place and renamed.
 * DBK_NO_ROOM, DBK_IO, DBK_TIMEOUT. */
enum dbk_code cluster_make(const struct cluster_place *place,
                           const struct cluster_programs *programs,
                           const struct cluster_caller *caller, struct dbk_error *err);

/* Rename a cluster that these programs cannot run to postgres.version-N. DBK_IO. */
enum dbk_code cluster_set_aside(const struct cluster_place *place, int version,
                                struct dbk_error *err);

/* The server of a keeper that was killed may still run, on its way out: wait for it,
 * and end it where it does not end. Only with the keeper's lock claimed. DBK_TIMEOUT. */
enum dbk_code cluster_end_leftover(const struct cluster_place *place,
                                   const struct cluster_caller *caller,
                                   struct dbk_error *err);

/* Open the log for appending, emptied where it has grown large; -1 and errno. */
int cluster_log_open(const struct cluster_place *place);

/* The last line of the log, for an error message. */
void cluster_log_tail(const struct cluster_place *place, char *line, size_t size);

#endif
