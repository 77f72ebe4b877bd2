/* walk.h - steps through msgpack bytes without allocating or copying.
 *
 * For decoding records: zero-copy, and bounded by the bytes there are whatever a header
 * claims (msgpack-c's own unpacker allocates for the count that a damaged array or map
 * header gives, up to 6 GB, before it looks at the bytes behind it). Only what records
 * hold is known: integers, str, bin, array and map headers. A test compares it with
 * msgpack-c. Format: the msgpack specification, https://msgpack.org.
 */
#ifndef DBK_WALK_H
#define DBK_WALK_H

#include "store/slice.h"

#include <stdint.h>

struct dbk_walk {
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    const char *wrong; /* what was expected where it failed first; NULL so far */
};

void dbk_walk_init(struct dbk_walk *walk, const char *bytes, size_t length);

/* Each reads one item and moves on. On any mismatch it returns false, sets wrong and
 * moves no further: every later read fails too, so a sequence of reads can be checked
 * once at its end. */
bool dbk_walk_array(struct dbk_walk *walk, size_t *count);
bool dbk_walk_map(struct dbk_walk *walk, size_t *count);
bool dbk_walk_uint(struct dbk_walk *walk, uint64_t *value);
bool dbk_walk_int(struct dbk_walk *walk, int64_t *value);
bool dbk_walk_str(struct dbk_walk *walk, struct dbk_slice *text);
bool dbk_walk_bin(struct dbk_walk *walk, struct dbk_slice *bytes);

/* Mark as wrong from outside, e.g. an unknown key. Returns false. */
bool dbk_walk_fail(struct dbk_walk *walk, const char *expected);

#endif
