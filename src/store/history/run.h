/* run.h - a file of the history index: which records of a stretch of the log are about whom.
 *
 * Written once, in order, and never changed. Blocks of 4,096 bytes, the last four of each
 * the CRC-32 (zlib's) of those before them, so that no damage goes unseen. Numbers are the
 * machine's own: the index lives where it was made.
 *
 *   first block   "DBKHIST1", store_id 16 bytes, after u64, to u64, checksum u32 of the
 *                 record `to`, and how many blocks (u64) and pairs (u64) follow
 *   others        used u16, then entries: id 16 bytes, length u16, sequences
 *   sequences     LEB128: the first one, then how much more each next one is
 *
 * Entries are sorted by id and sequence; one id may have several, also in one block.
 *
 * Private to the store. A run that is open may be read by several threads, a cursor only by
 * one.
 */
#ifndef DBK_STORE_RUN_H
#define DBK_STORE_RUN_H

#include "store/error.h"
#include "store/uuid.h"

#include <stdatomic.h>
#include <stddef.h>

enum { RUN_BLOCK = 4096 };

/* That the record is about who has this id: a person's, the first 16 bytes of the SHA-256 of
 * an anonymous id, or nil, which is for records that cannot be read. */
struct run_pair {
    struct dbk_uuid id;
    uint64_t sequence;
};
int run_pair_compare(const void *left, const void *right); /* as qsort takes it */

/* Of which log it is, and of which stretch of it: behind `after`, up to and with `to`. */
struct run_place {
    struct dbk_uuid store_id;
    uint64_t after, to;
    uint32_t checksum; /* of the record `to` */
};

struct run {
    int fd;
    atomic_uint holders;
    struct run_place place;
    uint64_t blocks, pairs;
    struct run_pair *fences; /* what each 16th block begins with */
    size_t fence_count;
};

/* Open one for reading; whoever has it is its first holder, and the last one to drop it
 * closes it. DBK_DAMAGED: it is none, or torn. DBK_NOT_FOUND, DBK_IO, DBK_NO_MEMORY. */
enum dbk_code run_open(const char *path, struct run **out, struct dbk_error *err);
struct run *run_hold(struct run *run);
void run_drop(struct run *run); /* NULL is fine */

struct run_cursor {
    const struct run *run;
    uint64_t block;   /* that is loaded */
    size_t at, used;  /* in its bytes */
    size_t entry_end; /* of the entry that `at` is in */
    struct run_pair
        on; /* the last one that it was on; its sequence 0: none of its entry */
    char bytes[RUN_BLOCK];
};

/* Come before the first pair that is not less than this one. DBK_DAMAGED, DBK_IO. */
enum dbk_code run_seek(struct run_cursor *cursor, const struct run *run,
                       const struct run_pair *first, struct dbk_error *err);
/* Step onto the next one, which *there tells. */
enum dbk_code run_next(struct run_cursor *cursor, bool *there, struct dbk_error *err);

/* One being written. */
struct run_writer {
    int fd;
    const char *path; /* borrowed */
    uint64_t blocks, pairs;
    size_t used,
        entry; /* in the block; where the last entry's length stands, 0: none */
    struct run_pair last;
    char bytes[RUN_BLOCK];
};

/* Begin it at path, in place of what is there. */
enum dbk_code run_write_begin(struct run_writer *writer, const char *path,
                              struct dbk_error *err);
/* The pairs come sorted; one that comes twice is kept once. */
enum dbk_code run_write_add(struct run_writer *writer, const struct run_pair *pair,
                            struct dbk_error *err);
/* Write what is left, sync and close; on failure, or where place is NULL, the file is
 * removed. */
enum dbk_code run_write_end(struct run_writer *writer, const struct run_place *place,
                            struct dbk_error *err);

#endif
