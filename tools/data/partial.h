/* partial.h - files and folders that are called NAME.partial until they are whole: one
 * process at a time makes one. */
#ifndef DBK_TOOLS_PARTIAL_H
#define DBK_TOOLS_PARTIAL_H

#include "store/error.h"

/* Keep others out of what fd has opened at path, until fd is closed.
 * DBK_CONFLICT: another process makes it, or just ended and gave it its own name. */
enum dbk_code partial_lock(int fd, const char *path, struct dbk_error *err);

#endif
