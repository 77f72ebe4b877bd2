/* lock.h - who may write: one server a data directory, and one process what is called
 * NAME.partial until it is whole. */
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

/* Whether nobody has it, now: DBK_CONFLICT, err says which process. Makes nothing. */
enum dbk_code lock_look(const char *dir, struct dbk_error *err);

/* Keep others out of the file or folder that fd has opened at path, until fd is closed.
 * DBK_CONFLICT: another process makes it, or just ended and gave it its own name. */
enum dbk_code lock_partial(int fd, const char *path, struct dbk_error *err);

#endif
