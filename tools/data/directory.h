/* directory.h - makes the data directory. */
#ifndef DBK_TOOLS_DIRECTORY_H
#define DBK_TOOLS_DIRECTORY_H

#include "store/error.h"

#include <limits.h>

/* Make each directory of the path that is missing, with mode 0700; as root 0711, so that
 * the unprivileged user of the private PostgreSQL gets to its part. Each is there after a
 * power cut, too. Before there are threads: it sets the umask for a moment. DBK_IO,
 * DBK_NO_ROOM. */
enum dbk_code directory_make(const char *path, struct dbk_error *err);

/* The path as it is from /, for a person: where the working directory is known, and it fits.
 */
void directory_absolute(const char *path, char out[PATH_MAX]);

#endif
