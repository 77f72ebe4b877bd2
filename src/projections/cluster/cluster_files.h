/* cluster_files.h - the files of a cluster: made, set aside, read. */
#ifndef DBK_PROJECTIONS_CLUSTER_FILES_H
#define DBK_PROJECTIONS_CLUSTER_FILES_H

#include "cluster_place.h"
#include "cluster_programs.h"
#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* The major version that made the cluster; 0 where there is none. */
int cluster_version(const struct cluster_place *place);

/* The name of a damaged cluster that was set aside, beside it. The last one is kept. */
#define CLUSTER_DAMAGED "postgres.damaged"

/* Make a new cluster. Whole or not at all: it is made beside its place, then what is there
 * gets the name `aside`, beside it, and it is renamed. So where no new one can be made, the
 * old one stays. DBK_NO_ROOM, DBK_IO, DBK_TIMEOUT, DBK_INTERRUPTED. */
enum dbk_code cluster_make(const struct cluster_place *place,
                           const struct cluster_programs *programs, const char *aside,
                           const struct dbk_watch *watch, struct dbk_error *err);

/* Whether all is there without which no server starts. */
bool cluster_is_whole(const struct cluster_place *place);

/* Whether the directory is still the one that was looked at. */
bool cluster_is_same(const struct cluster_place *place, const struct stat *before);

/* Whether the files of a server that runs are there by which it is found. */
bool cluster_is_reached(const struct cluster_place *place);

/* Read a file's beginning, or its end, as a text: "" where there is none. Returns the
 * length. */
size_t cluster_read_file(const char *path, bool end, char *out, size_t size);

/* Open the log for appending, emptied where it has grown large; -1 and errno. */
int cluster_log_open(const struct cluster_place *place);

/* The line of the log that tells why it ended, else its last, for an error message. */
void cluster_log_tail(const struct cluster_place *place, char *line, size_t size);

#endif
