/* keys_share.h - keys on their way from one copy of a log to another, each of which has a ring
 * of its own.
 *
 * A parcel has the keys of some numbers in a row, and the ring's pepper, sealed by a key that
 * follows from a master key: who has no such master key reads which numbers are in it, and
 * nothing else. It may lie where others can read it; that which is erased later is in it until
 * that master key is destroyed. Little-endian:
 *
 *     0   which master key, 16: as the ring says it (ring_format.h)
 *     16  first, 8
 *     24  count, 4; 0: none, and the pepper alone
 *     28  nonce, 24
 *     52  sealed: pepper, 32; count times a key, 32: zeros where it was erased; tag, 16
 *
 * XChaCha20-Poly1305, by BLAKE2b-256 of nothing, keyed by the master key, personal "daybook
 * stream"; the additional data is what is before the nonce. Where the master key
 * lies elsewhere than in the ring's directory, both sides also look at its path with ".new"
 * behind, and a parcel is sealed by that one where it is there: so each copy can have both
 * before the first of them is rotated.
 */
#ifndef DBK_STORE_KEYS_SHARE_H
#define DBK_STORE_KEYS_SHARE_H

#include "store/keys.h"

#define DBK_PARCEL_OVERHEAD 100 /* bytes, but for the keys */
#define DBK_PARCEL_MOST (((uint32_t)8 << 20) / DBK_KEY_BYTES) /* keys in one */

/* A parcel, malloc'd: of keys that are made for it, at random, and are in no ring yet; or, made
 * false, of those that the ring has.
 *
 * DBK_INVALID  more than DBK_PARCEL_MOST; the ring has no such numbers
 * DBK_DAMAGED  a slot of the ring is
 * DBK_UNSUPPORTED: read only. DBK_KEYS_AWAY, DBK_IO, DBK_NO_MEMORY */
enum dbk_code dbk_keys_parcel(struct dbk_keys *keys, uint64_t first, uint32_t count,
                              bool made, char **bytes, size_t *length,
                              struct dbk_error *err);

/* Which numbers are in it. False: it is no parcel. */
bool dbk_parcel_look(struct dbk_slice parcel, uint64_t *first, uint32_t *count);

/* Put the keys of the numbers above `used` into the ring, in the place of what is there, on
 * disk when it returns. Nobody has used those here. Again is as good as once.
 *
 * DBK_UNAVAILABLE  it is sealed by a master key that is not there: err says where to put it
 * DBK_CONFLICT     it is of another log's ring; or the ring ends before it
 * DBK_DAMAGED      it is no parcel, or was changed
 * DBK_UNSUPPORTED: read only. DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY */
enum dbk_code dbk_keys_take(struct dbk_keys *keys, struct dbk_slice parcel,
                            uint64_t used, struct dbk_error *err);

/* Whether a next master key lies where parcels are sealed by it then, and dbk_keys_rotate takes
 * it: to be so at each copy, with the same one, before one of them rotates. */
bool dbk_keys_has_next(struct dbk_keys *keys);

/* As dbk_keys_make, but a ring of what is in the parcel, whose first number is 1. A master key
 * is not made.
 *
 * DBK_NOT_FOUND  there is no master key
 * DBK_CONFLICT   the parcel is sealed by another one; err says what to do
 * DBK_DAMAGED    it is no parcel, or was changed */
enum dbk_code dbk_keys_make_of(const char *dir, const struct dbk_keys_options *options,
                               struct dbk_slice parcel, struct dbk_error *err);

#endif
