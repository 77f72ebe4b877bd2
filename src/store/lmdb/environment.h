/* environment.h - the LMDB environment: opened, checked, and its errors in words.
 *
 * Private to the store. Not thread-safe to open or close; transactions are LMDB's own.
 */
#ifndef DBK_STORE_ENVIRONMENT_H
#define DBK_STORE_ENVIRONMENT_H

#include "store/error.h"
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
        meta; /* "format", "store_id", "reopened", "sealed", and what environment_get_mark
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

/* What a sealed log keeps of its keys. All of it follows from the log. */
#define ENVIRONMENT_KEY "key" /* the highest number that a record names */
#define ENVIRONMENT_ERASED                                                             \
    "erased" /* the sequence of the last person.erased or events.expired */
#define ENVIRONMENT_MONTHS "months"   /* see months.h; and this: */
#define ENVIRONMENT_EXPIRED "expired" /* the sequence up to which all events are */
#define ENVIRONMENT_FORGOTTEN                                                          \
    "forgotten" /* so many numbers from 1 on are known to be destroyed: see lost.h */

/* 0 where there is none. An LMDB code. */
int environment_get_mark(MDB_txn *txn, const struct environment *environment,
                         const char *name, uint64_t *number);
int environment_put_mark(MDB_txn *txn, const struct environment *environment,
                         const char *name, uint64_t number);

/* Give the log another id, inside txn. An LMDB code. */
int environment_put_store_id(MDB_txn *txn, const struct environment *environment,
                             const struct dbk_uuid *store_id);

/* Say inside txn that the log has records of this format, where it does not yet. An LMDB
 * code. */
int environment_need_format(MDB_txn *txn, const struct environment *environment,
                            unsigned format);

/* Whether the log says that it has a place; and say so, inside txn. An LMDB code. */
int environment_get_member(MDB_txn *txn, const struct environment *environment,
                           bool *member);
int environment_set_member(MDB_txn *txn, const struct environment *environment,
                           bool member);

/* Make sure that the disk has what is visible: write LMDB's two meta pages again, as they
 * are read now, and sync. To be called at the beginning of a write transaction, before
 * anything is changed, where a commit may have failed before, here or in a process that is
 * no more. An LMDB or system code.
 *
 * When writing a meta page fails, LMDB takes it back, but does not wait until that is on the
 * disk, which may have the new one by then. The next transaction uses the pages of the one
 * that failed again. Were the power cut before its sync, the meta page that was to be taken
 * back would lead into pages of both. To sync is not enough: what the system once failed
 * to write it takes for written. */
int environment_prove(const struct environment *environment);

/* Do that, and commit something harmless, so that commits are known to work. *proven is
 * whether at least the first was done. */
int environment_settle(const struct environment *environment, bool *proven);

/* Beside LMDB's own codes: a value of the indexes is not of their shape. Unlike
 * MDB_CORRUPTED it leaves the transaction usable: only who asks for this value is
 * concerned. */
#define LMDB_INDEX_DAMAGED (-31000)

/* And: the file has no name any more. What is written to it is gone with the process. */
#define LMDB_FILE_REMOVED (-31001)

/* And, of what is sealed: its key is not in the ring; its slot there is damaged; it was erased.
 * Each concerns only who asks, as LMDB_INDEX_DAMAGED, and so does a record that is damaged. */
#define LMDB_KEY_MISSING (-31002)
#define LMDB_KEY_DAMAGED (-31003)
#define LMDB_KEY_ERASED (-31004)
#define LMDB_RECORD_DAMAGED (-31005)

/* And: the ring is not here, or cannot be read. Concerns all: the transaction is to be aborted. */
#define LMDB_KEYS_AWAY (-31006)

/* Whether the file has a name still. An LMDB or system code, or the one above. */
int environment_check_named(const struct environment *environment);

/* Turn such a code, LMDB's or the system's, into a failure: "doing: why". A full disk,
 * which LMDB reports as EIO, is told from a broken one by asking the file system. env may
 * be NULL. */
enum dbk_code lmdb_fail(struct dbk_error *err, MDB_env *env, int rc, const char *doing);

#endif
