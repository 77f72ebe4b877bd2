/* cluster_room.h - what the cluster may take of its disk.
 *
 * The log is the truth and the cluster can be made again, so where both share a disk the
 * last of it is the log's: below a reserve nothing is posted. */
#ifndef DBK_PROJECTIONS_CLUSTER_ROOM_H
#define DBK_PROJECTIONS_CLUSTER_ROOM_H

#include "cluster_place.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether there is room for a new cluster. */
bool cluster_room_for_another(const struct cluster_place *place);

/* The room a new one needs, in MiB, for a message. */
unsigned cluster_room_needed_mib(void);

/* Whether what is left of a disk that it shares with the log is the log's alone. Once it
 * was (`held`), a quarter more must be free. *reserve and *left are in bytes. Not so where
 * nobody can tell. */
bool cluster_room_is_reserved(const struct cluster_place *place, bool held,
                              uint64_t *reserve, uint64_t *left);

/* How much WAL there may be, in MB: as much as the log has, but 128 MB to 2 GB, and not
 * above a tenth of what its disk has left. */
unsigned cluster_room_wal_mb(const struct cluster_place *place);

/* Bytes that all below the directory take. 0 where it cannot be read. */
uint64_t cluster_room_taken(const char *dir);

#endif
