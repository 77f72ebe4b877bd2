/* group.h - records appended to one LMDB database, durably: in groups, or one by one.
 *
 * The ceiling of a store: it decides nothing, keeps no index and no checksum. LMDB's
 * flags are the product's, so a commit syncs as the product's does.
 */
#ifndef BENCH_GROUP_H
#define BENCH_GROUP_H

#include "store/timestamp.h"

#include <lmdb.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

/* One record on its way. Lives on the caller's stack until its append returns. */
struct append {
    char *bytes; /* as dbk_record_encode wrote them; sequence and time are filled in */
    size_t length;
    uint64_t sequence; /* out */
    dbk_timestamp at;  /* out */
    int rc;            /* out: 0 or an LMDB code */
    sem_t done;
    struct append *next;
};

struct group; /* safe to share between threads */

/* dir must exist and be empty. Ends the program where LMDB refuses. With a thread, appends
 * are gathered; without one each is its own transaction. */
struct group *group_open(const char *dir, bool gathers);

/* Durable when it returns; the verdict is in append->rc. */
void group_append(struct group *group, struct append *append);

/* Ends the thread and closes; returns how many records there are. */
size_t group_close(struct group *group);

#endif
