/* environment_prove.h - is what the log says on the disk, and does its file have a name?
 *
 * Private to the store.
 */
#ifndef DBK_STORE_ENVIRONMENT_PROVE_H
#define DBK_STORE_ENVIRONMENT_PROVE_H

#include "environment.h"

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

/* Whether the file has a name still. An LMDB or system code, or LMDB_FILE_REMOVED. */
int environment_check_named(const struct environment *environment);

#endif
