/* audit_proof.h - what was signed last on this machine, and what that proves. */
#ifndef DBK_TOOLS_AUDIT_PROOF_H
#define DBK_TOOLS_AUDIT_PROOF_H

#include "command.h"
#include "store/proof/checkpoint.h"

/* Read the newest checkpoint, by whichever of this machine's keys signed it. Errors as
 * dbk_audit_keys and dbk_audit_last. */
enum dbk_code audit_last_read(const struct tool *tool,
                              struct dbk_signed_checkpoint *last,
                              struct dbk_error *err);

/* The proof that a record is in it, as a file of text: *out is the caller's, with a NUL
 * behind *length bytes.
 *
 * DBK_NOT_FOUND  the checkpoint has no such record; err says what makes another
 * and as above, and as audit_tree_open and dbk_tree_inclusion */
enum dbk_code audit_proof_make(const struct tool *tool, uint64_t sequence, char **out,
                               size_t *length, struct dbk_error *err);

#endif
