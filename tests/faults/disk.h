/* disk.h - what a test and disk.c share: a file that both have mapped.
 *
 * tests/e2e/lib/disk.py has the same layout. Little-endian words of 32 bits.
 */
#ifndef DISK_H
#define DISK_H

#include <stdatomic.h>
#include <stdint.h>

/* The calls on a log's data.mdb, by what LMDB does with them. */
enum disk_call {
    DISK_WRITE, /* pages of a transaction */
    DISK_SYNC,  /* after them */
    DISK_META,  /* the meta page that makes them count, through an O_DSYNC descriptor */
    DISK_HEAD,  /* a meta page by the other one: making a file, or taking back one that
                   failed */
    DISK_COPY,  /* pages of a backup */
    DISK_READ,  /* meta pages, read before the file is mapped */
    DISK_DIRECTORY, /* syncing a directory, any */
    DISK_CALLS
};

enum disk_how {
    DISK_NOTHING, /* the call does nothing, and fails */
    DISK_ALL,     /* it does all, and fails */
    DISK_HALF,    /* it does half, and says so; of a sync, that is nothing */
    DISK_LATE,    /* of a sync: it is done once the fault is taken back */
};

/* "The calls in the set, but for the first `skip`, and then `times` of them." */
struct disk_fault {
    _Atomic uint32_t calls; /* a bit each; 0: no fault. Set it last */
    uint32_t error;
    uint32_t how;
    uint32_t skip;
    uint32_t times;
    _Atomic uint32_t seen;
};

#define DISK_FAULTS 4

struct disk_control {
    struct disk_fault faults[DISK_FAULTS];
    _Atomic uint32_t counts[DISK_CALLS]; /* all calls there were */
    _Atomic uint32_t failed;             /* of these */
};

/* What is recorded of a call, where DAYBOOK_DISK_RECORD names a file; `length` bytes that
 * were written follow. */
struct disk_record {
    uint32_t what; /* one of the letters below */
    uint32_t length;
    uint64_t offset;
};

#define DISK_WROTE 'W'  /* handed to the system, to be synced */
#define DISK_SYNCED 'S' /* all that was handed over before is on the disk */
#define DISK_LOST 'L' /* the sync failed: it may never be, though the system shows it */
#define DISK_BEGAN 'B' /* handed over by O_DSYNC */
#define DISK_ENDED 'E' /* and it is on the disk */

#endif
