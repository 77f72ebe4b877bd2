/* witness.h - what a log asks a witness, and what is made of the answer, as
 * c2sp.org/tlog-witness has it; and what is kept of all of it beside the log.
 *
 * Nothing here has a network: requests are carried by who calls this. A witness is believed
 * in what its key has signed, and in nothing else.
 */
#ifndef DBK_STORE_PROOF_WITNESS_H
#define DBK_STORE_PROOF_WITNESS_H

#include "store/proof/checkpoint.h"

/* The body of POST PREFIX/add-checkpoint, and a NUL behind; returns its length, 0: more than
 * 63 hashes. The proof is that the checkpoint extends the log of the first `old` records.
 * Witnesses take 10 KiB: checkpoints without others' signatures fit. */
#define DBK_WITNESS_REQUEST (25 + 63 * (DBK_HASH_TEXT + 1) + 1 + DBK_SIGNED_MAX)
size_t dbk_witness_request(uint64_t old, const struct dbk_proof *proof,
                           const struct dbk_signed_checkpoint *checkpoint,
                           char out[DBK_WITNESS_REQUEST + 1]);

enum dbk_witness_verdict {
    DBK_WITNESS_NOT_ASKED, /* the policy has no URL of it, or it was not yet its turn */
    DBK_WITNESS_COSIGNED,  /* it has signed */
    DBK_WITNESS_OTHER_SIZE,  /* it knows the log at another size: prove from there */
    DBK_WITNESS_LATER,       /* it does not answer, or not as a witness does */
    DBK_WITNESS_UNKNOWN,     /* it does not know this log */
    DBK_WITNESS_KEY,         /* it does not know the key that signed, or not this log */
    DBK_WITNESS_REFUSED,     /* it calls the request malformed: a bug, here or there */
    DBK_WITNESS_ROLLED_BACK, /* alarm: it has seen this log with more records */
    DBK_WITNESS_SPLIT,       /* alarm: it has seen another history of this log */
};

/* Its name, as "rolled_back"; and the one of this name, false where there is none. */
const char *dbk_witness_verdict_name(enum dbk_witness_verdict verdict);
bool dbk_witness_verdict_find(const char *name, enum dbk_witness_verdict *out);
bool dbk_witness_is_alarm(enum dbk_witness_verdict verdict);

#define DBK_WITNESS_ANSWER_MAX ((size_t)64 << 10) /* bytes that are taken */

/* Judge the answer to a request: its status, media type (NULL: none) and body. `old` was
 * asked with.
 *
 * DBK_WITNESS_COSIGNED    line receives its signature, with the line feed and a NUL
 * DBK_WITNESS_OTHER_SIZE, DBK_WITNESS_ROLLED_BACK
 *                         *size receives the one that it knows
 * all others              why says what is wrong, for an operator */
enum dbk_witness_verdict
dbk_witness_judge(int status, const char *type, struct dbk_slice body, uint64_t old,
                  const struct dbk_signed_checkpoint *checkpoint,
                  const struct dbk_vkey *witness, char line[DBK_NOTE_LINE + 1],
                  uint64_t *size, struct dbk_error *why);

/* How it stands with the witnesses: the file `witnesses` of the audit directory, of lines,
 * written by who asks them, for who tells of it. */
struct dbk_witness_state {
    char name[DBK_NOTE_NAME_MAX + 1]; /* in the policy */
    enum dbk_witness_verdict verdict;
    int64_t since; /* seconds since 1970; of this verdict */
    uint64_t size; /* the largest that it is known to have signed, or to know */
    char why[256]; /* "" where it has signed */
};
struct dbk_witnesses {
    int64_t at; /* when it was written */
    size_t count;
    struct dbk_witness_state list[DBK_POLICY_MAX];
};

/* DBK_NOT_FOUND: nobody has asked a witness. DBK_DAMAGED, DBK_IO. */
enum dbk_code dbk_witnesses_read(const char *dir, struct dbk_witnesses *out,
                                 struct dbk_error *err);
/* DBK_IO, DBK_NO_ROOM. */
enum dbk_code dbk_witnesses_write(const char *dir,
                                  const struct dbk_witnesses *witnesses,
                                  struct dbk_error *err);

/* `cosigned`, the newest checkpoint that as many witnesses have signed as the policy asks for.
 *
 * Read it. DBK_NOT_FOUND: there is none, or it is of another log than log's key signs for, or
 * the policy asks for others meanwhile. DBK_DAMAGED, DBK_IO, DBK_NO_MEMORY. */
enum dbk_code dbk_cosigned_read(const char *dir, const struct dbk_policy *policy,
                                const struct dbk_vkey *log,
                                struct dbk_signed_checkpoint *out,
                                struct dbk_error *err);
/* Put one that meets the policy into its place, on disk when it returns. DBK_MOVED: what is
 * there has more records. DBK_IO, DBK_NO_ROOM; and as dbk_policy_open: the policy does not
 * take it, for it names another key of the log perhaps. */
enum dbk_code dbk_cosigned_write(const char *dir, const struct dbk_policy *policy,
                                 const struct dbk_vkey *log,
                                 const struct dbk_signed_checkpoint *checkpoint,
                                 struct dbk_error *err);

#endif
