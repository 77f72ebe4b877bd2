/* parcel.h - the bytes of a parcel of keys (store/keys_share.h). Private to the store. */
#ifndef DBK_STORE_PARCEL_H
#define DBK_STORE_PARCEL_H

#include "ring_format.h"
#include "store/keys_share.h"

enum { PARCEL_HEAD = 28, PARCEL_SEALED = 52, PARCEL_TAG = 16 };

static inline size_t parcel_length(uint32_t count)
{
    return DBK_PARCEL_OVERHEAD + (size_t)count * DBK_KEY_BYTES;
}

/* What is sealed: the pepper, and the keys behind it. */
static inline uint8_t *parcel_text(char *parcel)
{
    return (uint8_t *)parcel + PARCEL_SEALED;
}

/* Seal in place what parcel_text points at. */
void parcel_seal(char *parcel, const uint8_t master[DBK_KEY_BYTES], uint64_t first,
                 uint32_t count);

/* Whether it was sealed by this master key. */
bool parcel_is_by(struct dbk_slice parcel, const uint8_t master[DBK_KEY_BYTES]);

/* Its pepper and keys, by sodium_malloc: free them so. DBK_DAMAGED, DBK_NO_MEMORY. */
enum dbk_code parcel_open(struct dbk_slice parcel, const uint8_t master[DBK_KEY_BYTES],
                          uint8_t **text, struct dbk_error *err);

#endif
