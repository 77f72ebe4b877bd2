/* keys.h - the ring: a key for each whose data in the log is sealed, and what destroys one
 * for good.
 *
 * A key has a number, 1 or more, which the records that it seals name; the ring knows no ids.
 * Keys are made and on disk ahead of their use, so that taking one writes nothing. Each is
 * wrapped by the master key, and lies in a slot of a file that is never LMDB's: erasing one
 * overwrites it where it is, and rotating the master key makes every older copy of the
 * file worthless.
 *
 * Files in the directory (0700): `ring`; `lock`, held by whoever changes it; `master`, where
 * the master key is kept here (0600); `ring.new` and `master.new` while the master key is
 * rotated. Their bytes: src/store/seal/ring_format.h.
 *
 * Several processes may have one ring open: each looks every 50 ms whether another has erased
 * keys, and forgets them; the process that erases forgets at once. err may be NULL.
 */
#ifndef DBK_STORE_KEYS_H
#define DBK_STORE_KEYS_H

#include "store/error.h"
#include "store/slice.h"
#include "store/timestamp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBK_KEY_BYTES 32     /* a key; for XChaCha20-Poly1305 */
#define DBK_KEY_TAG_BYTES 16 /* what dbk_keys_tag makes */
#define DBK_KEYS_AHEAD 65536 /* so many unused keys there are at least */
#define DBK_KEYS_FORGOTTEN                                                             \
    4096 /* so many at a time are destroyed that never had a use */
#define DBK_KEYS_FIRST_BYTES 32 /* SHA-256 of the log's first record */
#define DBK_KEYS_MASTER_TEXT                                                           \
    16 /* hexadecimal digits that tell one master key of others */

struct dbk_keys; /* one open ring; safe to share between threads */

struct dbk_keys_options {
    const char *master; /* its file; NULL or "": `master` in the directory. Borrowed */
    bool read_only;     /* for reading keys, from a read-only medium too */
};

/* The master key's file: configured, where it is not NULL or ""; else master_key in
 * credentials (systemd's $CREDENTIALS_DIRECTORY; may be NULL), where it is there; else "",
 * which stands for `master` in the ring's directory, dir. Credentials that may not be looked
 * at count as having it, unless dir has a master key. DBK_INVALID: the path is too long. */
#define DBK_KEYS_PATH 4096
enum dbk_code dbk_keys_master(const char *configured, const char *credentials,
                              const char *dir, char out[DBK_KEYS_PATH],
                              struct dbk_error *err);

/* Make a ring, of no log yet: the directory, the master key where options name none, and
 * DBK_KEYS_AHEAD keys. Killed at any moment, it can be asked for again.
 *
 * DBK_EXISTS     there is a ring; it is left alone
 * DBK_NOT_FOUND, DBK_INVALID  the master key's file that options name, as dbk_keys_open
 * DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY */
enum dbk_code dbk_keys_make(const char *dir, const struct dbk_keys_options *options,
                            struct dbk_error *err);

/* Open it; options may be NULL. What a killed rotation left is cleared away. Follow with
 * dbk_keys_bind, dbk_keys_ahead, and the erasures behind dbk_keys_state's erased_through, or
 * dbk_keys_rewind where that is ahead of the log's last one.
 *
 * DBK_NOT_FOUND    there is no ring, or no master key; err says which
 * DBK_INVALID      the master key's file has not 32 bytes or 64 hexadecimal digits
 * DBK_CONFLICT     it is another master key's
 * DBK_DAMAGED      no ring, cut short, or its header is damaged
 * DBK_UNSUPPORTED  from a newer version
 * DBK_IO           also where the master key is open to others, or another user's
 * DBK_NO_MEMORY */
enum dbk_code dbk_keys_open(const char *dir, const struct dbk_keys_options *options,
                            struct dbk_keys **keys, struct dbk_error *err);

/* Wipe what it has in memory. No other call may be under way. NULL is fine. */
void dbk_keys_close(struct dbk_keys *keys);

/* Hold the ring against its log, by SHA-256 of the log's first record's bytes; the first time,
 * bind it to that. For a log that was opened and is not empty, and once after its first record
 * was committed.
 *
 * DBK_CONFLICT   it is the ring of another log
 * DBK_NOT_FOUND  read only, and it is bound to none yet: as good as DBK_OK
 * DBK_KEYS_AWAY, DBK_IO, DBK_NO_ROOM */
enum dbk_code dbk_keys_bind(struct dbk_keys *keys,
                            const uint8_t first[DBK_KEYS_FIRST_BYTES],
                            struct dbk_error *err);

