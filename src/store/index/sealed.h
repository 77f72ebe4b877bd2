/* sealed.h - what the indexes of a sealed log have instead of texts: tags of what is looked
 * for, and the rest sealed with the key of whom it is of.
 *
 * Private to the store. The same is sealed the same, so that indexes can be compared with
 * what a log implies. Thread-safe.
 */
#ifndef DBK_STORE_SEALED_H
#define DBK_STORE_SEALED_H

#include "environment.h"
#include "seal.h"

/* The key of that number. 0, LMDB_KEY_MISSING, LMDB_KEY_DAMAGED, LMDB_KEY_ERASED, LMDB_KEYS_AWAY,
 * or ENOMEM. Wipe it after use (sealed_wipe). */
int sealed_key(const struct environment *environment, uint64_t number,
               uint8_t key[DBK_KEY_BYTES]);
/* What stands for a failure of dbk_keys_get or dbk_keys_next among them. */
int sealed_code(enum dbk_code code);
/* Whether the ring says that this key was destroyed. */
bool sealed_is_destroyed(const struct environment *environment, uint64_t number);
void sealed_wipe(uint8_t key[DBK_KEY_BYTES]);

/* Seal so many bytes at out + SEAL_NONCE where they are, with the key of that number; bound to
 * kind, a letter, and the id. As sealed_key. */
int sealed_put(const struct environment *environment, uint64_t number, char kind,
               const void *id, size_t id_length, char *out, size_t length);

/* Open a blob into out. LMDB_INDEX_DAMAGED, and as sealed_key. */
int sealed_take(const struct environment *environment, uint64_t number, char kind,
                const void *id, size_t id_length, struct dbk_slice blob, char *out);

/* The key that opens a sealed record: that of its number, mixed with the month's where it names
 * one. As dbk_keys_get; DBK_NOT_FOUND: either was erased, and *expired is whether it was only
 * the month's. Wipe it after use. */
enum dbk_code sealed_record_key(struct dbk_keys *keys, const struct dbk_record *record,
                                uint8_t key[DBK_KEY_BYTES], bool *expired,
                                struct dbk_error *err);

/* Open a record that was decoded, with the keys that there are: its slices point into room,
 * which has as many bytes as `sealed`. Where there are none it stays shut; where its key was
 * erased that, and record->erased says so. DBK_DAMAGED: so does record->damaged. And as
 * dbk_keys_get. */
enum dbk_code sealed_open_record(struct dbk_keys *keys, struct dbk_record *record,
                                 char *room, struct dbk_error *err);

/* The same in codes of LMDB: LMDB_RECORD_DAMAGED, and as sealed_key; without a ring
 * LMDB_KEYS_AWAY. */
int sealed_open(const struct environment *environment, struct dbk_record *record,
                char *room);

#endif
