/* environment_load.h - the databases of an environment that is open.
 *
 * Private to the store.
 */
#ifndef DBK_STORE_ENVIRONMENT_LOAD_H
#define DBK_STORE_ENVIRONMENT_LOAD_H

#include "environment.h"

/* Open them, for ENVIRONMENT_MAKE making them where the file is new, and tell what the log is.
 * DBK_NOT_FOUND, DBK_UNSUPPORTED (also: no log of ours), DBK_DAMAGED, and as lmdb_fail. */
enum dbk_code environment_load(enum dbk_access access, struct environment *out,
                               struct dbk_error *err);

/* In a log of a program before, that is opened for writing: make what it does not have. As
 * lmdb_fail. */
enum dbk_code environment_make_identities(struct environment *out,
                                          struct dbk_error *err);

#endif
