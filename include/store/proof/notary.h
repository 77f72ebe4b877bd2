/* notary.h - who signs what the log is: the audit directory, and the thread that follows the
 * log with a tree and signs checkpoints.
 *
 * Files in the directory (0700): `key`, the log's name and what it signs with (0600), a line a key;
 * it is in no backup and no export. `keys.pub`, each key that ever signed here, a line each, as others
 * verify it. `last`, the newest checkpoint signed: on disk before it is shown to anybody.
 * `tree`, the tree's file (tree.h).
 *
 * Nothing is signed that does not extend `last`: of a log that was put back to an earlier
 * state, or is another one, nothing is signed any more. Nor is a record hashed that is not
 * known to be on disk.
 */
#ifndef DBK_STORE_PROOF_NOTARY_H
#define DBK_STORE_PROOF_NOTARY_H

#include "store/proof/checkpoint.h"
#include "store/proof/witness.h"
#include "store/watch.h"

/* The directory. */

/* Make what is missing of the directory: a key of this name (NULL or "": of a name made up,
 * "daybook.internal/..."), noted in keys.pub. A key that is there stays, where no name was
 * given, or its own. Another name takes the place of one that was made up, and with anew
 * that of any other, and of a key that is lost or damaged. What was signed last under the
 * former name is kept as `last.TIME`, as evidence. A key that stays is noted in keys.pub again
 * where that was lost. key (may be NULL) receives it: wipe it. *made (may be NULL): whether one
 * was made.
 *
 * Not with anew:
 * DBK_CONFLICT   the key has another name than the given one; err says what to do
 * DBK_NOT_FOUND  it is lost: there is what it signed
 * DBK_DAMAGED    `key` is none
 *
 * DBK_INVALID    the name
 * DBK_CONFLICT   it signed here before, and what that was is not to be contradicted
 * DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY, DBK_INTERNAL */
enum dbk_code dbk_audit_init(const char *dir, const char *origin, bool anew,
                             struct dbk_skey *key, bool *made, struct dbk_error *err);

/* Read the key. DBK_NOT_FOUND: there is none. DBK_IO: also where it is open to others than
 * its owner. DBK_DAMAGED. */
enum dbk_code dbk_audit_key(const char *dir, struct dbk_skey *key,
                            struct dbk_error *err);

/* Another key takes over from the one that signs, which goes on signing beside it until its
 * end: who verifies by the former has that long to take the new one. Both have the log's name;
 * a running notary takes them up.
 *
 * Killed at any moment, what was signed verifies by a key of keys.pub: the new one is there
 * before it signs. */
#define DBK_AUDIT_SIGNERS 2
struct dbk_audit_signers {
    size_t count;
    struct dbk_skey keys[DBK_AUDIT_SIGNERS]; /* the newest first */
};
/* As dbk_audit_key. Wipe them. */
enum dbk_code dbk_audit_signers(const char *dir, struct dbk_audit_signers *out,
                                struct dbk_error *err);
void dbk_audit_signers_wipe(struct dbk_audit_signers *signers);

/* Begin that. *made receives the new key. DBK_CONFLICT: two sign already. DBK_NO_ROOM,
 * DBK_INTERNAL, and as dbk_audit_key. */
enum dbk_code dbk_audit_rotate(const char *dir, struct dbk_vkey *made,
                               struct dbk_error *err);
/* End it: the former key, which *ended receives, signs no more, and is wiped from the file.
 * DBK_NOT_FOUND: one key signs. DBK_CONFLICT: the new one has signed nothing yet. DBK_NO_ROOM,
 * and as dbk_audit_key. */
enum dbk_code dbk_audit_rotate_end(const char *dir, struct dbk_vkey *ended,
                                   struct dbk_error *err);

/* Read the keys of keys.pub, the newest last, at most count of them; returns how many by
 * *found. DBK_NOT_FOUND, DBK_DAMAGED, DBK_IO. */
enum dbk_code dbk_audit_keys(const char *dir, struct dbk_vkey *keys, size_t count,
                             size_t *found, struct dbk_error *err);

/* Read the newest checkpoint signed, which must be by this key. DBK_NOT_FOUND: there is none.
 * DBK_CONFLICT: another key signed it, or under another name. DBK_DAMAGED, DBK_IO. */
enum dbk_code dbk_audit_last(const char *dir, const struct dbk_vkey *key,
                             struct dbk_signed_checkpoint *last, struct dbk_error *err);

/* Go on without `last`, which is lost or damaged: the operator says that this log is the one
 * that was signed. What is damaged is kept as `last.TIME`. *key receives what signs it from now
 * on. DBK_CONFLICT: it is neither lost nor damaged, or another key signed it. As
 * dbk_audit_key. */
enum dbk_code dbk_audit_trust(const char *dir, struct dbk_vkey *key,
                              struct dbk_error *err);

/* Paths in it. */
#define DBK_AUDIT_PATH 4096
bool dbk_audit_path(const char *dir, const char *name, char out[DBK_AUDIT_PATH]);

/* The notary. */

struct dbk_notary; /* safe to share between threads */

