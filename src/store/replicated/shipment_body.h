/* shipment_body.h - the bytes of what one transaction appends: gathered as it is appended,
 * and walked through again (store/replicated.h tells their shape).
 *
 * Private to the store.
 */
#ifndef DBK_STORE_SHIPMENT_BODY_H
#define DBK_STORE_SHIPMENT_BODY_H

#include "store/replicated.h"

struct body_bytes {
    char *bytes;
    size_t used, size;
};

/* Zero it before first use; body_finish frees it, body_clear empties it. */
struct shipment_body {
    struct body_bytes records, keys;
    uint32_t count; /* of records */
};

void body_clear(struct shipment_body *body);
void body_finish(struct shipment_body *body);

/* A value of the database log; a key and what is kept under it. Copied. 0 or ENOMEM. */
int body_add_record(struct shipment_body *body, const void *value, size_t size);
int body_add_key(struct shipment_body *body, const uint8_t key[32], const void *entry,
                 size_t size);

/* What it has come to. */
static inline size_t body_length(const struct shipment_body *body)
{
    return body->records.used + body->keys.used;
}

/* All of it in one piece, until more is added. False: no memory. */
bool body_join(struct shipment_body *body, struct dbk_slice *out);

/* A walk through a body of somebody else. */
struct body_walk {
    const char *at;
    size_t left;
};

/* The next record, or key. Each returns false where the bytes end before it does; what they
 * give points into the body. */
bool body_next_record(struct body_walk *walk, struct dbk_slice *value);
bool body_next_key(struct body_walk *walk, struct dbk_slice *key,
                   struct dbk_slice *entry);

#endif