/* The log names keys up to `highest`. From here on a ring that ends before it gives no key at
 * all: it was cut, or is an older copy than DBK_KEYS_AHEAD numbers. At once where that is known
 * already. DBK_KEYS_AWAY: as dbk_keys_get, and where it ends before. DBK_IO */
enum dbk_code dbk_keys_need(struct dbk_keys *keys, uint64_t highest,
                            struct dbk_error *err);

/* Whether it gives keys, as far as that is known: looked at now and then, and waited for by one
 * thread at most. DBK_KEYS_AWAY. */
enum dbk_code dbk_keys_work(struct dbk_keys *keys, struct dbk_error *err);

/* See that there are DBK_KEYS_AHEAD keys beyond the highest number that the log names (0:
 * none), on disk when it returns. At once where there are; else, each some thousand
 * numbers, it writes 256 KiB and waits for the disk: before the highest is used, best where
 * nobody waits. Slots up to the highest are never written: what is damaged there stays so.
 *
 * DBK_KEYS_AWAY    as dbk_keys_need
 * DBK_DAMAGED      no ring has so many
 * DBK_UNSUPPORTED  read only
 * DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY */
enum dbk_code dbk_keys_ahead(struct dbk_keys *keys, uint64_t highest,
                             struct dbk_error *err);

/* The key of this number; wipe it after use. From memory, or by one read of the file.
 *
 * DBK_NOT_FOUND    it was erased
 * DBK_INVALID      the ring has no such number: it ends before, or it is 0
 * DBK_DAMAGED      its slot is damaged: torn, overwritten, or of another number
 * DBK_KEYS_AWAY    the ring was removed, cut, or replaced by one that cannot be opened, or
 *                  ends before what the log names (dbk_keys_need); err says why. Tried again
 *                  by itself
 * DBK_IO */
enum dbk_code dbk_keys_get(struct dbk_keys *keys, uint64_t number,
                           uint8_t key[DBK_KEY_BYTES], struct dbk_error *err);

/* The first key beyond the highest number that the log names, for somebody new. It is not
 * always the very next: beside a log that was put back to an earlier state, those that
 * follow may be erased. As dbk_keys_get, never DBK_NOT_FOUND. */
enum dbk_code dbk_keys_next(struct dbk_keys *keys, uint64_t highest, uint64_t *number,
                            uint8_t key[DBK_KEY_BYTES], struct dbk_error *err);

/* Destroy these keys: overwritten, synced, read back, and out of memory. Erased, missing and
 * damaged ones are fine, and count 0, so that it can be done again at any time. The record
 * that says so must be durable before. What a rotation has made by then, which has these keys,
 * too, goes with them: one that was killed is cleared away, one that is under way begins anew.
 *
 * through (0: leave it) is the sequence up to which every erasure that the log tells of is
 * done then, with these; it is kept with the ring (dbk_keys_state), so that no older ring
 * brings anyone back. So erasures are done one after the other, in the log's order.
 *
 * DBK_UNSUPPORTED  read only
 * DBK_DAMAGED      what is read back is not what was written
 * DBK_IO, DBK_NO_ROOM, DBK_KEYS_AWAY: some may be erased: ask again */
enum dbk_code dbk_keys_erase(struct dbk_keys *keys, const uint64_t *numbers,
                             size_t count, uint64_t through, struct dbk_error *err);

/* The last erasure that the log tells of is at the sequence `last` (0: there is none). Where the
 * ring says that it is further, the log was put back to an earlier state, and other records get
 * those sequences: the ring then forgets how far it was (erased_through is 0), and all that the
 * log tells of is to be done again. Another process that has the ring open gives no key until
 * it opens it anew.
 *
 * DBK_UNSUPPORTED  read only
 * DBK_IO, DBK_NO_ROOM, DBK_KEYS_AWAY */
enum dbk_code dbk_keys_rewind(struct dbk_keys *keys, uint64_t last,
                              struct dbk_error *err);

/* What stands for a text in an index: BLAKE2b-128, keyed by the ring's pepper, which no
 * rotation changes. Texts of two kinds never share one. The text as it is compared: an
 * e-mail in lower case. Thread-safe. */
enum dbk_key_tag {
    DBK_TAG_EMAIL,
    DBK_TAG_EXTERNAL_ID,
    DBK_TAG_ANONYMOUS_ID,
    DBK_TAG_REQUEST, /* of an idempotency key */
};
void dbk_keys_tag(const struct dbk_keys *keys, enum dbk_key_tag kind,
                  struct dbk_slice text, uint8_t tag[DBK_KEY_TAG_BYTES]);

