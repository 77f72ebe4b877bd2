/* lock.h - one server a data directory. */
#ifndef DBK_TOOLS_LOCK_H
#define DBK_TOOLS_LOCK_H

#include "store/error.h"

/* Make the data directory (0700) where it is missing, and take dir/serve.lock, which is
 * held until lock_release or the end of the process, however that comes. *fd is owned.
 *
 * DBK_CONFLICT  another server has it; err says which process
 * DBK_IO, DBK_NO_ROOM
 */
enum dbk_code lock_take(const char *dir, int *fd, struct dbk_error *err);
void lock_release(int fd); /* -1 is fine */

#endif
