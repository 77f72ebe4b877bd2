/* cluster_files.h - the files of a cluster: made, set aside, read. */
#ifndef DBK_PROJECTIONS_CLUSTER_FILES_H
#define DBK_PROJECTIONS_CLUSTER_FILES_H

#include "cluster_place.h"
#include "cluster_programs.h"
#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The major version that made the cluster; 0 where there is none. */
int cluster_version(const struct cluster_place *place);

/* Make a new cluster. Whole or not at all: it is made beside its place and renamed.
 * DBK_NO_ROOM, DBK_IO, DBK_TIMEOUT. */
enum dbk_code cluster_make(const struct cluster_place *place,
                           const struct cluster_programs *programs,
                           const struct dbk_watch *watch, struct dbk_error *err);

/* Rename the cluster to that name, beside it. DBK_IO: also where the name is taken. */
enum dbk_code cluster_set_aside(const struct cluster_place *place, const char *name,
                                struct dbk_error *err);

/* Whether there is room for a new cluster. */
bool cluster_has_room(const struct cluster_place *place);

/* Read a file's beginning, or its end, as a text: "" where there is none. Returns the
 * length. */
size_t cluster_read_file(const char *path, bool end, char *out, size_t size);

/* Open the log for appending, emptied where it has grown large; -1 and errno. */
int cluster_log_open(const struct cluster_place *place);

/* The last line of the log, for an error message. */
void cluster_log_tail(const struct cluster_place *place, char *line, size_t size);

#endif
