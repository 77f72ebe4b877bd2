/* walk.h - steps through msgpack bytes without allocating or copying.
 *
 * For decoding records: zero-copy, and bounded by the bytes there are whatever a header
 * claims (msgpack-c's own unpacker allocates for the count that a damaged array or map
 * header gives, up to 6 GB, before it looks at the bytes behind it). Only what records
 * hold is known: integers, str, bin, nil, array and map headers. A test compares it with
 * msgpack-c. Format: the msgpack specification, https://msgpack.org.
 */
#ifndef DBK_STORE_WALK_H
#define DBK_STORE_WALK_H

#include "store/slice.h"

#include <stdint.h>

struct record_walk {
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    const char *wrong; /* what was expected where it failed first; NULL so far */
};

void record_walk_init(struct record_walk *walk, const char *bytes, size_t length);

/* Each reads one item and moves on. On any mismatch it returns false, sets wrong and
 * moves no further: every later read fails too, so a sequence of reads can be checked
 * once at its end. */
bool record_walk_array(struct record_walk *walk, size_t *count);
bool record_walk_map(struct record_walk *walk, size_t *count);
bool record_walk_uint(struct record_walk *walk, uint64_t *value);
bool record_walk_int(struct record_walk *walk, int64_t *value);
bool record_walk_str(struct record_walk *walk, struct dbk_slice *text);
bool record_walk_bin(struct record_walk *walk, struct dbk_slice *bytes);

/* Move past any item that records hold, but arrays and maps. */
bool record_walk_skip(struct record_walk *walk);

/* Move past a nil, where one comes next; false, and nothing is wrong, where not. */
bool record_walk_nil(struct record_walk *walk);

/* Mark as wrong from outside, e.g. an unknown key. Returns false. */
bool record_walk_fail(struct record_walk *walk, const char *expected);

#endif
