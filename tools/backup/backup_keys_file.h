/* backup_keys_file.h - the files of a ring of keys, copied to a backup and back. */
#ifndef DBK_TOOLS_BACKUP_KEYS_FILE_H
#define DBK_TOOLS_BACKUP_KEYS_FILE_H

#include "store/error.h"

#include <limits.h>

#define BACKUP_KEYS_PATH (PATH_MAX + 32)

/* The folder, for its owner only; one that is there will do. DBK_IO, DBK_NO_ROOM. */
enum dbk_code backup_keys_folder(const char *dir, struct dbk_error *err);

/* Copy a file in the place of the one that is there, for its owner only: whole and on disk when
 * it returns, or as it was. What it held is wiped from memory. DBK_IO, DBK_NO_ROOM. */
enum dbk_code backup_keys_copy(const char *from, const char *to, struct dbk_error *err);

#endif
