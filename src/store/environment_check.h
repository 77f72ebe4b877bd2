/* environment_check.h - may this directory be opened as a log?
 *
 * Private to the store. */
#ifndef DBK_ENVIRONMENT_CHECK_H
#define DBK_ENVIRONMENT_CHECK_H

#include "environment.h"

/* Before LMDB touches it: make the directory where it is missing, and refuse one that
 * holds other files, or has no room for a new log. DBK_NOT_FOUND (must_exist),
 * DBK_UNSUPPORTED, DBK_NO_ROOM, DBK_IO. */
enum dbk_code dbk_check_directory(const char *dir, bool must_exist,
                                  struct dbk_error *err);

/* After the log was made: sync its directory and the one that holds it, so that their
 * names outlast a power cut, as what is acknowledged must. DBK_IO, DBK_NO_ROOM. */
enum dbk_code dbk_sync_directory(const char *dir, struct dbk_error *err);

/* After LMDB opened it: is the file as long as its last commit says? LMDB does not
 * look, and a page past the end of the file is a SIGBUS. A file may rightly be short,
 * by pages that were freed before they were ever written. So a short file is made
 * longer, while no other process writes, and then all of it is read once: pages that are
 * in use and missing show as damage. DBK_DAMAGED, DBK_IO. */
enum dbk_code dbk_check_length(MDB_env *env, struct dbk_error *err);

#endif
