/* environment_check.h - may this directory be opened as a log?
 *
 * Private to the store. */
#ifndef DBK_STORE_ENVIRONMENT_CHECK_H
#define DBK_STORE_ENVIRONMENT_CHECK_H

#include "environment.h"

/* Before LMDB touches it: is there a whole log (data_file.h)? For ENVIRONMENT_MAKE, where there is
 * none, make the directory if it is missing, and refuse one that holds other files, or has
 * no room for a new log. DBK_NOT_FOUND (but for ENVIRONMENT_MAKE), DBK_DAMAGED, DBK_UNSUPPORTED,
 * DBK_NO_ROOM, DBK_IO. */
enum dbk_code environment_check_directory(const char *dir, enum dbk_access access,
                                          struct dbk_error *err);

/* Before it is opened for reading: *lock tells whether LMDB can lock, which keeps a writer
 * from using again the pages that a reader looks at. It cannot where lock.mdb can neither
 * be made nor written: on a read-only medium, or in another's directory. There reading
 * without it is right as long as nobody writes: nobody can through a read-only mount, and
 * whoever has the log open, through another mount or by other rights, is seen by the lock
 * it holds. DBK_BUSY: somebody has. */
enum dbk_code environment_check_locking(const char *dir, bool *lock,
                                        struct dbk_error *err);

/* Whether another process has our number and has the log open: LMDB keeps a lock at its
 * number in lock.mdb for each, and takes what the other one reads for ours. We must not
 * have it open: to ask drops what locks of it are ours. */
bool environment_number_taken(const char *dir);

/* Whether any process has the log in dir open, as far as that can be known. */
bool environment_in_use(const char *dir);

/* After the log was made: sync its directory and the one that holds it, so that their
 * names outlast a power cut, as what is acknowledged must. DBK_IO, DBK_NO_ROOM. */
enum dbk_code environment_sync_names(const char *dir, struct dbk_error *err);

#endif
