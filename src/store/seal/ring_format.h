/* ring_format.h - the ring's bytes, and how a key is wrapped.
 *
 * Little-endian. A page of 4,096 bytes, then slots of 64, the key of number N at
 * 4096 + 64 * (N - 1), so that no slot crosses a sector. The file ends behind its last whole
 * slot; what is left of one behind it is of a growth that was killed.
 *
 *     the page                               a mark, of 128 bytes at 512 and at 1,024
 *     0    "DBKR"                            0    generation, 8
 *     4    version, 4: 1                     8    erased_through, 8: a sequence
 *     8    epoch, 8                          16   copied_epoch, 8
 *     16   master_id, 16                     24   copied_count, 8
 *     32   pepper, wrapped as number 0, 56   32   copied_at, 8: microseconds since 1970
 *     88   zeros, 4                          40   first, 32: SHA-256 of the log's first record;
 *     92   CRC-32 of what is before, 4            zeros: bound to none
 *                                            72   rotated_through, 8: a sequence
 *                                            80   rotated_at, 8, as copied_at
 *                                            88   zeros, 36
 *     a slot                                 124  CRC-32 of what is before, 4
 *     0    the key, wrapped, 56
 *     56   state, 4: 1 a key, 2 erased
 *     60   CRC-32 of the number, 8, and of what is before, 4
 *
 * The page's first part never changes: a rotation makes another file. What changes is in the
 * marks, each in a sector of its own, written in turn: the one with the higher generation
 * counts, and where that is torn the other one.
 *
 * Wrapped: XChaCha20-Poly1305 under the master key, of 32 bytes, 16 of tag behind, then 8 bytes
 * of salt; nonce epoch, number, salt; additional data the number. The salt is random, and new
 * each time: one master key may wrap several rings, and an older copy of a ring that is put back
 * grows anew, so that epoch and number alone would be one nonce for two keys. An erased slot's
 * first 56 bytes are zeros. master_id is BLAKE2b-128 of nothing, keyed by the master key,
 * personal "daybook master\0\0".
 */
#ifndef DBK_STORE_RING_FORMAT_H
#define DBK_STORE_RING_FORMAT_H

#include "store/keys.h"

enum {
    RING_VERSION = 1,
    RING_PAGE = 4096,
    RING_FIXED = 96, /* the page's first part */
    RING_MARK = 128,
    RING_MARKS = 2,
    RING_SLOT = 64,
    RING_SALT = 8,
    RING_WRAPPED = DBK_KEY_BYTES + 16 + RING_SALT,
    RING_MASTER_ID = 16,
};

#define RING_MARK_AT(i) (512 * ((size_t)(i) + 1))
#define RING_SLOT_AT(number) (RING_PAGE + RING_SLOT * ((number)-1))
/* Numbers whose slots end within 2^62 bytes. */
#define RING_NUMBER_MAX (UINT64_C(1) << 56)

struct ring_fixed {
    uint64_t epoch;
    uint8_t master_id[RING_MASTER_ID];
    uint8_t pepper[RING_WRAPPED];
};

struct ring_mark {
    uint64_t generation, erased_through, copied_epoch, copied_count;
    dbk_timestamp copied_at;
    uint64_t rotated_through;
    dbk_timestamp rotated_at;
    uint8_t first[DBK_KEYS_FIRST_BYTES];
};

enum ring_slot {
    RING_TORN, /* its checksum or state is wrong, or it is of another number */
    RING_KEY,  /* its first RING_WRAPPED bytes are one, wrapped */
    RING_ERASED,
};

void ring_fixed_write(const struct ring_fixed *fixed, uint8_t out[RING_FIXED]);
void ring_mark_write(const struct ring_mark *mark, uint8_t out[RING_MARK]);
/* wrapped NULL: erased. */
void ring_slot_write(uint64_t number, const uint8_t *wrapped, uint8_t out[RING_SLOT]);

/* DBK_DAMAGED: no ring, or its checksum is wrong. DBK_UNSUPPORTED: a newer version. */
enum dbk_code ring_fixed_read(const uint8_t in[RING_FIXED], struct ring_fixed *fixed,
                              struct dbk_error *err);
/* The mark that counts; *place is where it is. False: both are damaged. */
bool ring_mark_read(const uint8_t page[RING_PAGE], struct ring_mark *mark,
                    unsigned *place);
enum ring_slot ring_slot_read(const uint8_t in[RING_SLOT], uint64_t number);

/* How many whole slots a file of this size has; 0: not even the page. */
uint64_t ring_count(uint64_t file_size);

void ring_master_id(const uint8_t master[DBK_KEY_BYTES], uint8_t id[RING_MASTER_ID]);
/* The salt from randombytes_buf, never used before. */
void ring_wrap(const uint8_t master[DBK_KEY_BYTES], uint64_t epoch, uint64_t number,
               const uint8_t salt[RING_SALT], const uint8_t key[DBK_KEY_BYTES],
               uint8_t out[RING_WRAPPED]);
/* False: it is not what was wrapped so. */
bool ring_unwrap(const uint8_t master[DBK_KEY_BYTES], uint64_t epoch, uint64_t number,
                 const uint8_t wrapped[RING_WRAPPED], uint8_t key[DBK_KEY_BYTES]);

#endif
