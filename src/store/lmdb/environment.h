/* environment.h - the LMDB environment: opened and checked.
 *
 * Private to the store. Not thread-safe to open or close; transactions are LMDB's own.
 */
#ifndef DBK_STORE_ENVIRONMENT_H
#define DBK_STORE_ENVIRONMENT_H

#include "lmdb_error.h"
#include "store/keys.h"
#include "store/record.h"
#include "store/uuid.h"

#include <lmdb.h>
#include <stdbool.h>

/* What is in the file: the newest format of its records. A log begins with the first, and
 * the transaction that appends the first record of a newer one raises it: so programs that
 * know no more than what is in a log can go on with it. */
#define ENVIRONMENT_FORMAT DBK_RECORD_FORMAT
#define ENVIRONMENT_FORMAT_FIRST 1
#define ENVIRONMENT_FORMAT_SEALED 4 /* what a sealed log begins with */

/* Added to the format of a log that is one of several copies (place.h): a program that knows
 * no places refuses it, and so does not append beside its leader. */
#define ENVIRONMENT_MEMBER 0x10000u

struct environment {
    MDB_env *env;
    MDB_dbi log;         /* sequence (u64, native) -> record, see log_value.h */
    MDB_dbi person;      /* person id -> state, see index.h */
    MDB_dbi email;       /* lower-cased email -> person id */
    MDB_dbi event;       /* event id -> place, see index.h */
    MDB_dbi idempotency; /* key hash -> verdicts, see idempotency.h */

    /* See identity.h, but of the last. A log of a program before has them once it is opened for writing; 0
     * where it is not: as if they were empty. */
    MDB_dbi external;     /* external id -> person id */
    MDB_dbi alias;        /* anonymous id -> person id */
    MDB_dbi person_alias; /* person id and anonymous id -> nothing */
    MDB_dbi restricted;   /* person id -> sequence, see restricted.h */

    MDB_dbi
        meta; /* "format", "store_id", "reopened", "sealed", and what environment_meta.h
                     has; see place.h for the others */
    struct dbk_uuid store_id;
    bool member; /* it had a place when it was opened */
    bool
        sealed; /* what its records say of persons is, and its indexes have no plaintext */
    struct dbk_keys
        *keys; /* of a sealed log that is open with its ring, whose they are:
                              borrowed, set by who opened it; else NULL */
};

/* What a log is opened for. */
enum dbk_access {
    ENVIRONMENT_READ, /* what is there: nothing is written but LMDB's lock file, where it can be */
    ENVIRONMENT_SALVAGE, /* the same, though the file be cut: reading may end the process */
    ENVIRONMENT_WRITE, /* what is there */
    ENVIRONMENT_MAKE,  /* to write to it, and where there is none to make it */
};

/* Errors as dbk_log_open. On failure *out is zeroed. */
enum dbk_code environment_open(const char *dir, enum dbk_access access, size_t map_size,
                               struct environment *out, struct dbk_error *err);
void environment_close(struct environment *environment); /* zeroed is fine */

/* As environment_open for ENVIRONMENT_MAKE; a log that is made has this id (NULL: its own),
 * and is sealed or not. */
enum dbk_code environment_make(const char *dir, size_t map_size,
                               const struct dbk_uuid *store_id, bool sealed,
                               struct environment *out, struct dbk_error *err);

#endif