struct dbk_notary_options {
    const char *origin; /* as dbk_audit_init, never anew; borrowed for the start */
    int interval_ms;    /* at most so long a record waits to be signed; 0: 10 s */
    int apart_ms;       /* at least so long there is between two checkpoints; 0: 1 s */
    /* While others write more than that and nobody waits, so many records are hashed each
     * fifth of a second: the rest of a burst is behind it. 0: 16,384. */
    unsigned at_once;
    /* What is shown must meet this one, where it asks for witnesses: the newest checkpoint
     * that they signed, too, as `cosigned` has it (witness.h). NULL: what was signed here is
     * shown. Borrowed until dbk_notary_stop. */
    const struct dbk_policy *policy;
    int witness_patience_ms; /* so long they may be behind until it is told; 0: 1 min */
    /* Told what an operator should know, a line each, once until it changes; called from
     * its thread. May be NULL. */
    void (*report)(void *context, const char *line);
    void *report_context;
};

/* Start it. It begins with the tree's file, or hashes the log from the start: until then
 * nothing is shown that was not signed before. What goes wrong is reported, told by
 * dbk_notary_state, and tried again: it fails for want of memory or a thread only
 * (DBK_NO_MEMORY, DBK_IO, DBK_INVALID: the path). log must outlive it. */
enum dbk_code dbk_notary_start(const char *dir, struct dbk_log *log,
                               const struct dbk_notary_options *options,
                               struct dbk_notary **notary, struct dbk_error *err);

/* Sign what is hashed, where it may be, and end. No other call may be under way. NULL is
 * fine. */
void dbk_notary_stop(struct dbk_notary *notary);

/* How it does. Waits for nobody. */
struct dbk_notary_state {
    bool signs; /* false: why says why not, and what to do */
    enum dbk_code
        code; /* DBK_OK while it signs. DBK_MOVED: the log does not extend what
                            was signed; DBK_CONFLICT: the name; DBK_DAMAGED, DBK_IO, ... ;
                            DBK_UNAVAILABLE: it has not caught up since its start yet */
    char why[512];
    char origin[DBK_NOTE_NAME_MAX + 1]; /* "": not known yet */
    uint64_t size;                      /* records that are hashed */
    uint64_t head;        /* of the log, as it saw it last; head - size is its lag */
    uint64_t signed_size; /* of the newest checkpoint */
    int64_t signed_at; /* when, microseconds since 1970; 0: not since it was started */
    uint64_t signatures;    /* since the start */
    bool needs_witnesses;   /* the policy asks for some: */
    uint64_t cosigned_size; /* of the newest checkpoint that they signed; it is shown */
    int64_t
        behind_since; /* when what they have not signed was, as signed_at; 0: nothing */
    bool behind;      /* ... which is longer ago than their patience */
    unsigned alarms;  /* witnesses that have seen more records, or other ones */
    char alarm[400];  /* of the first of them: what, and what to do */
};
void dbk_notary_state(struct dbk_notary *notary, struct dbk_notary_state *out);

/* The key that verifies what it signs. DBK_UNAVAILABLE: it has none yet, as
 * dbk_notary_state says. */
enum dbk_code dbk_notary_vkey(struct dbk_notary *notary, struct dbk_vkey *key,
                              struct dbk_error *err);

/* The newest checkpoint that is shown: that was signed, and by witnesses where the policy asks
 * for them. Waits for nobody.
 *
 * DBK_UNAVAILABLE  nothing is signed, or no more: err says why, as dbk_notary_state does */
enum dbk_code dbk_notary_checkpoint(struct dbk_notary *notary,
                                    struct dbk_signed_checkpoint *out,
                                    struct dbk_error *err);

/* Ask for a checkpoint that covers `size` records at least, and wait for it, at most
 * timeout_ms; witnesses are not waited for. Those who ask within apart_ms get the same one. size is a record's that the
 * log has.
 *
 * DBK_TIMEOUT      there was none in time
 * DBK_UNAVAILABLE  as dbk_notary_checkpoint; or it stops */
enum dbk_code dbk_notary_await(struct dbk_notary *notary, uint64_t size, int timeout_ms,
                               struct dbk_signed_checkpoint *out,
                               struct dbk_error *err);

/* The tree it asks, for roots, proofs and tiles of what is hashed; what is beyond the newest
 * checkpoint is not to be shown. Borrowed until dbk_notary_stop. */
struct dbk_tree *dbk_notary_tree(struct dbk_notary *notary);

/* The proof that a record is in the newest checkpoint that is shown, as a file of text. *size (may be NULL)
 * receives the checkpoint's.
 *
 * DBK_NOT_FOUND    the checkpoint has no such record; perhaps not yet
 * DBK_DAMAGED      the log no longer has what was hashed
 * DBK_UNAVAILABLE  as dbk_notary_checkpoint */
enum dbk_code dbk_notary_proof(struct dbk_notary *notary, uint64_t sequence,
                               char out[DBK_LOG_PROOF_TEXT + 1], size_t *length,
                               struct dbk_error *err);

#endif
