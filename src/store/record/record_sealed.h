/* record_sealed.h - how a record is sealed, see store/record.h. Private to the store. */
#ifndef DBK_STORE_RECORD_SEALED_H
#define DBK_STORE_RECORD_SEALED_H

#include "store/record.h"

/* Bytes of what the sealed part of a record is bound to. */
enum { RECORD_BOUND_TO = 4 + 1 + 16 + 16 };

/* Write them, of a record's type, subject and person, to out; the slice is of them. */
struct dbk_slice record_bound_to(const struct dbk_record *record,
                                 char out[RECORD_BOUND_TO]);

/* As dbk_record_seal, or where month is not 0 as dbk_record_seal_in_month, with a nonce; NULL: a
 * random one. */
struct record_key {
    uint64_t number, month;
    const uint8_t *bytes; /* 32 */
};
enum dbk_code record_seal(const char *bytes, size_t length, struct record_key key,
                          const uint8_t *nonce, char *out, size_t size,
                          size_t *sealed_length, struct dbk_error *err);

#endif
