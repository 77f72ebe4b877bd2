/* checkpoint.h - what a log says of itself by a signature, and what is proven by that: as
 * c2sp.org/tlog-checkpoint, tlog-proof, tlog-tiles and tlog-policy have it. */
#ifndef DBK_STORE_PROOF_CHECKPOINT_H
#define DBK_STORE_PROOF_CHECKPOINT_H

#include "store/proof/note.h"
#include "store/proof/tree.h"

/* How many entries the log of this name has, and their root. */
struct dbk_log_checkpoint {
    char origin[DBK_NOTE_NAME_MAX + 1]; /* the log's name, and its key's */
    uint64_t size;                      /* at most INT64_MAX */
    struct dbk_hash root;
};

/* The text that is signed: three lines, each with its line feed. Format writes a NUL behind,
 * and returns the length. Lines behind the third are refused (DBK_UNSUPPORTED), for nobody
 * has said what they mean. DBK_INVALID: it is none. */
#define DBK_CHECKPOINT_TEXT (DBK_NOTE_NAME_MAX + 1 + 20 + 1 + 44 + 1)
size_t dbk_log_checkpoint_format(const struct dbk_log_checkpoint *checkpoint,
                                 char out[DBK_CHECKPOINT_TEXT + 1]);
enum dbk_code dbk_log_checkpoint_parse(struct dbk_slice text,
                                       struct dbk_log_checkpoint *checkpoint,
                                       struct dbk_error *err);

/* One with its signatures, as it is shown and kept. */
#define DBK_SIGNED_MAX ((size_t)16 << 10)
struct dbk_signed_checkpoint {
    struct dbk_log_checkpoint checkpoint;
    size_t length;
    char text[DBK_SIGNED_MAX + 1]; /* the note, with a NUL behind */
};

/* Sign it with the log's key, whose name is the origin. */
void dbk_log_checkpoint_sign(const struct dbk_log_checkpoint *checkpoint,
                             const struct dbk_skey *key,
                             struct dbk_signed_checkpoint *out);

/* Add the line of another signature, with its line feed. DBK_TOO_LARGE. */
enum dbk_code dbk_log_checkpoint_add(struct dbk_signed_checkpoint *checkpoint,
                                     const char *line, struct dbk_error *err);

/* Read a note that must be a checkpoint signed by this key, under its name. note (may be
 * NULL) receives it taken apart, pointing into bytes.
 *
 * DBK_INVALID    it is none, or the signature is wrong
 * DBK_CONFLICT   it is of another log: its origin is not the key's name
 * DBK_NOT_FOUND  this key has not signed it
 * DBK_UNSUPPORTED, DBK_TOO_LARGE */
enum dbk_code dbk_log_checkpoint_open(struct dbk_slice bytes,
                                      const struct dbk_vkey *key,
                                      struct dbk_log_checkpoint *checkpoint,
                                      struct dbk_note *note, struct dbk_error *err);

/* A hash as checkpoints and proofs write it. */
#define DBK_HASH_TEXT 44
void dbk_hash_format(const struct dbk_hash *hash, char out[DBK_HASH_TEXT + 1]);
bool dbk_hash_parse(struct dbk_slice text, struct dbk_hash *out);

/* A proof that an entry is in a log, in one file: NAME.tlog-proof. */
struct dbk_log_proof {
    uint64_t index;
    struct dbk_proof path;
    struct dbk_slice extra;      /* in base64, believed by nobody; length 0: none */
    struct dbk_slice checkpoint; /* the note */
};

/* Write it, without `extra`, and a NUL behind; returns the length. The checkpoint has at
 * most DBK_SIGNED_MAX bytes. */
#define DBK_LOG_PROOF_TEXT                                                             \
    (23 + 26 + DBK_PROOF_MAX * (DBK_HASH_TEXT + 1) + 1 + DBK_SIGNED_MAX)
size_t dbk_log_proof_format(const struct dbk_log_proof *proof,
                            char out[DBK_LOG_PROOF_TEXT + 1]);
/* Slices point into text. Neither the checkpoint is looked into, nor the path held against
 * it. DBK_INVALID. */
enum dbk_code dbk_log_proof_parse(struct dbk_slice text, struct dbk_log_proof *proof,
                                  struct dbk_error *err);

/* Where a tile or bundle is told, in the part of a URL behind the log's own. */
struct dbk_tile {
    bool entries;   /* a bundle of entries; level is 0 then */
    unsigned level; /* below DBK_TILE_LEVELS */
    uint64_t n;
    unsigned width; /* 1 to 256 */
};

/* "tile/0/x001/x234/067.p/8". Only the one canonical path of a tile is one; false else. */
#define DBK_TILE_PATH 64
bool dbk_tile_parse(struct dbk_slice path, struct dbk_tile *tile);
size_t dbk_tile_format(const struct dbk_tile *tile, char out[DBK_TILE_PATH + 1]);

/* Whom an auditor believes: logs, witnesses, and how many of which must have seen a
 * checkpoint. */
#define DBK_POLICY_MAX 64 /* of each kind */
struct dbk_policy {
    size_t log_count, witness_count;
    struct dbk_policy_key {
        char name[DBK_NOTE_NAME_MAX + 1]; /* in the policy; of a log its key's */
        struct dbk_vkey vkey;
        char url[256]; /* ""; or as the file has it */
    } logs[DBK_POLICY_MAX], witnesses[DBK_POLICY_MAX];
    /* Private: */
    size_t group_count;
    struct dbk_policy_group {
        char name[DBK_NOTE_NAME_MAX + 1];
        uint64_t witnesses, groups; /* a bit a member */
        unsigned needed;            /* of them */
    } groups[DBK_POLICY_MAX];
    uint64_t quorum_witness, quorum_group; /* a bit, or 0; both 0: "none" */
};

/* Read a policy file. *policy is the caller's, to be freed by dbk_policy_destroy.
 * DBK_INVALID names the line. DBK_TOO_LARGE: more than DBK_POLICY_MAX of a kind.
 * DBK_UNSUPPORTED: a key of another type. DBK_NO_MEMORY. */
enum dbk_code dbk_policy_parse(struct dbk_slice text, struct dbk_policy **policy,
                               struct dbk_error *err);
void dbk_policy_destroy(struct dbk_policy *policy); /* NULL is fine */

/* Read a note that must be a checkpoint of one of the policy's logs (where it names none:
 * of log, which may be NULL where it does), seen by as many witnesses as it asks for.
 * *witnesses (may be NULL) receives a bit for each that has.
 *
 * DBK_CONFLICT   it is of none of these logs
 * DBK_NOT_FOUND  no such log has signed it, or too few witnesses have
 * and as dbk_log_checkpoint_open; DBK_INVALID also where a known witness's is wrong */
enum dbk_code dbk_policy_open(const struct dbk_policy *policy,
                              const struct dbk_vkey *log, struct dbk_slice bytes,
                              struct dbk_log_checkpoint *checkpoint,
                              uint64_t *witnesses, struct dbk_error *err);

/* Whether the witnesses, a bit each, are as many as it asks for. */
bool dbk_policy_met(const struct dbk_policy *policy, uint64_t witnesses);

#endif
