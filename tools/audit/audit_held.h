/* audit_held.h - a log that is made of what comes from elsewhere, held against what was signed
 * of it, before it takes its place: by the checkpoint that came along, and by those of
 * --checkpoint.
 *
 * Who signed them is told by --vkey, or where the checkpoint is of a log that is known here,
 * by DATA_DIR/audit/keys.pub; of others it is said that nobody told.
 */
#ifndef DBK_TOOLS_AUDIT_HELD_H
#define DBK_TOOLS_AUDIT_HELD_H

#include "command.h"
#include "progress.h"
#include "store/slice.h"

struct audit_held;

/* Read --checkpoint, --vkey and --no-checkpoint, with which all is taken as it is. Free *held
 * either way.
 *
 * DBK_INVALID    it is no checkpoint, no key, or they exclude each other
 * DBK_DAMAGED    a checkpoint is not signed as it must be
 * DBK_NOT_FOUND, DBK_UNSUPPORTED, DBK_TOO_LARGE, DBK_IO, DBK_NO_MEMORY */
enum dbk_code audit_held_begin(const struct tool *tool, struct audit_held **held,
                               struct dbk_error *err);
void audit_held_destroy(struct audit_held *held); /* NULL is fine */

/* A checkpoint came along, in the "trailer" or "backup"; from is borrowed. Errors as
 * above. */
enum dbk_code audit_held_add(struct audit_held *held, const char *from,
                             struct dbk_slice note, struct dbk_error *err);

/* Behind what came along. DBK_INVALID: --vkey was given, and there is no checkpoint. */
enum dbk_code audit_held_expect(const struct audit_held *held, struct dbk_error *err);

/* Hold the log in the folder dir against all of them, by its bytes. part: it ends where it was
 * told to, so what came along may be of more records, and is not held against it then.
 *
 * DBK_DAMAGED      its records are not those that were signed, or fewer; err says what to do
 * DBK_INVALID      part, and a checkpoint of --checkpoint is of more records
 * DBK_INTERRUPTED, and as dbk_log_open and dbk_tree_grow */
enum dbk_code audit_held_check(struct audit_held *held, const char *dir, bool part,
                               struct progress *progress, struct dbk_error *err);

/* What came of it: lines of text, or ,"checkpoints":[...]. */
void audit_held_print(const struct audit_held *held);
void audit_held_print_json(const struct audit_held *held);

#endif
