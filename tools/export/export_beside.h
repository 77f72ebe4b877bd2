/* export_beside.h - the trailer of a csv export, in a file beside it: FILE.trailer.json. */
#ifndef DBK_TOOLS_EXPORT_BESIDE_H
#define DBK_TOOLS_EXPORT_BESIDE_H

#include "store/error.h"
#include "store/slice.h"

#include <limits.h>

/* Write the trailer's name for the export at path. DBK_INVALID: the path is too long. */
enum dbk_code export_beside_name(const char *path, char out[PATH_MAX],
                                 struct dbk_error *err);

/* Write the trailer, and a line feed, durably, in place of what has its name; before the
 * export gets its own. DBK_INVALID, DBK_NO_ROOM, DBK_IO: nothing of it is left. */
enum dbk_code export_beside_write(const char *path, struct dbk_slice trailer,
                                  struct dbk_error *err);

#endif
