/* anonymous_key.h - anonymous ids, which are texts, as keys of the tables that have ids.
 *
 * The hash of a text, keyed in secret, so that nobody can pick texts that collide: two with
 * one key are not met.
 */
#ifndef DBK_PROJECTIONS_ANONYMOUS_KEY_H
#define DBK_PROJECTIONS_ANONYMOUS_KEY_H

#include "store/slice.h"
#include "store/uuid.h"

#include <stdint.h>

struct anonymous_secret {
    uint8_t bytes[32];
};

void anonymous_secret_init(struct anonymous_secret *secret);

struct dbk_uuid anonymous_key(const struct anonymous_secret *secret,
                              struct dbk_slice anonymous_id);

#endif
