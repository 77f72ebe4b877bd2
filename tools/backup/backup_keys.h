/* backup_keys.h - the ring of a sealed log in a backup's folder keys, and there the master key, too,
 * where that lies beside the ring. Who is erased later can still be read from such a backup; one
 * without keys can only be read with the ring of now. */
#ifndef DBK_TOOLS_BACKUP_KEYS_H
#define DBK_TOOLS_BACKUP_KEYS_H

#include "command.h"
#include "store/keys.h"

#include <limits.h>

#define BACKUP_KEYS                                                                    \
    "keys" /* the folder's name, in the backup's and in a data directory */

struct backup_keys {
    bool copied;      /* the ring is in the backup */
    bool master;      /* ... with what opens it */
    dbk_timestamp at; /* as of when: erasures after it do not reach it */
    char why
        [512]; /* why the ring of a sealed log is not in it; "": it is, or was not to be */
};

/* Copy them to the backup in the folder `to`, behind the copy of the log, in place of older ones.
 * Nothing where the log is not sealed, or --without-keys was given. A ring that cannot be copied is
 * no failure, but told in out. Killed at any moment, what is there opens. DBK_CONFLICT: the backup
 * has keys, and --without-keys was given. */
enum dbk_code backup_keys_put(const struct tool *tool, const char *to,
                              struct backup_keys *out, struct dbk_error *err);

/* Remove them from a backup's folder, where there are any. */
void backup_keys_remove(const char *dir);

/* Where the keys of a backup, or of a data directory, are that has its log in `from`. False: it has
 * none. */
bool backup_keys_find(const char *from, char out[PATH_MAX]);

/* Put those in the folder `from` into the data directory, which has no ring. *placed: they must be
 * removed again where what follows fails, with backup_keys_remove. DBK_IO, DBK_NO_ROOM. */
enum dbk_code backup_keys_place(const struct config *config, const char *from,
                                bool *placed, struct dbk_error *err);

#endif