/* How the ring is. DBK_KEYS_AWAY, DBK_IO. */
struct dbk_keys_state {
    uint64_t epoch;          /* 1, and one more with each rotation */
    uint64_t count;          /* numbers that it has */
    uint64_t erased_through; /* all erasures of the log up to this sequence are done */
    bool bound;
    uint8_t first[DBK_KEYS_FIRST_BYTES]; /* what it is bound to */
    char master[DBK_KEYS_PATH];          /* the master key's file */
    char master_id[DBK_KEYS_MASTER_TEXT +
                   1]; /* which one wraps it; tells nothing of it */
    bool beside;       /* ... lies in the ring's directory */
    /* The newest copy that was noted, or made by dbk_keys_backup: */
    uint64_t copied_epoch, copied_count; /* 0: none */
    dbk_timestamp copied_at;
    /* The last rotation, and up to which sequence erasures are complete by it: what they
     * destroyed is in no older copy of the ring that could be opened. 0: none, or the former
     * master key is not destroyed yet (dbk_keys_rotation's done). */
    dbk_timestamp rotated_at;
    uint64_t rotated_through;
    /* A rotation was killed: what it had made lies there. */
    bool left;
};
enum dbk_code dbk_keys_state(struct dbk_keys *keys, struct dbk_keys_state *out,
                             struct dbk_error *err);

/* Look at every slot, and unwrap what is in it. DBK_KEYS_AWAY, DBK_IO, DBK_NO_MEMORY. */
struct dbk_keys_check {
    uint64_t live; /* keys, used ones and those ahead */
    uint64_t erased;
    uint64_t damaged; /* the first of them: */
    uint64_t first_damaged;
};
enum dbk_code dbk_keys_check(struct dbk_keys *keys, struct dbk_keys_check *out,
                             struct dbk_error *err);

/* Copy the ring to the file `to`, in the place of the copy that is there: whole and on disk
 * when it returns, or as it was. It opens by the master key of now, which it does not have,
 * and is put back as `ring`. It also covers the DBK_KEYS_AHEAD numbers that follow. Each copy
 * that is kept elsewhere keeps what is erased after it, until the next rotation.
 *
 * DBK_EXISTS    `to` is there, and no ring
 * DBK_CONFLICT  it is another log's, or newer than the ring
 * DBK_DAMAGED   a slot of the ring is: the copy may have what it held, and is left
 * DBK_INVALID   it is the ring itself, or its path is too long
 * DBK_UNSUPPORTED: read only. DBK_KEYS_AWAY, DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY */
enum dbk_code dbk_keys_backup(struct dbk_keys *keys, const char *to,
                              struct dbk_error *err);

/* The same in two steps, for who knows only later that the copy is of use: nothing is noted of
 * it before dbk_keys_note_copy, which leaves one of a later epoch that is noted, and fails as
 * dbk_keys_rewind. */
struct dbk_keys_copied {
    uint64_t epoch, count;
    dbk_timestamp at;
};
enum dbk_code dbk_keys_copy(struct dbk_keys *keys, const char *to,
                            struct dbk_keys_copied *out, struct dbk_error *err);
enum dbk_code dbk_keys_note_copy(struct dbk_keys *keys,
                                 const struct dbk_keys_copied *copied,
                                 struct dbk_error *err);

/* Wrap every key anew, by another master key, and destroy the former: every older copy of
 * the ring is worthless then, wherever it lies, with what has been erased since. Old
 * backups of the log go on with the new ring. Other processes go on, too: while the keys are
 * wrapped they change the ring as ever, and wait at the end for as long as reading it takes, and
 * a sync. Where they erase again and again, the third attempt makes them wait throughout.
 *
 * The new master key is made as the file with ".new" behind the master key's path; where the
 * master key lies elsewhere, and its owner has put one there, it is that. In the end it lies in
 * the former's place. Where we may not write there, as in what systemd hands over, that is left
 * to the operator (done is false), and until then it is found under either name.
 *
 * Killed at any moment, it is done or it is not: dbk_keys_open clears away.
 *
 * DBK_DAMAGED      a slot is, which an older copy may have; nothing was changed
 * DBK_EXISTS       the file ".new" holds the master key of now
 * DBK_BUSY         another rotation is under way
 * DBK_UNSUPPORTED  read only
 * DBK_KEYS_AWAY, DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY; err says where the ring is wrapped anew
 * already, and the former key not destroyed yet */
struct dbk_keys_rotation {
    uint64_t epoch; /* of now */
    uint64_t live, erased;
    bool done; /* else put the file next in the place of master: */
    char next[DBK_KEYS_PATH + 16];
};
enum dbk_code dbk_keys_rotate(struct dbk_keys *keys, struct dbk_keys_rotation *out,
                              struct dbk_error *err);

#endif
