/* backup_keys.h - the ring of a sealed log in a backup's folder keys, and there the master key, too,
 * where that lies beside the ring. Who is erased later can still be read from such a backup; one
 * without keys can only be read with the ring of now. */
#ifndef DBK_TOOLS_BACKUP_KEYS_H
#define DBK_TOOLS_BACKUP_KEYS_H

#include "command.h"
#include "store/keys.h"

#define BACKUP_KEYS                                                                    \
    "keys" /* the folder's name, in the backup's and in a data directory */

struct backup_keys {
    bool copied;               /* the ring of now is in the backup */
    bool master;               /* ... with what opens it */
    struct dbk_keys_copied of; /* as of when: erasures after it do not reach it */
    bool before;               /* it had a ring already */
    char why
        [512]; /* why the ring of a sealed log is not in it, or that of before is still; "": it
                      is, or was not to be */
};

/* That --without-keys was not given of a backup that has keys: DBK_CONFLICT. */
enum dbk_code backup_keys_check(const struct tool *tool, const char *backup,
                                struct dbk_error *err);

/* Copy them to the backup in the folder, behind the copy of the log, in place of older ones. Nothing
 * where that is not sealed, or --without-keys was given. A ring that cannot be copied is no failure,
 * but told in out: then there is none, or that of before. Killed at any moment, what is there
 * opens. */
void backup_keys_put(const struct tool *tool, const char *backup, bool sealed,
                     struct backup_keys *out);

/* Once the backup is in its place: for daybook keys status. As dbk_keys_open and
 * dbk_keys_note_copy. */
enum dbk_code backup_keys_note(const struct tool *tool, const struct backup_keys *keys,
                               struct dbk_error *err);

/* Whether the backup in the folder has a ring. */
bool backup_keys_there(const char *backup);

/* Whether there is nothing in its folder keys but what is made here. */
bool backup_keys_alone(const char *backup);

/* Remove them from a backup's folder, where there are any. */
void backup_keys_remove(const char *backup);

#endif
