/* master.h - the file that a master key lies in: 64 hexadecimal digits and a line feed, or 32
 * bytes. */
#ifndef DBK_STORE_MASTER_H
#define DBK_STORE_MASTER_H

#include "store/keys.h"

#include <sys/types.h>

enum { MASTER_TEXT = 2 * DBK_KEY_BYTES + 1 };

/* Read it; wipe key afterwards. owner: whose it may be, beside root's and ours. beside: for
 * nobody else to read; elsewhere its group may, as systemd and Kubernetes hand it over.
 *
 * DBK_NOT_FOUND  there is none, or it was destroyed, and the file is to be removed still
 * DBK_INVALID    it has another size, or other characters
 * DBK_IO         also where others may read it, or write to it */
enum dbk_code master_read(const char *path, bool beside, uid_t owner,
                          uint8_t key[DBK_KEY_BYTES], struct dbk_error *err);

/* Make one (0600), on disk when it returns; whole, or none. DBK_IO, DBK_NO_ROOM. */
enum dbk_code master_make(const char *path, uint8_t key[DBK_KEY_BYTES],
                          struct dbk_error *err);

/* Put the key of the file `from` into `path`, over the bytes of the one that is destroyed by
 * that. Killed in between, `path` may hold neither. DBK_IO, DBK_NO_ROOM. */
enum dbk_code master_overwrite(const char *path, const char *from,
                               struct dbk_error *err);

/* Remove the file, written over where we may: nothing of its key is left on the disk. None is
 * fine. Killed in between, what it holds is no key. DBK_IO, DBK_NO_ROOM. */
enum dbk_code master_destroy(const char *path, struct dbk_error *err);

#endif
