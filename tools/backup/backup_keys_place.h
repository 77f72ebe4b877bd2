/* backup_keys_place.h - the keys of a backup, put into a data directory that has no ring. */
#ifndef DBK_TOOLS_BACKUP_KEYS_PLACE_H
#define DBK_TOOLS_BACKUP_KEYS_PLACE_H

#include "config.h"
#include "store/error.h"

#include <limits.h>
#include <stdbool.h>

/* Where the keys of a backup, or of a data directory, are that has its log in `from`. False: it has
 * none. */
bool backup_keys_find(const char *from, char out[PATH_MAX]);

struct backup_keys_placed {
    char dir[PATH_MAX];
    bool folder; /* which was made, and what was put into it: */
    bool next, master, ring;
};

/* Put those in the folder `from` into the data directory, which has no ring. A master key that is
 * configured, or lies there already, is never written over: the ring is put there where that
 * opens it, and else nothing is.
 *
 * Whatever it returns, what it put there is told in placed, and goes with backup_keys_take_back.
 *
 * DBK_CONFLICT  the master key that is configured, or there, is not the one of that ring
 * DBK_IO, DBK_NO_ROOM, and as dbk_keys_open */
enum dbk_code backup_keys_place(const struct config *config, const char *from,
                                struct backup_keys_placed *placed,
                                struct dbk_error *err);

/* Remove what was put there, and nothing else. */
void backup_keys_take_back(const struct backup_keys_placed *placed);

#endif
