/* uuid.h - UUIDs: any a client brings, version 7 for those made here.
 *
 * Source: RFC 9562, sections 4 (text) and 5.7 (version 7, with 6.2's method 3: the
 * fraction of the millisecond in rand_a, so ids made one after the other sort so).
 * All functions are thread-safe.
 */
#ifndef DBK_STORE_UUID_H
#define DBK_STORE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBK_UUID_TEXT 36 /* characters, without the NUL */

struct dbk_uuid {
    uint8_t bytes[16]; /* as written, first digit first */
};

/* A new version 7 id for now: time-ordered, and unique even where the clock stands
 * still or is set back (62 random bits). Aborts where the system has no randomness. */
struct dbk_uuid dbk_uuid_new(void);

/* Read 8-4-4-4-12 hex digits in either case; false for anything else. */
bool dbk_uuid_parse(const char *text, size_t length, struct dbk_uuid *out);

/* Write the lower-case form and a NUL. */
void dbk_uuid_format(const struct dbk_uuid *id, char out[DBK_UUID_TEXT + 1]);

bool dbk_uuid_equal(const struct dbk_uuid *a, const struct dbk_uuid *b);

/* Whether it is the nil UUID, all of whose digits are 0 (section 5.9): here nobody's. */
bool dbk_uuid_is_nil(const struct dbk_uuid *id);

#endif
