/* verify.h - checks a log that nobody trusts, and makes its indexes anew.
 *
 * Checking: every sequence from 1 to the head is there; every record's checksum is right
 * and its bytes decode, canonically (encoding them again gives the same bytes); every
 * record can follow those before it; the indexes hold what the records imply, no more and
 * no less; and idempotency keys can be read. A file so damaged that reading it kills the
 * reader is a finding too: reading happens in a child process, so call these from a
 * process that has no other threads that take locks.
 */
#ifndef DBK_STORE_VERIFY_H
#define DBK_STORE_VERIFY_H

#include "store/keys.h"
#include "store/replicated.h"
#include "store/timestamp.h"
#include "store/uuid.h"
#include "store/watch.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_verify_options {
    /* A directory to be made for the indexes made anew, and removed again; it needs as
     * much room as they take. On the log's own file system, or any other. */
    const char *scratch_dir;
    /* Told each finding: sequence 0 where it is about no record. text is borrowed for
     * the call, one line. May be NULL. */
    void (*finding)(void *context, uint64_t sequence, const char *text);
    void *context;
    /* The ring of a sealed log's keys, borrowed; NULL: its indexes are not looked at, and of its
     * records only what is in the clear. */
    struct dbk_keys *keys;
    struct dbk_watch watch; /* nothing is reported to it */
};

struct dbk_verify_result {
    struct dbk_uuid store_id;
    uint64_t head;
    uint64_t records; /* read and right */
    /* Of the last one of these: what a history is known by. */
    uint64_t last;
    dbk_timestamp last_recorded_at;
    uint32_t last_checksum; /* CRC-32, as the log keeps it */
    uint64_t findings;      /* all, also those past the hundredth, which are not told */
    bool readable;          /* nothing in the file kills its reader, or stops it */
    bool member;            /* it has a place in a cluster: */
    struct dbk_place place;
    bool shut;  /* it is sealed, and was checked without its keys */
    bool whole; /* the records are all from 1 to the head: a log can be made of them */
};

/* Check the log in directory dir, beside whoever uses it.
 *
 * DBK_OK           it was checked; result->findings says whether it is right
 * DBK_NOT_FOUND, DBK_UNSUPPORTED, DBK_DAMAGED  there is no log that can be opened
 * DBK_INTERRUPTED  the watch said stop
 * DBK_NO_ROOM, DBK_IO
 */
enum dbk_code dbk_log_verify(const char *dir, const struct dbk_verify_options *options,
                             struct dbk_verify_result *result, struct dbk_error *err);

/* Make the indexes of persons, emails and events anew from the records, in one
 * transaction: writers wait for it, and killed in between the old ones are still there.
 * Idempotency keys stay. keys: the ring of a sealed log, by which they are made; borrowed.
 * watch may be NULL.
 *
 * DBK_UNSUPPORTED  also where it is sealed, and keys is NULL
 * DBK_DAMAGED  a record is damaged or contradicts those before it, so what the indexes
 *              should hold is not known; or the file's structure is: nothing was changed
 * DBK_INTERRUPTED, DBK_NO_ROOM, DBK_IO, and as dbk_log_open
 */
enum dbk_code dbk_log_repair_indexes(const char *dir, struct dbk_keys *keys,
                                     const struct dbk_watch *watch,
                                     struct dbk_error *err);

#endif
